import { Component, onMounted, onWillUnmount, useState } from "@odoo/owl";
import { Dialog } from "@web/core/dialog/dialog";
import { _t } from "@web/core/l10n/translation";
import { inBatches } from "./counterparts";
import { useService } from "@web/core/utils/hooks";

/** Number of lines that one call books. */
const BATCH = 50;

/** Books the proposals of many lines in batches: shows the progress, can be stopped, and lists the rest with reasons. */
export class AcceptAllDialog extends Component {
    static template = "account_online_reconcile.AcceptAllDialog";
    static components = { Dialog };
    static props = { lineIds: { type: Array, element: Number }, close: Function };

    setup() {
        this.orm = useService("orm");
        this.state = useState({ done: 0, booked: 0, left: [], isStopped: false, isRunning: true });
        onMounted(() => this.run());
        onWillUnmount(() => this.stop());
    }

    get total() {
        return this.props.lineIds.length;
    }

    get percentage() {
        return this.total ? Math.round((this.state.done / this.total) * 100) : 100;
    }

    get progress() {
        return _t("%(done)s of %(total)s lines", { done: this.state.done, total: this.total });
    }

    get result() {
        const { booked, left, done } = this.state;
        const untried = this.total - done;
        if (untried) {
            return _t("%(booked)s booked, %(left)s left, %(untried)s not tried", {
                booked,
                left: left.length,
                untried,
            });
        }
        return left.length
            ? _t("%(booked)s booked, %(left)s left", { booked, left: left.length })
            : _t("%s booked", booked);
    }

    stop() {
        this.state.isStopped = true;
    }

    async run() {
        try {
            for (const lineIds of inBatches(this.props.lineIds, BATCH)) {
                if (this.state.isStopped) {
                    break;
                }
                const { booked, left } = await this.orm.call("account.bank.statement.line", "reconcile_accept_all", [
                    lineIds,
                ]);
                this.state.done += lineIds.length;
                this.state.booked += booked;
                this.state.left.push(...left);
            }
        } finally {
            this.state.isRunning = false;
        }
    }
}
