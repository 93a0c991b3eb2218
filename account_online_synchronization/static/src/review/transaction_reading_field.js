import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { formatInteger } from "@web/views/fields/formatters";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

import { Component, onMounted, onPatched, onWillUnmount } from "@odoo/owl";

/**
 * Lets the server read the bank's next pages as long as the record's state is "reading", and shows the progress.
 * Closing the form ends this after the current request.
 */
export class TransactionReadingField extends Component {
    static template = "account_online_synchronization.TransactionReadingField";
    static props = { ...standardFieldProps };

    setup() {
        this.orm = useService("orm");
        this.isAlive = true;
        this.isReading = false;
        onMounted(() => this.readOn());
        onPatched(() => this.readOn());
        onWillUnmount(() => (this.isAlive = false));
    }

    get text() {
        const count = this.props.record.data[this.props.name];
        return _t("Reading transactions from the bank: %s so far…", formatInteger(count));
    }

    get isWanted() {
        return this.isAlive && this.props.record.data.state === "reading";
    }

    async readOn() {
        if (this.isReading) {
            return;
        }
        this.isReading = true;
        try {
            while (this.isWanted) {
                const { resModel, resId } = this.props.record;
                await this.orm.call(resModel, "action_read_on", [[resId]]);
                if (this.isAlive) {
                    await this.props.record.load();
                }
            }
        } finally {
            this.isReading = false;
        }
    }
}

export const transactionReadingField = {
    component: TransactionReadingField,
    displayName: _t("Reading of Bank Transactions"),
    supportedTypes: ["integer"],
};

registry.category("fields").add("online_transaction_reading", transactionReadingField);
