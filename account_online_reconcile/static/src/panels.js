import { Component, onWillStart, onWillUpdateProps, useEffect, useRef, useState } from "@odoo/owl";
import { deserializeDate, formatDate } from "@web/core/l10n/dates";
import { KeepLast } from "@web/core/utils/concurrency";
import { RecordSelector } from "@web/core/record_selectors/record_selector";
import { _t } from "@web/core/l10n/translation";
import { formatCurrency } from "@web/core/currency";
import { registry } from "@web/core/registry";
import { useDebounced } from "@web/core/utils/timing";
import { useService } from "@web/core/utils/hooks";

const LINE = "account.bank.statement.line";

/** Milliseconds without a key until the search starts. */
const PAUSE = 200;

const panelProps = {
    line: Object,
    /** Keys of the documents that are chosen already. */
    chosen: { type: Array, element: Number },
    /** Incremented to move the focus to the first field; 0 if the list keeps it. */
    focus: Number,
    /** Adds a counterpart: a document of `reconcile_find`, or the result of `reconcile_describe_account`. */
    add: Function,
};

/** Open documents: the best matches, or the results of a search by number, reference, partner or amount. */
export class DocumentsPanel extends Component {
    static template = "account_online_reconcile.DocumentsPanel";
    static props = panelProps;

    setup() {
        this.orm = useService("orm");
        this.keepLast = new KeepLast();
        this.rootRef = useRef("root");
        this.state = useState({ text: "", documents: [], hasMore: false, isSearching: false });
        this.searchSoon = useDebounced(() => this.search(), PAUSE);
        onWillStart(() => this.search());
        onWillUpdateProps((next) => {
            const { line } = this.props;
            if (next.line.id !== line.id || next.line.partner?.id !== line.partner?.id) {
                this.state.text = "";
                this.search(next.line.id);
            }
        });
        useEffect(
            (focus) => {
                if (focus) {
                    this.rootRef.el.querySelector("input").focus();
                }
            },
            () => [this.props.focus]
        );
    }

    get documents() {
        return this.state.documents.filter((document) => !this.props.chosen.includes(document.id));
    }

    get nothingFits() {
        return this.props.chosen.length ? _t("No other open document fits.") : _t("No open document fits.");
    }

    format(amount, currencyId) {
        return formatCurrency(amount, currencyId);
    }

    formatDate(date) {
        return date ? formatDate(deserializeDate(date)) : "";
    }

    async search(lineId = this.props.line.id) {
        this.state.isSearching = true;
        const found = this.orm.call(LINE, "reconcile_find", [[lineId], this.state.text.trim()]);
        const { documents, has_more: hasMore } = await this.keepLast.add(found);
        Object.assign(this.state, { documents, hasMore, isSearching: false });
    }

    async showMore() {
        const { text, documents } = this.state;
        const found = this.orm.call(LINE, "reconcile_find", [[this.props.line.id], text.trim(), documents.length]);
        const more = await this.keepLast.add(found);
        this.state.documents.push(...more.documents);
        this.state.hasMore = more.has_more;
    }

    onInput(ev) {
        this.state.text = ev.target.value;
        this.searchSoon();
    }

    /** Enter takes the first document of a search, the arrows lead into the list. */
    async onKeydown(ev) {
        if (ev.key === "ArrowDown") {
            ev.preventDefault();
            this.rootRef.el.querySelector(".o_reconcile_document")?.focus();
        } else if (ev.key === "Enter") {
            ev.preventDefault();
            ev.stopPropagation();
            this.searchSoon.cancel();
            if (!this.state.text.trim()) {
                // Why: two more Enters would book on a document that the user has not searched for.
                return;
            }
            await this.search();
            if (this.documents.length) {
                this.choose(this.documents[0]);
            }
        }
    }

    onDocumentKeydown(ev) {
        const sibling = { ArrowDown: "nextElementSibling", ArrowUp: "previousElementSibling" }[ev.key];
        if (sibling) {
            ev.preventDefault();
            const next = ev.currentTarget.parentElement[sibling]?.querySelector(".o_reconcile_document");
            (next || this.rootRef.el.querySelector("input")).focus();
        }
    }

    choose(document) {
        if (!this.env.isSmall) {
            this.rootRef.el.querySelector("input").focus();
        }
        this.props.add(document);
    }
}

/** An account: the remaining amount is booked on it, with its default taxes. */
export class AccountPanel extends Component {
    static template = "account_online_reconcile.AccountPanel";
    static components = { RecordSelector };
    static props = panelProps;

    setup() {
        this.orm = useService("orm");
        this.rootRef = useRef("root");
        this.state = useState({ key: 0 });
        useEffect(
            (focus) => {
                if (focus) {
                    this.rootRef.el.querySelector("input").focus();
                }
            },
            () => [this.props.focus]
        );
    }

    get domain() {
        return [
            ["company_ids", "parent_of", [this.props.line.company_id]],
            ["account_type", "not in", ["off_balance"]],
        ];
    }

    async choose(accountId) {
        if (!accountId) {
            return;
        }
        const account = await this.orm.call(LINE, "reconcile_describe_account", [[this.props.line.id], accountId]);
        this.state.key++;
        this.props.add(account);
    }
}

registry
    .category("account_online_reconcile.panels")
    .add("documents", { title: _t("Open Documents"), hotkey: "d", Component: DocumentsPanel }, { sequence: 10 })
    .add("account", { title: _t("Account"), hotkey: "a", Component: AccountPanel }, { sequence: 20 });
