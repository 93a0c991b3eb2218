import { Component, useRef } from "@odoo/owl";
import { browser } from "@web/core/browser/browser";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { standardFieldProps } from "@web/views/fields/standard_field_props";
import { standardWidgetProps } from "@web/views/widgets/standard_widget_props";

/** *Copy Details*: copies the details of a failure for support to the clipboard. */
export class CopyDetails extends Component {
    static template = "account_online_synchronization.CopyDetails";
    static props = { details: String, className: { type: String, optional: true } };
    static defaultProps = { className: "btn-secondary" };

    setup() {
        this.notification = useService("notification");
        this.text = useRef("text");
    }

    async onClick() {
        if (await this.copy()) {
            this.notification.add(_t("Copied. Paste the details into your message to support."), { type: "success" });
        } else {
            this.notification.add(this.props.details, {
                title: _t("Please copy these details yourself"),
                type: "warning",
                className: "o_online_details",
                sticky: true,
            });
        }
    }

    /** @returns {Promise<boolean>} whether the clipboard took the details */
    async copy() {
        try {
            await browser.navigator.clipboard.writeText(this.props.details);
            return true;
        } catch {
            // Why a fallback: browsers offer the clipboard API over HTTPS only, which internal servers may not have.
            this.text.el.hidden = false;
            this.text.el.select();
            const isCopied = document.execCommand("copy");
            this.text.el.hidden = true;
            return isCopied;
        }
    }
}

/** In a form: a text field whose value is copied and never shown. */
export class CopyDetailsField extends Component {
    static template = "account_online_synchronization.CopyDetailsField";
    static components = { CopyDetails };
    static props = { ...standardFieldProps, className: { type: String, optional: true } };
}

registry.category("fields").add("online_copy_details", {
    component: CopyDetailsField,
    displayName: _t("Copy Details for Support"),
    supportedTypes: ["text"],
    extractProps: ({ options }) => ({ className: options.btn_class }),
});

/** On the card of a journal, which has its data in one JSON. */
export class CopyDetailsOnCard extends Component {
    static template = "account_online_synchronization.CopyDetailsOnCard";
    static components = { CopyDetails };
    static props = { ...standardWidgetProps };

    get details() {
        return JSON.parse(this.props.record.data.kanban_dashboard).online_sync.details;
    }
}

registry.category("view_widgets").add("online_copy_details", { component: CopyDetailsOnCard });
