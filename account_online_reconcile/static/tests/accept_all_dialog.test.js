import { Deferred, click, expect, queryAllTexts, test, waitFor } from "@odoo/hoot";
import { getService, mountWithCleanup, onRpc } from "@web/../tests/web_test_helpers";
import { AcceptAllDialog } from "@account_online_reconcile/accept_all_dialog";
import { MainComponentsContainer } from "@web/core/main_components_container";
import { defineMailModels } from "@mail/../tests/mail_test_helpers";

defineMailModels();

const ids = Array.from({ length: 120 }, (_, index) => index + 1);

async function open() {
    await mountWithCleanup(MainComponentsContainer);
    getService("dialog").add(AcceptAllDialog, { lineIds: ids });
}

test("proposals are accepted in portions, and what is left says why", async () => {
    onRpc("reconcile_accept_all", ({ args: [lineIds] }) => {
        expect.step(lineIds.length);
        const left = lineIds.includes(120)
            ? [{ id: 120, name: "Rent", why: "There is no proposal for this line." }]
            : [];
        return { booked: lineIds.length - left.length, left };
    });
    await open();
    await waitFor(".o_reconcile_result");
    expect.verifySteps([50, 50, 20]);
    expect(".o_reconcile_result").toHaveText("119 booked, 1 left");
    expect(queryAllTexts(".o_reconcile_left li > div")).toEqual(["Rent", "There is no proposal for this line."]);
});

test("a batch that is cancelled books no further portion", async () => {
    const first = new Deferred();
    onRpc("reconcile_accept_all", async ({ args: [lineIds] }) => {
        expect.step(lineIds.length);
        await first;
        return { booked: lineIds.length, left: [] };
    });
    await open();
    await waitFor(".modal-footer button:contains(Cancel)");
    await click(".modal-footer button:contains(Cancel)");
    first.resolve();
    await waitFor(".o_reconcile_result");
    expect.verifySteps([50]);
    expect(".o_reconcile_result").toHaveText("50 booked, 0 left, 70 not tried");
});
