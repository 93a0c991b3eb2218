"""Statements as German banks send them: MT940 and MT942 with the fields of the German banking industry, and CAMT.052.

Neither gives a stable id. MT940 has none. In CAMT, ``AcctSvcrRef`` is unique at some banks, the same for all of a batch
at others, and ``NONREF`` at a few; nothing in an answer shows which. A wrong id loses transactions, a missing one costs
nothing: the database distinguishes equal transactions by their content.
"""

import calendar
import logging
import re
from datetime import date

from lxml import etree
from mt940.models import Transactions
from mt940.options import Options

from . import reading
from .types import Counterparty, Transaction
from .web import UNDOCUMENTED

# It quotes what it can't read.
logging.getLogger("mt940").setLevel(logging.CRITICAL)

#: Signs of reversals, the account of the other side apart from its name, nothing cut off.
OPTIONS = Options.all()
#: A bank's way to write "no zone", which the library takes for no date.
NO_ZONE = re.compile(r"(:13D:\d{10})-0000")
#: A row with the text that belongs to it, up to the next field.
LINE = re.compile(r"^:61:.*?(?=^:(?!86:|NS:)\d\d[A-Z]?:|^-\s*$|\Z)", re.MULTILINE | re.DOTALL)
#: Value date and booking day of a row. Banks whose months have 30 days write 30 February; zeros say nothing.
DAYS = re.compile(r"^(:61:(\d\d)\d{4})(\d\d)(\d\d)(?=[A-Za-z])", re.MULTILINE)
#: ``?60`` to ``?63`` continue the purpose, in parts of 27 letters.
FURTHER = re.compile(r"\?6[0-3]([^?]*)")
PART = 27
#: Parts of ``:NS:``, by what the German banking industry put there before ``:86:`` had parts.
NS_PURPOSE, NS_NAME, NS_POSTING = [f"{number:02}" for number in range(1, 15)], ("15", "16"), "17"
#: Where both sides stand in CAMT: the other one first, when money came.
SIDES = (("Dbtr", "DbtrAcct", "DbtrAgt"), ("Cdtr", "CdtrAcct", "CdtrAgt"))
#: ISO 20022, external codes of the reasons of returns. https://www.iso20022.org/catalogue-messages/additional-content-messages/external-code-sets
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


class Line(dict):
    """One row of MT940, JSON: ``mt940`` is what the bank said.

    :ivar data: what the library has read in it, or None
    """

    def __init__(self, words, data):
        super().__init__(mt940=words.replace("\r\n", "\n").strip())
        self.data = data


def split_mt940(text):
    """
    :param str text: all statements of one account
    :return: list of :class:`Line`
    """
    text = NO_ZONE.sub(r"\1+0000", text.replace("@@", "\r\n"))
    found, words = _parse(text), LINE.findall(text)
    if found is None or len(found) != len(words):
        return _split_one_by_one(text)
    return [Line(*pair) for pair in zip(words, found, strict=True)]


def _split_one_by_one(text):
    """The library gives a statement up at the first row that it can't read: here each row is a statement."""
    lines, head, end = [], "", 0
    for match in LINE.finditer(text):
        # What precedes the first row of a statement, such as its currency.
        between = text[end : match.start()]
        head = between[max(0, between.rfind(":20:")) :] if between.strip() else head
        found = _parse(head + match[0]) or ()
        lines.append(Line(match[0], found[0] if len(found) == 1 else None))
        end = match.end()
    if not lines and ":61:" in text:
        raise ValueError("no statements of MT940")
    return lines


def _parse(text):
    """:return: list of what the library has read in each row, or None"""
    text = DAYS.sub(_real_days, text)
    found = Transactions(options=OPTIONS)
    try:
        found.parse(text)
    except (RuntimeError, *UNDOCUMENTED):
        return None
    return [row.data for row in found if row.data.get("amount")]


def _real_days(match):
    """The library knows the 30th of February of a value date, and not of a booking day."""
    before, year, month, day = match.groups()
    if month == "00" or day == "00":
        return before
    if month == "02":
        day = f"{min(int(day), calendar.monthrange(2000 + int(year), 2)[1]):02}"
    return f"{before}{month}{day}"


