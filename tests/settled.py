"""When a page in the browser has come to rest, and fits into its window."""

import time

from playwright.sync_api import Error, expect

#: Milliseconds without a change, and how long to wait at most: a page that shows the progress of something never rests.
STILL, LONGEST = 400, 1_500
#: Seconds until a page has adapted to the size of its window.
PATIENCE_SECONDS = 10
#: Why not "networkidle": Odoo's own bus never falls silent. Why much longer than 100: Odoo looks at a new size of the
#: window only after 100 milliseconds, and a busy machine takes longer.
REST = """
([still, longest]) => new Promise((resolve) => {
    const isMoving = (animation) =>
        animation.playState === "running" && Number.isFinite(animation.effect.getComputedTiming().endTime);
    const observer = new MutationObserver(() => wait());
    let timer;
    function rest() {
        observer.disconnect();
        clearTimeout(timer);
        clearTimeout(end);
        resolve();
    }
    function wait() {
        clearTimeout(timer);
        timer = setTimeout(() => (document.getAnimations().some(isMoving) ? wait() : rest()), still);
    }
    const end = setTimeout(rest, longest);
    observer.observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
    wait();
})
"""


def settle(page):
    """Return when nothing has changed on a page for a moment and no animation is under way."""
    try:
        page.evaluate(REST, [STILL, LONGEST])
    except Error:
        # The page has gone on to another one meanwhile.
        page.wait_for_timeout(LONGEST)


def expect_to_fit(page, wider, station):
    """Wait until nothing on a page is wider than its window: Odoo adapts to a new size in several steps.

    :param str wider: JavaScript, whether something is wider
    :param str station: name of the page, for the message
    """
    end = time.monotonic() + PATIENCE_SECONDS
    while page.evaluate(wider):
        assert time.monotonic() < end, f"{station} scrolls sideways"
        # Why: a window that changes its size while Odoo renders may be overlooked; a real phone keeps its size.
        page.evaluate("window.dispatchEvent(new Event('resize'))")
        page.wait_for_timeout(STILL)


def expect_found_banks(page):
    """The list of banks is that of the text in the search: a click on a row that moves meanwhile would be lost."""
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    expect(page.locator("#o_bank_results")).to_have_attribute("aria-busy", "false", timeout=90_000)
