import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { FormController } from "@web/views/form/form_controller";
import { formView } from "@web/views/form/form_view";

/** Buttons that may take a minute: a long list of banks is requested and stored. */
const SLOW = new Set(["action_switch_on", "action_update_directory", "action_accept_shorter_directory"]);

/** The form of a provider says what it is waiting for. */
export class ProviderFormController extends FormController {
    setup() {
        super.setup();
        this.uiService = useService("ui");
        this.isWaiting = false;
    }

    async beforeExecuteActionButton(clickParams) {
        const proceeds = await super.beforeExecuteActionButton(clickParams);
        if (proceeds !== false && SLOW.has(clickParams.name)) {
            this.isWaiting = true;
            this.uiService.block({
                message: _t("The list of banks is being loaded. A long list takes up to a minute."),
            });
        }
        return proceeds;
    }

    /** Also called after a failure. */
    async afterExecuteActionButton(clickParams) {
        if (this.isWaiting) {
            this.isWaiting = false;
            this.uiService.unblock();
        }
        return super.afterExecuteActionButton(clickParams);
    }
}

registry.category("views").add("bank_provider_form", { ...formView, Controller: ProviderFormController });
