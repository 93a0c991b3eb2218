import json
from datetime import timedelta
from typing import NamedTuple
from unittest.mock import patch

from odoo import fields
from odoo.service.model import call_kw
from odoo.tests import HttpCase, tagged
from odoo.tools import mute_logger

from ..client.client import ProxyClient
from ..client.transport import EmbeddedTransport
from .common import OnlineSyncCommon, ScriptedProxy
from .doors_audit import Audit
from .doors_calls import Call, Generator
from .doors_judge import Judge
from .doors_table import METHODS, NO_COMPANY_RULE, NOT_HERE, READERS, SETTABLE, SYSTEM
from .doors_world import (
    Canaries,
    Company,
    fill,
    is_ours,
    open_interventions,
    our_fields,
    our_models,
    public_methods,
)

#: What Odoo says of calls that were refused, each of which would be a warning.
QUIET = (
    "odoo.http",
    "odoo.addons.base.models.ir_rule",
    "odoo.addons.base.models.ir_model",
    "odoo.models",
    "odoo.sql_db",
)

#: Who may everything in his company.
EVERY_RIGHT = (
    "account.group_account_manager",
    "base.group_system",
    "bank_sync_proxy.group_administrator",
    "bank_sync_proxy_server.group_firm",
)
#: How a method refuses a user who may call it, but not in this state.
REFUSALS = ("odoo.exceptions.UserError", "odoo.exceptions.ValidationError", "odoo.exceptions.RedirectWarning")

#: Findings that are listed; one hole has many.
MOST = 60


class Caller(NamedTuple):
    rank: str
    user: object
    key: str
    own: Company
    #: The company that is attacked from another one; None: from within.
    foreign: Company | None = None


class Answer(NamedTuple):
    text: str
    is_success: bool
    result: object
    error: str = ""


