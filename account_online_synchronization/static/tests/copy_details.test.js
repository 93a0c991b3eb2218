import { click, expect, queryFirst, test } from "@odoo/hoot";
import { defineMailModels } from "@mail/../tests/mail_test_helpers";
import { mockService, mountWithCleanup, patchWithCleanup } from "@web/../tests/web_test_helpers";
import { CopyDetails } from "@account_online_synchronization/dashboard/copy_details";

defineMailModels();

function noteNotifications() {
    mockService("notification", {
        add: (text, { type, sticky }) => expect.step(`${type}${sticky ? " that stays" : ""}: ${text}`),
    });
}

function refuseTheClipboard() {
    patchWithCleanup(navigator.clipboard, {
        writeText: async () => {
            throw new Error("not allowed");
        },
    });
}

async function copy() {
    await mountWithCleanup(CopyDetails, { props: { details: "E-7KQ2-M9XD" } });
    await click(".o_online_copy_details");
}

test("without the clipboard, as over plain http, the browser's copy command is used", async () => {
    noteNotifications();
    refuseTheClipboard();
    patchWithCleanup(document, {
        execCommand(command) {
            const { value, hidden } = queryFirst("textarea");
            expect.step(`${command}: ${hidden ? "hidden" : value}`);
            return true;
        },
    });
    await copy();
    await expect.waitForSteps([
        "copy: E-7KQ2-M9XD",
        "success: Copied. Paste the details into your message to support.",
    ]);
    expect(queryFirst("textarea").hidden).toBe(true);
});

test("details that cannot be copied are shown in a warning that stays", async () => {
    noteNotifications();
    refuseTheClipboard();
    patchWithCleanup(document, { execCommand: () => false });
    await copy();
    await expect.waitForSteps(["warning that stays: E-7KQ2-M9XD"]);
});
