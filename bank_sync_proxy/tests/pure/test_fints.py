"""What is special about FinTS; the rest is the business of test_contract.py."""

import json
import sys
from dataclasses import replace
from datetime import date
from decimal import Decimal
from types import SimpleNamespace

import pytest

from bank_sync_proxy import providers
from bank_sync_proxy.providers import fints_challenges as pages
from bank_sync_proxy.providers.errors import (
    ConfigurationError,
    ConsentError,
    ProtocolError,
    ProviderError,
    TransientError,
)
from bank_sync_proxy.providers.fints import FinTS
from bank_sync_proxy.providers.types import Challenge, Completed, Flow, Refreshed
from bank_sync_proxy.tests.pure.contract import (
    NO_DAYS,
    NO_NUMBERS,
    NO_TEXTS,
    NOW,
    placeholders_for,
    replaced,
    texts_of,
)
from bank_sync_proxy.tests.pure.scripted import FIXTURES, Case

pytest.importorskip("fints")

from fints.models import SEPAAccount

from bank_sync_proxy.providers import fints_client
from bank_sync_proxy.providers import fints_statements as statements
from bank_sync_proxy.tests.pure.fints_server import FinTSScript

GOT = "HIRMG:2+0010::Nachricht entgegengenommen."
FAILED = "HIRMG:2+9050::Die Nachricht enthält Fehler.+9800::Dialog abgebrochen."
WANTS_TAN = "HIRMS:2:HKTAN+0030::Auftrag empfangen - Sicherheitsfreigabe erforderlich."
PICTURE = b"\x89PNG" + b"x" * 300


@pytest.fixture
def script():
    script = FinTSScript()
    yield script
    script.server.close()
    script.server.check_all()


def says(*segments, **options):
    return {"ask": "POST /bank", "says": [GOT, *segments], **options}


def exchanges(name):
    return Case("fints", name).exchanges


def asks_for_tan(challenge="Bitte TAN", **options):
    return says("HIRMS:2:HKVVB+0020::Ok.", WANTS_TAN, f"HITAN:7:HKTAN+4++4711+{challenge}", **options)


def answered(script, step, values=None, kind="connect", state=None):
    """What comes of an answer to a page, with a new object, and data that have been JSON in between."""
    data = json.loads(json.dumps(step.data))
    flow = Flow(kind, "fints.DE", state=state or {}, data=data)
    return script.new_adapter().answer(flow, values or {})


def signed_in(script, method="912", medium=None):
    """:return: what follows the choice of a method"""
    step = script.adapter.start("fints.DE", Flow("connect", "fints.DE"))
    step = answered(script, step, script.answers)
    return answered(script, step, {"method": method})


# -------------------------------------------------------------------------
# ACCOUNTS
# -------------------------------------------------------------------------


def sepa(iban, subaccount=None, number="0000202051"):
    return SEPAAccount(iban, "BYLADEM1001", number, subaccount, "10020030")


@pytest.mark.parametrize("order", [1, -1])
def test_accounts_under_one_iban_and_accounts_without_one_are_all_there(script, order):
    client = SimpleNamespace(bpa=None, description=lambda iban, subaccount: None)
    own = "DE02120300000000202051"
    listed = [sepa(own, "EUR"), sepa(own, "USD"), sepa(None, None, "0000202059"), sepa("DE72120300000000202052")]
    found = script.adapter._identify(client, listed[::order], {})
    marks = {key: (entry["number"], entry["subaccount"]) for key, entry in found.items()}
    assert marks == {
        f"{own}.EUR": ("0000202051", "EUR"),
        f"{own}.USD": ("0000202051", "USD"),
        "10020030.0000202059": ("0000202059", None),
        "DE72120300000000202052": ("0000202051", None),
    }
    # One of them is closed.
    assert set(script.adapter._identify(client, listed[1:][::order], found)) == {*marks} - {f"{own}.EUR"}


# -------------------------------------------------------------------------
# PIN
# -------------------------------------------------------------------------


