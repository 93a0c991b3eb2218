import { Component, onWillUpdateProps, useState } from "@odoo/owl";
import { formatCurrency, getCurrency } from "@web/core/currency";
import { AnalyticPart } from "./analytic_part";
import { MultiRecordSelector } from "@web/core/record_selectors/multi_record_selector";
import { formatMonetary } from "@web/views/fields/formatters";
import { parseMonetary } from "@web/views/fields/parsers";

/** One counterpart of a line: a document, or an account with taxes. */
export class PartRow extends Component {
    static template = "account_online_reconcile.PartRow";
    static components = { AnalyticPart, MultiRecordSelector };
    static props = {
        part: Object,
        line: Object,
        leftOpen: Number,
        isReadonly: Boolean,
        usesAnalytic: Boolean,
        change: Function,
        remove: Function,
        openFile: Function,
    };

    setup() {
        this.state = useState({ text: this.formatAmount(this.props.part), isInvalid: false });
        onWillUpdateProps(({ part }) => {
            if (!this.state.isInvalid) {
                this.state.text = this.formatAmount(part);
            }
        });
    }

    get taxDomain() {
        return [["company_id", "parent_of", [this.props.line.company_id]]];
    }

    get isForeign() {
        const { part, line } = this.props;
        return part.kind === "item" && part.currency_id && part.currency_id !== line.currency_id;
    }

    get canChangeAmount() {
        return ["item", "account"].includes(this.props.part.kind);
    }

    formatAmount(part) {
        const { digits } = getCurrency(this.props.line.currency_id) || {};
        return formatMonetary(part.amount, { digits, currencyId: this.props.line.currency_id, noSymbol: true });
    }

    format(amount, currencyId = this.props.line.currency_id) {
        return formatCurrency(amount, currencyId);
    }

    onAmountChange(ev) {
        try {
            const amount = parseMonetary(ev.target.value, { allowOperation: true });
            this.state.isInvalid = false;
            this.props.change({ amount, is_paid_in_full: false });
        } catch {
            Object.assign(this.state, { isInvalid: true, text: ev.target.value });
        }
    }
}