def read_line(line, currency, status):
    """
    :param line: :class:`Line`
    :param str currency: of the account; what is not booked yet comes without one
    :return: :class:`~.types.Transaction`
    """
    if line.data is None:
        raise ValueError("no row of MT940")
    get = line.data.get
    amount = line.data["amount"].amount
    value_day = _day(line.data["date"])
    purpose = get("purpose")
    further = get("additional_purpose") and _further_purpose(line["mt940"])
    return Transaction(
        id=None,
        status=status,
        amount=reading.amount(f"{amount:f}"),
        currency=reading.currency(get("currency"), currency),
        # A bank may leave it out where it is the same.
        booking_date=_day(get("entry_date")) or value_day,
        value_date=value_day,
        counterparty=Counterparty(
            reading.text(get("applicant_name")) or _ns_name(line.data),
            reading.number(get("applicant_iban")) or reading.number(get("gvc_applicant_iban")),
            reading.bic(get("applicant_bin")) or reading.bic(get("gvc_applicant_bin")),
        ),
        remittance=reading.texts(
            purpose,
            further,
            _ns_texts(line.data),
            # Without the fields of the German banking industry.
            get("transaction_details"),
            get("extra_details"),
            get("posting_text"),
        ),
        end_to_end_id=reading.text(get("end_to_end_reference")),
        creditor_reference=reading.creditor_reference(purpose),
        mandate_id=reading.text(get("additional_position_reference")),
        raw=line,
    )


def _day(value):
    # The library's own class says more than a day.
    return value and date(value.year, value.month, value.day)


def _further_purpose(words):
    """A full part may end within a word; what is shorter ends with one."""
    text = words.partition(":86:")[2].replace("\n", "")
    parts = (part if len(part) >= PART else f"{part} " for part in FURTHER.findall(text))
    return " ".join("".join(parts).split())


def _ns_name(data):
    return reading.text(" ".join(filter(None, (data.get(f"non_swift_{number}") for number in NS_NAME))))


def _ns_texts(data):
    """:return: list of the texts of ``:NS:``; each bank has its own parts, or none"""
    if not data.get("non_swift"):
        return []
    known = [data.get(f"non_swift_{number}") for number in (*NS_PURPOSE, NS_POSTING)]
    if any(name.startswith("non_swift_") and name[-2:].isdigit() for name in data):
        return known
    return data["non_swift"].splitlines()


# -------------------------------------------------------------------------
# CAMT
# -------------------------------------------------------------------------


def split_camt(document):
    """
    :param bytes document: XML of any version of camt.052 or camt.053
    :return: list of entries as JSON
    """
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(document, parser)
    except etree.XMLSyntaxError as error:
        raise ValueError(f"no XML: {error.msg}"[:100])
    return [_plain(entry) for entry in root.iter("{*}Ntry")]


def status_of(entry):
    """:return: ``booked``, ``pending``, or None for what is only planned"""
    # Old versions write the code itself, new ones put it into Cd.
    code = _at(entry, "Sts", "Cd") or _at(entry, "Sts")
    if code in ("INFO", "FUTR"):
        return None
    return "pending" if code == "PDNG" else "booked"


