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
    // Both in subclasses.
    static action = "";
    static label = "";

    setup() {
        this.action = useService("action");
    }

    get label() {
        return this.constructor.label;
    }

    async onSelected() {
        const { context } = this.env.searchModel;
        const journalId = context.default_journal_id || (context.active_model === "account.journal" && context.active_id);
        await this.action.doAction(`account_online_synchronization.${this.constructor.action}`, {
            additionalContext: journalId ? { default_journal_id: journalId } : {},
            onClose: () => this.env.searchModel.search(),
        });
    }
}

export class FindMissingMenuItem extends ReviewMenuItem {
    static action = "account_missing_transaction_wizard_action";
    static label = _t("Find Missing Transactions");
}

export class FindDuplicateMenuItem extends ReviewMenuItem {
    static action = "account_duplicate_transaction_wizard_action";
    static label = _t("Find Duplicate Transactions");
}

const isDisplayed = async (env) =>
    env.searchModel?.resModel === "account.bank.statement.line" &&
    ["kanban", "list"].includes(env.config.viewType) &&
    (await user.hasGroup("account.group_account_basic"));

for (const Item of [FindMissingMenuItem, FindDuplicateMenuItem]) {
    registry
        .category("cogMenu")
        .add(Item.action, { Component: Item, groupNumber: 20, isDisplayed }, { sequence: 20 });
}
