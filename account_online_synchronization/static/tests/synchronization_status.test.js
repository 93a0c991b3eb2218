import { advanceTime, after, beforeEach, destroy, expect, freezeTime, test } from "@odoo/hoot";
import { defineMailModels } from "@mail/../tests/mail_test_helpers";
import { mountWithCleanup } from "@web/../tests/web_test_helpers";
import { useSynchronizationStatus } from "@account_online_synchronization/synchronization_status";

import { Component, xml } from "@odoo/owl";

import { startWithBus } from "./hoot_helpers";

const STATUS = "account_online_synchronization/status";
const BEFORE_RELOAD = 299;
const BEFORE_ASKING = 29_999;

defineMailModels();

/** A screen with the journals 1 and 2, which are being fetched; each reload is a step. */
class Screen extends Component {
    static props = {};
    static template = xml`<div />`;

    setup() {
        useSynchronizationStatus({
            getFetching: () => [1, 2],
            reload: (journalIds) => expect.step([...journalIds].join(" ")),
        });
    }
}

let send, screen;

beforeEach(async () => {
    send = await startWithBus();
    freezeTime();
    screen = await mountWithCleanup(Screen);
});

test("messages of several banks lead to one reload of the journals they name", async () => {
    send(STATUS, { journal_ids: [3] });
    send(STATUS, { journal_ids: [4, 3] });
    await advanceTime(BEFORE_RELOAD);
    expect.verifySteps([]);
    await advanceTime(1);
    expect.verifySteps(["3 4"]);
});

test("a hidden window reloads what it has missed once it is shown", async () => {
    let hidden = true;
    Object.defineProperty(document, "hidden", { get: () => hidden, configurable: true });
    after(() => delete document.hidden);
    send(STATUS, { journal_ids: [3] });
    await advanceTime(BEFORE_RELOAD + 1);
    expect.verifySteps([]);
    hidden = false;
    document.dispatchEvent(new Event("visibilitychange"));
    await advanceTime(BEFORE_RELOAD + 1);
    expect.verifySteps(["3"]);
});

test("journals being fetched are read every half minute, in case a message is lost", async () => {
    await advanceTime(BEFORE_ASKING);
    expect.verifySteps([]);
    await advanceTime(1 + BEFORE_RELOAD + 1);
    expect.verifySteps(["1 2"]);
});

test("journals being fetched are read when the connection is back", async () => {
    send("BUS:RECONNECT");
    await advanceTime(BEFORE_RELOAD + 1);
    expect.verifySteps(["1 2"]);
});

test("a screen that was left is not reloaded", async () => {
    send(STATUS, { journal_ids: [3] });
    destroy(screen);
    send(STATUS, { journal_ids: [3] });
    await advanceTime(BEFORE_ASKING + 1);
    expect.verifySteps([]);
});
