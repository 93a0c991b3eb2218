import {
    Deferred,
    advanceTime,
    animationFrame,
    beforeEach,
    click,
    expect,
    fill,
    freezeTime,
    press,
    queryAllTexts,
    test,
    waitFor,
} from "@odoo/hoot";
import { defineMailModels } from "@mail/../tests/mail_test_helpers";
import { makeMockEnv, mountWithCleanup, onRpc } from "@web/../tests/web_test_helpers";
import { getDefaultConfig } from "@web/views/view";
import { forgetBanks } from "@account_online_synchronization/connect/bank_directory";
import { ConnectBank } from "@account_online_synchronization/connect/connect_bank";

const PAUSE = 50;
const INPUT = "#o_bank_query";
const STATUS = "[role=status]";

/** A bound for waiting: what is waited for normally takes a few frames. */
const ARRIVAL = { timeout: 5_000 };

defineMailModels();

function bank(id, values = {}) {
    const provider = { id: `${id}-one`, label: "One", is_beta: false, trouble: "" };
    return {
        id,
        name: `Bank ${id}`,
        country: "BE",
        bic: "",
        logo: "",
        history_days: 0,
        auto_sync: true,
        is_beta: false,
        trouble: "",
        providers: [provider],
        ...values,
    };
}

function answer(ids, cursor = false) {
    return { banks: ids.map((id) => bank(id)), cursor };
}

/** Open the screen with these banks; `search` answers what is asked afterwards, and each request is a step. */
async function openScreen({ banks, cursor = false }, search) {
    onRpc("account.online.directory", "action_begin_bank_search", () => ({
        country: "BE",
        countries: [["BE", "Belgium"]],
        banks,
        cursor,
    }));
    onRpc("account.online.directory", "action_search_banks", ({ args: [query, ...rest] }) => {
        expect.step(`search ${query}`);
        return search(query, ...rest);
    });
    onRpc("account.online.directory", "action_open_bank", ({ args: [id] }) => expect.step(`open ${id}`));
    await makeMockEnv({ config: getDefaultConfig() });
    freezeTime();
    await mountWithCleanup(ConnectBank, { props: { action: { params: {}, context: {} } } });
}

async function type(text) {
    await click(INPUT);
    await fill(text);
}

const row = (position) => `.o_bank_item:nth-child(${position}) .o_bank_row`;

beforeEach(forgetBanks);

test("the server is asked once, after the last key", async () => {
    await openScreen(answer(["A", "B"]), () => answer(["KBC"]));
    await type("k");
    await advanceTime(PAUSE - 1);
    await type("bc");
    await advanceTime(PAUSE - 1);
    expect.verifySteps([]);
    await advanceTime(1);
    await waitFor(`${STATUS}:contains(1 bank found.)`, ARRIVAL);
    expect.verifySteps(["search kbc"]);
    expect(queryAllTexts(".o_bank_row strong")).toEqual(["Bank KBC"]);
});

test("an answer that comes late does not replace a newer one", async () => {
    const answers = { k: new Deferred(), kb: new Deferred() };
    await openScreen(answer(["A", "B"]), (query) => answers[query]);
    await type("k");
    await advanceTime(PAUSE);
    await type("b");
    await advanceTime(PAUSE);
    await expect.waitForSteps(["search k", "search kb"]);
    answers.kb.resolve(answer(["new"]));
    await waitFor("strong:contains(Bank new)", ARRIVAL);
    answers.k.resolve(answer(["old", "older"]));
    await animationFrame();
    expect(queryAllTexts(".o_bank_row strong")).toEqual(["Bank new"]);
    expect(STATUS).toHaveText("1 bank found.");
});

test("arrow keys stop at the last bank, and lead from the first one back to the search", async () => {
    await openScreen(answer(["A", "B"]));
    await click(INPUT);
    await press("ArrowDown");
    await press("ArrowDown");
    await press("ArrowDown");
    expect(row(2)).toBeFocused();
    await press("Home");
    expect(row(1)).toBeFocused();
    await press("ArrowUp");
    expect(INPUT).toBeFocused();
});

test("Enter in the search chooses none of several banks", async () => {
    await openScreen(answer(["A", "B"]));
    await click(INPUT);
    await press("Enter");
    expect(row(1)).toBeFocused();
    expect.verifySteps([]);
});

test("Enter before the search has begun chooses no bank of the list before", async () => {
    await openScreen(answer(["A"]), () => answer(["KBC"]));
    await type("k");
    await press("Enter");
    expect.verifySteps([]);
});

test("the choice of a provider keeps the arrow keys to itself, and Escape closes it", async () => {
    const providers = ["One", "Two"].map((label) => ({ id: label, label, is_beta: false, trouble: "" }));
    await openScreen({ banks: [bank("A", { providers }), bank("B")] });
    await click(row(1));
    await animationFrame();
    await click("#o_bank_provider_0");
    await press("ArrowDown");
    expect(row(2)).not.toBeFocused();
    await press("Escape");
    await animationFrame();
    expect(".o_bank_details").toHaveCount(0);
    expect(row(1)).toBeFocused();
});

test("more banks are listed once each, told, and the first new one has the focus", async () => {
    await openScreen(answer(["A", "B"], "page 2"), (_query, _country, cursor) => {
        expect.step(cursor);
        return answer(["B", "C", "D"]);
    });
    expect(STATUS).toHaveText("The first 2 banks are shown, there are more.");
    await click(".o_bank_more");
    await waitFor(`${STATUS}:contains(4 banks found.)`, ARRIVAL);
    await advanceTime(0);
    expect.verifySteps(["search ", "page 2"]);
    expect(queryAllTexts(".o_bank_row strong")).toEqual(["Bank A", "Bank B", "Bank C", "Bank D"]);
    expect(row(3)).toBeFocused();
});