def test_a_wrong_pin_is_sent_once(script):
    script.play("refused")
    step = script.walk()
    assert step.error == pages.WRONG_PIN
    assert [question.body["segments"] for question in script.server.asked] == [["HKIDN", "HKVVB", "HKSYN"]]
    assert next(field.value for field in step.fields if field.name == "pin") == ""
    assert next(field.value for field in step.fields if field.name == "user") == "beispiel1"


def test_a_pin_that_was_refused_is_never_sent_again(script):
    script.server.expect([says("HIRMS:2:HKIDN+9942::PIN ungültig.")])
    with pytest.raises(ConsentError) as caught:
        script.adapter.refresh(script.state)
    assert caught.value.code == "credentials_rejected"
    kept = script.adapter.forget_refused(script.state)
    assert "s3cret-pin" not in json.dumps(kept)
    for question in (
        lambda: script.adapter.refresh(kept),
        lambda: script.adapter.accounts(kept),
        lambda: script.adapter.transactions(kept, script.account),
    ):
        with pytest.raises(ConsentError) as caught:
            question()
        assert caught.value.code == "credentials_rejected"
    assert len(script.server.asked) == 1


@pytest.mark.parametrize("code", ["3938", "9930", "9931"])
def test_a_locked_access_is_told_from_a_wrong_pin(script, code):
    script.server.expect([{"ask": "POST /bank", "says": [FAILED, f"HIRMS:2:HKIDN+{code}::Zugang gesperrt."]}])
    assert script.walk().error == pages.LOCKED


@pytest.mark.parametrize(
    "code, family, ours",
    [
        ("9942", ConsentError, "credentials_rejected"),
        ("9910", ConsentError, "credentials_rejected"),
        ("9931", ConsentError, "credentials_rejected"),
        ("9075", ConsentError, "challenge_required"),
        ("9010", TransientError, "institution_unavailable"),
        ("9078", ConfigurationError, "provider_not_configured"),
        ("9110", ProtocolError, "unexpected_answer"),
    ],
)
def test_the_code_counts_and_not_the_vague_ones_beside_it(script, code, family, ours):
    script.server.expect([{"ask": "POST /bank", "says": [FAILED, f"HIRMS:2:HKIDN+{code}::Irgendein Text."]}])
    with pytest.raises(family) as caught:
        script.adapter.refresh(script.state)
    assert (caught.value.code, caught.value.provider_code) == (ours, code)


def test_a_refused_balance_hides_no_other_account(script):
    sign_in, first, second = exchanges("accounts")
    script.server.expect([sign_in, {"ask": first["ask"], "says": [GOT, "HIRMS:2:HKSAL+9210::Konto gesperrt."]}, second])
    balances = [account.balance for account in script.adapter.accounts(script.state)]
    assert balances[0] is None and balances[1] is not None


def test_a_refused_account_does_not_keep_the_bank_from_being_connected(script):
    played = exchanges("connect")
    number = next(i for i, e in enumerate(played) if "HKKAZ" in str(e.get("with")))
    played[number] = {"ask": played[number]["ask"], "says": [GOT, "HIRMS:2:HKKAZ+9210::Konto gesperrt."]}
    script.server.expect(played)
    assert len(script.walk().accounts) == len(script.state["accounts"])


def test_a_refused_question_is_no_empty_account(script):
    """The library itself would give no transactions at all."""
    script.server.expect([*exchanges("sign_in"), says("HIRMS:2:HKKAZ+9210::Auftrag abgelehnt.")])
    with pytest.raises(ProviderError):
        script.pages()


# -------------------------------------------------------------------------
# METHODS, DEVICES, TANS
# -------------------------------------------------------------------------


def test_the_bank_s_methods_are_offered(script):
    script.server.expect(exchanges("connect")[:1])
    step = script.adapter.start("fints.DE", Flow("connect", "fints.DE"))
    step = answered(script, step, script.answers)
    (field,) = step.fields
    assert [(option.value, option.label) for option in field.options] == [
        ("912", "smsTAN"),
        ("913", "photoTAN"),
        ("923", "pushTAN"),
    ]
    assert field.value == "912"


