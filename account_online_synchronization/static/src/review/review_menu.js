import { DropdownItem } from "@web/core/dropdown/dropdown_item";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { user } from "@web/core/user";
import { useService } from "@web/core/utils/hooks";

import { Component } from "@odoo/owl";

/** *Find Missing Transactions* and *Find Duplicate Transactions* in the menu of lists of bank transactions. */
class ReviewMenuItem extends Component {
    static template = "account_online_synchronization.ReviewMenuItem";
    static components = { DropdownItem };
    static props = {};
    // Set in subclasses: the wizard's action, the journal's method that opens it, the label of the menu item.
    static action = "";
    static method = "";
    static label = "";

    setup() {
        this.action = useService("action");
        this.orm = useService("orm");
    }

    get label() {
        return this.constructor.label;
    }

    async onSelected() {
        const { context } = this.env.searchModel;
        const journalId =
            context.default_journal_id || (context.active_model === "account.journal" && context.active_id);
        const action = journalId
            ? await this.orm.call("account.journal", this.constructor.method, [journalId])
            : `account_online_synchronization.${this.constructor.action}`;
        await this.action.doAction(action, { onClose: () => this.env.searchModel.search() });
    }
}

export class FindMissingMenuItem extends ReviewMenuItem {
    static action = "account_missing_transaction_wizard_action";
    static method = "action_find_missing_transactions";
    static label = _t("Find Missing Transactions");
}

export class FindDuplicateMenuItem extends ReviewMenuItem {
    static action = "account_duplicate_transaction_wizard_action";
    static method = "action_find_duplicate_transactions";
    static label = _t("Find Duplicate Transactions");
}

const isDisplayed = async (env) =>
    env.searchModel?.resModel === "account.bank.statement.line" &&
    ["kanban", "list"].includes(env.config.viewType) &&
    (await user.hasGroup("account.group_account_basic"));

for (const Item of [FindMissingMenuItem, FindDuplicateMenuItem]) {
    registry.category("cogMenu").add(Item.action, { Component: Item, groupNumber: 20, isDisplayed }, { sequence: 20 });
}
