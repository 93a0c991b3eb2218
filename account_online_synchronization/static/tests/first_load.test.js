import { Deferred, advanceTime, animationFrame, expect, freezeTime, test, waitFor } from "@odoo/hoot";
import { defineMailModels } from "@mail/../tests/mail_test_helpers";
import { mountWithCleanup, onRpc } from "@web/../tests/web_test_helpers";
import { FirstLoad } from "@account_online_synchronization/first_load/first_load";

import { startWithBus } from "./hoot_helpers";

const PROGRESS = "account_online_synchronization/progress";
const PATIENCE = 5_000;
const LINK = 7;
const DONE = "[role=status]:contains(New transactions: 3.)";

/** A bound for waiting: what is waited for normally takes a few frames. */
const ARRIVAL = { timeout: 5_000 };

defineMailModels();

function loadOf(state, values = {}) {
    return { name: "KBC", state, result: "New transactions: 3.", error: {}, next: "", accounts: [], ...values };
}

/**
 * Open the screen of connection 7.
 *
 * @param {Array} answers to the requests for the load, in this order; each request is a step
 */
async function openScreen(answers) {
    onRpc("account.online.link", "get_first_load", ({ args: [linkId] }) => {
        expect.step(`load of ${linkId}`);
        return answers.shift();
    });
    const send = await startWithBus();
    freezeTime();
    await mountWithCleanup(FirstLoad, { props: { action: { params: {} }, resId: LINK } });
    expect.verifySteps([`load of ${LINK}`]);
    return send;
}

test("a screen reader hears the result once it is there", async () => {
    const send = await openScreen([loadOf("running"), loadOf("done")]);
    expect("[role=status]").toHaveText("Transactions are being fetched. You can go on working or leave this page.");
    send(PROGRESS, { link_id: LINK });
    await waitFor(DONE, ARRIVAL);
    expect.verifySteps([`load of ${LINK}`]);
});

test("an error interrupts the screen reader", async () => {
    await openScreen([loadOf("failed", { error: { message: "The bank did not answer.", help: "Try later." } })]);
    expect("[role=alert] p:first").toHaveText("The bank did not answer.");
    expect("[role=status]").toHaveCount(0);
});

test("the progress of another connection is not asked for", async () => {
    const send = await openScreen([loadOf("running")]);
    send(PROGRESS, { link_id: 8 });
    await animationFrame();
    expect.verifySteps([]);
});

test("an answer that comes late does not replace a newer one", async () => {
    const late = new Deferred();
    const send = await openScreen([loadOf("running"), late, loadOf("done")]);
    send(PROGRESS, { link_id: LINK });
    send(PROGRESS, { link_id: LINK });
    await waitFor(DONE, ARRIVAL);
    late.resolve(loadOf("running"));
    await animationFrame();
    expect(DONE).toHaveCount(1);
    expect.verifySteps([`load of ${LINK}`, `load of ${LINK}`]);
});

test("without messages the server is asked as long as it fetches", async () => {
    await openScreen([loadOf("running"), loadOf("done")]);
    await advanceTime(PATIENCE);
    await waitFor(DONE, ARRIVAL);
    expect.verifySteps([`load of ${LINK}`]);
    await advanceTime(PATIENCE);
    await advanceTime(PATIENCE);
    expect.verifySteps([]);
});
