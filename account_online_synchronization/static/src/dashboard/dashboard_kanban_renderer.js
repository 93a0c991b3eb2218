import { DashboardKanbanRenderer } from "@account/views/account_dashboard_kanban/account_dashboard_kanban_renderer";
import { FetchRecordError } from "@web/model/relational_model/errors";
import { patch } from "@web/core/utils/patch";
import { useSynchronizationStatus } from "../synchronization_status";

// The cards of journals that the server fetches transactions for refresh themselves. Only those records are read again,
// in place: scroll position, search, focus and open menus stay, and screen readers hear of the change.
patch(DashboardKanbanRenderer.prototype, {
    setup() {
        super.setup();
        useSynchronizationStatus({
            getFetching: () => this.props.list.records.filter(isFetching).map((record) => record.resId),
            reload: (journalIds) => this.reloadCards(journalIds),
        });
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
            // One of the journals has been deleted meanwhile.
            await model.load();
        }
    },
});

function isFetching(record) {
    const { online_sync: status } = JSON.parse(record.data.kanban_dashboard || "{}");
    return ["waiting", "processing"].includes(status?.fetching);
}
