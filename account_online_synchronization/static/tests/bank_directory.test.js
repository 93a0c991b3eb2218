import { advanceTime, beforeEach, expect, test } from "@odoo/hoot";
import { forgetBanks, knownBanks, searchBanks } from "@account_online_synchronization/connect/bank_directory";

const KBC = { banks: [{ id: "kbc" }], cursor: false };

/** A server that gives this answer; each request is a step. */
function server(answer) {
    return async (method, ...args) => {
        expect.step([method, ...args].join(" "));
        return answer;
    };
}

beforeEach(forgetBanks);

test("an answer is reused, whatever the case and the blanks of the query", async () => {
    await searchBanks(server(KBC), " kbc", "BE");
    expect(await searchBanks(server(KBC), "KBC ", "BE")).toBe(KBC);
    expect.verifySteps(["action_search_banks kbc BE"]);
});

test("each country is asked for on its own", async () => {
    await searchBanks(server(KBC), "kbc", "BE");
    await searchBanks(server(KBC), "kbc", "NL");
    expect.verifySteps(["action_search_banks kbc BE", "action_search_banks kbc NL"]);
});

test("an answer is fresh for ten minutes", async () => {
    await searchBanks(server(KBC), "kbc", "BE");
    await advanceTime(9 * 60_000);
    expect(knownBanks("kbc", "BE")).toBe(KBC);
    await advanceTime(2 * 60_000);
    expect(knownBanks("kbc", "BE")).toBe(undefined);
    expect.verifySteps(["action_search_banks kbc BE"]);
});

test("a failed search is asked again", async () => {
    await searchBanks(server({ error: { message: "No answer" }, banks: [], cursor: false }), "kbc", "BE");
    expect(knownBanks("kbc", "BE")).toBe(undefined);
    expect.verifySteps(["action_search_banks kbc BE"]);
});

test("only 200 answers are kept: the oldest is dropped", async () => {
    for (let number = 0; number <= 200; number++) {
        await searchBanks(async () => KBC, `bank ${number}`, "BE");
    }
    expect(knownBanks("bank 0", "BE")).toBe(undefined);
    expect(knownBanks("bank 1", "BE")).toBe(KBC);
});
