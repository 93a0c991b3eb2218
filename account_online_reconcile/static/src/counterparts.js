import { floatIsZero, roundDecimals } from "@web/core/utils/numbers";
import { _t } from "@web/core/l10n/translation";
import { formatCurrency } from "@web/core/currency";

/** Counterparts of these kinds can be changed by hand; others, such as an early payment discount, only as a whole. */
const BY_HAND = ["item", "account"];

/** Within this part of the amount at the day's rate, a payment settles all of a document in another currency. */
const RATE_TOLERANCE = 0.1;

/**
 * The amount of a line without a counterpart.
 *
 * @param {Object} line as the server describes it
 * @param {Object[]} parts
 * @param {number} digits of the line's currency
 */
export function getRemaining(line, parts, digits) {
    const booked = parts.reduce((sum, part) => sum + part.amount, 0);
    return roundDecimals(line.amount - booked, digits);
}

/**
 * Settle a document as far as the amount of the line allows.
 *
 * @param {Object} document as the server describes it
 * @param {Object} line
 * @param {number} remaining
 */
export function partFromDocument(document, line, remaining) {
    const open = document.open_on_line;
    const part = { ...document, amount: open, is_paid_in_full: true };
    const isSameDirection = open * remaining > 0;
    if (document.currency_id !== line.currency_id) {
        if (isSameDirection && Math.abs(remaining - open) <= Math.abs(open) * RATE_TOLERANCE) {
            part.amount = remaining;
        } else if (isSameDirection && Math.abs(remaining) < Math.abs(open)) {
            Object.assign(part, { amount: remaining, is_paid_in_full: false });
        }
    } else if (isSameDirection && Math.abs(remaining) < Math.abs(open)) {
        Object.assign(part, { amount: remaining, is_paid_in_full: false });
    }
    return part;
}

/**
 * The remaining amount of a document, in its own currency; nothing if it differs from the line's.
 *
 * @param {Object} part
 * @param {Object} line
 * @param {number} digits
 */
export function getLeftOpen(part, line, digits) {
    if (part.kind !== "item" || part.currency_id !== line.currency_id || part.open === undefined) {
        return 0;
    }
    return roundDecimals(part.open - part.amount, digits);
}

/** The counterparts that the user can edit. */
export function partsByHand(parts) {
    return parts.filter((part) => BY_HAND.includes(part.kind));
}

/** The values of the counterparts that the server accepts; it reads everything else itself. */
export function toServer(parts) {
    return parts.map((part) =>
        part.kind === "account"
            ? {
                  kind: "account",
                  id: part.id,
                  amount: part.amount,
                  label: part.label || "",
                  tax_ids: part.tax_ids || [],
                  partner_id: part.partner_id || false,
                  analytic: part.analytic || false,
              }
            : { kind: part.kind, id: part.id, amount: part.amount, is_paid_in_full: Boolean(part.is_paid_in_full) }
    );
}

/**
 * A sentence with the reason why the line can't be booked; empty if it can.
 *
 * @param {Object} line
 * @param {Object[]} parts
 * @param {number} digits
 */
export function whyNotReady(line, parts, digits) {
    if (line.why_not) {
        return line.why_not;
    }
    if (!parts.length) {
        return _t("Choose a document or an account.");
    }
    if (parts.some((part) => floatIsZero(part.amount, digits))) {
        return _t("A counterpart has no amount.");
    }
    const remaining = getRemaining(line, parts, digits);
    if (floatIsZero(remaining, digits)) {
        return "";
    }
    return _t("%s has no counterpart yet.", formatCurrency(remaining, line.currency_id));
}

/** Splits ids into batches, so that progress can be shown and the work be stopped. */
export function inBatches(ids, size) {
    const batches = [];
    for (let start = 0; start < ids.length; start += size) {
        batches.push(ids.slice(start, start + size));
    }
    return batches;
}

/**
 * The line to show after one was booked: the next open one, else the first one.
 *
 * @param {{resId: number, data: Object}[]} records as they are now
 * @param {number} index where the booked line was
 * @param {number} bookedId
 */
export function nextOpen(records, index, bookedId) {
    const isOpen = (record) => record.resId !== bookedId && record.data.reconcile_state !== "booked";
    return records.slice(Math.max(index, 0)).find(isOpen) || records.find(isOpen);
}
