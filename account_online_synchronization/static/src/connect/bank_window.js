import { browser } from "@web/core/browser/browser";
import { _t } from "@web/core/l10n/translation";

const FEATURES = "popup,width=560,height=780";

/** Opened by a click whose answer from the server is not there yet; the screen that waits takes it. */
let blank = null;

/**
 * Open a window while the browser still knows that the user has clicked: after a question to the server it may not be
 * allowed any more.
 *
 * @returns {Window|null} null where it was blocked
 */
export function openBlankWindow() {
    let opened = null;
    try {
        opened = browser.open("about:blank", "_blank", FEATURES);
    } catch {
        // Some blockers throw.
    }
    if (!opened || opened.closed) {
        return null;
    }
    try {
        opened.document.title = _t("Your bank");
        opened.document.body.textContent = _t("Your bank's page is being opened…");
    } catch {
        // A window without its text is a window all the same.
    }
    return opened;
}

export function keepBlankWindow() {
    blank = openBlankWindow();
}

export function takeBlankWindow() {
    const taken = blank;
    blank = null;
    return taken && !taken.closed ? taken : null;
}

/** There is nothing to show in it after all. */
export function closeBlankWindow() {
    takeBlankWindow()?.close();
}

/**
 * Lead a window to the bank. From then on it is a stranger: it does not know who has opened it.
 *
 * @param {Window} opened by openBlankWindow
 * @param {string} url
 */
export function leadToBank(opened, url) {
    const target = new URL(url, browser.location.href);
    if (!["http:", "https:"].includes(target.protocol)) {
        throw new Error("A bank's page has an address of the web.");
    }
    opened.opener = null;
    opened.location.replace(target.href);
    opened.focus();
}
