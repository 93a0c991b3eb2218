"""Accounting firms: who agrees, what their users see, and what they do not reveal."""

from ast import literal_eval
from datetime import date, timedelta

from lxml import etree

from odoo import Command, fields
from odoo.addons.bank_sync_proxy.providers.errors import ConsentError, TransientError
from odoo.addons.bank_sync_proxy.tests.common import ProxyCase
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain
from odoo.service.model import call_kw
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger
from odoo.tools.safe_eval import safe_eval

from .clients import ClientsMixin

GROUP = "bank_sync_proxy_server.group_firm"
ABOUT = {"client_name": "Bakery", "contact_name": "Bea Baker", "contact_email": "bea@bakery.example"}
#: Models of the proxy that a firm must not read a row of.
CLOSED = (
    "bank.sync.client",
    "bank.sync.concern",
    "bank.sync.connection",
    "bank.sync.connection.secret",
    "bank.sync.error",
    "bank.sync.event",
    "bank.sync.institution",
    "bank.sync.nonce",
    "bank.sync.phone.code",
    "bank.sync.provider",
    "bank.sync.provider.setting",
    "bank.sync.reason",
    "bank.sync.registration",
    "bank.sync.suspicion",
    "bank.sync.usage",
    "bank.sync.visit",
)


