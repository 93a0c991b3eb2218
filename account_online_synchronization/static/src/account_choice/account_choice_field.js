import { useEffect } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { evaluateBooleanExpr } from "@web/core/py_js/py";
import { registry } from "@web/core/registry";
import { Field } from "@web/views/fields/field";
import { X2ManyField, x2ManyField } from "@web/views/fields/x2many/x2many_field";

/** Inputs of a card, in this order. Their visibility is a condition in the view, as usual. */
const INPUTS = ["action", "journal_id", "journal_name", "journal_type", "start_date", "fee_lines"];

/**
 * One card for each bank account, all of them in edit mode: on a desktop and on a phone, related fields are shown
 * together, and nothing has to be clicked first.
 */
export class AccountChoiceField extends X2ManyField {
    static template = "account_online_synchronization.AccountChoiceField";
    static components = { Field };

    setup() {
        super.setup();
        useEffect(
            (_ids, isReadonly) => {
                for (const record of isReadonly ? [] : this.list.records) {
                    if (!record.isInEdition) {
                        record.switchMode("edit");
                    }
                }
            },
            () => [this.list.records.map((record) => record.id).join(), this.props.readonly]
        );
    }

    info(name) {
        return Object.values(this.archInfo.fieldNodes).find((node) => node.name === name);
    }

    /** @returns {string} the problem to be fixed, checked here too: the server sees the other rows only on saving */
    problem(record) {
        const { action, journal_id: journal, problem } = record.data;
        const isShared = ({ id, data }) =>
            id !== record.id && data.action === "existing" && data.journal_id?.id === journal.id;
        if (!problem && action === "existing" && journal && this.list.records.some(isShared)) {
            return _t("Another account is linked to this journal, too. Only one account can fill a journal.");
        }
        return problem || "";
    }

    /** @returns {Object[]} the inputs that the record shows */
    inputs(record) {
        return INPUTS.filter(
            (name) => this.info(name) && !evaluateBooleanExpr(this.info(name).invisible, record.evalContextWithVirtualIds)
        ).map((name) => ({
            name,
            id: `${name}_${record.id}`,
            info: this.info(name),
            label: this.list.fields[name].string,
        }));
    }
}

registry.category("fields").add("online_account_choice", { ...x2ManyField, component: AccountChoiceField });
