/** Milliseconds. A bank that was switched on meanwhile is found after this at the latest. */
const FRESH = 10 * 60_000;

/** Answers kept; the oldest one makes room. */
const MOST = 200;

const answers = new Map();

/**
 * Search the directory of banks. What was asked a moment ago is answered at once.
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

/** @returns {Object|undefined} the answer where it needs no question */
export function knownBanks(query, country) {
    const known = answers.get(keyOf(query, country));
    return known && Date.now() - known.moment < FRESH ? known.answer : undefined;
}

export function rememberBanks(query, country, answer) {
    // What was not found may be reached a moment later: by a provider that has just been switched on.
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
