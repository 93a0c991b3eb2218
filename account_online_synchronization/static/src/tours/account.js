import { accountTourSteps } from "@account/js/tours/account";
import { _t } from "@web/core/l10n/translation";
import { patch } from "@web/core/utils/patch";

// With this addon the Invoicing app opens on the dashboard, not on the list of invoices: core's own guided tour
// starts there, from the button on the card of the sales journal.
patch(accountTourSteps, {
    newInvoice() {
        return [
            {
                trigger: ".o_account_kanban button.btn-primary[name=action_create_new]",
                content: _t("Now, we'll create your first invoice"),
                run: "click",
            },
        ];
    },
});
