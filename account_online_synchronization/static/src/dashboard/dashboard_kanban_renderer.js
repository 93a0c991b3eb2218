import { DashboardKanbanRenderer } from "@account/views/account_dashboard_kanban/account_dashboard_kanban_renderer";
import { deserializeDateTime } from "@web/core/l10n/dates";
import { FetchRecordError } from "@web/model/relational_model/errors";
import { patch } from "@web/core/utils/patch";
import { useEffect } from "@odoo/owl";
import { useSynchronizationStatus } from "../synchronization_status";

const { DateTime } = luxon;

// The cards of journals that the server fetches transactions for refresh themselves. Only those records are read again,
// in place: scroll position, search, focus and open menus stay, and screen readers announce the change.
patch(DashboardKanbanRenderer.prototype, {
    setup() {
        super.setup();
        useSynchronizationStatus({
            getFetching: () => this.props.list.records.filter(isChanging).map((record) => record.resId),
            reload: (journalIds) => this.reloadCards(journalIds),
        });
        useEffect(
            (root) => {
                root?.addEventListener("keydown", leaveKeyToButton);
                return () => root?.removeEventListener("keydown", leaveKeyToButton);
            },
            () => [this.rootRef.el]
        );
    },

    async reloadCards(journalIds) {
        const { model, records } = this.props.list;
        const cards = records.filter((record) => journalIds.has(record.resId));
        try {
            await Promise.all(cards.map((record) => record.load()));
        } catch (error) {
            if (!(error instanceof FetchRecordError)) {
                throw error;
            }
            // One of the journals has been deleted in the meantime.
            await model.load();
        }
    },
});

/**
 * Lets the browser activate the focused button or link: the kanban view uses Enter and the space bar for its cards, so
 * nothing on a card could be activated without a mouse.
 */
function leaveKeyToButton(ev) {
    if ([" ", "Enter"].includes(ev.key) && ev.target.closest(".o_kanban_record a, .o_kanban_record button")) {
        ev.stopPropagation();
    }
}

/** Whether a card will change without user action: it is being fetched, or the bank's waiting time is over. */
function isChanging(record) {
    const { online_sync: status } = JSON.parse(record.data.kanban_dashboard || "{}");
    const isOver = status?.wait_until && deserializeDateTime(status.wait_until) < DateTime.now();
    return isOver || ["waiting", "processing"].includes(status?.fetching);
}
