import {
    animationFrame,
    beforeEach,
    click,
    edit,
    expect,
    press,
    queryAllTexts,
    queryFirst,
    queryOne,
    test,
    waitFor,
} from "@odoo/hoot";
import { Deferred } from "@odoo/hoot-mock";
import {
    contains,
    defineModels,
    fields,
    makeServerError,
    models,
    mountView,
    onRpc,
} from "@web/../tests/web_test_helpers";
import { defineMailModels } from "@mail/../tests/mail_test_helpers";

/** A bound for waiting: what is waited for normally takes a few frames. */
const ARRIVAL = { timeout: 5_000 };

const invoice = {
    kind: "item",
    id: 31,
    name: "INV/1",
    partner: "Azure",
    reference: "",
    date: "2026-05-01",
    open: 100,
    open_on_line: 100,
    currency_id: 1,
    attachments: [],
};

class BankLine extends models.Model {
    _name = "account.bank.statement.line";

    payment_ref = fields.Char();
    amount = fields.Float();
    is_reconciled = fields.Boolean();
    reconcile_state = fields.Char();

    _records = [
        { id: 1, payment_ref: "First", amount: 100, reconcile_state: "proposed" },
        { id: 2, payment_ref: "Second", amount: 50, reconcile_state: "nothing" },
        { id: 3, payment_ref: "Third", amount: 100, reconcile_state: "proposed" },
    ];

    reconcile_read([id]) {
        const [line] = this.browse(id);
        const parts = [{ ...invoice, id: 30 + id, amount: line.amount }];
        const decision = { id: id * 10, state: "proposed", why: ["The payment names INV/1."], rest: 0, parts };
        return {
            id,
            name: line.payment_ref,
            date: "2026-05-20",
            amount: line.amount,
            currency_id: 1,
            foreign: false,
            company_id: 1,
            journal: "Bank",
            counterparty: "",
            partner: false,
            details: [{ label: "Bank Account Number", value: "BE71 0961" }],
            note: "",
            is_open: !line.is_reconciled,
            is_to_review: false,
            may_book: true,
            why_not: "",
            decision: line.reconcile_state === "proposed" && decision,
            items: [],
        };
    }

    reconcile_find(_ids, text) {
        const documents = [
            { ...invoice, id: 41, name: "INV/41", open: 30, open_on_line: 30 },
            { ...invoice, id: 42, name: "INV/42", open: 80, open_on_line: 80 },
        ];
        return { documents: documents.filter((one) => one.name.includes(text || "")), has_more: false };
    }

    reconcile_accept([id], decisionId) {
        expect.step(`accept ${id} ${decisionId}`);
        this.write([id], { is_reconciled: true, reconcile_state: "booked" });
        return decisionId;
    }

    reconcile_book([id], parts) {
        const booked = parts.map((part) => [part.kind, part.id, part.amount].join(" "));
        expect.step(`book ${id} ${booked.join(", ")}`);
        this.write([id], { is_reconciled: true, reconcile_state: "booked" });
        return 99;
    }

    reconcile_create_partner([id]) {
        expect.step(`create partner ${id}`);
    }

    reconcile_undo([id], decisionId) {
        expect.step(`undo ${id} ${decisionId}`);
        this.write([id], { is_reconciled: false, reconcile_state: "nothing" });
    }
}

class Tax extends models.Model {
    _name = "account.tax";

    name = fields.Char();

    _records = [{ id: 9, name: "21 %" }];
}

defineMailModels();
defineModels([BankLine, Tax]);

beforeEach(() => onRpc("has_group", () => true));

async function open(context = {}) {
    await mountView({
        type: "kanban",
        resModel: "account.bank.statement.line",
        domain: [["is_reconciled", "=", false]],
        context,
        arch: `
            <kanban js_class="account_online_reconcile">
                <field name="reconcile_state" />
                <templates><t t-name="card"><field name="payment_ref" /></t></templates>
            </kanban>`,
    });
}

/** The line is loaded, and shown beside the list. */
function shows(name) {
    return waitFor(`.o_reconcile_detail[data-line-id] .o_reconcile_label:contains(${name})`, ARRIVAL);
}

function focusIsOn(name) {
    return waitFor(`.o_kanban_record:focus:contains(${name})`, ARRIVAL);
}

