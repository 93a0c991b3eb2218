import { Component } from "@odoo/owl";
import { AnalyticDistribution } from "@analytic/components/analytic_distribution/analytic_distribution";
import { Record } from "@web/model/record";
import { _t } from "@web/core/l10n/translation";

/** The analytic distribution of a counterpart, in Odoo's own widget. */
export class AnalyticPart extends Component {
    static template = "account_online_reconcile.AnalyticPart";
    static components = { AnalyticDistribution, Record };
    static props = { part: Object, companyId: Number, change: Function };

    setup() {
        this.fields = {
            analytic_distribution: { name: "analytic_distribution", type: "json", string: _t("Analytic Distribution") },
            analytic_precision: { name: "analytic_precision", type: "integer" },
            account_id: { name: "account_id", type: "many2one", relation: "account.account" },
            company_id: { name: "company_id", type: "many2one", relation: "res.company" },
        };
        this.hooks = {
            onRecordChanged: (_record, changes) => {
                if ("analytic_distribution" in changes) {
                    this.props.change({ analytic: changes.analytic_distribution || false });
                }
            },
        };
    }

    get values() {
        return {
            analytic_distribution: this.props.part.analytic || false,
            analytic_precision: 2,
            account_id: { id: this.props.part.id, display_name: this.props.part.name },
            company_id: { id: this.props.companyId, display_name: "" },
        };
    }
}
