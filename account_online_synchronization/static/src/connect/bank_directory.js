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
    const key = keyOf(query, country);
    const known = answers.get(key);
    if (known && Date.now() - known.moment < FRESH) {
        return known.answer;
    }
    return ask("action_search_banks", query.trim(), country).then((answer) => rememberBanks(query, country, answer));
}

export function rememberBanks(query, country, answer) {
    if (!answer.error) {
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
