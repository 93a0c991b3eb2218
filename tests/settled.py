"""When a page in the browser has come to rest, so that it can be photographed and examined."""

from playwright.sync_api import Error

#: Milliseconds without a change, and how long to wait at most: a page that shows the progress of something never rests.
STILL, LONGEST = 200, 800
#: Why not "networkidle": Odoo's own bus never falls silent. Why longer than 100: Odoo looks at a new size of the window
#: only after 100 milliseconds.
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
