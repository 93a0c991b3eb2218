/** Milliseconds until a cached answer expires, so that newly enabled banks are found. */
const FRESH = 10 * 60_000;

/** Maximum number of cached answers; the oldest one is dropped. */
const MOST = 200;

const answers = new Map();

/**
 * Search the directory of banks, with a cache for recent requests.
 *
 * @param {(method: string, ...args: any[]) => Promise} ask
 * @param {string} query
 * @param {string} country code, empty for all
 * @returns {{banks: Object[], cursor: string|false, error?: Object} | Promise}
 */
export function searchBanks(ask, query, country) {
    return (
        knownBanks(query, country) ||
        ask("action_search_banks", query.trim(), country).then((answer) => rememberBanks(query, country, answer))
    );
}

/** @returns {Object|undefined} the cached answer, if any */
export function knownBanks(query, country) {
    const known = answers.get(keyOf(query, country));
    return known && Date.now() - known.moment < FRESH ? known.answer : undefined;
}

export function rememberBanks(query, country, answer) {
    // Why not cached: a bank that was not found may be available after a provider is enabled.
    if (!answer.error && answer.banks.length) {
        answers.set(keyOf(query, country), { answer, moment: Date.now() });
        if (answers.size > MOST) {
            answers.delete(answers.keys().next().value);
        }
    }
    return answer;
}

export function forgetBanks() {
    answers.clear();
}

function keyOf(query, country) {
    return JSON.stringify([query.trim().toLowerCase(), country]);
}
