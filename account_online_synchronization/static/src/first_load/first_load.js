import { Component, onMounted, onWillStart, onWillUnmount, status, useState } from "@odoo/owl";
import { browser } from "@web/core/browser/browser";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { KeepLast } from "@web/core/utils/concurrency";
import { useService } from "@web/core/utils/hooks";
import { standardActionServiceProps } from "@web/webclient/actions/action_service";
import { formatInteger } from "@web/views/fields/formatters";
import { useSynchronizationStatus } from "../synchronization_status";

const PROGRESS = "account_online_synchronization/progress";

/** Milliseconds: without a message, the screen polls as long as something is being fetched. */
const PATIENCE = 5_000;

/**
 * Shows the progress and the result of the first load of a connection. The server fetches independently of this screen;
 * the URL names the connection, so that the screen can be left and opened again.
 */
export class FirstLoad extends Component {
    static template = "account_online_synchronization.FirstLoad";
    static path = "first-load";
    static displayName = _t("First Load");
    static props = { ...standardActionServiceProps };
    static extractProps = ({ params }) => (params?.link_id ? { resId: params.link_id } : {});

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.bus = useService("bus_service");
        this.keepLast = new KeepLast();
        this.linkId = this.props.resId;
        this.state = useState({ load: null, isBusy: false });

        useSynchronizationStatus({
            getFetching: () => (this.isFetching ? this.journalIds : []),
            reload: (journalIds) => this.journalIds.some((id) => journalIds.has(id)) && this.reload(),
        });
        const onProgress = ({ link_id }) => link_id === this.linkId && this.reload();
        onWillStart(() => this.reload());
        onMounted(() => {
            this.bus.subscribe(PROGRESS, onProgress);
            this.interval = browser.setInterval(() => this.reloadLate(), PATIENCE);
        });
        onWillUnmount(() => {
            this.bus.unsubscribe(PROGRESS, onProgress);
            browser.clearInterval(this.interval);
        });
    }

    get load() {
        return this.state.load;
    }

    get journalIds() {
        return this.load.accounts.map((account) => account.journal_id);
    }

    get isFetching() {
        return ["waiting", "running"].includes(this.load.state);
    }

    /** Announced by screen readers when it changes; not each percent. */
    get announcement() {
        const { state, result, error } = this.load;
        const sentences = {
            waiting: _t("The transactions are about to be fetched. You can go on working or leave this page."),
            running: _t("Transactions are being fetched. You can go on working or leave this page."),
            challenge: _t("The bank requires your confirmation before it provides transactions."),
            failed: error.message,
            done: result,
            none: _t("Nothing has been fetched yet."),
        };
        return sentences[state];
    }

    number(value) {
        return formatInteger(value);
    }

    async reload() {
        const load = await this.keepLast.add(
            this.orm.silent.call("account.online.link", "get_first_load", [this.linkId])
        );
        this.lastReload = Date.now();
        this.state.load = load;
        this.env.config.setDisplayName(_t("Transactions of %s", load.name));
    }

    reloadLate() {
        if (this.isFetching && !document.hidden && Date.now() - this.lastReload >= PATIENCE) {
            this.reload();
        }
    }

    /** Run the method of a button, and show the result. */
    async run(model, method, ids, ...args) {
        this.state.isBusy = true;
        try {
            const action = await this.orm.call(model, method, [ids, ...args]);
            if (action) {
                // A dialog opens on top of this screen, which shows the result after it is closed.
                await this.action.doAction(action, { onClose: () => status(this) !== "destroyed" && this.reload() });
            }
        } finally {
            this.state.isBusy = false;
        }
        // Some actions leave this screen, or reload it as a whole.
        if (status(this) !== "destroyed") {
            await this.reload();
        }
    }

    callLink(method, ...args) {
        return this.run("account.online.link", method, [this.linkId], ...args);
    }

    answerBank() {
        const { params = {} } = this.props.action;
        const { challenge } = params;
        // Its page can be shown only once; afterwards a new one is needed, also when the user returns to this screen.
        params.challenge = false;
        return challenge ? this.action.doAction(challenge) : this.callLink("action_fetch_transactions");
    }

    bookOpeningBalance(account) {
        return this.run("account.online.account", "action_book_opening_balance", [account.id]);
    }

    declineOpeningBalance(account) {
        return this.run("account.online.account", "action_decline_opening_balance", [account.id]);
    }

    reconsiderOpeningBalance(account) {
        return this.run("account.online.account", "action_reconsider_opening_balance", [account.id]);
    }

    openLeftOut(account) {
        return this.run("account.online.account", "action_open_transactions", [account.id]);
    }

    openDashboard() {
        return this.action.doAction("account.open_account_journal_dashboard_kanban", { clearBreadcrumbs: true });
    }

    openConnection() {
        return this.action.doAction("account_online_synchronization.account_online_link_action", {
            viewType: "form",
            props: { resId: this.linkId },
        });
    }
}

registry.category("actions").add("account_online_synchronization.first_load", FirstLoad);
