"""Texts that real banks wrote, as open packages show them in their tests: what they mean is booked, and what only looks
like a document's number is not.

Facts, not files; shortened. Where they come from:

mt940js 1.3.5, swiftmessageparser 1.2.1 (npm, Apache-2.0)  Knab, ING, ING Bank Śląski, SEB: :86: of MT940
ofxparse 0.21 (PyPI, MIT), ofxtools 1.1.1 (PyPI, MIT)      names and memos of banks in the USA and Canada
fints 5.0.1 (PyPI, LGPL-3.0)                               labels within the remittance text of German banks
account_statement_import_camt 19.0 (PyPI, AGPL-3)          ABN AMRO, PostFinance: camt.053
"""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from account_online_reconcile.matching.decide import Books, decide
from account_online_reconcile.matching.facts import EVERYTHING, Line, OpenItem

DAY = date(2026, 5, 4)
AMOUNT = Decimal("121.00")
PARTNER = 7

#: A text, and numbers of open invoices that are in it by chance.
CHANCE = [
    ("12160475 0050001631430920 ORDERID: 264267 MEDIA MARKT ONLINE NE", ("INV/2026/264267", "SI-264267", "475")),
    ("usługa biurowa 2017/01", ("INV/2017/00001", "2017/01", "FAC/2017/01")),
    ("Usługi księgowe - m-c grudzien 2016 rok.", ("INV/2016/00012", "2016", "VF2016")),
    ("Opłata za prowadzenie rachunku od  1-01-2017 do 31-01-2017", ("INV/2017/00001", "01-2017", "31012017")),
    ("VB ELECTR. PŁATNOŚĆ KARTĄ 3.32 EUR 1 EUR= 4.5385 PLN GOOGLE *SVCSAPPS@google.com", ("45385", "INV/2026/00332")),
    ("/REMI/UBERWEISUNG OUR REF: 03MT181024144353 YOUR REF: P6363103 240 1", ("INV/2026/00240", "INV/2018/10241")),
    ("Insurance policy 857239PERIOD 01.01.2014 - 31.12.2014", ("INV/2014/00001", "INV/2014/31122")),
    ("MKB Insurance 859239PERIOD 01.01.2014 - 31.12.2014", ("SI-859239", "INV/2014/01012")),
    ("#RD PARTY MEDIA CUSNO 90782 4210773", ("INV/2026/90782", "INV/2026/00782")),
    ("CRÉDIT GROUPÉ BVR TRAITEMENT DU 22.03.2017 NUMÉRO CLIENT 01-70884-3", ("INV/2017/00003", "INV/2026/70884")),
    (
        "Direct debit S14 0410 AC07 TESTBANK/NL/20141229/01206408",
        ("INV/2014/1229", "INV/2026/00410"),
    ),
    ("Foobar EREF: SD36-1234-1234-1234 MREF: 1234-12345-1234 CRED: DE00ZZZ123456789", ("INV/2026/01234", "1234-1234")),
    ("/Test Ueberweisung 1 WS EREF: 1100011011 IBAN:", ("INV/2026/00001", "INV/2026/11011")),
    ("POS MERCHANDISE;MCDONALD'S #112", ("INV/2026/00112", "SI-000112")),
    ("Check Paid #0000001001", ("INV/2026/01001", "SI-001001")),
    ("RETURNED CHECK FEE, CHECK # 319", ("INV/2026/00319", "SI-000319")),
    ("payment #3", ("INV/2026/00003", "R-2026-0003")),
    ("/BENM/Transfer /ACNO/012-3011-00334130-0037", ("INV/2026/03011", "INV/2026/00037")),
]
#: A text, and the numbers of the invoices that it names.
MEANT = [
    ("FACTUUR 201403110, 201403113 REK: NL65INGB0123456789/NAAM: PICQER", ("201403110", "201403113")),
    ("/REMI/UBERWEISUNG OUR REF: 03MT181024144353 YOUR REF: P6363103 240 1", ("P6363103",)),
]


def invoice(key, number, amount=AMOUNT, partner=PARTNER):
    return OpenItem(key, amount, number=number, references=(number,), partner=partner, day=DAY - timedelta(days=20))


@pytest.mark.parametrize(("text", "numbers"), CHANCE)
def test_a_number_that_is_there_by_chance_books_nothing_automatically(text, numbers):
    """The worst case: the amount is the same by chance, too, and the payer is unknown."""
    for number in numbers:
        line = Line(1, DAY, AMOUNT, label=text)
        decision = decide([line], Books(candidates=[invoice(1, number)]), EVERYTHING)[1]
        assert decision.kind != "automatic", number


@pytest.mark.parametrize(("text", "numbers"), MEANT)
def test_numbers_that_are_meant_are_found(text, numbers):
    documents = [invoice(key, number) for key, number in enumerate(numbers, 1)]
    others = [invoice(key, f"INV/2026/{key:05}", partner=9) for key in range(10, 40)]
    line = Line(1, DAY, AMOUNT * len(numbers), label=text)
    decision = decide([line], Books(candidates=documents + others), EVERYTHING)[1]
    assert (decision.kind, decision.step) == ("automatic", "reference")
    assert {one.key for one in decision.counterparts} == {one.key for one in documents}
