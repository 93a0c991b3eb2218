import { EventBus, onWillStart, useEffect, useState, useSubEnv } from "@odoo/owl";
import { AcceptAllDialog } from "./accept_all_dialog";
import { KanbanController } from "@web/views/kanban/kanban_controller";
import { KanbanRecord } from "@web/views/kanban/kanban_record";
import { KanbanRenderer } from "@web/views/kanban/kanban_renderer";
import { ReconcileDetail } from "./reconcile_detail";
import { _t } from "@web/core/l10n/translation";
import { kanbanView } from "@web/views/kanban/kanban_view";
import { nextOpen } from "./counterparts";
import { registry } from "@web/core/registry";
import { useHotkey } from "@web/core/hotkeys/hotkey_hook";
import { user } from "@web/core/user";
import { useService } from "@web/core/utils/hooks";

const LINE = "account.bank.statement.line";

/** A line in the list: a click shows it beside the list, a tick selects it for a batch. */
export class ReconcileRecord extends KanbanRecord {
    static template = "account_online_reconcile.ReconcileRecord";

    setup() {
        super.setup();
        this.chosen = useState(this.env.reconcile.state);
        // Why here: after a booking the list is rendered again, and only the card knows when it is mounted.
        useEffect(
            (request) => {
                if (request > this.env.reconcile.state.focused) {
                    this.env.reconcile.state.focused = request;
                    this.rootRef.el.focus();
                    this.rootRef.el.scrollIntoView({ block: "nearest" });
                }
            },
            () => [this.focusRequest]
        );
    }

    get isChosen() {
        return this.chosen.lineId === this.props.record.resId;
    }

    /** Incremented to move the focus back to the list. */
    get focusRequest() {
        return this.isChosen ? this.chosen.focus : 0;
    }

    /** The Tab key moves from the line to the detail panel; the arrows move to the other lines. */
    get tabIndex() {
        return this.isChosen || !this.chosen.lineId ? 0 : -1;
    }

    /** Why without core's mark: Alt shows the keys here, and lines are selected by their ticks. */
    getRecordClasses() {
        const classes = [super.getRecordClasses().replace("o_record_selection_available", "")];
        if (this.isChosen) {
            classes.push("o_reconcile_chosen", `o_reconcile_focus_${this.focusRequest}`);
        }
        return classes.join(" ");
    }

    /** Why not as in other kanban views: with lines selected, a click must still show the clicked line. */
    onGlobalClick(ev) {
        if (ev.target.closest(".o_reconcile_tick")) {
            return;
        }
        if (ev.altKey) {
            super.onGlobalClick(ev);
        } else {
            this.props.openRecord(this.props.record);
        }
    }
}

export class ReconcileRenderer extends KanbanRenderer {
    static components = { ...KanbanRenderer.components, KanbanRecord: ReconcileRecord };

    setup() {
        super.setup();
        const focused = () => document.activeElement?.closest(".o_reconcile_lines .o_kanban_record");
        // Why the card is the area: the closest area wins, and the renderer has its own hotkey.
        useHotkey("Enter", () => this.env.reconcile.bus.trigger("validate"), {
            area: focused,
            isAvailable: (target) => target === focused(),
        });
    }

    focusNextCard(area, direction) {
        const hasMoved = super.focusNextCard(area, direction);
        const card = document.activeElement.closest(".o_kanban_record");
        const record = hasMoved && this.props.list.records.find((one) => one.id === card.dataset.id);
        if (record && !this.env.isSmall) {
            this.env.reconcile.show(record);
        }
        return hasMoved;
    }
}

/**
 * The journal's lines, and beside them the one that is being reconciled.
 *
 * Other addons extend it through the registry `account_online_reconcile.panels`, see {@link ReconcileDetail}, or patch
 * these classes.
 */
export class ReconcileController extends KanbanController {
    static template = "account_online_reconcile.ReconcileView";
    static components = { ...KanbanController.components, ReconcileDetail };

