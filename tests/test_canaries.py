"""Secrets and account numbers are planted, everything is driven with debug logging on, and then everything is searched.

The way: register, confirm the phone, enter a wrong password and the right one, load, paste a key, fail at the provider,
a forged webhook and a genuine one, an event, a changed secret, a block. ALLOWED says where each canary may be.
"""

import base64
import json
import re
import time
from types import SimpleNamespace
from urllib.parse import quote

import pytest
import requests

from environment import paths

from .conftest import a_company_behind_a_proxy, a_copy_of, confirm_phone, demo
from .simplefin_bridge import a_bridge

PHONE = "+32470654321"
EMAIL = "canary-contact@example.com"
#: What is planted before; others are made on the way.
PLANTED = {
    "bank user": "canary-user-5f1c",
    "bank password": "canary-password-77aa",
    "provider key": "canary-key-93bd41",
    "private key": "Y2FuYXJ5LXByaXZhdGUta2V5LWxpbmU",
    "claim": "canary-claim-0f3d8e",
    "access password": "canary-access-6b2a9c",
    "forged signature": "canary0signature0cafe",
    "phone": PHONE,
    "e-mail": EMAIL,
}
PLACES = (
    *("proxy log", "proxy ir.logging", "proxy errors", "proxy dump", "proxy copy"),
    *("database log", "database ir.logging", "database chatter", "database dump", "database copy", "raw answers"),
)
#: Where a canary may be; everywhere else it is a leak.
ALLOWED = {
    # The books are made of them, and a copy of the books, too; raw answers are kept for 14 days for administrators.
    "account number": {"database dump", "database copy", "database chatter", "raw answers"},
    # Odoo has it of its users; the proxy's support calls it, and a copy of the proxy does not have it.
    "e-mail": {"proxy dump", "database dump", "database copy", "database chatter"},
}
#: What is a secret in the state that an adapter keeps of a consent.
SECRETISH = re.compile("url|token|user|pin|pass|secret|key|access")
SWITCH_ON = """
provider = env["bank.sync.provider"].with_context(active_test=False).search([("code", "=", "simplefin")])
provider.setting_ids = [(0, 0, {{"name": "base_url", "type": "text", "plain_value": {url!r}}})]
provider.active = True
env["bank.sync.institution"]._update_directory(provider)
demo = env["bank.sync.provider"].search([("code", "=", "sandbox")])
# A copied database can't read the one that was made with it.
demo.setting_ids.filtered(lambda setting: setting.name == "webhook_secret").value = {key!r}
others = env["bank.sync.provider"].with_context(active_test=False).search([("code", "in", ("plaid", "enable_banking"))])
others.setting_ids.filtered(lambda setting: setting.type == "secret").value = {key!r}
for setting in others.setting_ids.filtered(lambda setting: setting.type == "key"):
    # Why not as an administrator enters it: a canary has not the form of a key.
    text = "-----BEGIN PRIVATE KEY-----\\n" + {private!r} + "\\n-----END PRIVATE KEY-----"
    setting.encrypted_value = env["bank.sync.vault"]._encrypt(setting, "encrypted_value", text)
result = len(others.setting_ids.filtered("is_set"))
"""
MADE = """
client = env["bank.sync.client"].search([("is_embedded", "=", False)])
setting = env["bank.sync.provider"].search([("code", "=", "sandbox")]).setting_ids
result = {
    "secrets": sorted(client._secrets().values()),
    "webhook": setting._as_values()["webhook_secret"],
    "reference": env["bank.sync.connection"].search([("provider_id.code", "=", "sandbox")], limit=1).provider_reference,
    "states": [c._read_state() for c in env["bank.sync.connection"].search([("secret_state", "!=", False)])],
}
"""
SIGN = """
import time
from odoo.addons.bank_sync_proxy.providers.sandbox_signatures import SIGNATURE_HEADER, sign_webhook
result = [SIGNATURE_HEADER, sign_webhook({secret!r}, int(time.time()), {body!r})]
"""
#: Something to send: the neutralized copy must not.
QUEUE_MAIL = """
values = {"subject": "Queued", "email_from": "books@example.com", "email_to": "somebody@example.com"}
env["mail.mail"].create({**values, "body_html": "<p>Hello</p>", "state": "outgoing"})
"""
#: Our scheduled actions and the queue of mails, although Odoo switches them off in a copy. Whatever they would reach is
#: noted, and not reached. PostgreSQL is not among it: its driver doesn't use Python's sockets.
SCHEDULED = """
import socket
asked = []
def refuse(*arguments, **named):
    address = arguments[-1] if isinstance(arguments[0], socket.socket) else arguments[0]
    asked.append(str(address[0] if isinstance(address, tuple) else address))
    raise OSError("the network is being recorded")
socket.getaddrinfo = socket.create_connection = socket.socket.connect = refuse
mails = env.ref("mail.ir_cron_mail_scheduler_action")
data = env["ir.model.data"].search([("model", "=", "ir.cron"), ("module", "in", {addons!r})])
actions = env["ir.cron"].with_context(active_test=False).browse(data.mapped("res_id")) | mails
ran, failed = [], []
if "account.online.link" in env:
    env["account.online.link"].search([]).next_refresh = False
env.cr.commit()
for action in actions:
    ran.append(action.name)
    try:
        action.method_direct_trigger()
    except Exception as error:
        env.cr.rollback()
        failed.append(str(error))
result = {{"asked": sorted(set(asked)), "ran": len(ran), "failed": failed}}
"""
ACTIVE = """
SELECT ir_cron.id FROM ir_cron JOIN ir_model_data ON ir_model_data.model = 'ir.cron' AND res_id = ir_cron.id
 WHERE active AND module ~ '^(account_online|bank_s)'
"""
#: Where Odoo's neutralization leads mails to: a name that no computer may have (RFC 2606).
NOWHERE = "invalid"
RAW = """
import gzip, base64
runs = env["account.online.run"].search([])
result = "\\n".join(gzip.decompress(base64.b64decode(run.raw_answers)).decode() for run in runs if run.raw_answers)
"""


