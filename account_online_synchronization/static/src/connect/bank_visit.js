import { Component, onMounted, onWillStart, onWillUnmount, useRef, useState } from "@odoo/owl";
import { browser } from "@web/core/browser/browser";
import { _t } from "@web/core/l10n/translation";
import { ConnectionLostError } from "@web/core/network/rpc";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { Layout } from "@web/search/layout";
import { standardActionServiceProps } from "@web/webclient/actions/action_service";
import { BankLogo } from "./bank_logo";
import { leadToBank, openBlankWindow, takeBlankWindow } from "./bank_window";

const VISIT = "account_online_synchronization/visit";
const CHANNEL = "account_online_synchronization.visit";

/** Milliseconds between polls, for browsers without bus and channel (a proxy without websockets, another address). */
const PATIENCE = 5000;

/** Milliseconds after which a closed window counts as closed by a blocker or by the user. */
const BLOCKED_AFTER = 1500;

/** Milliseconds in which the bank's window may still ask whether it can close, after the visit has ended. */
const LAST_ANSWERS = 15_000;

/**
 * Wait while the user is at the bank, in a separate window.
 *
 * The server has the state of the visit, so this screen may be closed, reloaded and opened again at its
 * address. It is notified by the window (BroadcastChannel) or by the server (bus), and polls otherwise.
 */
export class BankVisit extends Component {
    static template = "account_online_synchronization.BankVisit";
    static components = { BankLogo, Layout };
    static props = { ...standardActionServiceProps };
    static path = "bank-visit";
    static displayName = _t("Your Bank");

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.notification = useService("notification");
        this.bus = useService("bus_service");
        this.heading = useRef("heading");
        const params = this.props.action.params || {};
        const { visit_id, url } = params;
        this.visitId = visit_id || this.props.resId;
        // If the action contains the address of the bank's page, the user has just pressed a button.
        this.url = url;
        this.window = null;
        // step: begin · waiting · blocked · cancelled · failed · gone
        this.state = useState({ step: "begin", visit: {}, isBusy: false, message: "" });