def test_a_device_is_asked_for_where_there_are_several(script):
    media = "HITAB:4:HKTAB+1+M:1:::::::::::Handy alt+M:1:::::::::::Handy neu"
    script.server.expect(
        [
            *exchanges("connect")[:1],
            says("HIRMS:2:HKTAN+3076::Nicht nötig.", "HITAN:7:HKTAN+4++noref+nochallenge"),
            says("HIRMS:2:HKTAB+0020::Ok.", media, **{"with": {"segments": ["HKTAB"]}}),
        ]
    )
    step = signed_in(script, "913")
    assert [option.value for option in step.fields[0].options] == ["Handy alt", "Handy neu"]
    script.server.expect([{**asks_for_tan(), "with": {"method": "913", "medium": "Handy neu"}}])
    assert answered(script, step, {"medium": "Handy neu"}).kind == "code"


def test_the_bank_s_own_words_are_shown_as_text(script):
    script.server.expect([*exchanges("connect")[:1], asks_for_tan("Bitte <b>TAN</b> f?:r<br>Zugang <script>")])
    step = signed_in(script)
    assert step.hint == "Bitte TAN f:r Zugang"
    assert step.fields[-1].type == "code"


def test_a_wrong_tan_leads_to_a_new_request(script):
    script.server.expect([*exchanges("connect")[:1], asks_for_tan()])
    step = signed_in(script)
    script.server.expect(
        [{"ask": "POST /bank", "says": [FAILED, "HIRMS:2:HKTAN+9941::TAN ungültig."]}, asks_for_tan("Neue TAN")]
    )
    step = answered(script, step, {"tan": "424242"})
    assert step.error == pages.WRONG_TAN and step.hint == "Neue TAN"
    script.server.expect(exchanges("connect")[2:])
    assert isinstance(answered(script, step, {"tan": "424242"}), Completed)


def test_an_empty_tan_costs_nothing(script):
    script.server.expect([*exchanges("connect")[:1], asks_for_tan()])
    step = signed_in(script)
    again = answered(script, step, {"tan": " "})
    assert again.error == pages.NO_TAN and again.data == json.loads(json.dumps(step.data))


def test_a_picture_is_shown(script):
    content = b"\x00\x09image/png" + len(PICTURE).to_bytes(2, "big") + PICTURE
    exchange = says(
        WANTS_TAN, "HITAN:7:HKTAN+4++4711+Bitte scannen+{picture}", binary={"picture": content.decode("iso-8859-1")}
    )
    script.server.expect([*exchanges("connect")[:1], exchange])
    picture, tan = signed_in(script).fields
    assert picture.type == "image"
    assert picture.value.startswith("data:image/png;base64,") and tan.name == "tan"


def test_only_pictures_are_shown_as_pictures(script):
    svg = b"<svg onload='alert(1)'/>" * 20
    content = b"\x00\x0dimage/svg+xml" + len(svg).to_bytes(2, "big") + svg
    exchange = says(WANTS_TAN, "HITAN:7:HKTAN+4++4711+Text+{picture}", binary={"picture": content.decode("iso-8859-1")})
    script.server.expect([*exchanges("connect")[:1], exchange])
    assert [field.name for field in signed_in(script).fields] == ["tan"]


def test_a_flickering_code_is_explained(script):
    exchange = says(
        WANTS_TAN,
        "HITAN:7:HKTAN+4++4711+Startcode 123+{code}",
        binary={"code": "0388A01239230124622DE26200411300000202051"},
    )
    script.server.expect([*exchanges("connect")[:1], exchange])
    step = signed_in(script)
    assert step.fields[0].value == pages.FLICKER and step.hint == "Startcode 123"


