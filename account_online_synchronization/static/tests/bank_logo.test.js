import { expect, queryAllTexts, test } from "@odoo/hoot";
import { defineMailModels } from "@mail/../tests/mail_test_helpers";
import { mountWithCleanup } from "@web/../tests/web_test_helpers";
import { BankLogo } from "@account_online_synchronization/connect/bank_logo";

defineMailModels();

const PICTURE = "data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw==";

test("initials are of the first two words, or a question mark without letters", async () => {
    for (const name of ["argenta", "KBC Bank of Brussels", "–"]) {
        await mountWithCleanup(BankLogo, { props: { name } });
    }
    expect(queryAllTexts("span.o_bank_logo")).toEqual(["A", "KB", "?"]);
});

test("a logo is loaded without a referrer, and is silent for screen readers", async () => {
    await mountWithCleanup(BankLogo, { props: { name: "KBC", logo: PICTURE } });
    expect("img.o_bank_logo").toHaveAttribute("referrerpolicy", "no-referrer");
    expect("img.o_bank_logo").toHaveAttribute("alt", "");
});