test("the first open line is shown at once, with its proposal and the reasons", async () => {
    await open();
    await shows("First");
    await focusIsOn("First");
    expect(queryAllTexts(".o_reconcile_reasons li")).toEqual(["The payment names INV/1."]);
    expect(".o_reconcile_part").toHaveCount(1);
    expect(".o_reconcile_told dd").toHaveText("BE71 0961");
    expect(".o_reconcile_validate").toBeEnabled();
});

test("the line that the action names is shown, wherever it is in the list", async () => {
    await open({ reconcile_line_id: 3 });
    await shows("Third");
    expect(".o_kanban_record[aria-current=true]").toHaveText("Third");
});

test("the arrows move through the lines, Enter books and goes on to the next open line", async () => {
    await open();
    await shows("First");
    await focusIsOn("First");
    await press("ArrowDown");
    await shows("Second");
    await press("ArrowUp");
    await shows("First");
    await press("Enter");
    await shows("Second");
    await focusIsOn("Second");
    expect.verifySteps(["accept 1 10"]);
    expect(queryAllTexts(".o_kanban_record:not(.o_kanban_ghost)")).toEqual(["Second", "Third"]);
});

test("Enter on a line without a proposal leads to the search, and books nothing", async () => {
    await open({ reconcile_line_id: 2 });
    await shows("Second");
    queryFirst(".o_kanban_record[aria-current=true]").focus();
    await press("Enter");
    await waitFor(".o_reconcile_choose input:focus", ARRIVAL);
    expect(".o_reconcile_detail [aria-live]").toHaveText("Choose a document or an account.");
    await press("Enter");
    await animationFrame();
    await press("Enter");
    await animationFrame();
    expect(".o_reconcile_part").toHaveCount(0);
    expect.verifySteps([]);
});

test("documents are chosen until nothing remains, then Enter books them", async () => {
    await open({ reconcile_line_id: 2 });
    await shows("Second");
    expect(".o_reconcile_validate").not.toBeEnabled();
    await contains(".o_reconcile_document:contains(INV/41)").click();
    await waitFor(".o_reconcile_remaining:contains(20.00)", ARRIVAL);
    expect("#o_reconcile_why_not").toHaveText(/20\.00.* has no counterpart yet/);
    await contains(".o_reconcile_document:contains(INV/42)").click();
    await waitFor(".o_reconcile_validate:focus", ARRIVAL);
    expect(".o_reconcile_left_open").toHaveText(/60\.00 remains open/);
    await click(".o_reconcile_validate");
    await shows("Third");
    expect.verifySteps(["book 2 item 41 30, item 42 20"]);
});

test("a partner is made of the counterparty, where the user may", async () => {
    let mayCreate = false;
    onRpc("reconcile_read", async ({ parent }) => ({
        ...(await parent()),
        counterparty: "Deco Addict",
        may_create_partner: mayCreate,
    }));
    await open();
    await shows("First");
    expect(".o_reconcile_create_partner").toHaveCount(0);
    mayCreate = true;
    await contains(".o_kanban_record:contains(Second)").click();
    await shows("Second");
    expect(".o_reconcile_create_partner").toHaveText("Create “Deco Addict”");
    await click(".o_reconcile_create_partner");
    await animationFrame();
    expect.verifySteps(["create partner 2"]);
});

test("the other side of a transfer leads to the line that it belongs to", async () => {
    const part = { kind: "transfer", id: 3, line_id: 3, name: "Savings", amount: 100 };
    const decision = { id: 70, state: "proposed", why: [], rest: 0, parts: [part] };
    onRpc("reconcile_read", async ({ args, parent }) => ({
        ...(await parent()),
        ...(args[0][0] === 1 ? { decision } : {}),
    }));
    await open();
    await shows("First");
    await contains(".o_reconcile_other_line:contains(Savings)").click();
    await shows("Third");
});

test("a search takes its first document with Enter", async () => {
    await open({ reconcile_line_id: 2 });
    await shows("Second");
    await contains(".o_reconcile_choose input").click();
    await edit("42");
    await press("Enter");
    await waitFor(".o_reconcile_part:contains(INV/42)", ARRIVAL);
    expect(".o_reconcile_part_amount input").toHaveValue("50.00");
});

