"""One entry of CAMT: one transaction, or one for each payment of a batch."""

from . import values

#: Elements of both sides: the counterparty is the first one for credits.
SIDES = (
    ("Dbtr", "DbtrAcct", "DbtrAgt", "UltmtDbtr"),
    ("Cdtr", "CdtrAcct", "CdtrAgt", "UltmtCdtr"),
)
#: Texts of one entry; a batch may have thousands.
MAX_TEXTS = 50
#: Parts of a payment that few payments have.
WITH_TEXTS = {"AddtlTxInf", "RtrInf", "Chrgs"}
#: ISO 20022, external codes of the reasons of returns.
#: https://www.iso20022.org/catalogue-messages/additional-content-messages/external-code-sets
RETURN_REASONS = {
    "AC01": "incorrect account number",
    "AC04": "closed account",
    "AC06": "blocked account",
    "AC13": "invalid debtor account type",
    "AG01": "transaction forbidden",
    "AG02": "invalid bank operation code",
    "AM04": "insufficient funds",
    "AM05": "duplicate",
    "BE05": "unrecognised initiating party",
    "CNOR": "creditor bank is not registered",
    "DNOR": "debtor bank is not registered",
    "FF01": "invalid file format",
    "MD01": "no mandate",
    "MD02": "missing mandate information",
    "MD06": "refund requested by the debtor",
    "MD07": "debtor deceased",
    "MS02": "refused by the debtor",
    "MS03": "reason not specified",
    "RC01": "incorrect bank identifier",
    "RR01": "missing debtor account or identification",
    "RR02": "missing debtor name or address",
    "RR03": "missing creditor name or address",
    "RR04": "regulatory reason",
    "SL01": "specific service of the debtor bank",
}


class EntryReader:
    """
    :param str currency: of the account
    :param str number: of the account
    :param bool split: whether a batch becomes one transaction for each payment
    :ivar unsplit: list of the places of batches that could not be split
    :ivar batches: number of entries that were split
    :ivar pending: number of entries that are not booked yet
    """

    def __init__(self, currency, number, split):
        self.currency, self.number, self.split = currency, number, split
        self.unsplit, self.batches, self.pending = [], 0, 0

    def transactions(self, entry, place):
        """
        :param dict entry: see :func:`~.camt.to_plain`
        :param int place: of the entry in its statement, from 1
        :return: list of transactions or problems; None for announced entries
        """
        status = None
        try:
            status = _status(entry)
            if status is None:
                return None
            self.pending += status == "pending"
            details = [detail for group in many(entry, "NtryDtls") for detail in many(group, "TxDtls")]
            details = details or many(entry, "TxDtls")
            amount, sign = self._amount(entry)
            parts = self._parts(details, sign * amount, sign, place) if len(details) > 1 else None
            if parts:
                self.batches += 1
                head = {name: part for name, part in entry.items() if name not in ("NtryDtls", "TxDtls")}
                return [
                    self._transaction(entry, [detail], part, status, {**head, "NtryDtls": {"TxDtls": detail}})
                    for detail, part in parts
                ]
            return [self._transaction(entry, details, sign * amount, status, entry)]
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            return [values.problem(f"Ntry {place}: {_words(error)}", entry, status=status)]

    def _amount(self, entry):
        """:return: (amount, 1 or -1)"""
        amount = at(entry, "Amt")
        currency = at(amount, "@Ccy") or self.currency
        if currency != self.currency:
            raise ValueError(f"currency {str(currency)[:10]}")
        return values.amount(at(amount, "#") or amount), SIGNS[at(entry, "CdtDbtInd")]

    def _parts(self, details, total, sign, place):
        """:return: list of (detail, amount) of a batch that can be split, None if it can't"""
        if not self.split:
            return None
        parts = []
        for detail in details:
            found = self._own_amount(detail)
            if found is None:
                break
            parts.append((detail, SIGNS.get(at(detail, "CdtDbtInd"), sign) * found))
        if len(parts) == len(details) and sum(amount for _detail, amount in parts) == total:
            return parts
        self.unsplit.append(place)
        return None

    def _own_amount(self, detail):
        """:return: the amount of a payment of a batch in the account's currency, None if missing"""
        for amount in (
            at(detail, "Amt"),
            at(detail, "AmtDtls", "TxAmt", "Amt"),
            at(detail, "AmtDtls", "CntrValAmt", "Amt"),
            at(detail, "AmtDtls", "InstdAmt", "Amt"),
        ):
            if type(amount) is dict and amount.get("@Ccy") == self.currency:
                return values.amount(amount["#"])
        return None

    def _transaction(self, entry, details, amount, status, raw):
        single = details[0] if len(details) == 1 else None
        value_day, booking_day = _date(entry, "ValDt"), _date(entry, "BookgDt")
        day = booking_day or value_day
        if day is None and status == "booked":
            raise ValueError("no booking date")
        foreign, foreign_currency = self._foreign(single or entry)
        infos = [one["RmtInf"] for one in details[:MAX_TEXTS] if one.get("RmtInf")]
        structured = [info for info in infos if "Strd" in info]
        reference = next(filter(None, (at(info, "Strd", "CdtrRefInf", "Ref") for info in structured)), None)
        unstructured = [text for info in infos for text in many(info, "Ustrd")][:MAX_TEXTS]
        other, ultimate = self._counterparty(entry, single, details, amount)
        refs = single.get("Refs") if single else None
        return values.transaction(
            status=status,
            booking_date=day and day.isoformat(),
            value_date=value_day and value_day.isoformat(),
            amount=values.plain(amount),
            currency=self.currency,
            foreign_amount=foreign and values.plain(foreign if amount >= 0 else -foreign),
            foreign_currency=foreign_currency,
            counterparty=other,
            remittance=values.texts(*_texts(entry, details, unstructured, reference, ultimate)),
            end_to_end_id=values.text(at(refs, "EndToEndId")),
            creditor_reference=(reference and values.structured_reference(reference))
            or next(filter(None, map(values.creditor_reference, unstructured)), None),
            mandate_id=values.text(at(refs, "MndtId")),
            raw=raw,
        )

    def _foreign(self, part):
        """:return: (amount without a sign, currency) of what was ordered in another currency, or (None, None)"""
        amounts = at(part, "AmtDtls")
        if not amounts:
            return None, None
        for name in ("InstdAmt", "TxAmt", "CntrValAmt"):
            found = at(amounts, name, "Amt")
            currency = values.currency(found.get("@Ccy")) if type(found) is dict else None
            if currency and currency != self.currency:
                return abs(values.amount(found["#"])), currency
        return None, None

    def _counterparty(self, entry, single, details, amount):
        """:return: (the other side as the protocol has it, name of whom it was paid for, or None)"""
        if not single or not single.get("RltdPties"):
            return None, None
        # In returns, the roles are those of the original payment.
        is_reversal = "RtrInf" in single or ("RvslInd" in entry and at(entry, "RvslInd") in ("true", "1"))
        other, own = SIDES if (amount >= 0) != is_reversal else SIDES[::-1]
        found, ultimate = _party(single, other)
        # Some banks swap the sides, which the account's own number shows.
        number = found["account_number"]
        if self.number and (number == self.number or not (number or found["name"])):
            mine, mine_ultimate = _party(single, own)
            if mine["account_number"] not in (None, self.number):
                return mine, mine_ultimate
        return found, ultimate


