import { useEffect } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { evaluateBooleanExpr } from "@web/core/py_js/py";
import { registry } from "@web/core/registry";
import { Field } from "@web/views/fields/field";
import { X2ManyField, x2ManyField } from "@web/views/fields/x2many/x2many_field";

/** What the user enters, in this order. Whether an input shows is a condition of the view, as everywhere. */
const INPUTS = ["action", "journal_id", "journal_name", "journal_type", "start_date", "fee_lines"];

/**
 * One card for each bank account, all of them open for editing: what belongs together is seen together, on a desktop as
 * on a phone, and nothing has to be clicked first.
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

    /** @returns {string} what has to be changed, at once: the server knows of the other rows when the form is saved */
    problem(record) {
        const { action, journal_id: journal, problem } = record.data;
        const isShared = ({ id, data }) =>
            id !== record.id && data.action === "existing" && data.journal_id?.id === journal.id;
        if (!problem && action === "existing" && journal && this.list.records.some(isShared)) {
            return _t("Another account has this journal, too. A journal is filled by one account.");
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