def test_what_waits_for_a_tan_is_no_pickle(script):
    """The library's own form of a dialog is one, with the PIN in it."""
    script.server.expect([*exchanges("connect")[:1], asks_for_tan()])
    paused = signed_in(script).data["paused"]
    assert set(paused) == {"dialog", "numbers", "asked", "decoupled"}
    assert "s3cret-pin" not in json.dumps(paused)


# -------------------------------------------------------------------------
# APPROVAL IN THE APP
# -------------------------------------------------------------------------


def asks_for_approval():
    return says(
        "HIRMS:2:HKTAN+3955::Freigabe in der App.",
        "HITAN:7:HKTAN+4++4711+Bitte in der App bestätigen",
        **{"with": {"method": "923"}},
    )


def still_waits():
    return says(
        "HIRMS:2:HKTAN+3956::Noch nicht freigegeben.",
        "HITAN:7:HKTAN+S++4711",
        **{"with": {"process": "S", "tan": None}},
    )


def test_an_approval_is_waited_for_and_then_goes_on(script):
    script.server.expect([*exchanges("connect")[:1], asks_for_approval()])
    step = signed_in(script, "923")
    assert (step.kind, step.poll_seconds) == ("approval", 2)
    for _poll in range(2):
        script.server.expect([still_waits()])
        step = answered(script, step)
        assert step.kind == "approval" and not step.error
    script.server.expect([says("HIRMS:2:HKTAN+0020::Freigegeben.", "HITAN:7:HKTAN+S++4711"), *exchanges("connect")[3:]])
    assert isinstance(answered(script, step), Completed)


def test_after_as_many_looks_as_the_bank_allows_the_user_decides(script):
    script.server.expect([*exchanges("connect")[:1], asks_for_approval()])
    step = signed_in(script, "923")
    for _poll in range(3):
        script.server.expect([still_waits()])
        step = answered(script, step)
    assert step.kind == "choice" and step.title == pages.TOO_LATE.title
    script.server.expect([asks_for_approval()])
    assert answered(script, step).kind == "approval"


# -------------------------------------------------------------------------
# NOBODY THERE, SOMEBODY THERE
# -------------------------------------------------------------------------


@pytest.mark.parametrize("question", ["refresh", "accounts", "transactions"])
def test_a_bank_that_asks_when_nobody_is_there_gets_no_answer(script, question):
    script.server.expect([asks_for_tan()])
    with pytest.raises(ConsentError) as caught:
        {
            "refresh": lambda: script.adapter.refresh(script.state),
            "accounts": lambda: script.adapter.accounts(script.state),
            "transactions": script.pages,
        }[question]()
    assert caught.value.code == "challenge_required"


def test_a_bank_that_asks_for_the_transactions_only(script):
    script.server.expect([*exchanges("sign_in"), says(WANTS_TAN, "HITAN:7:HKTAN+4++4711+Bitte TAN")])
    with pytest.raises(ConsentError) as caught:
        script.pages()
    assert caught.value.code == "challenge_required"


def test_a_present_user_gives_the_tan_for_the_transactions(script):
    flow = Flow("refresh", "fints.DE", state=script.state)
    probes = exchanges("connect")[4:]
    script.server.expect([*exchanges("sign_in"), says(WANTS_TAN, "HITAN:7:HKTAN+4++4711+TAN für Umsätze")])
    step = script.adapter.refresh(script.state, user_present=True, flow=flow)
    assert isinstance(step, Challenge) and step.kind == "code"
    script.server.expect([says("HIRMS:2:HKTAN+0020::Ok.", "HITAN:7:HKTAN+2++4711"), probes[1]])
    refreshed = answered(script, step, {"tan": "424242"}, "refresh", script.state)
    assert isinstance(refreshed, Refreshed) and refreshed.refreshed_at == NOW
    assert refreshed.state["accounts"] == script.state["accounts"]


def test_a_method_that_is_gone_leads_to_a_new_consent(script):
    script.server.expect([says("HIRMS:2:HKVVB+0020::Ok.+3920::Verfahren:913")])
    with pytest.raises(ConsentError) as caught:
        script.adapter.refresh(script.state)
    assert caught.value.code == "consent_revoked" and "TAN method" in caught.value.note


