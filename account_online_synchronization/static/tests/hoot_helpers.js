import { getService, makeMockEnv, patchWithCleanup } from "@web/../tests/web_test_helpers";
import { getDefaultConfig } from "@web/views/view";

/**
 * Start Odoo's client with a bus that receives only what the test sends: no websocket that connects at any moment.
 *
 * @returns {Promise<(type: string, message?: Object) => void>} delivers a message or event of the bus at once
 */
export async function startWithBus() {
    await makeMockEnv({ config: getDefaultConfig() });
    const listeners = [];
    const add = (type, callback) => listeners.push({ type, callback });
    const remove = (type, callback) => {
        const position = listeners.findIndex((entry) => entry.type === type && entry.callback === callback);
        listeners.splice(position, 1);
    };
    patchWithCleanup(getService("bus_service"), {
        subscribe: add,
        unsubscribe: remove,
        addEventListener: add,
        removeEventListener: remove,
    });
    return (type, message) => {
        listeners.filter((entry) => entry.type === type).forEach(({ callback }) => callback(message));
    };
}
