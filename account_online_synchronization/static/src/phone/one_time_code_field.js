import { registry } from "@web/core/registry";
import { CharField, charField } from "@web/views/fields/char/char_field";

import { useEffect } from "@odoo/owl";

/** A code of digits that came in a text message: phones show the keyboard of numbers and propose the code. */
export class OneTimeCodeField extends CharField {
    setup() {
        super.setup();
        useEffect(
            (input) => input && input.setAttribute("inputmode", "numeric"),
            () => [this.input.el]
        );
    }
}

registry.category("fields").add("one_time_code", { ...charField, component: OneTimeCodeField });
