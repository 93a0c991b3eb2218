import { JournalDashboardGraphField } from "@web/views/fields/journal_dashboard_graph/journal_dashboard_graph_field";
import { patch } from "@web/core/utils/patch";

// Core reads the data of the graph once, which is too seldom for a card that refreshes itself.
patch(JournalDashboardGraphField.prototype, {
    renderChart() {
        this.data = JSON.parse(this.props.record.data[this.props.name]);
        super.renderChart();
    },
});