class FirmsCase(ClientsMixin, ProxyCase):
    """Two firms with a user each, and two databases, one of which has an agreement with the first firm."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.ada = new_test_user(
            cls.env, "ada.firm", groups=f"{GROUP},base.group_allow_export", name="Ada", email="ada@firm.example"
        )
        cls.bob = new_test_user(cls.env, "bob.firm", groups=GROUP, name="Bob", email="bob@other.example")
        cls.firm, cls.other_firm = cls.env["bank.sync.firm"].create(
            [
                {"name": "Abacus", "member_ids": [Command.create({"user_id": cls.ada.id})]},
                {"name": "Balance", "member_ids": [Command.create({"user_id": cls.bob.id})]},
            ]
        )

    def setUp(self):
        super().setUp()
        self.bakery = self.register_active(database_uuid="bakery-0001", name="Bakery Ltd")
        self.third_client = self.register_active(database_uuid="stranger-0001", name="Stranger Ltd")
        self.bank = self.connected(self.bakery)
        self.hidden = self.connected(self.third_client)

    def connected(self, client, **values):
        institution = self.env["bank.sync.institution"]._find("sandbox.demo")
        until = fields.Datetime.now() + timedelta(days=90)
        now = fields.Datetime.now()
        return self.env["bank.sync.connection"].create(
            {
                "client_id": client.id,
                "institution_id": institution.id,
                "state": "connected",
                "consent_expires_at": until,
                "synchronized_at": now,
                **values,
            }
        )

    def agree(self, client=None, firm=None, **about):
        firm = firm or self.firm
        answer = self.ask(
            "firms.agree", client or self.bakery, code=firm.code, firm_name=firm.name, **{**ABOUT, **about}
        )
        self.assertNotIn("error", answer)
        return self.env["bank.sync.firm.agreement"]._in_force(client or self.bakery)

    def seen(self, user=None, domain=()):
        self.env.flush_all()
        self.env.invalidate_all()
        return self.env["bank.sync.firm.consent"].with_user(user or self.ada).search(list(domain))

    def row(self, connection=None):
        return self.seen().browse((connection or self.bank).id)

    def failing(self, error=None, connection=None):
        connection = connection or self.bank
        error = error or TransientError("institution_unavailable", "no answer")
        record = self.env["bank.sync.error"]._record(
            error, operation="accounts.list", client=connection.client_id, connection=connection
        )
        connection._note_failure(error)
        return record


@tagged("post_install", "-at_install")
class TestAgreement(FirmsCase):
    """Only a client lets a firm see it, and takes that back at any moment."""

    def test_a_firm_sees_no_client_that_has_not_agreed(self):
        self.assertFalse(self.seen())

    def test_a_client_reads_the_name_of_a_firm_before_it_agrees(self):
        spelled = self.firm.code.replace("-", " ").lower()
        self.assertEqual(self.ask("firms.find", self.bakery, code=spelled), {"firm": {"name": "Abacus"}})
        self.assertFalse(self.seen())

    def test_a_client_that_agrees_is_seen_by_that_firm_only(self):
        self.agree()
        self.assertEqual(self.seen().ids, self.bank.ids)
        self.assertFalse(self.seen(self.bob))

    def test_an_answer_says_what_was_agreed(self):
        self.agree()
        agreement = self.ask("firms.get", self.bakery)["agreement"]
        self.assertEqual({name: agreement[name] for name in ABOUT}, ABOUT)
        self.assertEqual(agreement["firm"], {"name": "Abacus"})
        self.assertEqual(self.ask("firms.get", self.third_client), {"agreement": None})

    def test_a_client_that_revokes_is_gone_at_once_and_its_contact_is_deleted(self):
        agreement = self.agree()
        self.assertEqual(self.ask("firms.revoke", self.bakery), {"revoked": True})
        self.assertFalse(self.seen())
        self.assertFalse(agreement.with_user(self.ada).search([]))
        with self.assertRaises(AccessError):
            agreement.with_user(self.ada).read(["client_name"])
        self.assertFalse(agreement.contact_email or agreement.contact_name)
        self.assertEqual(self.ask("firms.revoke", self.bakery), {"revoked": True}, "idempotent")

    def test_a_client_that_is_blocked_can_still_revoke(self):
        self.agree()
        self.bakery._block("Wait.", by="support")
        self.assertFailure(
            self.ask("firms.agree", self.bakery, code=self.firm.code, firm_name="Abacus", **ABOUT),
            "client_suspended",
            "contact_support",
        )
        self.assertEqual(self.ask("firms.revoke", self.bakery), {"revoked": True})
        self.assertFalse(self.seen())

    def test_a_client_agrees_with_one_firm_at_a_time(self):
        self.agree()
        self.agree(firm=self.other_firm)
        self.assertFalse(self.seen())
        self.assertEqual(self.seen(self.bob).ids, self.bank.ids)

    def test_a_client_that_agrees_again_changes_what_it_says_and_nothing_else(self):
        first = self.agree()
        self.assertEqual(self.agree(contact_email="new@bakery.example"), first)
        self.assertEqual(self.row().contact_email, "new@bakery.example")

    def test_a_firm_with_another_name_than_shown_is_not_agreed_with(self):
        answer = self.ask("firms.agree", self.bakery, code=self.firm.code, firm_name="Another", **ABOUT)
        self.assertFailure(answer, "firm_unknown", "retry")
        self.assertFalse(self.seen())

    def test_an_archived_firm_is_neither_found_nor_sees_anything(self):
        self.agree()
        self.firm.active = False
        self.assertFalse(self.seen())
        self.assertFalse(self.env["bank.sync.firm.agreement"].with_user(self.ada).search([]))
        self.assertFailure(self.ask("firms.find", self.third_client, code=self.firm.code), "firm_unknown", "retry")

    def test_a_code_that_was_replaced_is_accepted_no_longer_and_agreements_stay(self):
        self.agree()
        former = self.firm.code
        self.firm.action_replace_code()
        self.assertNotEqual(self.firm.code, former)
        self.assertFailure(self.ask("firms.find", self.third_client, code=former), "firm_unknown", "retry")
        self.assertTrue(self.seen())

    def test_codes_cannot_be_guessed(self):
        """78 bits, at 20 attempts an hour; the client's other requests are still answered."""
        codes = {self.env["bank.sync.firm"]._new_code() for _code in range(200)}
        self.assertEqual(len(codes), 200)
        for code in codes:
            self.assertRegex(code, r"^([2-9A-HJKMNP-TV-Z]{4}-){3}[2-9A-HJKMNP-TV-Z]{4}$")
        for _attempt in range(20):
            self.assertFailure(self.ask("firms.find", self.bakery, code="WRONG"), "firm_unknown", "retry")
        for operation in ("firms.find", "firms.agree"):
            answer = self.ask(operation, self.bakery, code=self.firm.code, firm_name="Abacus", **ABOUT)
            self.assertFailure(answer, "too_many_requests", "retry")
            self.assertTrue(0 < answer["error"]["retry_after"] <= 3600)
        self.assertEqual(self.bakery.state, "active")
        self.assertNotIn("error", self.ask("institutions.search", self.bakery, query="demo"))
        noted = self.env["bank.sync.suspicion"].search([("client_id", "=", self.bakery.id)])
        self.assertEqual(set(noted.mapped("kind")), {"firm"})
        self.make_older(noted, minutes=61)
        self.assertNotIn("error", self.ask("firms.find", self.bakery, code=self.firm.code))

    def test_what_a_client_says_of_itself_is_checked(self):
        for wrong in (
            {"client_name": ""},
            {"client_name": "\u202e"},
            {"contact_email": "not an address"},
            {"contact_email": "a@b.example, c@d.example"},
            {"contact_email": "x" * 300 + "@d.example"},
        ):
            with self.subTest(wrong):
                payload = {"code": self.firm.code, "firm_name": "Abacus", **ABOUT, **wrong}
                self.assertFailure(
                    self.ask("firms.agree", self.bakery, **payload), "invalid_request", "contact_support"
                )
        agreement = self.agree(client_name="Bak\u202eery\n", contact_name="B" * 500)
        self.assertEqual((agreement.client_name, len(agreement.contact_name)), ("Bakery", 100))

    def test_both_chatters_say_who_agreed_and_revoked(self):
        self.agree()
        self.ask("firms.revoke", self.bakery)
        self.assertIn("The accounting firm Abacus no longer sees the bank consents.", self.chatter(self.bakery)[0])
        self.assertIn("Agreed that the accounting firm Abacus sees", self.chatter(self.bakery)[1])
        self.assertIn("Bakery no longer shows its bank consents.", self.chatter(self.firm)[0])
        self.assertIn("Bakery agreed to show its bank consents.", self.chatter(self.firm)[1])

    def test_support_ends_an_agreement_for_a_client_that_cannot(self):
        agreement = self.agree()
        support = new_test_user(self.env, "sam.support", groups="bank_sync_proxy.group_support")
        with self.assertRaises(AccessError):
            agreement.with_user(self.ada).action_end()
        agreement.with_user(support).action_end()
        self.assertFalse(self.seen())
        self.assertIn("Support has ended it.", self.chatter(self.bakery)[0])