def test_not_further_back_than_a_bank_goes_without_a_tan(script):
    case = exchanges("empty")
    script.moment = NOW
    for start, end in (("2026-08-23", "2026-09-22"), ("2026-09-23", "2026-10-23"), ("2026-10-24", None)):
        script.server.expect([case[0], {**case[1], "with": {"start": start, "end": end}}])
    assert len(script.pages(since=date(2020, 1, 1))) == 3


# -------------------------------------------------------------------------
# ADDRESSES
# -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    ["http://bank.example/fints", "https://127.0.0.1/fints", "https://10.0.0.1/", "https://user@bank.example/", "bank"],
)
def test_an_address_that_leads_inside_is_refused(script, url):
    step = script.adapter.start("fints.DE", Flow("connect", "fints.DE"))
    step = answered(script, step, {**script.answers, "url": url})
    assert step.error == pages.NO_ADDRESS and not script.server.asked


def test_an_address_of_something_else_is_the_user_s_to_correct(script):
    script.server.expect([{"ask": "POST /bank", "text": "<html>Welcome</html>", "type": "text/html"}])
    step = script.adapter.start("fints.DE", Flow("connect", "fints.DE"))
    assert answered(script, step, script.answers).error == pages.NO_FINTS


@pytest.mark.parametrize("code", ["1002003", "1002003x", "１００２００３０"])
def test_a_bank_code_has_eight_digits(script, code):
    step = script.adapter.start("fints.DE", Flow("connect", "fints.DE"))
    assert answered(script, step, {**script.answers, "bank_code": code}).error == pages.NO_BANK_CODE


def test_without_the_library_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, fints_client.__name__, None)
    monkeypatch.delattr(providers, "fints_client")
    with pytest.raises(ConfigurationError) as caught:
        _library = FinTS().library
    assert "pip install" in caught.value.detail
    assert FinTS().institutions("DE") and not FinTS().institutions("FR")


# -------------------------------------------------------------------------
# STATEMENTS
# -------------------------------------------------------------------------


def read_mt940(text, currency="EUR", status="booked"):
    return [statements.read_line(line, currency, status) for line in statements.split_mt940(text)]


def read_camt(document):
    return [found for found in map(statements.read_entry, statements.split_camt(document)) if found]


def mt940(*lines):
    return "\r\n".join(
        [
            "",
            ":20:START",
            ":25:10020030/0000202051",
            ":28C:1/1",
            ":60F:C261101EUR1000,",
            *lines,
            ":62F:C261120EUR1000,",
            "-",
        ]
    )


@pytest.mark.parametrize("mark, amount", [("C", "5.10"), ("D", "-5.10"), ("RC", "-5.10"), ("RD", "5.10")])
def test_what_is_taken_back_has_the_other_sign(mark, amount):
    (row,) = read_mt940(mt940(f":61:2611041104{mark}R5,10NTRFNONREF", ":86:166?00TEST?20SVWZ+x"), "EUR")
    assert row.amount == Decimal(amount)


@pytest.mark.parametrize(
    "dates, booked",
    [("2612300102", date(2027, 1, 2)), ("2701021230", date(2026, 12, 30)), ("261104", date(2026, 11, 4))],
)
def test_the_day_of_booking_has_no_year_of_its_own(dates, booked):
    (row,) = read_mt940(mt940(f":61:{dates}CR5,NTRFNONREF", ":86:166?00TEST"), "EUR")
    assert row.booking_date == booked


