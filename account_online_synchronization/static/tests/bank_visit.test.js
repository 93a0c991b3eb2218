import { Component, reactive, useState, xml } from "@odoo/owl";
import { Deferred, animationFrame, delay, expect, test } from "@odoo/hoot";
import { defineMailModels } from "@mail/../tests/mail_test_helpers";
import { getService, mountWithCleanup, onRpc, patchWithCleanup } from "@web/../tests/web_test_helpers";
import { BankVisit } from "@account_online_synchronization/connect/bank_visit";

import { startWithBus } from "./hoot_helpers";

const VISIT = "account_online_synchronization/visit";
const VISIT_ID = 7;

defineMailModels();

/**
 * Open the screen of visit 7, and a window at the bank that ends at once.
 *
 * @param {Object} visit as the server knows it from now on
 * @returns {Promise<Object>} `send` of the bus, `leave` the screen, `ask` as the window does when it has come back;
 *      it resolves to whether an answer has come
 */
async function openScreen(visit) {
    const visits = [{ state: "open", name: "KBC" }, visit];
    onRpc("account.online.authorization", "action_look", () => (visits.length > 1 ? visits.shift() : visits[0]));
    const send = await startWithBus();
    patchWithCleanup(getService("action"), { doAction: () => expect.step("on the way") });
    const shown = reactive({ isShown: true });
    class Page extends Component {
        static components = { BankVisit };
        static template = xml`<BankVisit t-if="shown.isShown" action="{ params: {} }" resId="${VISIT_ID}"/>`;
        static props = ["*"];
        setup() {
            this.shown = useState(shown);
        }
    }
    await mountWithCleanup(Page);
    return {
        send,
        leave: async () => {
            shown.isShown = false;
            await animationFrame();
        },
        ask: async () => {
            const channel = new BroadcastChannel("account_online_synchronization.visit");
            const answered = new Deferred();
            channel.addEventListener("message", ({ data }) => data.isHeard && answered.resolve(data.visitId));
            channel.postMessage({ visitId: VISIT_ID, isOver: true });
            const visitId = await Promise.race([answered, delay(500)]);
            channel.close();
            return visitId === VISIT_ID;
        },
    };
}

test("a window that comes back after the server has said so may close", async () => {
    const { send, leave, ask } = await openScreen({ state: "done", name: "KBC", action: { type: "x" } });
    send(VISIT, { visit_id: VISIT_ID });
    await expect.waitForSteps(["on the way"]);
    await leave();
    expect(await ask()).toBe(true);
});

test("a window that comes back when the user has left the screen continues itself", async () => {
    const { leave, ask } = await openScreen({ state: "open", name: "KBC" });
    await leave();
    expect(await ask()).toBe(false);
});
