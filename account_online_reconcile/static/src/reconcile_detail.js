import { Component, onWillStart, onWillUpdateProps, status, useEffect, useRef, useState } from "@odoo/owl";
import { getLeftOpen, getRemaining, partFromDocument, partsByHand, toServer, whyNotReady } from "./counterparts";
import { deserializeDate, deserializeDateTime, formatDate, formatDateTime } from "@web/core/l10n/dates";
import { formatCurrency, getCurrency } from "@web/core/currency";
import { useBus, useService } from "@web/core/utils/hooks";
import { FileModel } from "@web/core/file_viewer/file_model";
import { KeepLast } from "@web/core/utils/concurrency";
import { PartRow } from "./part_row";
import { RecordSelector } from "@web/core/record_selectors/record_selector";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { user } from "@web/core/user";
import { useFileViewer } from "@web/core/file_viewer/file_viewer_hook";

const LINE = "account.bank.statement.line";

/** Ways to choose a counterpart: `{ title, hotkey, Component }`, whose component gets `line`, `remaining`, `add`. */
const panels = registry.category("account_online_reconcile.panels");

/** The line that is being reconciled: what the bank reported, its counterparts, and the ways to choose others. */
export class ReconcileDetail extends Component {
    static template = "account_online_reconcile.ReconcileDetail";
    static components = { PartRow, RecordSelector };
    static props = {
        lineId: Number,
        onBooked: Function,
        onChanged: Function,
        onBack: Function,
    };

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.fileViewer = useFileViewer();
        this.keepLast = new KeepLast();
        this.rootRef = useRef("root");
        this.state = useState({
            line: null,
            parts: [],
            isChanged: false,
            isBusy: false,
            panel: panels.getEntries()[0]?.[0],
            focus: 0,
            /** Incremented when a choice has completed the line, so that Enter books it. */
            ready: 0,
            message: "",
        });
        useEffect(
            (ready) => {
                if (ready) {
                    this.rootRef.el.querySelector(".o_reconcile_validate")?.focus();
                }
            },
            () => [this.state.ready]
        );
        useBus(this.env.reconcile.bus, "validate", () => this.validate());
        useBus(this.env.reconcile.bus, "reload", () => this.load(this.props.lineId));
        onWillStart(async () => {
            const [usesAnalytic] = await Promise.all([
                user.hasGroup("analytic.group_analytic_accounting"),
                this.load(this.props.lineId),
            ]);
            this.usesAnalytic = usesAnalytic;
        });
        onWillUpdateProps((next) => {
            if (next.lineId !== this.props.lineId) {
                this.load(next.lineId);
            }
        });
    }

    // ------------------------------------------------------------------------
    // Reading
    // ------------------------------------------------------------------------

    async load(lineId) {
        this.state.isBusy = true;
        try {
            const line = await this.keepLast.add(this.orm.call(LINE, "reconcile_read", [[lineId]]));
            if (status(this) === "destroyed") {
                return;
            }
            const parts = line.decision ? line.decision.parts.map((part) => ({ ...part })) : [];
            Object.assign(this.state, { line, parts, isChanged: false, message: "", focus: 0, ready: 0 });
            this.state.panel = panels.getEntries()[0]?.[0];
        } catch (error) {
            // Why cleared: the previous line must not be mistaken for this one.
            this.state.line = null;
            throw error;
        } finally {
            this.state.isBusy = false;
        }
    }

    get line() {
        return this.state.line;
    }

    get isLoaded() {
        return this.line?.id === this.props.lineId;
    }

    get digits() {
        return getCurrency(this.line.currency_id)?.digits[1] ?? 2;
    }

    get remaining() {
        return getRemaining(this.line, this.state.parts, this.digits);
    }

    get isBooked() {
        return this.line.decision?.state === "booked";
    }

    get mayChange() {
        return this.line.is_open && this.line.may_book && !this.line.why_not;
    }

    get whyNot() {
        return whyNotReady(this.line, this.state.parts, this.digits);
    }

    get panels() {
        return panels.getEntries().map(([name, panel]) => ({ name, ...panel }));
    }

    get panel() {
        return this.panels.find((panel) => panel.name === this.state.panel);
    }

    /** Why only for an unchanged proposal: the reasons do not apply to the user's choice. */
    get reasons() {
        return this.state.isChanged ? [] : this.line.decision?.why || [];
    }

    get bookedBy() {
        const { by, at } = this.line.decision;
        const time = at ? formatDateTime(deserializeDateTime(at)) : "";
        return by ? _t("Booked by %(user)s on %(time)s.", { user: by, time }) : _t("Booked automatically on %s.", time);
    }

    get files() {
        const found = this.state.parts.flatMap((part) => part.attachments || []);
        return found.map((file) => Object.assign(new FileModel(), file));
    }

    get preview() {
        return this.files.find((file) => file.isPdf || file.isImage);
    }

    format(amount, currencyId = this.line.currency_id) {
        return formatCurrency(amount, currencyId);
    }

    formatDate(date) {
        return date ? formatDate(deserializeDate(date)) : "";
    }

    getLeftOpen(part) {
        return this.line.is_open ? getLeftOpen(part, this.line, this.digits) : 0;
    }

    // ------------------------------------------------------------------------
    // Choosing counterparts
    // ------------------------------------------------------------------------

    /** @param {string} name of a panel, whose first field gets the focus */
    showPanel(name) {
        this.state.panel = name;
        this.state.focus++;
    }

    /** From here on it is a manual booking. */
    takeOver() {
        if (!this.state.isChanged) {
            this.state.parts = partsByHand(this.state.parts);
            this.state.isChanged = true;
        }
    }

    /** @param {Object} part a document, or an account with its taxes, label and partner */
    add(part) {
        this.takeOver();
        const isChosen = (one) => one.kind === part.kind && one.id === part.id && part.kind === "item";
        if (this.state.parts.some(isChosen)) {
            return;
        }
        const chosen =
            part.kind === "item"
                ? partFromDocument(part, this.line, this.remaining)
                : { ...part, amount: this.remaining };
        this.state.parts.push(chosen);
        this.announce();
        if (!this.whyNot) {
            this.state.ready++;
        }
    }

    change(index, values) {
        this.takeOver();
        Object.assign(this.state.parts[index], values);
        this.announce();
    }

    remove(part) {
        this.takeOver();
        this.state.parts = this.state.parts.filter((one) => one !== part);
        this.announce();
        this.state.focus++;
    }

    reset() {
        return this.load(this.props.lineId);
    }

    announce() {
        this.state.message = this.whyNot;
    }

    // ------------------------------------------------------------------------
    // Booking
    // ------------------------------------------------------------------------

    async validate() {
        if (!this.isLoaded || this.state.isBusy || !this.mayChange) {
            return;
        }
        if (this.whyNot) {
            this.announce();
            this.showPanel(this.state.panel);
            return;
        }
        const { id, name, decision } = this.line;
        await this.run(async () => {
            const decisionId = this.state.isChanged
                ? await this.orm.call(LINE, "reconcile_book", [[id], toServer(this.state.parts)])
                : await this.orm.call(LINE, "reconcile_accept", [[id], decision.id]);
            await this.props.onBooked({ lineId: id, name, decisionId });
        });
    }

    async undo() {
        const { id, decision } = this.line;
        await this.run(async () => {
            await this.orm.call(LINE, "reconcile_undo", [[id], decision.id]);
            await this.props.onChanged(id);
        });
    }

    async setPartner(partnerId) {
        if (partnerId === (this.line.partner ? this.line.partner.id : false)) {
            return;
        }
        const { id } = this.line;
        await this.run(async () => {
            await this.orm.call(LINE, "reconcile_set_partner", [[id], partnerId]);
            await this.props.onChanged(id);
        });
    }

    get createPartnerLabel() {
        return _t("Create “%s”", this.line.counterparty);
    }

    async createPartner() {
        const { id } = this.line;
        await this.run(async () => {
            await this.orm.call(LINE, "reconcile_create_partner", [[id]]);
            await this.props.onChanged(id);
        });
    }

    async toggleToReview() {
        const { id, is_to_review } = this.line;
        await this.run(async () => {
            await this.orm.call(LINE, "reconcile_set_to_review", [[id], !is_to_review]);
            await this.props.onChanged(id);
        });
    }

    /** One action at a time: a second click in the meantime does nothing. */
    async run(callback) {
        if (this.state.isBusy) {
            return;
        }
        this.state.isBusy = true;
        try {
            await callback();
        } finally {
            this.state.isBusy = false;
        }
    }

    // ------------------------------------------------------------------------
    // Opening
    // ------------------------------------------------------------------------

    openFile(file) {
        this.fileViewer.open(file, this.files);
    }

    openEntry() {
        return this.action.doActionButton({
            type: "object",
            name: "action_open_journal_entry",
            resModel: LINE,
            resId: this.line.id,
        });
    }
}