SIGNS = {"CRDT": 1, "DBIT": -1}


def _words(error):
    if isinstance(error, KeyError):
        return f"{str(error)[:40]} is neither CRDT nor DBIT"
    return f"can't read {str(error)[:60]}" if isinstance(error, ValueError) else "an element has another form"


def _status(entry):
    """:return: ``booked``, ``pending``, or None for what is only announced"""
    # Old versions write the code itself, new ones put it into Cd.
    status = at(entry, "Sts")
    code = at(status, "Cd") or status
    if code in ("INFO", "FUTR"):
        return None
    return "pending" if code == "PDNG" else "booked"


def _party(detail, side):
    """:return: (one side as the protocol has it, name of whom it acts for)"""
    party, account, agent, ultimate = side
    parties = detail["RltdPties"]
    part, number, behind = at(parties, party), at(parties, account, "Id"), at(parties, ultimate)
    institution = at(detail, "RltdAgts", agent, "FinInstnId")
    name = part and values.text(at(part, "Nm") or at(part, "Pty", "Nm") or at(part, "Agt", "FinInstnId", "Nm"))
    behind = behind and values.text(at(behind, "Nm") or at(behind, "Pty", "Nm"))
    return {
        "name": name or behind,
        "account_number": values.number(
            at(number, "IBAN") or at(number, "Othr", "Id") or at(number, "BBAN") or at(number, "PrtryAcct", "Id")
        ),
        "bic": values.bic(at(institution, "BICFI") or at(institution, "BIC") or at(institution, "CmbndId", "BIC")),
    }, (behind if name else None)


def _texts(entry, details, unstructured, reference, ultimate):
    found = [unstructured, reference]
    for detail in details[:MAX_TEXTS]:
        for structured in many(detail.get("RmtInf"), "Strd"):
            found.append([text for text in many(structured, "AddtlRmtInf") if type(text) is str])
            found += [
                _string(at(document, "Nb") or at(document, "RfrdDocNb")) for document in many(structured, "RfrdDocInf")
            ]
        if not WITH_TEXTS.isdisjoint(detail):
            found += [_string(at(detail, "AddtlTxInf")), _return_reason(at(detail, "RtrInf")), _charges(detail)]
        found.append(_string(at(detail, "Refs", "ChqNb")))
    found += [ultimate, _string(at(entry, "AddtlNtryInf"))]
    if "Chrgs" in entry:
        found.append(_charges(entry))
    return found


def _string(value):
    return value if type(value) is str else None


def _return_reason(info):
    """Why a payment was returned: the code, its meaning, and the bank's text."""
    if not info:
        return None
    code = at(info, "Rsn", "Cd") or at(info, "Rsn", "Prtry")
    meaning = f"{code} ({RETURN_REASONS[code]})" if code in RETURN_REASONS else code
    return " ".join(text for text in (meaning, *many(info, "AddtlInf")) if type(text) is str and text) or None


def _charges(part):
    """The bank's charges as a text. They are part of the entry's amount, or a separate entry."""
    charges = part.get("Chrgs")
    if not charges:
        return None
    found = []
    for one in many(part, "Chrgs"):
        amount = at(one, "TtlChrgsAndTaxAmt")
        amounts = [amount] if amount else [at(one, "Amt"), *(at(record, "Amt") for record in many(one, "Rcrd"))]
        found += [amount for amount in amounts if type(amount) is dict and amount.get("#", "").strip("0. ")]
    return [f"Charges {amount['#'][:20]} {amount.get('@Ccy', '')[:3]}".strip() for amount in found[:5]]


def _date(entry, name):
    return values.day(at(entry, name, "Dt")) or values.day(at(entry, name, "DtTm"))


def at(part, *path):
    """:return: the text there, the first of several; None without one"""
    for name in path:
        if type(part) is not dict:
            return None
        part = part.get(name)
        if type(part) is list:
            part = part[0]
    return part or None


def many(part, name):
    """:return: list of elements that may occur several times"""
    found = part.get(name) if type(part) is dict else None
    return found if type(found) is list else [found] if found else []
