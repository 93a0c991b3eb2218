import { browser } from "@web/core/browser/browser";
import { _t } from "@web/core/l10n/translation";

const FEATURES = "popup,width=560,height=780";

/** Opened by a click before the server has answered; the waiting screen uses it. */
let blank = null;

/**
 * Open a window while the browser still attributes it to the user's click, which it may not after a request to the
 * server.
 *
 * @returns {Window|null} null if it was blocked
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
        // The window works without its text, too.
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

/** Close it, because there is nothing to show in it. */
export function closeBlankWindow() {
    takeBlankWindow()?.close();
}

/**
 * Navigate a window to the bank, without a reference to its opener.
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