@pytest.mark.parametrize(
    "dates, value, booked",
    [
        # february_30.sta of the library's corpus; banks whose months have 30 days.
        ("2602300230", date(2026, 2, 28), date(2026, 2, 28)),
        ("2402270230", date(2024, 2, 27), date(2024, 2, 29)),
        ("2602300302", date(2026, 2, 28), date(2026, 3, 2)),
        ("2611040000", date(2026, 11, 4), date(2026, 11, 4)),
    ],
)
def test_the_thirtieth_of_february_is_the_last_of_its_days(dates, value, booked):
    words = f":61:{dates}CR5,NTRFNONREF\n:86:166?00TEST"
    (row,) = read_mt940(mt940(*words.split("\n")))
    assert (row.value_date, row.booking_date) == (value, booked)
    assert row.raw["mt940"] == words, "what the bank said is kept as it said it"


def test_another_day_that_does_not_exist_is_not_made_up():
    with pytest.raises(ValueError, match="no row"):
        read_mt940(mt940(":61:2604300431CR5,NTRFNONREF", ":86:166?00TEST"))


def test_texts_of_ns_fields_arrive():
    """As in the corpus of the library ``mt-940``: structured text beside ``:61:`` instead of ``:86:``."""
    fields = ["01Verwendungszweck 1", "02Verwendungszweck 2", "15Empfänger", "17Buchungstext", "18Primanotennummer"]
    (row,) = read_mt940(mt940(":61:2611041104CM5000,00S051Auszahlung", ":NS:" + fields[0], *fields[1:]))
    assert row.remittance == ("Verwendungszweck 1", "Verwendungszweck 2", "Buchungstext")
    assert row.counterparty.name == "Empfänger"


def test_texts_of_ns_fields_without_parts_arrive():
    (row,) = read_mt940(mt940(":61:2611041104C5,NTRFNONREF", ":NS:Freier Text", "zweite Zeile"))
    assert row.remittance == ("Freier Text", "zweite Zeile")


def test_further_purpose_is_joined_as_it_was_cut():
    full = "x" * 26 + "y"
    (row,) = read_mt940(
        mt940(":61:2611041104C5,NTRFNONREF", f":86:166?00TEST?20SVWZ+a?60{full}?61z?62Rechnung 1?63 zwei")
    )
    assert row.remittance == ("a", f"{full}z Rechnung 1 zwei", "TEST")


def test_a_bank_code_is_no_bic_and_zeros_are_no_account():
    (row,) = read_mt940(mt940(":61:2611041104C5,NTRFNONREF", ":86:166?00TEST?20x?3010020030?310000000000?32Beispiel"))
    assert vars(row.counterparty) == {"name": "Beispiel", "account_number": None, "bic": None}


def test_each_row_of_a_statement_is_read_for_itself(caplog):
    """Neither a row, nor a closing balance, nor another statement that can't be read keeps the others away."""
    row = (":61:2611041104CR{},NTRFNONREF", ":86:166?00TEST?20SVWZ+x")
    bad = (":61:2611041104XR9,NTRFNONREF", ":86:Familie Beispiel")
    text = mt940(row[0].format(1), row[1], *bad, row[0].format(2), row[1])
    lines = statements.split_mt940(text + mt940(row[0].format(3), row[1]).replace(":62F:C261120EUR1000,", ":62F:none"))
    found, unread = FinTS().read_rows(lines, statements.read_line, "EUR", "booked", status="booked")
    assert [one.amount for one in found] == [1, 2, 3]
    assert [(one.id, one.status, one.raw) for one in unread] == [(None, "booked", {"mt940": "\n".join(bad)})]
    assert "Beispiel" not in caplog.text + unread[0].problem, "what banks say about people is in no log"
    assert found == read_mt940(mt940(*(part.format(n) for n in (1, 2, 3) for part in row))), "as if it were alone"


def test_words_are_the_same_once_a_row_can_be_read():
    """By them its database knows that what it had kept beside the books has come in."""
    rows = [":61:2611041104CR1,NTRFNONREF\r\n:86:166?00A?20b\r\n?21c", ":61:2611041104CR2,NTRFNONREF"]
    alone = [one.raw for one in read_mt940(mt940(*rows))]
    beside = [one for one in statements.split_mt940(mt940(*rows, ":61:bad")) if one.data]
    assert alone == beside == [{"mt940": row.replace("\r\n", "\n")} for row in rows]


