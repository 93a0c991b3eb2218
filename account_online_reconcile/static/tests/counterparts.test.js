import { expect, test } from "@odoo/hoot";
import {
    getLeftOpen,
    getRemaining,
    inBatches,
    nextOpen,
    partFromDocument,
    partsByHand,
    toServer,
    whyNotReady,
} from "@account_online_reconcile/counterparts";
import { defineMailModels } from "@mail/../tests/mail_test_helpers";
import { makeMockEnv } from "@web/../tests/web_test_helpers";

defineMailModels();

const EURO = 1;
const FRANC = 2;
const line = { id: 7, amount: 100, currency_id: EURO, why_not: "" };

function document(open, values = {}) {
    return { kind: "item", id: 3, name: "INV/1", open, open_on_line: open, currency_id: EURO, ...values };
}

test("what remains is rounded to the currency of the line", () => {
    const parts = [{ amount: 33.33 }, { amount: 33.33 }, { amount: 33.33 }];
    expect(getRemaining(line, parts, 2)).toBe(0.01);
});

test("a document is settled as far as the payment reaches, and the rest stays open", () => {
    const part = partFromDocument(document(250), line, 100);
    expect(part.amount).toBe(100);
    expect(getLeftOpen(part, line, 2)).toBe(150);
});

test("a smaller document is settled as a whole", () => {
    expect(partFromDocument(document(40), line, 100).amount).toBe(40);
});

test("a credit note is settled as a whole, whatever remains", () => {
    expect(partFromDocument(document(-20), line, 100).amount).toBe(-20);
});

test("a payment near the amount at the day's rate pays a document in another currency in full", () => {
    const part = partFromDocument(document(200, { currency_id: FRANC, open_on_line: 104 }), line, 100);
    expect([part.amount, part.is_paid_in_full]).toEqual([100, true]);
});

test("a payment far below the amount at the day's rate pays a part of a document in another currency", () => {
    const part = partFromDocument(document(400, { currency_id: FRANC, open_on_line: 208 }), line, 100);
    expect([part.amount, part.is_paid_in_full]).toEqual([100, false]);
});

test("only documents and accounts can be gone on with by hand", () => {
    const parts = [{ kind: "item" }, { kind: "discount" }, { kind: "account" }, { kind: "transfer" }];
    expect(partsByHand(parts)).toEqual([{ kind: "item" }, { kind: "account" }]);
});

test("the server gets keys and amounts, and no names", () => {
    const account = {
        kind: "account",
        id: 5,
        name: "Fees",
        label: "Fee",
        amount: 2,
        tax_ids: [9],
        analytic: { 4: 100 },
    };
    expect(toServer([{ ...document(98), amount: 98 }, account])).toEqual([
        { kind: "item", id: 3, amount: 98, is_paid_in_full: false },
        { kind: "account", id: 5, amount: 2, label: "Fee", tax_ids: [9], partner_id: false, analytic: { 4: 100 } },
    ]);
});

test("a line is ready when nothing remains, and says why as long as it is not", async () => {
    await makeMockEnv();
    expect(whyNotReady(line, [], 2)).toBe("Choose a document or an account.");
    expect(whyNotReady(line, [{ amount: 0 }, { amount: 100 }], 2)).toBe("A counterpart has no amount.");
    expect(whyNotReady(line, [{ amount: 60 }], 2)).toMatch(/40\.00.* has no counterpart yet/);
    expect(whyNotReady(line, [{ amount: 60 }, { amount: 40 }], 2)).toBe("");
    expect(whyNotReady({ ...line, why_not: "Locked." }, [{ amount: 100 }], 2)).toBe("Locked.");
});

test("a batch is cut in portions", () => {
    expect(inBatches([1, 2, 3, 4, 5], 2)).toEqual([[1, 2], [3, 4], [5]]);
    expect(inBatches([], 2)).toEqual([]);
});

test("after a booking the next open line follows, at the end the first one", () => {
    const records = ["nothing", "booked", "proposed"].map((state, index) => ({
        resId: index + 1,
        data: { reconcile_state: state },
    }));
    expect(nextOpen(records, 1, 9).resId).toBe(3);
    expect(nextOpen(records, 3, 9).resId).toBe(1);
    expect(nextOpen(records, 2, 3).resId).toBe(1);
    expect(nextOpen([], 0, 9)).toBe(undefined);
});
