import { Component, onWillUpdateProps, useEffect, useState } from "@odoo/owl";
import { formatCurrency, getCurrency } from "@web/core/currency";
import { AnalyticPart } from "./analytic_part";
import { KeepLast } from "@web/core/utils/concurrency";
import { MultiRecordSelector } from "@web/core/record_selectors/multi_record_selector";
import { _t } from "@web/core/l10n/translation";
import { formatMonetary } from "@web/views/fields/formatters";
import { parseMonetary } from "@web/views/fields/parsers";
import { toServer } from "./counterparts";
import { useService } from "@web/core/utils/hooks";

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
        this.orm = useService("orm");
        this.keepLast = new KeepLast();
        // What is in a field until it is left. Why: an answer of the server, such as the taxes of another amount, draws
        // the row again, and would take away what the user types meanwhile.
        this.typed = {};
        this.state = useState({ text: this.formatAmount(this.props.part), isInvalid: false, taxes: [] });
        useEffect(
            () => {
                this.computeTaxes();
            },
            () => [this.props.part.amount, String(this.props.part.tax_ids)]
        );
        onWillUpdateProps(({ part, line }) => {
            if (line.id !== this.props.line.id || part.id !== this.props.part.id) {
                this.typed = {};
            }
            if (!this.state.isInvalid) {
                this.state.text = this.formatAmount(part);
            }
        });
    }

    get taxDomain() {
        return [["company_id", "parent_of", [this.props.line.company_id]]];
    }

    /** Why: a tax of sales and one of purchases may have the same name. */
    get taxContext() {
        return { append_fields: ["type_tax_use"] };
    }

    get labelAndTaxes() {
        const { label, taxes = [] } = this.props.part;
        return [label, ...taxes].filter(Boolean).join(" · ");
    }

    get isForeign() {
        const { part, line } = this.props;
        return part.kind === "item" && part.currency_id && part.currency_id !== line.currency_id;
    }

    get canChangeAmount() {
        return ["item", "account"].includes(this.props.part.kind);
    }

    get amountLabel() {
        return _t("Amount of %s", this.props.part.name);
    }

    get leftOpen() {
        return _t("%s remains open", this.format(Math.abs(this.props.leftOpen)));
    }

    formatAmount(part) {
        const { digits } = getCurrency(this.props.line.currency_id) || {};
        return formatMonetary(part.amount, { digits, currencyId: this.props.line.currency_id, noSymbol: true });
    }

    format(amount, currencyId = this.props.line.currency_id) {
        return formatCurrency(amount, currencyId);
    }

    /** The tax amounts, which only the server computes. */
    async computeTaxes() {
        const { part, line } = this.props;
        if (this.props.isReadonly || !part.tax_ids?.length || !part.amount) {
            this.state.taxes = [];
            return;
        }
        const computed = this.orm.silent.call("account.bank.statement.line", "reconcile_compute_taxes", [
            [line.id],
            toServer([part])[0],
        ]);
        this.state.taxes = await this.keepLast.add(computed);
    }

    onLabelChange(ev) {
        delete this.typed.label;
        this.props.change({ label: ev.target.value });
    }

    onAmountChange(ev) {
        delete this.typed.amount;
        const amount = this.parseAmount(ev.target.value);
        this.state.isInvalid = !Number.isFinite(amount);
        if (this.state.isInvalid) {
            this.state.text = ev.target.value;
        } else {
            this.props.change({ amount, is_paid_in_full: false });
        }
    }

    /** Accepts formulas, too, such as =100/3. */
    parseAmount(text) {
        try {
            // Why: a text without a digit would be read as zero.
            return /\d/.test(text) ? parseMonetary(text) : NaN;
        } catch {
            return NaN;
        }
    }
}
