import { Component } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

/** Percent of the height: so little still shows that there was something. */
const LEAST = 6;

/** New transactions of each of the last days as bars; days with failures stand out. */
export class OnlineHistoryField extends Component {
    static template = "account_online_synchronization.OnlineHistoryField";
    static props = { ...standardFieldProps };

    get days() {
        return this.props.record.data[this.props.name] || [];
    }

    get bars() {
        const most = Math.max(...this.days.map((day) => day.imported), 1);
        return this.days.map((day) => ({
            // Why the root: a first load brings hundreds, and the days after it would be too small to see.
            height: day.runs ? Math.max(100 * Math.sqrt(day.imported / most), LEAST) : 0,
            color: day.failures ? "bg-danger" : day.imported ? "bg-primary" : "bg-secondary",
            title: this.describe(day),
        }));
    }

    get isEmpty() {
        return !this.sum("runs");
    }

    get summary() {
        const total = { imported: this.sum("imported"), failures: this.sum("failures") };
        return total.failures
            ? _t("New transactions: %(imported)s. Failed synchronizations: %(failures)s.", total)
            : _t("New transactions: %(imported)s.", total);
    }

    sum(name) {
        return this.days.reduce((total, day) => total + day[name], 0);
    }

    describe({ label, imported, failures }) {
        return failures
            ? _t("%(label)s: %(imported)s new, %(failures)s failed", { label, imported, failures })
            : _t("%(label)s: %(imported)s new", { label, imported });
    }
}

registry.category("fields").add("online_history", {
    component: OnlineHistoryField,
    displayName: _t("History of a Bank Connection"),
    supportedTypes: ["json"],
});
