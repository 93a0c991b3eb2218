"""Writes CAMT as the schemas want it. Test-side: the readers know nothing of it."""

from decimal import Decimal
from xml.sax.saxutils import escape

MESSAGES = {
    "053": ("BkToCstmrStmt", "Stmt"),
    "052": ("BkToCstmrAcctRpt", "Rpt"),
    "054": ("BkToCstmrDbtCdtNtfctn", "Ntfctn"),
}
IBAN = "DE89370400440532013000"


def element(name, *content, **attributes):
    """:return: XML, ``""`` without any content"""
    content = "".join(part if type(part) is str else "" for part in content)
    if not content:
        return ""
    written = "".join(f' {key}="{escape(value)}"' for key, value in attributes.items())
    return f"<{name}{written}>{content}</{name}>"


def words(name, value):
    return element(name, escape(value)) if value else ""


def amount(name, value, currency="EUR"):
    return element(name, f"{abs(Decimal(value)):f}", Ccy=currency)


def side(value):
    return words("CdtDbtInd", "DBIT" if Decimal(value) < 0 else "CRDT")


def balance(code, value, day, currency="EUR"):
    kind = element("Tp", element("CdOrPrtry", words("Cd", code)))
    return element("Bal", kind, amount("Amt", value, currency), side(value), element("Dt", words("Dt", day)))


class Writer:
    """
    :param str message: ``053``, ``052`` or ``054``
    :param int version: 2 to 14
    """

    def __init__(self, message="053", version=8):
        self.message, self.version = message, version

    def document(self, *statements, header=""):
        name, _container = MESSAGES[self.message]
        head = element("GrpHdr", words("MsgId", "M1"), words("CreDtTm", "2026-06-01T06:00:00"), header)
        space = f"urn:iso:std:iso:20022:tech:xsd:camt.{self.message}.001.{self.version:02}"
        body = element(name, head, *statements)
        return f'<?xml version="1.0" encoding="UTF-8"?>\n<Document xmlns="{space}">{body}</Document>'

    def statement(self, *entries, balances="", number=IBAN, currency="EUR", id="S1", before="", after="", pages=""):
        _name, container = MESSAGES[self.message]
        account = element("Id", words("IBAN", number)) if number[:1].isalpha() else ""
        account = account or element("Id", element("Othr", words("Id", number)))
        bank = element("Svcr", element("FinInstnId", words("BICFI" if self.version >= 3 else "BIC", "COBADEFFXXX")))
        return element(
            container,
            words("Id", id),
            pages,
            words("ElctrncSeqNb", "105"),
            words("CreDtTm", "2026-06-01T06:00:00"),
            before,
            element("Acct", account, words("Ccy", currency), element("Ownr", words("Nm", "Example Ltd")), bank),
            balances if self.message != "054" else "",
            *entries,
            after,
        )

    def entry(
        self,
        value,
        *details,
        day="2026-05-04",
        value_day="2026-05-04",
        status="BOOK",
        reversal="",
        currency="EUR",
        reference="REF1",
        text="",
        more="",
    ):
        code = element("Domn", words("Cd", "PMNT"), element("Fmly", words("Cd", "RCDT"), words("SubFmlyCd", "ESCT")))
        return element(
            "Ntry",
            amount("Amt", value, currency),
            side(value),
            words("RvslInd", reversal),
            element("Sts", words("Cd", status)) if self.version >= 7 else words("Sts", status),
            element("BookgDt", words("Dt", day)) if day else "",
            element("ValDt", words("Dt", value_day)) if value_day else "",
            words("AcctSvcrRef", reference),
            element("BkTxCd", code),
            more,
            element("NtryDtls", *details) if details else "",
            words("AddtlNtryInf", text),
        )

    def detail(
        self,
        value="",
        party="",
        number="",
        bic="",
        texts=(),
        reference="",
        end_to_end="",
        mandate="",
        foreign=(),
        is_credit=True,
        reason="",
        ultimate="",
        currency="EUR",
        more="",
    ):
        """:param foreign: (amount, currency) of the order"""
        other, agent, behind = ("Dbtr", "DbtrAgt", "UltmtDbtr") if is_credit else ("Cdtr", "CdtrAgt", "UltmtCdtr")
        details = ""
        if foreign:
            details += element("InstdAmt", amount("Amt", *foreign))
        if value and self.version < 3:
            details += element("TxAmt", amount("Amt", value, currency))
        own = amount("Amt", value, currency) + side(value) if value and self.version >= 3 else ""
        parties = element(
            "RltdPties",
            self._party(other, party),
            element(f"{other}Acct", element("Id", words("IBAN", number))),
            self._party(behind, ultimate),
        )
        agents = element("FinInstnId", words("BICFI" if self.version >= 3 else "BIC", bic))
        structured = element("Strd", element("CdtrRefInf", words("Ref", reference)))
        return element(
            "TxDtls",
            element("Refs", words("EndToEndId", end_to_end), words("MndtId", mandate)),
            own,
            element("AmtDtls", details),
            more,
            parties,
            element("RltdAgts", element(agent, agents)) if agents else "",
            element("RmtInf", *(words("Ustrd", text) for text in texts), structured),
            element("RtrInf", element("Rsn", words("Cd", reason))),
        )

    def _party(self, name, value):
        part = words("Nm", value)
        return element(name, element("Pty", part) if self.version >= 7 else part)
