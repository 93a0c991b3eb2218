import { Component, onWillStart, useEffect, useRef, useState } from "@odoo/owl";
import { browser } from "@web/core/browser/browser";
import { _t } from "@web/core/l10n/translation";
import { RPCError } from "@web/core/network/rpc";
import { registry } from "@web/core/registry";
import { KeepLast } from "@web/core/utils/concurrency";
import { useService } from "@web/core/utils/hooks";
import { useDebounced } from "@web/core/utils/timing";
import { Layout } from "@web/search/layout";
import { standardActionServiceProps } from "@web/webclient/actions/action_service";
import { forgetBanks, knownBanks, rememberBanks, searchBanks } from "./bank_directory";
import { BankLogo } from "./bank_logo";
import { closeBlankWindow, keepBlankWindow } from "./bank_window";

/** Milliseconds between the last key and the request. */
const PAUSE = 50;

/**
 * Choose the bank to connect.
 *
 * The results are real buttons in a list for assistive technology; arrow keys move through them as in a menu, and a live
 * region announces their number. A bank with a hint or a choice (Beta, several providers) expands in place; all others
 * open their page immediately.
 */
export class ConnectBank extends Component {
    static template = "account_online_synchronization.ConnectBank";
    static components = { BankLogo, Layout };
    static props = { ...standardActionServiceProps };
    static path = "connect-bank";
    static displayName = _t("Connect a Bank");

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.root = useRef("root");
        this.input = useRef("input");
        this.keepLast = new KeepLast();
        this.journalId = this.props.action.context?.active_id || false;
        this.companyId = this.props.action.params?.company_id;
        this.countryNames = {};
        this.state = useState({
            query: "",
            country: "",
            countries: [],
            journal: "",
            hint: "",
            administrator: false,
            unlisted: [],
            advice: false,
            begun: [],
            banks: [],
            cursor: false,
            error: null,
            failure: "",
            isSearching: false,
            openId: null,
            provider: null,
            isLeaving: false,
            announcement: "",
        });
        this.searchSoon = useDebounced(() => this.search(), PAUSE);
        onWillStart(() => this.begin());
        useEffect(
            (input) => input?.focus({ preventScroll: true }),
            () => [this.input.el]
        );
    }

    /** Ask the server, for the company that the connection will belong to. */
    ask(method, ...args) {
        const context = this.companyId ? { allowed_company_ids: [this.companyId] } : {};
        return this.orm.call("account.online.directory", method, args, { context });
    }

    // --- results ---

    async begin() {
        let answer;
        try {
            answer = await this.ask("action_begin_bank_search", this.journalId);
        } catch (error) {
            if (!(error instanceof RPCError)) {
                throw error;
            }
            answer = {
                error: { message: error.data?.message || error.message },
                countries: [],
                banks: [],
                cursor: false,
            };
        }
        const { journal = "", country = "", countries, hint = "", administrator = false, begun = [] } = answer;
        Object.assign(this.state, { journal, country, countries, hint, administrator, begun });
        this.countryNames = Object.fromEntries(countries);
        this.show(rememberBanks("", this.state.country, answer));
    }

    async search() {
        const { query, country } = this.state;
        this.state.isSearching = true;
        try {
            this.show(await this.keepLast.add(Promise.resolve(searchBanks(this.ask.bind(this), query, country))));
        } finally {
            this.state.isSearching = false;
        }
    }

    show({ banks, cursor, error, unlisted = [], advice = false }) {
        const shown = { banks, cursor, error: error || null, unlisted, advice };
        Object.assign(this.state, { ...shown, failure: "", openId: null, provider: null });
        this.state.announcement = this.describe();
    }

    describe() {
        const { banks, cursor, error, advice } = this.state;
        if (error) {
            return error.message;
        }
        if (cursor) {
            return _t("The first %s banks are shown, there are more.", banks.length);
        }
        if (banks.length === 1) {
            return _t("1 bank found.");
        }
        if (advice) {
            return _t("No bank found: no provider that reaches banks in %s is switched on.", advice.country);
        }
        return banks.length ? _t("%s banks found.", banks.length) : _t("No bank found.");
    }

    async showMore() {
        const { query, country, cursor, banks } = this.state;
        const answer = await this.keepLast.add(this.ask("action_search_banks", query.trim(), country, cursor));
        if (answer.error) {
            this.state.error = answer.error;
            return;
        }
        const known = new Set(banks.map((bank) => bank.id));
        this.state.isSearching = false;
        const more = answer.banks.filter((bank) => !known.has(bank.id));
        Object.assign(this.state, { banks: [...banks, ...more], cursor: answer.cursor });
        this.state.announcement = this.describe();
        // The button may no longer exist, so the focus moves to the first new bank.
        browser.setTimeout(() => this.rows[banks.length]?.focus());
    }

    async retry() {
        forgetBanks();
        await this.begin();
        this.input.el?.focus();
    }

    // --- keyboard ---

    onInput(ev) {
        this.state.query = ev.target.value;
        if (knownBanks(this.state.query, this.state.country)) {
            this.searchSoon.cancel();
            this.search();
        } else {
            // Until then, the list is that of the text before: Enter chooses nothing from it.
            this.state.isSearching = true;
            this.searchSoon();
        }
    }

    onCountry(ev) {
        this.state.country = ev.target.value;
        this.search();
    }

    searchEverywhere() {
        this.state.country = "";
        this.input.el?.focus();
        this.search();
    }

    clear() {
        this.state.query = "";
        this.input.el.focus();
        this.search();
    }

    get rows() {
        return [...(this.root.el?.querySelectorAll(".o_bank_row") || [])];
    }

    onKeydown(ev) {
        const isTyping = ev.target === this.input.el;
        if (ev.key === "/" && !ev.target.closest("input, select, textarea")) {
            ev.preventDefault();
            this.input.el?.focus();
        } else if (isTyping) {
            this.onKeydownInSearch(ev);
        } else if (ev.target.closest(".o_bank_item")) {
            this.onKeydownInList(ev);
        }
    }

    onKeydownInSearch(ev) {
        if (ev.key === "ArrowDown") {
            ev.preventDefault();
            this.rows[0]?.focus();
        } else if (ev.key === "Enter") {
            ev.preventDefault();
            // Only a single result is opened; among several, none is chosen by chance.
            if (this.state.banks.length === 1 && !this.state.isSearching) {
                this.choose(this.state.banks[0]);
            } else {
                this.rows[0]?.focus();
            }
        } else if (ev.key === "Escape" && this.state.query) {
            ev.preventDefault();
            ev.stopPropagation();
            this.clear();
        }
    }

    onKeydownInList(ev) {
        const rows = this.rows;
        const row = ev.target.closest(".o_bank_item").querySelector(".o_bank_row");
        const position = rows.indexOf(row);
        const next = {
            ArrowDown: rows[position + 1],
            ArrowUp: rows[position - 1] || this.input.el,
            Home: rows[0],
            End: rows.at(-1),
        };
        if (ev.key in next && !ev.target.closest("input[type=radio]")) {
            ev.preventDefault();
            (next[ev.key] || row).focus();
        } else if (ev.key === "Escape") {
            ev.preventDefault();
            ev.stopPropagation();
            (this.state.openId ? row : this.input.el)?.focus();
            this.state.openId = null;
        }
    }

    // --- choosing ---

    hasQuestions(bank) {
        return bank.is_beta || bank.providers.length > 1;
    }

    describeCountry(bank) {
        return this.countryNames[bank.country] || bank.country;
    }

    providerOf(bank) {
        return bank.providers.find((provider) => provider.id === this.state.provider) || bank.providers[0];
    }

    /** Whether the chosen connection is Beta, which depends on the provider. */
    isBeta(bank) {
        return bank.providers.length ? this.providerOf(bank).is_beta : bank.is_beta;
    }

    choose(bank) {
        if (!this.hasQuestions(bank)) {
            this.connect(bank, bank.id);
            return;
        }
        const isOpen = this.state.openId === bank.id;
        Object.assign(this.state, { openId: isOpen ? null : bank.id, provider: bank.providers[0]?.id || null });
    }

    async connect(bank, institutionId) {
        if (this.state.isLeaving) {
            return;
        }
        Object.assign(this.state, { isLeaving: bank.id, failure: "" });
        // Why before the request: afterwards the browser may no longer attribute the window to the user's click.
        keepBlankWindow();
        try {
            const action = await this.ask("action_open_bank", institutionId, this.journalId, bank.name);
            if (action.params?.visit_id) {
                action.params.logo = bank.logo;
            }
            if (action.tag === "display_notification") {
                // Shown here, where the next attempt replaces it, not as notifications that pile up.
                this.state.failure = action.params.message;
            } else {
                await this.action.doAction(action);
            }
        } finally {
            // The waiting screen uses it, or there is nothing to show in it.
            closeBlankWindow();
            this.state.isLeaving = false;
        }
    }

    resume(visit) {
        return this.action.doAction(visit.action);
    }

    async forget(visit) {
        await this.orm.call("account.online.authorization", "action_cancel", [[visit.id]]);
        this.state.begun = this.state.begun.filter((other) => other.id !== visit.id);
        this.state.announcement = _t("Forgotten.");
        this.input.el?.focus();
    }

    async addManually() {
        const action = await this.ask("action_bank_not_listed", this.journalId);
        await this.action.doAction(action);
    }

    async confirmPhone() {
        const action = await this.ask("action_confirm_phone", this.state.error.phone);
        await this.action.doAction(action, { onClose: () => this.retry() });
    }

    get canAsk() {
        return Boolean(this.state.administrator) && !this.state.administrator.is_asked;
    }

    async askAdministrator() {
        const { country } = this.state;
        this.state.administrator = await this.ask("action_ask_administrator", country, this.journalId);
        this.state.announcement = _t("%s has been asked.", this.state.administrator.name);
        this.input.el?.focus();
    }

    openProviders() {
        this.action.doAction("bank_sync_proxy.bank_sync_provider_action_choose");
    }

    /** Only for users who may enable it: for others the server has named an administrator. */
    openProvider(provider) {
        this.action.doAction({
            type: "ir.actions.act_window",
            res_model: "bank.sync.provider",
            res_id: provider.id,
            views: [[false, "form"]],
            context: { active_test: false },
        });
    }

    openSettings() {
        this.action.doAction("account.action_account_config");
    }
}

registry.category("actions").add("account_online_synchronization.connect_bank", ConnectBank);
