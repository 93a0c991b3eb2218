import { onMounted, onWillUnmount } from "@odoo/owl";
import { browser } from "@web/core/browser/browser";
import { useService } from "@web/core/utils/hooks";

const STATUS = "account_online_synchronization/status";

/** Milliseconds: messages of several banks within this time are shown at once. */
const GATHER = 300;

/** Milliseconds: without a message (a proxy without websockets), the screen polls. */
const PATIENCE = 30_000;

/**
 * Keep what is on screen up to date while the server fetches transactions.
 *
 * @param {Object} screen
 * @param {() => number[]} screen.getFetching ids of the journals that wait or are being fetched, as far as it shows
 * @param {(journalIds: Set<number>) => Promise<void>} screen.reload
 */
export function useSynchronizationStatus({ getFetching, reload }) {
    const bus = useService("bus_service");
    const concerned = new Set();
    let timer, interval;

    function gather(journalIds) {
        journalIds.forEach((id) => concerned.add(id));
        // A hidden window is not updated; it catches up once it is visible.
        if (concerned.size && !timer && !document.hidden) {
            timer = browser.setTimeout(() => {
                timer = null;
                const gathered = new Set(concerned);
                concerned.clear();
                return reload(gathered);
            }, GATHER);
        }
    }

    const onStatus = ({ journal_ids }) => gather(journal_ids);
    // A message may have been lost, and “waiting” must not stay forever.
    const onDoubt = () => gather(getFetching());
    const onVisible = () => gather([]);

    onMounted(() => {
        bus.subscribe(STATUS, onStatus);
        bus.addEventListener("BUS:CONNECT", onDoubt);
        bus.addEventListener("BUS:RECONNECT", onDoubt);
        document.addEventListener("visibilitychange", onVisible);
        interval = browser.setInterval(onDoubt, PATIENCE);
    });
    onWillUnmount(() => {
        bus.unsubscribe(STATUS, onStatus);
        bus.removeEventListener("BUS:CONNECT", onDoubt);
        bus.removeEventListener("BUS:RECONNECT", onDoubt);
        document.removeEventListener("visibilitychange", onVisible);
        browser.clearInterval(interval);
        browser.clearTimeout(timer);
    });
}