test("a changed proposal is booked by its parts, and can be had back", async () => {
    await open();
    await shows("First");
    await contains(".o_reconcile_part_amount input").edit("70");
    await waitFor(".o_reconcile_remaining:contains(30.00)", ARRIVAL);
    expect(".o_reconcile_reasons").toHaveCount(0);
    await contains("button:contains(Back to the Proposal)").click();
    await waitFor(".o_reconcile_reasons", ARRIVAL);
    await contains(".o_reconcile_part_amount input").edit("70");
    await contains(".o_reconcile_document:contains(INV/41)").click();
    await waitFor(".o_reconcile_validate:focus", ARRIVAL);
    await click(".o_reconcile_validate");
    await shows("Second");
    expect.verifySteps(["book 1 item 31 70, item 41 30"]);
});

test("an amount that can't be read is marked and changes nothing", async () => {
    await open();
    await shows("First");
    await contains(".o_reconcile_part_amount input").edit("a lot");
    expect(".o_reconcile_part_amount input").toHaveAttribute("aria-invalid", "true");
    expect(".o_reconcile_reasons").toHaveCount(1);
});

test("what was booked last is undone, and its line shown again", async () => {
    await open();
    await shows("First");
    await focusIsOn("First");
    await press("Enter");
    await shows("Second");
    await contains("button[data-hotkey=z]").click();
    await shows("First");
    expect.verifySteps(["accept 1 10", "undo 1 10"]);
    await focusIsOn("First");
});

test("a refused booking leaves the line as it is, ready for another try", async () => {
    expect.errors(1);
    onRpc("reconcile_accept", () => {
        throw makeServerError({ message: "Somebody else is working with these documents." });
    });
    await open();
    await shows("First");
    await click(".o_reconcile_validate");
    await waitFor(".o_error_dialog, .modal", ARRIVAL);
    expect.verifyErrors([/Somebody else/]);
    expect(queryOne(".o_reconcile_label")).toHaveText("First");
    expect(".o_reconcile_validate").toBeEnabled();
});

test("what was booked on an account is shown with its label and taxes", async () => {
    const part = { kind: "account", id: 5, amount: 100, name: "600000 Expenses", label: "Fee", taxes: ["21 %"] };
    onRpc("reconcile_read", ({ parent }) => {
        const line = parent();
        const decision = { id: 10, state: "booked", why: [], by: "Anna", at: false, rest: 0, parts: [part] };
        return { ...line, is_open: false, decision };
    });
    await open();
    await shows("First");
    expect(".o_reconcile_part_name").toHaveText(/600000 Expenses\s+Fee · 21 %/);
    expect(".o_reconcile_undo").toHaveCount(1);
});

test("a label that is typed stays while the taxes of another amount are computed", async () => {
    onRpc("has_group", ({ args: [, group] }) => !group.includes("analytic"));
    const part = { kind: "account", id: 5, amount: 100, name: "600000 Expenses", label: "", tax_ids: [9] };
    onRpc("reconcile_read", ({ parent }) => {
        const decision = { id: 10, state: "proposed", why: [], rest: 0, parts: [part] };
        return { ...parent(), decision };
    });
    let computed = new Deferred();
    onRpc("reconcile_compute_taxes", () => computed);
    await open();
    await shows("First");
    computed.resolve([]);
    computed = new Deferred();
    await contains(".o_reconcile_part input.text-end").edit("90");
    await contains(".o_reconcile_part_fields label:first input").edit("Fee", { confirm: false });
    computed.resolve([]);
    await animationFrame();
    await animationFrame();
    expect(".o_reconcile_part_fields label:first input").toHaveValue("Fee");
});

test("who may not book sees the proposal and no buttons", async () => {
    onRpc("has_group", () => false);
    onRpc("reconcile_read", ({ parent }) => ({ ...parent(), may_book: false, why_not: "Only accountants." }));
    await open();
    await shows("First");
    expect(".o_reconcile_reasons").toHaveCount(1);
    expect(".o_reconcile_validate, .o_reconcile_choose, .o_reconcile_part input").toHaveCount(0);
});

test("without an open line everything is reconciled", async () => {
    BankLine._records = [];
    await open();
    await waitFor(".o_reconcile_done", ARRIVAL);
    expect(".o_reconcile_detail").toHaveCount(0);
});

test("ticked lines are offered to be accepted together, a click goes on showing a line", async () => {
    await open();
    await shows("First");
    await contains(".o_kanban_record:contains(First) .o_reconcile_tick input").click();
    await contains(".o_kanban_record:contains(Third) .o_reconcile_tick input").click();
    expect(".o_reconcile_accept_all").toHaveCount(1);
    await contains(".o_kanban_record:contains(Second)").click();
    await shows("Second");
    expect(".o_record_selected").toHaveCount(2);
});
