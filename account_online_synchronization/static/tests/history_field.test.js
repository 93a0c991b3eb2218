import { expect, queryAll, test } from "@odoo/hoot";
import { defineMailModels } from "@mail/../tests/mail_test_helpers";
import { mountWithCleanup } from "@web/../tests/web_test_helpers";
import { OnlineHistoryField } from "@account_online_synchronization/dashboard/history_field";

defineMailModels();

function day(label, imported = 0, failures = 0, runs = 1) {
    return { label, imported, failures, runs };
}

function show(days) {
    return mountWithCleanup(OnlineHistoryField, {
        props: { name: "history", readonly: true, record: { data: { history: days } } },
    });
}

test("a day without a synchronization has no bar, one without transactions a small one", async () => {
    await show([day("May 1", 0, 0, 0), day("May 2"), day("May 3", 100)]);
    const heights = queryAll(".o_online_history_day > div").map((bar) => bar.style.height);
    expect(heights).toEqual(["0%", "6%", "100%"]);
});

test("a first load of hundreds leaves the bars of the days after it visible", async () => {
    await show([day("May 1", 400), day("May 2", 4)]);
    expect(queryAll(".o_online_history_day > div")[1].style.height).toBe("10%");
});

test("no bars are drawn where nothing was synchronized", async () => {
    await show([day("May 1", 0, 0, 0)]);
    expect(".o_online_history_bars").toHaveCount(0);
    expect("figcaption .text-muted").toHaveText("No synchronization.");
});
