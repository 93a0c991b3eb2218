"""What is special about FinTS; the rest is the business of test_contract.py."""

import json
import sys
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
    NOW,
)
from bank_sync_proxy.tests.pure.scripted import FIXTURES, Case

pytest.importorskip("fints")

from fints.models import SEPAAccount

from bank_sync_proxy.providers import fints_client
from bank_sync_proxy.tests.pure.fints_server import FinTSScript

GOT = "HIRMG:2+0010::Nachricht entgegengenommen."
FAILED = "HIRMG:2+9050::Die Nachricht enthält Fehler.+9800::Dialog abgebrochen."
WANTS_TAN = "HIRMS:2:HKTAN+0030::Auftrag empfangen - Sicherheitsfreigabe erforderlich."
CAMT = (FIXTURES / "fints" / "camt.xml").read_bytes()
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
    """The result of an answer to a page, with a new object, and data that were JSON in between."""
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
    assert [request.body["segments"] for request in script.server.asked] == [["HKIDN", "HKVVB", "HKSYN"]]
    assert next(field.value for field in step.fields if field.name == "pin") == ""
    assert next(field.value for field in step.fields if field.name == "user") == "beispiel1"


def test_a_pin_that_was_refused_is_never_sent_again(script):
    script.server.expect([says("HIRMS:2:HKIDN+9942::PIN ungültig.")])
    with pytest.raises(ConsentError) as caught:
        script.adapter.refresh(script.state)
    assert caught.value.code == "credentials_rejected"
    kept = script.adapter.forget_refused(script.state)
    assert "s3cret-pin" not in json.dumps(kept)
    for call in (
        lambda: script.adapter.refresh(kept),
        lambda: script.adapter.accounts(kept),
        lambda: script.adapter.transactions(kept, script.account),
    ):
        with pytest.raises(ConsentError) as caught:
            call()
        assert caught.value.code == "credentials_rejected"
    assert len(script.server.asked) == 1


@pytest.mark.parametrize("code", ["3938", "9930", "9931"])
def test_locked_access_is_distinguished_from_a_wrong_pin(script, code):
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


def test_refused_request_is_not_an_empty_account(script):
    """The library alone would return no transactions."""
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


def test_state_that_waits_for_a_tan_is_not_a_pickle(script):
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


def test_dialog_continues_after_an_approval(script):
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
# WITHOUT A USER, WITH A USER
# -------------------------------------------------------------------------


@pytest.mark.parametrize("operation", ["refresh", "accounts", "transactions"])
def test_a_request_for_a_tan_without_a_user_is_not_answered(script, operation):
    script.server.expect([asks_for_tan()])
    with pytest.raises(ConsentError) as caught:
        {
            "refresh": lambda: script.adapter.refresh(script.state),
            "accounts": lambda: script.adapter.accounts(script.state),
            "transactions": script.pages,
        }[operation]()
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
    assert page.transactions[0]._replace(raw={}).id is None