def open_bank(story, name):
    """:return: a visitor at the page of a bank, who has chosen it"""
    visitor = story.company.visitor()
    address = demo["address_of_bank"](visitor.call("account.online.directory", "action_open_bank", False))
    story.canaries[f"ticket for {name}"] = address.rsplit("/", 1)[1]
    visitor.open(address + "?country=")
    choice = visitor.page.xpath(f"//button[@name='institution'][.//strong[text()='{name}']]/@value")
    visitor.submit("institution", choice[0])
    return visitor


def load(story, visitor):
    selection = int(visitor.address.rstrip("/").rsplit("/", 1)[1])
    visitor.call("account.online.account.selection", "action_confirm", [selection])
    story.company.fetch_planned()


def connect_demo_bank(story):
    visitor = open_bank(story, "Demo Bank")
    visitor.submit("user", user=PLANTED["bank user"], password=PLANTED["bank password"])
    visitor.submit("user", user=PLANTED["bank user"], password="demo")
    visitor.submit("accounts")
    load(story, visitor)


def connect_simplefin(story, bridge):
    visitor = open_bank(story, "SimpleFIN Bridge")
    visitor.submit("token", token=bridge.token)
    load(story, visitor)
    link = visitor.call("account.online.link", "search", [("name", "=", "SimpleFIN Bridge")])[-1]
    bridge.fails = True
    visitor.call("account.online.link", "action_fetch_transactions", [link])