        const onVisit = (message) => message.visit_id === this.visitId && this.look();
        const onVisible = () => document.visibilityState === "visible" && this.look();
        onWillStart(() => this.look());
        onMounted(() => {
            // Part of the address, so that the screen can be reloaded.
            this.props.updateActionState?.({ resId: this.visitId });
            this.heading.el?.focus();
            this.channel = new BroadcastChannel(CHANNEL);
            this.channel.addEventListener("message", ({ data }) => this.onWindow(data));
            this.bus.subscribe(VISIT, onVisit);
            document.addEventListener("visibilitychange", onVisible);
            this.interval = browser.setInterval(() => this.look(), PATIENCE);
            // Only once: users who return by the breadcrumbs have not pressed it again.
            delete params.url;
            if (this.url && this.isOpen) {
                this.enter(takeBlankWindow() || openBlankWindow(), this.url);
            }
        });
        onWillUnmount(() => {
            this.isGone = true;
            // The server may be faster than the window, which would continue to Odoo itself without an answer.
            const isDone = this.state.visit.state === "done";
            browser.setTimeout(() => this.channel.close(), isDone ? LAST_ANSWERS : 0);
            this.bus.unsubscribe(VISIT, onVisit);
            document.removeEventListener("visibilitychange", onVisible);
            browser.clearInterval(this.interval);
            browser.clearTimeout(this.timer);
        });
    }

    get name() {
        return this.state.visit.name || _t("your bank");
    }

    get logo() {
        return this.state.visit.logo || this.props.action.params?.logo || "";
    }

    get isOpen() {
        return ["open", "failed"].includes(this.state.visit.state);
    }

    ask(method, ...args) {
        return this.orm.silent.call("account.online.authorization", method, [[this.visitId], ...args]);
    }

    // --- state ---

    async look() {
        if (this.isOver) {
            return;
        }
        let visit;
        try {
            visit = await this.ask("action_look");
        } catch (error) {
            if (error instanceof ConnectionLostError) {
                return; // asked again in a moment
            }
            throw error;
        }
        await this.take(visit);
    }

    /** @param {Object} visit as action_look gives it */
    async take(visit) {
        if (this.isGone || this.isOver) {
            return;
        }
        this.state.visit = visit;
        this.state.message = visit.message || "";
        if (visit.state === "done") {
            this.isOver = true;
            await this.goOn(visit.action);
        } else if (visit.state !== "open") {
            this.isOver = visit.state !== "failed";
            this.state.step = visit.state;
        } else if (this.state.step === "failed") {
            this.state.step = "begin";
        }
    }

    async goOn(action) {
        if (action) {
            await this.action.doAction(action, { stackPosition: "replaceCurrentAction" });
        } else {
            await this.toConnections();
        }
    }

    onWindow({ visitId, isOver }) {
        if (visitId === this.visitId && isOver) {
            // The window closes once a listener has answered.
            this.channel.postMessage({ visitId, isHeard: true });
            this.look();
        }
    }

    // --- going there ---

    async enter(opened, url) {
        this.url = url;
        if (!opened) {
            this.state.step = "blocked";
            return;
        }
        this.window?.close();
        this.window = opened;
        this.state.step = "waiting";
        // Why first: the returning window must know that the screen is waiting.
        await this.ask("action_note_window", true);
        leadToBank(opened, url);
        browser.clearTimeout(this.timer);
        this.timer = browser.setTimeout(() => {
            if (opened.closed && !this.isOver && this.state.step === "waiting") {
                this.state.step = "blocked";
            }
        }, BLOCKED_AFTER);
    }

    /** *Open Again*, *Continue*: the same page as long as it is valid, otherwise a new one. */
    async openAgain() {
        const opened = openBlankWindow();
        const url = await this.findPage();
        if (url) {
            await this.enter(opened, url);
        } else {
            opened?.close();
        }
    }

    async openHere() {
        const url = await this.findPage();
        if (url) {
            this.window?.close();
            await this.ask("action_note_window", false);
            browser.location.assign(url);
        }
    }

    /** @returns {string|null} address of the bank's page; null if there is none, which the screen then reports */
    async findPage() {
        this.state.isBusy = true;
        try {
            await this.look();
            if (this.isOver) {
                return null;
            }
            if (this.url && !this.state.visit.is_expired && this.state.visit.state === "open") {
                return this.url;
            }
            const visit = await this.ask("action_open_again");
            await this.take(visit);
            return visit.url || null;
        } finally {
            this.state.isBusy = false;
        }
    }

    // --- leaving ---

    async resumeLater() {
        this.isOver = true;
        this.notification.add(
            _t("The visit stays open. When you finish at the bank, the result arrives here; Connect bank leads back to it."),
            { type: "info" }
        );
        await this.back("account.open_account_journal_dashboard_kanban");
    }

    async cancel() {
        this.state.isBusy = true;
        try {
            const visit = await this.ask("action_cancel");
            this.window?.close();
            await this.take(visit);
            this.heading.el?.focus();
        } finally {
            this.state.isBusy = false;
        }
    }

    back(fallback) {
        return this.env.config.breadcrumbs?.length > 1
            ? this.env.config.historyBack()
            : this.action.doAction(fallback, { clearBreadcrumbs: true });
    }

    toSearch() {
        return this.action.doAction("account_online_synchronization.account_online_link_action_search", {
            clearBreadcrumbs: true,
        });
    }

    toConnections() {
        return this.action.doAction("account_online_synchronization.account_online_link_action", {
            clearBreadcrumbs: true,
        });
    }

    leave() {
        return this.state.visit.kind === "connect"
            ? this.toSearch()
            : this.back("account_online_synchronization.account_online_link_action");
    }
}

registry.category("actions").add("account_online_synchronization.bank_visit", BankVisit);