@tagged("post_install", "-at_install")
class TestConsents(FirmsCase):
    """The content of a row of the page."""

    def setUp(self):
        super().setUp()
        self.agree()

    def test_row_shows_bank_state_days_and_contact(self):
        row = self.row()
        self.assertEqual(row.bank_name, self.bank.institution_id.name)
        self.assertEqual((row.status, row.days_left, row.has_end), ("6_fine", 90, True))
        self.assertEqual((row.agreement_id.display_name, row.contact_name), ("Bakery", "Bea Baker"))
        self.assertFalse(row.error_message or row.error_reference or row.is_urgent or row.is_silent)

    def test_each_state_is_recognized(self):
        now = fields.Datetime.now()
        cases = (
            ("1_expired", {"state": "expired"}),
            ("1_expired", {"consent_expires_at": now - timedelta(hours=1)}),
            ("2_disconnected", {"state": "disconnected", "reason": "Wrong account."}),
            ("3_failing", {"failed_at": now}),
            ("3_failing", {"failed_at": now, "synchronized_at": False}),
            ("4_ending", {"consent_expires_at": now + timedelta(days=14)}),
            ("5_never", {"synchronized_at": False}),
            ("6_fine", {"consent_expires_at": False}),
            ("6_fine", {"consent_expires_at": now + timedelta(days=15)}),
            ("6_fine", {"failed_at": now - timedelta(minutes=6)}),
        )
        for status, values in cases:
            with self.subTest(status, values=values):
                row = self.row(self.connected(self.bakery, **values))
                self.assertEqual(row.status, status)
                self.assertEqual(row.is_urgent, status < "5")

    def test_a_failure_is_a_sentence_with_its_reference_in_the_reader_s_language(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        record = self.failing(ConsentError("credentials_rejected", "IBAN BE71096123456769", note="Secret note"))
        row = self.row()
        self.assertEqual((row.status, row.error_reference), ("3_failing", record.reference))
        self.assertIn("The bank did not accept the credentials", row.error_message)
        self.assertNotIn("Secret note", row.error_message)
        self.assertIn("La banque", row.with_context(lang="fr_FR").error_message)

    def test_a_later_success_and_a_new_consent_end_a_failure(self):
        self.failing()
        self.assertEqual(self.row().status, "3_failing")
        self.bank.write({"synchronized_at": fields.Datetime.now() + timedelta(minutes=6)})
        self.assertEqual(self.row().status, "6_fine")

    def test_what_a_database_asks_is_a_success_or_a_failure(self):
        identifier = self.connect()
        connection = self.env["bank.sync.connection"].search([("identifier", "=", identifier)])
        self.assertFalse(connection.synchronized_at)
        account = self.ask("accounts.list", connection_id=identifier)["accounts"][0]["id"]
        self.assertFalse(connection.synchronized_at, "a list of accounts is no synchronization")
        self.ask("transactions.list", connection_id=identifier, account_id=account)
        self.assertTrue(connection.synchronized_at)
        self.ask("transactions.list", connection_id=identifier, account_id="none")
        self.assertTrue(connection.failed_at)
        before = self.visit_of(
            self.ask("connections.renew", connection_id=identifier, reason="consent", return_url="/back")
        )
        self.answer_all(before)
        self.assertFalse(connection.failed_at)

    def test_a_connection_that_its_user_deleted_or_never_finished_is_not_shown(self):
        deleted, unfinished = self.connected(self.bakery), self.connected(self.bakery, state="pending")
        deleted._disconnect()
        self.assertFalse({deleted.id, unfinished.id} & set(self.seen().ids))

    def test_a_connection_that_was_cut_off_is_shown_until_the_bank_is_connected_again(self):
        self.bank._disconnect("Wrong account.")
        self.assertEqual(self.row().status, "2_disconnected")
        again = self.connected(self.bakery)
        self.assertEqual(self.seen().ids, again.ids)

    def test_the_filters_find_what_they_say(self):
        now = fields.Datetime.now()
        ending = self.connected(self.bakery, consent_expires_at=now + timedelta(days=3))
        endless = self.connected(self.bakery, consent_expires_at=False)
        never = self.connected(self.bakery, synchronized_at=False)
        silent = self.connected(self.bakery, synchronized_at=now - timedelta(days=4))
        failing = self.connected(self.bakery, failed_at=now)
        search = self.env["ir.ui.view"].search([("name", "=", "bank.sync.firm.consent.search")])
        arch = self.env["bank.sync.firm.consent"].with_user(self.ada).get_view(search.id, "search")["arch"]
        self.assertIn("Ends within 14 Days", arch)
        for name, expected in (
            ("ending", ending),
            ("failing", failing),
            ("never", never),
            ("silent", silent),
            ("urgent", ending + failing),
        ):
            with self.subTest(name):
                self.assertEqual(set(self.seen(domain=self.domain_of(arch, name)).ids), set(expected.ids))
        self.assertIn(endless.id, self.seen().ids)

    def domain_of(self, arch, name):
        (domain,) = etree.fromstring(arch).xpath(f"//filter[@name='{name}']/@domain")
        return literal_eval(domain)

    def test_the_page_of_200_clients_takes_few_queries(self):
        clients = self.env["bank.sync.client"].create(
            [{"name": f"Client {number}", "database_uuid": f"many-{number:05}"} for number in range(200)]
        )
        self.env["bank.sync.firm.agreement"].create(
            [{**ABOUT, "client_id": one.id, "firm_id": self.firm.id, "client_name": one.name} for one in clients]
        )
        institution = self.env["bank.sync.institution"]._find("sandbox.demo")
        self.env["bank.sync.connection"].create(
            [
                {"client_id": one.id, "institution_id": institution.id, "state": "connected"}
                for one in clients
                for _bank in range(10)
            ]
        )
        self.assertEqual(self.seen().search_count([]), 2001)
        view = self.env.ref("bank_sync_proxy_server.bank_sync_firm_consent_view_list")
        consents = self.env["bank.sync.firm.consent"].with_user(self.ada)
        names = [one for one in consents.get_view(view.id, "list")["models"]["bank.sync.firm.consent"] if one != "id"]
        specification = {
            name: {"fields": {"display_name": {}}} if consents._fields[name].relational else {} for name in names
        }
        consents.web_search_read([], specification, limit=80)
        self.env.invalidate_all()
        with self.assertQueryCount(12):
            page = consents.web_search_read([], specification, limit=80)
        self.assertEqual((len(page["records"]), page["length"]), (80, 2001))
        self.env.invalidate_all()
        with self.assertQueryCount(12):
            groups = consents.web_read_group([], ["agreement_id"], ["__count"], limit=300)
        self.assertEqual(groups["length"], 201)
        agreements = self.env["bank.sync.firm.agreement"].with_user(self.ada)
        self.env.invalidate_all()
        with self.assertQueryCount(12):
            agreements.web_search_read(
                [], {name: {} for name in ("client_name", "consent_count", "urgent_count", "contact_email")}, limit=300
            )


@tagged("post_install", "-at_install")
class TestFirmRights(FirmsCase):
    """A user of a firm attacks over RPC."""

    def setUp(self):
        super().setUp()
        self.agreement = self.agree()
        self.foreign = self.agree(self.third_client, self.other_firm, client_name="Stranger")
        self.env.flush_all()

    def rpc(self, model, method, *arguments, user=None, **named):
        env = self.env(user=user or self.ada, su=False)
        env.invalidate_all()
        return call_kw(env[model], method, list(arguments), named)

    def refused(self, model, method, *arguments, **named):
        quiet = mute_logger("odoo.addons.base.models.ir_rule", "odoo.addons.base.models.ir_model", "odoo.models")
        with quiet, self.assertRaises(AccessError), self.env.cr.savepoint():
            self.rpc(model, method, *arguments, **named)

    def test_nothing_else_of_the_proxy_is_read(self):
        for model in CLOSED:
            with self.subTest(model):
                for method, arguments in (
                    ("search", ([],)),
                    ("search_read", ([], ["id"])),
                    ("formatted_read_group", ([], [], ["__count"])),
                    ("name_search", ("",)),
                    ("export_data", ([1], ["display_name"])),
                    ("read", ([1], ["display_name"])),
                ):
                    self.refused(model, method, *arguments)
        models = {name for name in self.env.registry if name.startswith("bank.sync.")}
        stored = {name for name in models if self.env[name]._auto and not self.env[name]._abstract}
        readable = {name for name in stored if self.env[name].with_user(self.ada).has_access("read")}
        self.assertEqual(
            readable, {f"bank.sync.firm{end}" for end in ("", ".agreement", ".letter", ".member")}, "say why in CLOSED"
        )

    def test_rows_of_other_firms_are_neither_read_nor_counted(self):
        self.refused("bank.sync.firm.consent", "read", [self.hidden.id], ["bank_name"])
        self.refused("bank.sync.firm.agreement", "read", [self.foreign.id], ["client_name"])
        self.refused("bank.sync.firm", "read", [self.other_firm.id], ["code"])
        self.refused("bank.sync.firm.member", "read", [self.other_firm.member_ids.id], ["digest"])
        self.refused("bank.sync.firm.consent", "export_data", [self.hidden.id], ["bank_name"])
        for domain in ([], [("contact_email", "!=", False)], [("agreement_id", "=", self.foreign.id)]):
            found = self.rpc("bank.sync.firm.consent", "search", domain)
            self.assertLessEqual(set(found), {self.bank.id})
        groups = self.rpc("bank.sync.firm.consent", "formatted_read_group", [], ["agreement_id"], ["__count"])
        self.assertEqual([group["agreement_id"][0] for group in groups], [self.agreement.id])
        self.assertEqual(self.rpc("bank.sync.firm.agreement", "search_count", []), 1)
        self.assertEqual(self.rpc("bank.sync.firm", "search", []), [self.firm.id])

    def test_no_path_leads_to_the_client_or_its_secrets(self):
        paths = ("client_id.secret_data", "client_id.secret_phone", "client_id.url", "client_id", "client_id.name")
        for path in paths:
            # Why a value: a condition that is always true, as a required field is, reads nothing and is answered.
            with self.subTest(path):
                self.refused("bank.sync.firm.agreement", "search", [(path, "=", self.bakery.id)])
                self.refused("bank.sync.firm.consent", "search", [(f"agreement_id.{path}", "=", self.bakery.id)])
                self.refused("bank.sync.firm", "search", [(f"agreement_ids.{path}", "=", self.bakery.id)])
        self.refused("bank.sync.firm.agreement", "read", [self.agreement.id], ["client_id"])
        self.refused("bank.sync.firm.agreement", "search", [], 0, 1, "client_id")
        self.refused("bank.sync.firm.agreement", "export_data", [self.agreement.id], ["client_id/secret_data"])
        self.refused("bank.sync.firm.agreement", "formatted_read_group", [], ["client_id"], ["__count"])
        names = set(self.env["bank.sync.firm.consent"]._fields)
        relations = {name for name in names if self.env["bank.sync.firm.consent"]._fields[name].relational}
        self.assertEqual(relations - {"create_uid", "write_uid"}, {"firm_id", "agreement_id"})

    def test_nothing_is_written(self):
        for model, one in (
            ("bank.sync.firm", self.firm),
            ("bank.sync.firm.agreement", self.agreement),
            ("bank.sync.firm.consent", self.bank),
        ):
            for name in self.env[model]._fields:
                self.refused(model, "write", [one.id], {name: False})
            self.refused(model, "create", [{}])
            self.refused(model, "unlink", [one.id])
        self.refused("bank.sync.firm", "action_replace_code", [self.firm.id])
        self.refused("bank.sync.firm.member", "create", [{"firm_id": self.other_firm.id, "user_id": self.ada.id}])
        self.refused("bank.sync.firm.member", "unlink", self.firm.member_ids.ids)
        self.refused("bank.sync.firm", "message_post", [self.firm.id], body="x")

    def test_a_user_chooses_the_own_digest_and_no_firm(self):
        own, other = self.firm.member_ids, self.other_firm.member_ids
        self.rpc("bank.sync.firm.member", "write", own.ids, {"digest": "daily"})
        self.assertEqual(own.digest, "daily")
        self.refused("bank.sync.firm.member", "write", own.ids, {"firm_id": self.other_firm.id})
        self.refused("bank.sync.firm.member", "write", own.ids, {"user_id": self.bob.id, "digest": "daily"})
        self.refused("bank.sync.firm.member", "write", own.ids, {"digest_on": "2020-01-01"})
        self.refused("bank.sync.firm.member", "write", other.ids, {"digest": "daily"})

    def test_a_user_who_left_the_firm_or_lost_the_group_sees_nothing(self):
        self.firm.member_ids.unlink()
        self.assertFalse(self.seen())
        self.other_firm.member_ids.user_id.group_ids = [Command.unlink(self.env.ref(GROUP).id)]
        with self.assertRaises(AccessError):
            self.seen(self.bob)

    def test_other_people_and_contacts_are_not_seen(self):
        found = self.rpc("res.users", "search", [])
        self.assertEqual(found, self.ada.ids)
        partners = self.env["res.partner"].browse(self.rpc("res.partner", "search", []))
        self.assertEqual(partners, self.ada.partner_id | self.ada.company_ids.partner_id)
        self.refused("res.partner", "read", self.bob.partner_id.ids, ["email"])

    def test_rules_name_only_fields_of_addons_that_are_depended_on(self):
        """A database of the tests has more addons than a proxy: there, a field of another one would be no error."""
        own = self.env.ref("base.module_bank_sync_proxy_server")
        addons = {"bank_sync_proxy_server", *own.upstream_dependencies(exclude_states=("uninstalled",)).mapped("name")}
        known = self.env["ir.model.data"].search([("module", "=", own.name), ("model", "=", "ir.rule")])
        rules = self.env["ir.rule"].browse(known.mapped("res_id"))
        self.assertIn(self.env.ref("bank_sync_proxy_server.bank_sync_firm_rule_partner"), rules)
        for rule in rules:
            values = rule.with_user(self.ada).sudo()._eval_context()
            for condition in Domain(safe_eval(rule.domain_force, values)).iter_conditions():
                model = self.env[rule.model_id.model]
                for name in condition.field_expr.split("."):
                    with self.subTest(rule.name, field=name):
                        self.assertTrue(addons.intersection(model._fields[name]._modules or addons))
                    model = self.env.get(model._fields[name].comodel_name)

    def test_colleagues_of_the_operator_still_see_contacts(self):
        for groups in (f"{GROUP},base.group_partner_manager", f"{GROUP},bank_sync_proxy.group_support"):
            user = new_test_user(self.env, f"colleague {groups[-12:]}", groups=groups)
            self.assertIn(self.bob.partner_id.id, self.rpc("res.partner", "search", [], user=user))

    def test_menus_of_the_operator_are_hidden(self):
        visible = self.env["ir.ui.menu"].with_user(self.ada)._visible_menu_ids()
        self.assertIn(self.env.ref("bank_sync_proxy_server.bank_sync_firm_consent_menu").id, visible)
        self.assertNotIn(self.env.ref("bank_sync_proxy.bank_sync_proxy_menu").id, visible)
        for name in ("bank_sync_client_menu", "bank_sync_concern_menu", "bank_sync_firm_menu"):
            self.assertNotIn(self.env.ref(f"bank_sync_proxy_server.{name}").id, visible)

    def test_each_view_opens_for_a_user_of_a_firm(self):
        for model in ("bank.sync.firm", "bank.sync.firm.agreement", "bank.sync.firm.consent", "bank.sync.firm.member"):
            for view in self.env["ir.ui.view"].search([("model", "=", model), ("type", "!=", "qweb")]):
                with self.subTest(view.name):
                    arch = self.env[model].with_user(self.ada).get_view(view.id, view.type)["arch"]
                    self.assertNotIn("client_id", arch)
                    self.assertNotIn("<chatter", arch, "it reads followers, whom a firm does not see: an error dialog")


@tagged("post_install", "-at_install")
class TestLetters(FirmsCase):
    """A firm writes only to the contacts of its clients."""

    def setUp(self):
        super().setUp()
        self.env.company.email = "proxy@operator.example"
        self.agreement = self.agree()
        self.foreign = self.agree(self.third_client, self.other_firm, contact_email="victim@stranger.example")
        self.mails = self.env["mail.mail"].search([])

    def open(self, consents=None):
        action = (consents or self.row()).with_user(self.ada).action_write()
        return self.env["bank.sync.firm.letter"].with_user(self.ada).browse(action["res_id"])

    def sent(self):
        return self.env["mail.mail"].search([]) - self.mails

    def test_a_letter_goes_to_the_client_s_contact_with_the_list_of_its_banks(self):
        record = self.failing(ConsentError("consent_expired"))
        letter = self.open()
        letter.write({"subject": "Please\nrenew", "body": "Dear <b>Bea</b>"})
        letter.action_send()
        mail = self.sent()
        self.assertEqual((len(mail), mail.email_to), (1, '"Bea Baker" <bea@bakery.example>'))
        self.assertEqual((mail.subject, mail.reply_to), ("Please renew", '"Ada" <ada@firm.example>'))
        self.assertEqual(mail.email_from, '"Abacus" <proxy@operator.example>', "mail servers refuse foreign senders")
        for text in ("Dear &lt;b&gt;Bea", self.row().bank_name, record.reference, "names you as the contact"):
            self.assertIn(text, mail.body_html)
        self.assertFalse(mail.recipient_ids)
        self.assertFalse(self.env["res.partner"].search([("email", "=", "bea@bakery.example")]))
        self.assertIn(
            "Ada of the accounting firm Abacus wrote to the contact: Please renew", self.chatter(self.bakery)[0]
        )

    def test_a_client_gets_one_letter_a_day(self):
        self.open().action_send()
        again = self.open()
        self.assertEqual((again.agreement_ids.ids, again.written_today), ([], "Bakery"))
        with self.assertRaisesRegex(UserError, "one e-mail a day"):
            again.action_send()
        kept = (
            self.env["bank.sync.firm.letter"]
            .with_user(self.ada)
            .sudo()
            .create({"agreement_ids": self.agreement.ids, "subject": "x", "body": "y"})
        )
        with self.assertRaisesRegex(UserError, "one e-mail a day"):
            kept.with_user(self.ada).action_send()
        self.assertEqual(len(self.sent()), 1)
        self.agreement.written_on = date(2020, 1, 1)
        kept.with_user(self.ada).action_send()
        self.assertEqual(len(self.sent()), 2)

    def test_letter_reaches_only_the_firm_s_own_clients(self):
        """Only the server sets recipients; if they were forged nevertheless, the rules are checked again."""
        with self.assertRaises(AccessError):
            self.env["bank.sync.firm.letter"].with_user(self.ada).create(
                {"agreement_ids": [Command.set(self.foreign.ids)], "subject": "x", "body": "y"}
            )
        letter = self.open()
        with self.assertRaises(AccessError):
            letter.write({"agreement_ids": [Command.link(self.foreign.id)]})
        with self.assertRaises(AccessError):
            self.env["bank.sync.firm.consent"].browse(self.hidden.id).with_user(self.ada).action_write()
        letter.sudo().agreement_ids = self.foreign
        with self.assertRaises(UserError):
            letter.action_send()
        self.assertFalse(self.sent())

    def test_a_client_that_revoked_while_the_letter_was_open_gets_none(self):
        letter = self.open()
        self.ask("firms.revoke", self.bakery)
        with self.assertRaises(UserError):
            letter.action_send()
        self.assertFalse(self.sent())

    def test_a_letter_of_another_user_is_not_sent(self):
        letter = self.open()
        with self.assertRaises(AccessError):
            letter.with_user(self.bob).action_send()

    def test_a_client_without_an_address_is_named_and_not_written_to(self):
        self.agree(contact_email=None)
        letter = self.open()
        self.assertEqual((letter.agreement_ids.ids, letter.unreachable), ([], "Bakery"))

    def test_a_letter_that_is_too_long_or_empty_is_not_sent(self):
        letter = self.open()
        for values in ({"subject": " "}, {"body": " \n"}, {"subject": "x" * 201}, {"body": "x" * 5001}):
            letter.write({"subject": "Fine", "body": "Fine", **values})
            with self.assertRaisesRegex(UserError, "Nothing was sent"):
                letter.action_send()


@tagged("post_install", "-at_install")
class TestDigests(FirmsCase):
    """A user who subscribes gets an e-mail of what this user may see."""

    def setUp(self):
        super().setUp()
        self.agree()
        self.bank.state = "expired"
        self.member = self.firm.member_ids
        self.member.digest = "daily"
        self.mails = self.env["mail.mail"].search([])

    def send(self, day="2026-05-20"):
        """Wednesday unless said otherwise."""
        self.env.flush_all()
        self.env.invalidate_all()
        self.patch(fields.Date, "context_today", staticmethod(lambda *_arguments: date.fromisoformat(day)))
        with self.enter_registry_test_mode():
            self.env.ref("bank_sync_proxy_server.ir_cron_send_firm_digests").method_direct_trigger()
        self.env.invalidate_all()
        return self.env["mail.mail"].search([]) - self.mails

    def test_a_daily_digest_lists_what_needs_attention_once_a_day(self):
        mail = self.send()
        self.assertEqual((len(mail), mail.email_to), (1, '"Ada" <ada@firm.example>'))
        for text in ("Bakery", self.row().bank_name, "Expired"):
            self.assertIn(text, mail.body_html)
        self.assertEqual(self.send(), mail, "once a day")
        self.assertEqual(len(self.send("2026-05-21")), 2)

    def test_a_weekly_digest_comes_on_mondays_or_a_week_later(self):
        self.member.write({"digest": "weekly", "digest_on": "2026-05-18"})
        self.assertFalse(self.send())
        self.assertEqual(len(self.send("2026-05-25")), 1)
        self.assertEqual(len(self.send("2026-05-30")), 1)
        self.assertEqual(len(self.send("2026-06-02")), 2, "no server on that Monday")

    def test_nothing_is_sent_to_those_who_did_not_ask_or_may_not_see(self):
        self.member.digest = "none"
        self.assertFalse(self.send())
        self.member.digest = "daily"
        self.ada.group_ids = [Command.unlink(self.env.ref(GROUP).id)]
        self.assertFalse(self.send())

    def test_nothing_is_sent_where_nothing_needs_attention(self):
        self.bank.state = "connected"
        self.assertFalse(self.send())

    def test_a_client_that_revoked_is_in_no_digest(self):
        self.ask("firms.revoke", self.bakery)
        self.assertFalse(self.send())
