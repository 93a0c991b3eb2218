import { advanceTime, expect, press, queryAllTexts, queryFirst, test, waitFor, waitForNone } from "@odoo/hoot";
import { defineMailModels } from "@mail/../tests/mail_test_helpers";
import { MockServer, defineModels, fields, models, mountView, onRpc } from "@web/../tests/web_test_helpers";

import { startWithBus } from "./hoot_helpers";

const STATUS = "account_online_synchronization/status";
const GATHER = 300;

/** A bound for waiting: what is waited for normally takes a few frames. */
const ARRIVAL = { timeout: 5_000 };

class AccountJournal extends models.Model {
    _name = "account.journal";

    name = fields.Char();
    kanban_dashboard = fields.Text();

    _records = ["A", "B", "C"].map((name, index) => ({
        id: index + 1,
        name,
        kanban_dashboard: JSON.stringify({ drag_drop_settings: {} }),
    }));
}

defineMailModels();
defineModels([AccountJournal]);

async function openDashboard() {
    const send = await startWithBus();
    await mountView({
        type: "kanban",
        resModel: "account.journal",
        arch: `
            <kanban js_class="account_dashboard_kanban" can_open="1">
                <field name="kanban_dashboard" />
                <field name="name" />
                <templates>
                    <t t-name="card">
                        <strong><t t-out="record.name.value" /></strong>
                        <button type="object" name="action_connect_bank">Connect bank</button>
                    </t>
                </templates>
            </kanban>`,
        selectRecord: (resId) => expect.step(`open ${resId}`),
    });
    return send;
}

test("Enter on a button of a card presses it, and does not open the card", async () => {
    onRpc("action_connect_bank", ({ args: [ids] }) => {
        expect.step(`connect ${ids}`);
        return false;
    });
    await openDashboard();
    queryFirst(".o_kanban_record:nth-child(2) button").focus();
    await press("Enter");
    await expect.waitForSteps(["connect 2"]);
});

test("the space bar is left to a button of a card", async () => {
    await openDashboard();
    queryFirst(".o_kanban_record:nth-child(2) button").focus();
    const [event] = await press(" ");
    expect(event.type).toBe("keydown");
    expect(event.defaultPrevented).toBe(false);
    expect(".o_record_selected").toHaveCount(0);
});

test("only the cards that a message names are read again", async () => {
    const send = await openDashboard();
    onRpc("account.journal", "web_read", ({ args: [ids] }) => expect.step(`read ${ids}`));
    MockServer.env["account.journal"].write([1, 2, 3], { name: "New" });
    send(STATUS, { journal_ids: [2, 99] });
    await advanceTime(GATHER);
    await waitFor("strong:contains(New)", ARRIVAL);
    expect.verifySteps(["read 2"]);
    expect(queryAllTexts(".o_kanban_record strong")).toEqual(["A", "New", "C"]);
});

test("the dashboard is read again where a journal was deleted meanwhile", async () => {
    const send = await openDashboard();
    MockServer.env["account.journal"].unlink([2]);
    send(STATUS, { journal_ids: [2] });
    await advanceTime(GATHER);
    await waitForNone("strong:contains(B)", ARRIVAL);
    expect(queryAllTexts(".o_kanban_record strong")).toEqual(["A", "C"]);
});
