import { expect, test } from "@odoo/hoot";
import { patchWithCleanup } from "@web/../tests/web_test_helpers";
import { browser } from "@web/core/browser/browser";
import {
    keepBlankWindow,
    leadToBank,
    openBlankWindow,
    takeBlankWindow,
} from "@account_online_synchronization/connect/bank_window";

/** A window, as far as the code under test uses it. */
function aWindow(values = {}) {
    return {
        closed: false,
        opener: window,
        document: { title: "", body: {} },
        location: { replace: (url) => expect.step(url) },
        focus: () => expect.step("focus"),
        ...values,
    };
}

test("a blocked window is no window, however the browser blocks it", () => {
    patchWithCleanup(browser, { open: () => null });
    expect(openBlankWindow()).toBe(null);
    patchWithCleanup(browser, { open: () => aWindow({ closed: true }) });
    expect(openBlankWindow()).toBe(null);
    patchWithCleanup(browser, {
        open: () => {
            throw new Error("blocked");
        },
    });
    expect(openBlankWindow()).toBe(null);
});

test("a kept window is taken once", () => {
    const opened = aWindow();
    patchWithCleanup(browser, { open: () => opened });
    keepBlankWindow();
    expect(takeBlankWindow()).toBe(opened);
    expect(takeBlankWindow()).toBe(null);
});

test("a window closed meanwhile is not taken", () => {
    const opened = aWindow();
    patchWithCleanup(browser, { open: () => opened });
    keepBlankWindow();
    opened.closed = true;
    expect(takeBlankWindow()).toBe(null);
});

test("the bank's page gets no access to the window that opened it", () => {
    const opened = aWindow();
    leadToBank(opened, "https://bank.example/sign-in");
    expect(opened.opener).toBe(null);
    expect.verifySteps(["https://bank.example/sign-in", "focus"]);
});

test("only http and https addresses are opened", () => {
    const opened = aWindow();
    for (const url of ["javascript:alert(1)", "data:text/html,x", "file:///etc/passwd"]) {
        expect(() => leadToBank(opened, url)).toThrow();
    }
    expect.verifySteps([]);
});