@tagged("post_install", "-at_install")
class TestEveryDoor(OnlineSyncCommon, HttpCase):
    """All that RPC can call does what doors_table says, for every caller, with forged ids, values and contexts."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.canaries = Canaries()
        cls.proxy = ScriptedProxy(cls.company.currency_id.name)
        cls.proxy.refreshed_at = f"{fields.Date.today()}T06:00:00Z"
        cls.proxy.answers.update(
            {
                "connections.start": lambda _payload: {"connection_id": "NEW", "page_url": "/bank"},
                "connections.renew": lambda _payload: {"connection_id": "RENEWED", "page_url": "/renew"},
                "clients.verify_phone": {"state": "active"},
                "clients.reactivate": {"state": "active"},
                "firms.find": {"firm": {"name": "Firm"}},
                "firms.agree": {"agreement": {"firm": {"name": "Firm"}, "client_name": "Books"}},
                "firms.get": {"agreement": None},
                "firms.revoke": {"revoked": True},
            }
        )
        client = ProxyClient(EmbeddedTransport(cls.proxy.dispatch))
        cls.startClassPatcher(patch.object(cls.registry["account.online.link"], "_get_client", lambda link: client))
        cls.startClassPatcher(
            patch.object(cls.registry["account.online.service"], "_get_client", lambda service: client)
        )
        # Why: the scripted service knows this database, although the secrets are canaries.
        cls.startClassPatcher(
            patch.object(cls.registry["account.online.service"], "_prepare_to_connect", lambda service: None)
        )
        other = cls.setup_other_company(name="Company of the attackers")
        cls.a, cls.b = Company(cls, cls.company_data, "A"), Company(cls, other, "B")
        cls.forged_interventions = (
            open_interventions(cls.env(su=True)) if "bank.sync.intervention" in cls.env else set()
        )
        cls.stored = [name for name in our_models(cls.env) if not cls.env[name]._abstract and cls.env[name]._auto]
        for name in cls.stored:
            if is_ours(cls.env, name) and not cls.env[name].sudo().with_context(active_test=False).search_count(
                [], limit=1
            ):
                fill(cls.env(su=True), name)
        cls.env.flush_all()
        cls.audit = Audit(cls.env.cr)
        cls.owned_by_a, cls.owned_by_b = cls.audit.belongings(cls.a.company), cls.audit.belongings(cls.b.company)
        cls._ids = {}
        cls.canaries.plant(cls.env(su=True), {name: cls.ids_of(cls.a, name) for name in cls.stored})
        address = "https://service.example"
        cls.env.ref("account_online_synchronization.account_online_service").sudo().write(
            {"url": address, "registered_with": address}
        )
        cls.env.flush_all()
        cls.env.invalidate_all()
        cls.audit.changes()

    def setUp(self):
        super().setUp()
        # Why: that of each test of synchronizations would take its place.
        self.proxy = type(self).proxy
        client = ProxyClient(EmbeddedTransport(self.proxy.dispatch))
        self.startPatcher(patch.object(self.registry["account.online.link"], "_get_client", lambda link: client))
        self.findings = {}

    # -------------------------------------------------------------------------
    # THE WORLD
    # -------------------------------------------------------------------------

    @classmethod
    def bank_text(cls, tag):
        """What the bank of a company writes."""
        return cls.canaries.text("account.bank.statement.line", "payment_ref") if tag == "A" else "Text of B"

    @classmethod
    def connection_id(cls, tag):
        return cls.canaries.text("account.online.link", "connection_identifier") if tag == "A" else "CONNECTION-B"

    @classmethod
    def ids_of(cls, company, model):
        """:return: ids of the company's records; of what knows no companies, all"""
        key = (company.tag, model)
        if key not in cls._ids:
            owned = cls.owned_by_a if company is cls.a else cls.owned_by_b
            ids = sorted(owned.get(cls.env[model]._table, ()))
            if model.startswith("bank.sync.") or model in ("account.online.service", "account.online.event"):
                cls.env.cr.execute(f'SELECT id FROM "{cls.env[model]._table}" ORDER BY id')
                ids = [row[0] for row in cls.env.cr.fetchall()]
            cls._ids[key] = [company.company.id] if model == "res.company" else ids[:20]
        return cls._ids[key]

    def group_key(self, company):
        wizards = (
            self.env["account.duplicate.transaction.wizard"]
            .sudo()
            .browse(self.ids_of(company, "account.duplicate.transaction.wizard"))
        )
        return next((key for wizard in wizards for key in wizard.groups or {}), "1-2")

    def attachments_of(self, company):
        """:return: ids of files that belong to records of a company"""
        domain = [
            ("res_model", "=", "account.online.link"),
            ("res_id", "in", self.ids_of(company, "account.online.link")),
        ]
        return self.env["ir.attachment"].sudo().search(domain).ids

    def caller(self, rank, *groups, foreign=False):
        own, target = (self.b, self.a) if foreign else (self.a, None)
        user = own.user(f"caller-{rank}", *groups)
        tomorrow = fields.Datetime.now() + timedelta(days=1)
        key = self.env["res.users.apikeys"].with_user(user).sudo()._generate("rpc", "doors", tomorrow)
        self.authenticate(user.login, user.login)
        if rank == "support":
            self.own("bank.sync.intervention", own, user)
        if foreign:
            # The server has opened the wizards and visits of his company for him.
            for name in self.stored:
                if self.env[name]._transient and self.ids_of(own, name):
                    self.own(name, own, user)
            visits = self.ids_of(own, "account.online.authorization")
            self.env["account.online.authorization"].sudo().browse(visits).user_id = user
            self.env.flush_all()
            self.env.invalidate_all()
        return Caller(rank, user, key, own, target)

    def own(self, model, company, user):
        """Let a user have opened the company's wizards."""
        condition = [user.id, tuple(self.ids_of(company, model))]
        self.env.cr.execute(f'UPDATE "{self.env[model]._table}" SET create_uid = %s WHERE id IN %s', condition)
        self.env.invalidate_all()

    # -------------------------------------------------------------------------
    # CALLING
    # -------------------------------------------------------------------------

    def over_call_kw(self, call, _caller):
        arguments = [] if call.ids is None else [call.ids]
        named = dict(call.named or {})
        if call.context:
            named["context"] = call.context
        answer = self.url_open(
            f"/web/dataset/call_kw/{call.model}/{call.method}",
            json={
                "jsonrpc": "2.0",
                "method": "call",
                "params": {
                    "model": call.model,
                    "method": call.method,
                    "args": [*arguments, *call.arguments],
                    "kwargs": named,
                },
            },
            timeout=60,
        )
        body = answer.json() if answer.headers.get("Content-Type", "").startswith("application/json") else {}
        error = (
            body["error"].get("data", {}).get("name", "")
            if "error" in body
            else ""
            if body
            else str(answer.status_code)
        )
        # Why not by the result: a method that returns nothing has none.
        return Answer(answer.text, bool(body) and "error" not in body, body.get("result"), error)

    def over_json_2(self, call, caller):
        body = dict(call.named or {})
        if call.ids is not None:
            body["ids"] = call.ids
        if call.context:
            body["context"] = call.context
        answer = self.url_open(
            f"/json/2/{call.model}/{call.method}",
            data=json.dumps(body, default=str),
            headers={"Authorization": f"Bearer {caller.key}", "Content-Type": "application/json"},
            timeout=60,
        )
        body = answer.json() if answer.headers.get("Content-Type", "").startswith("application/json") else None
        is_success = answer.status_code == 200
        error = "" if is_success or not isinstance(body, dict) else body.get("name", "")
        return Answer(answer.text, is_success, body, error)

    def over_nothing(self, call, caller):
        """The same without HTTP, for what differs in a value only: what RPC does with a call, as its user."""
        env = self.env(user=caller.user, su=False, context={})
        env.invalidate_all(flush=False)
        arguments = [] if call.ids is None else [call.ids]
        named = {**(call.named or {}), **({"context": call.context} if call.context else {})}
        self.savepoint("here")
        try:
            # As JSON: nothing else comes over the wire.
            arguments, named = json.loads(json.dumps([[*arguments, *call.arguments], named], default=str))
            result = call_kw(env[call.model], call.method, arguments, named)
            env.flush_all()
            text = json.dumps(result, default=str)
            return Answer(text, True, json.loads(text))
        except Exception as error:
            self.back("here")
            return Answer(str(error), False, None, type(error).__name__)

    def do(self, call, caller, judge, door="call_kw"):
        """Make a call, and check all of its effects.

        :return: the answer, and the changes
        """
        self.proxy.requests.clear()
        doors = {"call_kw": self.over_call_kw, "json_2": self.over_json_2, "nothing": self.over_nothing}
        answer = doors[door](call, caller)
        changes = self.audit.changes()
        self.note(judge.leaks(call, answer))
        self.note(judge.requests(call, list(self.proxy.requests)))
        self.note(judge.effects(call, changes))
        return answer, changes

    def note(self, sentences):
        for sentence in sentences:
            self.findings.setdefault(sentence, None)

    def savepoint(self, name="doors"):
        self.env.cr.execute(f"SAVEPOINT {name}")

    def back(self, name="doors"):
        """The world is as it was, so that each call meets all of it."""
        self.env.cr.execute(f"ROLLBACK TO SAVEPOINT {name}")
        self.env.invalidate_all(flush=False)

    def attack(self, rank, *groups, foreign=False):
        with mute_logger(*QUIET):
            caller = self.caller(rank, *groups, foreign=foreign)
            generator, judge = Generator(self, caller), Judge(self, caller)
            self.env.flush_all()
            self.audit.changes()
            self.savepoint()
            self.call_own_methods(generator, caller, judge)
            self.call_methods_of_odoo(generator, caller, judge)
            self.open_files(caller, judge)
            for model in sorted({*generator.may("create"), *generator.may("write")}):
                self.make_records(model, generator, caller, judge)
        shown = list(self.findings)[:MOST]
        more = len(self.findings) - len(shown)
        self.assertFalse(shown, "\n" + "\n".join(shown) + (f"\nand {more} more" if more else ""))

    def call_own_methods(self, generator, caller, judge):
        context = generator.forged_context()
        for name in sorted(METHODS):
            model, _dot, method = name.rpartition(".")
            if model not in self.env or method not in public_methods(self.env, model):
                continue
            ids = generator.ids(model) if model in generator.stored else []
            ways = [("call_kw", ids, None), ("call_kw", ids[:1], context), ("json_2", ids[:1], None)]
            # Each state of a wizard is another one's.
            ways += [
                ("nothing", [one], extra) for one in ids if self.env[model]._transient for extra in (None, context)
            ]
            for door, some, extra in ways:
                call = generator.call(model, method, some, extra)
                answer, _changes = self.do(call, caller, judge, door)
                self.note(judge.answers_too_much(call, answer))
                self.back()

    def call_methods_of_odoo(self, generator, caller, judge):
        readable = generator.may("read")
        for model in generator.stored:
            ways = [
                (generator.reading, "call_kw"),
                (generator.changing_a_form, "nothing"),
                (generator.our_columns, "nothing"),
            ]
            if model in readable:
                ways += [(generator.reading_all, "nothing"), (generator.hidden, "nothing")]
            if is_ours(self.env, model):
                ways.append((generator.writing, "call_kw"))
            for way, door in ways:
                for call in way(model):
                    self.do(call, caller, judge, door)
                    self.back()

    def open_files(self, caller, judge):
        """Files and pictures are read at addresses of their own."""
        paths = [
            f"/web/{route}/{one}" for route in ("content", "image") for one in sorted(self.owned_by_a["ir_attachment"])
        ]
        for model in self.stored:
            for name, field in our_fields(self.env, model).items():
                if field.type == "binary":
                    paths += [
                        f"/web/{route}/{model}/{one}/{name}"
                        for route in ("content", "image")
                        for one in self.ids_of(self.a, model)
                    ]
        for path in paths:
            page = self.url_open(path)
            call = Call("ir.attachment", "raw", why=path)
            self.note(judge.leaks(call, Answer(page.content.decode("latin-1"), page.ok, None)))

    def make_records(self, model, generator, caller, judge):
        """Records of the attacker's own with what he must not choose, then all that can be done with them."""
        for what, name, value, calls in generator.ways(model):
            ids, why = calls[0].ids, " ".join(filter(None, (what, name)))
            for call in calls:
                call = call._replace(ids=ids, why=why)
                answer, changes = self.do(call, caller, judge, "nothing" if name else "call_kw")
                if name:
                    self.note(judge.took(what, call, changes, model, name, value))
                if not answer.is_success:
                    break
                ids = ids or self.made_by(answer)
            if ids and answer.is_success:
                self.use(model, ids, why, generator, caller, judge, "nothing" if name else "call_kw")
            self.back()

    @staticmethod
    def made_by(answer):
        """:return: ids of the records that a ``create`` or ``load`` has made"""
        made = answer.result.get("ids") if isinstance(answer.result, dict) else answer.result
        made = [made] if isinstance(made, int) else made or []
        return [one for one in made if isinstance(one, int)] if isinstance(made, list) else []

    def use(self, model, ids, why, generator, caller, judge, door):
        self.savepoint("use")
        self.do(generator.look(model, ids, why), caller, judge, door)
        for method in public_methods(self.env, model):
            self.do(generator.call(model, method, ids, why=why), caller, judge, door)
            self.back("use")

    # -------------------------------------------------------------------------
    # WHO ATTACKS
    # -------------------------------------------------------------------------

    def test_a_portal_user_reaches_nothing(self):
        self.attack("portal", "base.group_portal")

    def test_an_internal_user_without_accounting_reaches_nothing(self):
        self.attack("internal", "base.group_user")

    def test_an_invoicing_user_reads_what_the_table_says(self):
        self.attack("invoicing", "account.group_account_invoice")

    def test_a_read_only_auditor_reads_what_the_table_says(self):
        self.attack("auditor", "account.group_account_readonly")

    def test_an_accountant_changes_what_the_table_says(self):
        self.attack("basic", "account.group_account_basic")

    def test_an_accountant_of_another_company_reaches_nothing(self):
        self.attack("basic", "account.group_account_basic", foreign=True)

    def test_an_administrator_of_another_company_reaches_nothing(self):
        self.attack("administrator", "account.group_account_manager", foreign=True)

    def test_support_of_the_proxy_does_what_the_table_says(self):
        if "bank.sync.client" not in self.env:
            self.skipTest("The proxy is not installed in this database.")
        self.attack("support", "bank_sync_proxy.group_support")

    def test_a_user_of_an_accounting_firm_reaches_nothing_of_others(self):
        if "bank.sync.firm" not in self.env:
            self.skipTest("The proxy for other databases is not installed in this database.")
        self.attack("firm", "bank_sync_proxy_server.group_firm")

    def test_support_intervenes_in_four_ways_and_in_no_other(self):
        """Else the attack of support would prove nothing: no intervention would have come as far as its action."""
        if "bank.sync.intervention" not in self.env:
            self.skipTest("The proxy is not installed in this database.")
        with mute_logger(*QUIET):
            caller = self.caller("support", "bank_sync_proxy.group_support")
            done = set()
            self.env.flush_all()
            self.savepoint()
            for one in self.ids_of(self.a, "bank.sync.intervention"):
                call = Call("bank.sync.intervention", "action_apply", [one])
                if self.over_call_kw(call, caller).is_success:
                    done.add(one)
                self.back()
        self.assertEqual(done, set(self.ids_of(self.a, "bank.sync.intervention")) - self.forged_interventions)
        self.assertEqual(len(done), 4)

    def test_the_doors_open_for_those_who_may(self):
        """Else an attack would prove nothing: it would fail for a reason that has nothing to do with rights."""
        closed = []
        with mute_logger(*QUIET):
            # The visits and wizards belong to the user who opened them.
            caller = Caller("administrator", self.a.administrator, "", self.a)
            for model in self.stored:
                if self.env[model]._transient and self.ids_of(self.a, model):
                    self.own(model, self.a, caller.user)
            for one in EVERY_RIGHT:
                caller.user.group_ids += self.env.ref(one, raise_if_not_found=False) or self.env["res.groups"]
            self.authenticate(caller.user.login, caller.user.login)
            generator = Generator(self, caller)
            self.env.flush_all()
            self.savepoint()
            for name in sorted(METHODS):
                model, _dot, method = name.rpartition(".")
                if model not in self.env or name in NOT_HERE:
                    continue
                ids = generator.ids(model) if model in generator.stored else []
                answers = []
                for some in [[one] for one in ids] or [[]]:
                    answers.append(self.over_call_kw(generator.call(model, method, some), caller))
                    self.back()
                    if answers[-1].is_success:
                        break
                if not any(one.is_success or one.error in REFUSALS for one in answers):
                    closed.append(f"{name}: {answers[-1].error} {answers[-1].text[-600:]}")
        self.assertFalse(closed, "\n" + "\n".join(closed))

    # -------------------------------------------------------------------------
    # THE TABLE
    # -------------------------------------------------------------------------

    def test_every_public_method_is_classified(self):
        found = {f"{model}.{method}" for model in our_models(self.env) for method in public_methods(self.env, model)}
        known = {name for name in METHODS if name.rpartition(".")[0] in self.env}
        self.assertEqual(
            sorted(found - known),
            [],
            "RPC can call these methods, and nobody has said who may: add them to METHODS in doors_table.py with "
            "what they may change, or begin their names with an underscore.",
        )
        self.assertEqual(sorted(known - found), [], "METHODS in doors_table.py names methods that are gone.")

    def test_every_model_is_classified(self):
        found = set(our_models(self.env))
        self.assertEqual(
            sorted(found - set(READERS)),
            [],
            "Nobody has said who may read these models: add them to READERS in doors_table.py, and to SETTABLE the "
            "fields that RPC may set.",
        )
        ours = {name for name in self.stored if is_ours(self.env, name)}
        made = {
            name
            for name in ours
            if not name.startswith("bank.sync.") or self.env[name]._transient
            for rights in [self.env["ir.model.access"].sudo().search([("model_id.model", "=", name)])]
            if any(right.perm_create or right.perm_write for right in rights)
        }
        self.assertEqual(
            sorted(made - set(SETTABLE)),
            [],
            "Users create or write these: SETTABLE of doors_table.py says which fields.",
        )

    def test_every_stored_model_has_a_company_rule_or_a_reason(self):
        for name in self.stored:
            if not is_ours(self.env, name):
                continue
            rules = self.env["ir.rule"].sudo().search([("model_id.model", "=", name), ("groups", "=", False)])
            owner = "create_uid" if self.env[name]._transient else "company_ids"
            has_rule = any(owner in (rule.domain_force or "") for rule in rules)
            reason = name in NO_COMPANY_RULE or any(name.startswith(f"{prefix}.") for prefix in NO_COMPANY_RULE)
            with self.subTest(name):
                self.assertTrue(
                    has_rule or (reason and not self.env[name]._transient) or READERS[name] == SYSTEM,
                    f"{name} needs a rule with {owner} in account_online_synchronization_rules.xml, or a reason in "
                    "NO_COMPANY_RULE of doors_table.py.",
                )