    setup() {
        super.setup();
        this.orm = useService("orm");
        this.notification = useService("notification");
        this.reconcile = useState({
            lineId: this.props.context.reconcile_line_id || false,
            /** On a phone either the list or the line is shown. */
            isOpen: Boolean(this.props.context.reconcile_line_id),
            focus: 0,
            focused: 0,
            lastBooked: null,
            isSearching: false,
        });
        this.bus = new EventBus();
        useSubEnv({ reconcile: { state: this.reconcile, bus: this.bus, show: (record) => this.show(record) } });
        onWillStart(async () => {
            this.mayBook = await user.hasGroup("account.group_account_basic");
        });
        useEffect(
            () => this.showFirst(),
            () => [this.model.isReady, this.model.root?.records?.[0]?.resId]
        );
    }

    get records() {
        return this.model.isReady ? this.model.root.records : [];
    }

    get journalId() {
        return this.props.context.default_journal_id;
    }

    /** Why not with other filters: then an empty list only means that nothing matches them. */
    get isEverythingReconciled() {
        const { query = [], searchItems = {} } = this.env.searchModel || {};
        const isDefault = ({ searchItemId }) => searchItems[searchItemId]?.name === "not_reconciled";
        const { isReady, root } = this.model;
        return isReady && !root.isGrouped && !root.count && !this.reconcile.lineId && query.every(isDefault);
    }

    /** A line is shown immediately, from any starting point. */
    showFirst() {
        if (!this.reconcile.lineId && this.records.length && !this.env.isSmall) {
            this.reconcile.lineId = (nextOpen(this.records, 0, false) || this.records[0]).resId;
            this.reconcile.focus++;
        }
    }

    show(record) {
        Object.assign(this.reconcile, { lineId: record.resId, isOpen: true });
    }

    /** @override */
    openRecord(record) {
        this.show(record);
    }

    backToList() {
        this.reconcile.isOpen = false;
        this.reconcile.focus++;
    }

    /**
     * The list without the line, and the next one beside it.
     *
     * @param {{lineId: number, name: string, decisionId: number}} booked
     */
    async onBooked(booked) {
        this.reconcile.lastBooked = booked;
        this.notifyBooked(booked);
        const index = this.records.findIndex((record) => record.resId === booked.lineId);
        await this.reloadList();
        if (this.reconcile.lineId !== booked.lineId) {
            // Why: the user has moved to another line in the meantime.
            return;
        }
        const next = nextOpen(this.records, index, booked.lineId);
        this.reconcile.lineId = next ? next.resId : false;
        this.reconcile.isOpen = Boolean(next);
        this.reconcile.focus++;
    }

    async reloadList() {
        await this.model.root.load();
        const { offset, limit, count } = this.model.root;
        if (offset && !this.records.length) {
            await this.model.root.load({ offset: Math.max(0, Math.ceil(count / limit) - 1) * limit });
        }
    }

    notifyBooked(booked) {
        this.closeMessage?.();
        this.closeMessage = this.notification.add(_t("Booked: %s", booked.name), {
            type: "success",
            buttons: [{ name: _t("Undo"), onClick: () => this.undo() }],
        });
    }

    /** Undo the last booking, and show its line. */
    async undo() {
        const booked = this.reconcile.lastBooked;
        if (!booked) {
            return;
        }
        this.reconcile.lastBooked = null;
        this.closeMessage?.();
        await this.orm.call(LINE, "reconcile_undo", [[booked.lineId], booked.decisionId]);
        this.notification.add(_t("Undone: %s", booked.name), { type: "info" });
        await this.onChanged(booked.lineId);
    }

    /** A line was undone or marked: update it in the list. */
    async onChanged(lineId) {
        await this.reloadList();
        Object.assign(this.reconcile, { lineId, isOpen: true });
        this.reconcile.focus++;
        this.bus.trigger("reload");
    }

    async findCounterparts() {
        this.reconcile.isSearching = true;
        try {
            await this.orm.call("account.journal", "action_find_counterparts", [[this.journalId]]);
            await this.reloadList();
            this.bus.trigger("reload");
        } finally {
            this.reconcile.isSearching = false;
        }
    }

    async acceptSelected() {
        const lineIds = await this.model.root.getResIds(true);
        this.dialog.add(
            AcceptAllDialog,
            { lineIds },
            {
                onClose: async () => {
                    this.reconcile.lineId = false;
                    await this.reloadList();
                    this.showFirst();
                },
            }
        );
    }
}

export const reconcileView = {
    ...kanbanView,
    Controller: ReconcileController,
    Renderer: ReconcileRenderer,
};

registry.category("views").add("account_online_reconcile", reconcileView);