def test_two_rows_without_a_kind_stay_two():
    rows = read_mt940(mt940(":61:2611041104CR1,", ":61:2611041104CR2,"))
    assert [row.amount for row in rows] == [1, 2]


def test_a_head_that_can_t_be_read_makes_no_row_up():
    lines = statements.split_mt940(mt940(":61:2611041104CR1,NTRFNONREF").replace(":60F:C261101EUR1000,", ":60F:?"))
    assert [line.data for line in lines] == [None]


def test_each_entry_of_camt_is_read_for_itself():
    evil = CAMT.replace(b"<CdtDbtInd>CRDT</CdtDbtInd><RvslInd>", b"<CdtDbtInd>?</CdtDbtInd><RvslInd>")
    evil = evil.replace(b"<BookgDt><Dt>2026-11-06</Dt></BookgDt>", b"")
    found, unread = FinTS().read_rows(statements.split_camt(evil), statements.read_entry)
    assert [one.amount for one in found] == [Decimal("-89.40"), -12]
    assert [(one.id, one.status) for one in unread] == [(None, "booked")] * 2
    assert "without a day" in unread[1].problem


def test_a_text_without_fields_is_kept(script):
    (row,) = read_mt940(mt940(":61:2611041104CR5,NTRFKREF-1//BANK-1", ":86:Freier Text-0000 ohne Felder"), "EUR")
    assert row.remittance == ("Freier Text-0000 ohne Felder",)
    assert "//BANK-1" in row.raw["mt940"] and row.id is None


def test_old_line_ends_are_read():
    (row,) = read_mt940(mt940(":61:2611041104CR5,NTRFNONREF", ":86:166?00TEST?20SVWZ+x").replace("\r\n", "@@"), "EUR")
    assert row.remittance == ("x", "TEST")


CAMT = (FIXTURES / "fints" / "camt.xml").read_bytes()


def test_camt_is_read_by_its_fields():
    debit, _reversal, _batch, pending = read_camt(CAMT)
    assert (debit.amount, debit.currency, debit.status) == (Decimal("-89.40"), "EUR", "booked")
    assert (debit.foreign_amount, debit.foreign_currency) == (Decimal("-84.00"), "CHF")
    assert (debit.booking_date, debit.value_date) == (date(2026, 11, 3), date(2026, 11, 4))
    assert vars(debit.counterparty) == {
        "name": "Stadtwerke Musterstadt",
        "account_number": "DE87123456781234567890",
        "bic": "BYLADEM1001",
    }
    assert debit.remittance == ("Abschlag November", "Kunde 0815", "FOLGELASTSCHRIFT")
    assert (debit.end_to_end_id, debit.mandate_id, debit.id) == ("RE-2026-0815", "M-77", None)
    assert debit.raw["Amt"] == {"@Ccy": "EUR", "#": "89.40"}
    assert (pending.status, pending.booking_date) == ("pending", None)


def test_what_comes_back_has_the_same_other_side():
    reversal = read_camt(CAMT)[1]
    assert reversal.amount == Decimal("89.40") and reversal.counterparty.name == "Stadtwerke Musterstadt"
    assert reversal.creditor_reference == "RF18539007547034" and reversal.end_to_end_id is None


@pytest.mark.parametrize("said", ["true", "1", " true "])
def test_a_reversal_is_one_however_truth_is_written(said):
    reversal = read_camt(CAMT.replace(b"<RvslInd>true<", f"<RvslInd>{said}<".encode()))[1]
    assert reversal.counterparty.name == "Stadtwerke Musterstadt"