def send_webhooks(story, made):
    url = f"{story.proxy.url}/bank_sync/webhook/sandbox"
    event = {"kind": "transactions.new", "reference": made["reference"]}
    body = json.dumps({"events": [event]}).encode()
    header, genuine = story.proxy.shell(SIGN.format(secret=made["webhook"], body=body))
    forged = f"t={int(time.time())},v1={PLANTED['forged signature']}"
    statuses = [
        requests.post(url, data=body, headers={header: signature}, timeout=60).status_code
        for signature in (forged, genuine)
    ]
    assert statuses[0] >= 400 and statuses[1] == 204
    story.canaries["genuine signature"] = genuine.rpartition("=")[2]


def note_secrets(story, made):
    for number, secret in enumerate(made["secrets"]):
        story.canaries[f"client secret {number} {len(story.canaries)}"] = secret
    story.canaries["webhook secret"] = made["webhook"]
    for state in made["states"]:
        for name, value in state.items():
            if isinstance(value, str) and SECRETISH.search(name):
                story.canaries[f"state {name}"] = value


@pytest.fixture(scope="module")
def story():
    with (
        a_bridge(PLANTED["claim"], PLANTED["access password"]) as bridge,
        # Why JSON at the proxy: a line has the text that it has otherwise, and more.
        a_company_behind_a_proxy(logs_all=True, proxy_settings=["bank_sync_log_format = json"]) as company,
    ):
        story = SimpleNamespace(
            company=company, proxy=company.proxy, canaries=dict(PLANTED), places={}, copies={}, active={}
        )
        company.shell(f"env.ref('base.user_admin').email = env.company.email = {EMAIL!r}")
        switched = SWITCH_ON.format(url=bridge.url, key=PLANTED["provider key"], private=PLANTED["private key"])
        assert story.proxy.shell(switched), "no key was planted"
        confirm_phone(company, number=PHONE)
        connect_demo_bank(story)
        connect_simplefin(story, bridge)
        made = story.proxy.shell(MADE)
        note_secrets(story, made)
        send_webhooks(story, made)
        story.proxy.shell("env['bank.sync.event']._cron_deliver()")
        company.shell("env['account.online.service']._cron_rotate_secret()")
        note_secrets(story, story.proxy.shell(MADE))
        story.proxy.shell(
            "client = env['bank.sync.client'].search([('is_embedded', '=', False)])\nclient._block('Please wait.')"
        )
        company.run_scheduled_action()
        numbers = company.sql("SELECT DISTINCT account_number FROM account_online_account WHERE account_number > ''")
        assert numbers
        for number, (text,) in enumerate(numbers):
            story.canaries[f"account number {number}"] = text
        collect(story)
        yield story


def collect(story):
    company, proxy, places = story.company, story.proxy, story.places
    scheduled = SCHEDULED.format(addons=paths.ADDONS)
    places["raw answers"] = company.shell(RAW)
    for name, one in (("proxy", proxy), ("database", company)):
        one.stop()
        one.shell(QUEUE_MAIL)
        places[f"{name} log"] = one.log()
        places[f"{name} ir.logging"] = "\n".join(row[0] for row in one.sql("SELECT message FROM ir_logging"))
        places[f"{name} dump"] = one.dump()
        with a_copy_of(one.name) as copy:
            copy.odoo("neutralize", "-d", copy.name)
            places[f"{name} copy"] = copy.dump()
            story.attachments = copy.sql("SELECT count(*) FROM ir_attachment WHERE res_field = 'raw_answers'")
            story.active[name] = [row[0] for row in copy.sql(ACTIVE)]
            story.copies[name] = copy.shell(scheduled)
    places["proxy errors"] = json.dumps(proxy.sql("SELECT row_to_json(e) FROM bank_sync_error e"))
    places["database chatter"] = json.dumps(company.sql("SELECT row_to_json(m) FROM mail_message m"))
    # Last, because it fails at the network.
    story.originals = {"proxy": proxy.shell(scheduled), "database": company.shell(scheduled)}