def read_entry(entry, status=None, own_number=None):
    """
    :param str status: ``pending`` where all of a document are
    :param str own_number: IBAN of the account
    :return: :class:`~.types.Transaction`, or None for what is only planned
    """
    status = status_of(entry) and (status or status_of(entry))
    if status is None:
        return None
    amount, currency = reading.amount(entry["Amt"]["#"]), reading.currency(entry["Amt"]["@Ccy"])
    is_credit = {"CRDT": True, "DBIT": False}[entry["CdtDbtInd"]]
    sign = 1 if is_credit else -1
    details = [detail for group in _list(entry, "NtryDtls") for detail in _list(group, "TxDtls")]
    # Of a batch only the texts: each of its payments has another side, and the account sees the sum.
    single = details[0] if len(details) == 1 else None
    value_day, booking_day = _date(entry, "ValDt"), _date(entry, "BookgDt")
    foreign, foreign_currency = _foreign(_at(single, "AmtDtls", "InstdAmt", "Amt"), currency)
    # Of what was sent back, the roles are those of the payment that came before.
    is_reversal = reading.truth(entry.get("RvslInd")) or any("RtrInf" in detail for detail in details)
    other, own = SIDES if is_credit != is_reversal else SIDES[::-1]
    reference = next((_at(detail, "RmtInf", "Strd", "CdtrRefInf", "Ref") for detail in details), None)
    unstructured = [text for detail in details for text in _list(_at(detail, "RmtInf"), "Ustrd")]
    return Transaction(
        id=None,
        status=status,
        amount=sign * amount,
        currency=currency,
        booking_date=booking_day or value_day,
        value_date=value_day,
        foreign_amount=foreign and sign * foreign,
        foreign_currency=foreign_currency,
        counterparty=reading.other_side(_party(single, *other), _party(single, *own), own_number),
        remittance=reading.texts(
            unstructured,
            reference,
            *(_at(detail, "AddtlTxInf") for detail in details),
            *map(_return_reason, details),
            _at(entry, "AddtlNtryInf"),
        ),
        end_to_end_id=reading.text(_at(single, "Refs", "EndToEndId")),
        creditor_reference=next(filter(None, map(reading.creditor_reference, [reference, *unstructured])), None)
        or reading.structured_reference(reference),
        mandate_id=reading.text(_at(single, "Refs", "MndtId")),
        raw=entry,
    )


def _return_reason(detail):
    """Why a payment was sent back: the code, what it means, and what the bank adds."""
    info = _at(detail, "RtrInf")
    code = _at(info, "Rsn", "Cd") or _at(info, "Rsn", "Prtry")
    meaning = code in RETURN_REASONS and f"{code} ({RETURN_REASONS[code]})"
    return " ".join(filter(None, (meaning or code, *_list(info, "AddtlInf")))) or None


def _party(detail, party, account, agent):
    parties, institution = _at(detail, "RltdPties"), _at(detail, "RltdAgts", agent, "FinInstnId")
    return Counterparty(
        reading.text(_at(parties, party, "Nm") or _at(parties, party, "Pty", "Nm")),
        reading.number(_at(parties, account, "Id", "IBAN"))
        or reading.number(_at(parties, account, "Id", "Othr", "Id")),
        reading.bic(_at(institution, "BICFI") or _at(institution, "BIC")),
    )


def _foreign(part, currency):
    """:return: (amount without a sign, currency) of what was ordered in another currency, or (None, None)"""
    is_foreign = part and reading.has_currency(part["@Ccy"]) and part["@Ccy"] != currency
    return (reading.amount(part["#"]), part["@Ccy"]) if is_foreign else (None, None)


def _date(entry, name):
    return reading.first_day(_at(entry, name, "Dt"), _at(entry, name, "DtTm"))


def _at(part, *path):
    """:return: the text there, the first of several; None without one"""
    for name in path:
        part = part.get(name) if type(part) is dict else None
        if type(part) is list:
            part = part[0]
    return part or None


def _list(part, name):
    """:return: what may be there several times"""
    found = part.get(name) if type(part) is dict else None
    return found if type(found) is list else [found] if found else []


def _plain(element):
    """An element as JSON: its text, or its parts by name; attributes begin with ``@``, text beside them is ``#``."""
    text = (element.text or "").strip()
    if not len(element) and not element.attrib:
        return text
    parts = {f"@{name}": value for name, value in element.attrib.items()}
    for part in element.iterchildren(etree.Element):
        name, value = part.tag.rpartition("}")[2], _plain(part)
        if name not in parts:
            parts[name] = value
        elif type(parts[name]) is list:
            parts[name].append(value)
        else:
            parts[name] = [parts[name], value]
    if text:
        parts["#"] = text
    return parts