def test_a_return_says_why_and_names_who_sent_it_back():
    """Of a direct debit that came back the roles are those of the payment, and there is no indicator."""
    old = b"<AddtlNtryInf>FOLGELASTSCHRIFT</AddtlNtryInf>"
    parties = b"<RltdPties><Dbtr><Nm>Kunde</Nm></Dbtr><Cdtr><Nm>Wir</Nm></Cdtr></RltdPties>"
    reason = b"<RtrInf><Rsn><Cd>AC04</Cd></Rsn><AddtlInf>Konto</AddtlInf><AddtlInf>aufgel.</AddtlInf></RtrInf>"
    entry = b"""<Ntry><Amt Ccy="EUR">9.00</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts>BOOK</Sts>
        <BookgDt><Dt>2026-11-05</Dt></BookgDt><NtryDtls><TxDtls>%s<RmtInf><Ustrd>Rechnung 1</Ustrd></RmtInf>%s</TxDtls>
        </NtryDtls></Ntry>"""
    document = CAMT.replace(old, old + b"</Ntry>" + (entry % (parties, reason)).replace(b"</Ntry>", b""), 1)
    returned = read_camt(document)[1]
    assert (returned.amount, returned.counterparty.name) == (-9, "Kunde")
    assert returned.remittance == ("Rechnung 1", "AC04 (closed account) Konto aufgel.")


def test_a_reference_that_is_no_iso_one_is_kept_where_references_stand():
    document = CAMT.replace(b"RF18539007547034", b"210000000003139471430009017")
    assert read_camt(document)[1].creditor_reference == "210000000003139471430009017"


def test_a_placeholder_is_no_value_in_camt():
    """Each text of each entry in turn is one that stands for nothing."""
    for entry in statements.split_camt(CAMT):
        for path, said in texts_of(entry):
            for text in placeholders_for(said):
                try:
                    row = statements.read_entry(replaced(entry, path, text))
                except (LookupError, ValueError):
                    continue
                told = row.to_protocol() if row else {"counterparty": {}}
                told.pop("raw", None)
                assert not {value for _path, value in texts_of(told)} & {"XXX", *NO_TEXTS, *NO_DAYS}, told
                assert not {*told["counterparty"].values()} & {*NO_NUMBERS} - {told["counterparty"].get("name")}, told


def test_a_batch_is_one_transaction_without_another_side():
    batch = read_camt(CAMT)[2]
    assert batch.amount == 30 and batch.counterparty.name is None
    assert batch.remittance == ("Rechnung 1", "Rechnung 2")


def test_a_document_can_t_name_files_of_the_proxy():
    evil = CAMT.replace(b"?>", b'?><!DOCTYPE x [<!ENTITY file SYSTEM "file:///etc/passwd">]>', 1)
    evil = evil.replace(b"Abschlag November", b"&file;")
    assert not any("root:" in text for row in read_camt(evil) for text in row.remittance)


def test_camt_comes_before_mt940(script):
    client = json.loads((FIXTURES / "fints" / "state.json").read_text())["client"]
    offer = "HICAZS:9:1+1+1+0+360:N:N:urn?:iso?:std?:iso?:20022?:tech?:xsd?:camt.052.001.08'"
    client = {
        **client,
        "bpd_bin": client["bpd_bin"] + offer,
        "upd_bin": client["upd_bin"].replace("HKKAZ:1", "HKCAZ:1"),
    }
    state = {**script.state, **script.fill({"client": client})}
    answer = says(
        "HIRMS:2:HKCAZ+0020::Ok.",
        "HIRMS:2:HKTAN+3076::Nicht nötig.",
        "HITAN:7:HKTAN+4++noref+nochallenge",
        "HICAZ:1:HKCAZ+DE02120300000000202051:BYLADEM1001+camt.052.001.08+{booked}",
        binary={"booked": CAMT.decode("iso-8859-1")},
        **{"with": {"segments": ["HKCAZ", "HKTAN"]}},
    )
    script.server.expect([*exchanges("sign_in"), answer])
    page = script.adapter.transactions(state, script.account, since=date(2026, 11, 1))
    assert [row.amount for row in page.transactions] == [Decimal("-89.40"), Decimal("89.40"), 30, -12]
    assert replace(page.transactions[0], raw={}).id is None