def forms(text):
    """How a canary may be written: also in an address, and within Basic authentication."""
    words = {
        text,
        quote(text, safe=""),
        json.dumps(text)[1:-1],
        text.lstrip("+"),
        base64.b64encode(text.encode()).decode(),
    }
    return words | {base64.b64encode(f"user:{text}".encode()).decode()}


@pytest.mark.parametrize("place", PLACES)
def test_no_canary_is_where_it_may_not_be(story, place):
    text = story.places[place]
    found = {
        name
        for name, canary in story.canaries.items()
        if any(form in text for form in forms(canary)) and place not in ALLOWED.get(re.sub(r" \d+$", "", name), ())
    }
    assert not found


@pytest.mark.parametrize(
    "name, place", [("account number", "database dump"), ("account number", "raw answers"), ("e-mail", "proxy dump")]
)
def test_search_finds_what_is_allowed(story, name, place):
    """Otherwise it would find nothing because it searches for the wrong text."""
    canaries = [canary for key, canary in story.canaries.items() if re.sub(r" \d+$", "", key) == name]
    assert canaries and all(canary in story.places[place] for canary in canaries)


@pytest.mark.parametrize("place", PLACES)
def test_every_place_was_searched(story, place):
    assert len(story.places[place]) > (100 if place != "database ir.logging" else 0)


def test_debug_log_was_on_and_shows_what_was_asked(story):
    assert '"level": "DEBUG"' in story.places["proxy log"]
    assert " DEBUG " in story.places["database log"]
    assert re.search(r"simplefin GET \S*accounts: 500", story.places["proxy log"])
    assert "/bank_sync/1/transactions.list" in story.places["proxy log"]


def json_lines(story):
    """:return: objects; what Odoo writes before it has loaded the addon is not JSON yet"""
    lines = story.places["proxy log"].splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith("{"))
    return [json.loads(line) for line in lines[first:]]


def test_every_json_line_is_an_object_with_a_time_and_a_level(story):
    lines = json_lines(story)
    assert len(lines) > 100
    assert all({"time", "level", "logger", "message"} <= set(line) for line in lines)


def test_json_line_of_a_failed_request_has_reference_client_and_operation(story):
    failed = [line for line in json_lines(story) if line.get("reference") and line.get("outcome")]
    assert failed
    for line in failed:
        assert re.fullmatch(r"E-\w{4}-\w{4}", line["reference"])
        assert line["client"] and line["outcome"] != "ok" and "." in line["operation"]


def test_json_lines_about_a_provider_say_for_which_client_and_operation(story):
    asked = [line for line in json_lines(story) if "simplefin GET" in line["message"]]
    assert asked
    assert all(line["client"] and line["operation"] for line in asked)


def test_neutralized_copy_has_no_raw_answer(story):
    assert story.attachments == [["0"]]


@pytest.mark.parametrize("name", ["proxy", "database"])
def test_neutralized_copy_makes_no_requests_whatever_is_scheduled(story, name):
    assert not story.active[name], "none of our scheduled actions is active"
    copy = story.copies[name]
    assert copy["ran"] > 3 and copy["failed"] == []
    assert set(copy["asked"]) <= {NOWHERE}


@pytest.mark.parametrize("name", ["proxy", "database"])
def test_original_would_have_made_requests(story, name):
    """Otherwise the copy is silent because there was nothing to do."""
    asked = set(story.originals[name]["asked"]) - {NOWHERE}
    partner = story.company.url if name == "proxy" else story.proxy.url
    assert partner.rsplit("/")[-1].partition(":")[0] in asked


#: What all that we encrypt begins with (Fernet).
ENCRYPTED = re.compile(r"\bgAAAA[\w=-]{40}")


@pytest.mark.parametrize("name", ["proxy", "database"])
def test_neutralized_copy_holds_nothing_encrypted(story, name):
    """Also of a model that this test does not list."""
    assert ENCRYPTED.search(story.places[f"{name} dump"]), "the original holds some"
    assert not ENCRYPTED.search(story.places[f"{name} copy"])
