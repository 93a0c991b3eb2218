from odoo import fields
from odoo.addons.bank_sync_proxy.providers.errors import ConsentError, TransientError
from odoo.addons.bank_sync_proxy.tests import support
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, new_test_user, tagged

REASON = "Your contract has ended. Call us, and it goes on."


class SupportCase(support.SupportCase):
    """A person of support, who may read and intervene, and a database that is helped."""

    def intervene(self, action, records, reason=REASON, user=None):
        wizard = (
            self.env["bank.sync.intervention"]
            .with_user(user or self.support)
            .with_context(active_model=records._name, active_ids=records.ids, default_action=action)
        )
        form = Form(wizard)
        form.reason = reason
        return form.save().action_apply()

    def chatter(self, record):
        """:return: all that the chatter of a record says, and who said it last"""
        self.env.flush_all()
        messages = record.message_ids
        return " ".join(messages.mapped("body")), messages[0].author_id.name


@tagged("post_install", "-at_install")
class TestInterventions(SupportCase):
    """Actions of support, and the record of who did them and why."""

    def test_a_block_says_why_to_the_database_and_who_to_support(self):
        self.intervene("block", self.other_client)
        self.assertRecordValues(self.other_client, [{"state": "blocked", "blocked_by": "support", "reason": REASON}])
        answer = self.ask("institutions.search", client=self.other_client)
        self.assertFailure(answer, "client_suspended", "contact_support")
        self.assertIn(REASON, answer["error"]["message"])
        text, author = self.chatter(self.other_client)
        self.assertIn("Blocked by support.", text)
        self.assertIn(REASON, text)
        self.assertEqual(author, "Sam Support")

    def test_an_unblock_is_logged_too_and_serves_the_database_again(self):
        self.intervene("block", self.other_client)
        self.intervene("unblock", self.other_client, "Talked to them.")
        self.assertRecordValues(self.other_client, [{"state": "active", "blocked_by": False, "reason": False}])
        self.assertIn("Talked to them.", self.chatter(self.other_client)[0])
        self.assertIn("institutions", self.ask("institutions.search", client=self.other_client))

    def test_an_unblock_does_not_reconnect_what_is_disconnected(self):
        self.intervene("disconnect", self.other_client)
        self.intervene("unblock", self.other_client, "")
        self.assertEqual(self.other_client.state, "disconnected")

    def test_a_disconnected_database_reads_why(self):
        self.intervene("disconnect", self.other_client)
        answer = self.ask("institutions.search", client=self.other_client)
        self.assertFailure(answer, "client_disconnected", "reconnect")
        self.assertIn(REASON, answer["error"]["message"])

    def test_nothing_is_cut_without_a_reason(self):
        connection = self.env["bank.sync.connection"].create({"client_id": self.other_client.id})
        for action, record in (
            ("block", self.other_client),
            ("disconnect", self.other_client),
            ("disconnect_connection", connection),
        ):
            wizard = (
                self.env["bank.sync.intervention"]
                .with_user(self.support)
                .with_context(active_model=record._name, active_ids=record.ids)
            )
            with self.subTest(action=action), self.assertRaises(UserError):
                wizard.create({"action": action, "reason": "  "}).action_apply()
        self.assertEqual(self.other_client.state, "active")

    def test_action_without_a_selection_is_not_a_success(self):
        wizard = self.env["bank.sync.intervention"].with_user(self.support).create({"action": "block", "reason": "x"})
        with self.assertRaises(UserError):
            wizard.action_apply()

    def test_an_intervention_does_one_of_four_things_and_nothing_else(self):
        """Whatever the record contains: it used to name the method that ran, with superuser rights."""
        wizard = self.env["bank.sync.intervention"].with_user(self.support)
        wizard = wizard.create({"action": "block", "reason": "x", "client_ids": self.other_client.ids})
        self.env.flush_all()
        self.env.cr.execute("UPDATE bank_sync_intervention SET action = 'records' WHERE id = %s", [wizard.id])
        self.env.invalidate_all()
        with self.assertRaisesRegex(UserError, "Choose what to do"):
            wizard.action_apply()

    def test_an_intervention_needs_support_at_the_moment_it_is_applied(self):
        wizard = self.env["bank.sync.intervention"].with_user(self.support)
        wizard = wizard.create({"action": "block", "reason": "x", "client_ids": self.other_client.ids})
        self.support.group_ids -= self.env.ref("bank_sync_proxy.group_support")
        with self.assertRaises(AccessError):
            wizard.action_apply()
        self.assertEqual(self.other_client.state, "active")

    def test_a_ready_made_reason_can_be_edited(self):
        ready = self.env.ref("bank_sync_proxy_server.bank_sync_reason_block_terms")
        context = {"active_model": "bank.sync.client", "active_ids": self.other_client.ids, "default_action": "block"}
        form = Form(self.env["bank.sync.intervention"].with_user(self.support).with_context(**context))
        form.reason_id = ready
        self.assertEqual(form.reason, ready.text)
        form.reason += " Ask for Sam."
        form.save().action_apply()
        self.assertEqual(self.other_client.reason, f"{ready.text} Ask for Sam.")

    def test_several_databases_are_blocked_at_once(self):
        third = self.env["bank.sync.client"].create({"name": "Third", "database_uuid": "third"})
        self.intervene("block", self.other_client | third)
        self.assertEqual((self.other_client | third).mapped("state"), ["blocked", "blocked"])

    def test_connection_is_ended_with_its_consent_and_its_database_is_notified(self):
        identifier = self.connect()
        connection = self.env["bank.sync.connection"].search([("identifier", "=", identifier)])
        self.intervene("disconnect_connection", connection)
        self.assertRecordValues(connection, [{"state": "disconnected", "secret_state": False, "reason": REASON}])
        event = self.env["bank.sync.event"].search([("connection_id", "=", connection.id)], order="id desc", limit=1)
        self.assertEqual(event.kind, "connection.disconnected")
        text, author = self.chatter(connection)
        self.assertIn(REASON, text)
        self.assertEqual(author, "Sam Support")
        answer = self.ask("accounts.list", connection_id=identifier)
        self.assertFailure(answer, "connection_disconnected", "reconnect")

    def test_a_provider_that_fails_keeps_no_connection_alive(self):
        connection = self.env["bank.sync.connection"].search([("identifier", "=", self.connect())])
        # It can't be asked without its key, and says so.
        connection.secret_state = "written by another database"
        self.intervene("disconnect_connection", connection)
        self.assertEqual(connection.state, "disconnected")
        record = self.errors.search([("operation", "=", "support.disconnect")], limit=1)
        self.assertEqual(record.connection_id, connection)
        self.assertIn(record.reference, self.chatter(connection)[0])

    def test_user_who_connects_a_bank_does_not_follow_support_s_chatter(self):
        user = new_test_user(self.env, "accountant", groups="base.group_user")
        answer = self.api_model.with_user(user)._dispatch(
            self.client_record, "connections.start", {"return_url": "/back", "institution_id": "sandbox.demo"}
        )
        connection = self.connection(answer)
        self.assertFalse(connection.message_follower_ids)
        self.assertFalse(connection.message_ids)

    def test_support_requests_the_phone_number_again(self):
        client = self.other_client
        client.with_user(self.support).action_ask_phone_again()
        self.assertEqual(client.state, "phone_required")
        self.assertIn("Sam Support", self.chatter(client)[0])

    def test_support_writes_notes(self):
        self.other_client.with_user(self.support).message_post(body="Called back at noon.")
        self.assertIn("Called back", self.chatter(self.other_client)[0])


@tagged("post_install", "-at_install")
class TestClientsAreFound(SupportCase):
    """A client is found by what users know about it."""

    def test_a_client_is_found_by_whatever_people_know_of_it(self):
        self.other_client.write({"url": "https://books.example.com", "contact_email": "ann@example.com"})
        for text in ("Another", self.other_client.identifier, "another", "books.example", "ann@example"):
            found = self.env["bank.sync.client"].search([("display_name", "ilike", text)])
            self.assertIn(self.other_client, found, text)

    def test_a_client_is_found_by_the_reference_of_its_error(self):
        self.failure().reference = "E-7KQ2-M9XE"
        found = self.env["bank.sync.client"].search([("error_ids", "ilike", "e7kq2m9xe")])
        self.assertEqual(found, self.other_client)


@tagged("post_install", "-at_install")
class TestConcerns(SupportCase):
    """The first page lists current problems, and leads to them."""

    def setUp(self):
        super().setUp()
        self.errors.search([]).unlink()
        self.env["bank.sync.suspicion"].search([]).unlink()

    def concerns(self, kind):
        # PostgreSQL recomputes the rows, and Odoo does not know when.
        self.env.flush_all()
        self.env.invalidate_all()
        return self.env["bank.sync.concern"].with_user(self.support).search([("kind", "=", kind)])

    def behind(self, concern):
        action = concern.action_open()
        return self.env[action["res_model"]].with_user(self.support).search(action["domain"])

    def test_a_bank_that_fails_is_one_row_and_what_users_must_do_is_none(self):
        bank = self.env["bank.sync.institution"]._find("sandbox.demo")
        connection = self.env["bank.sync.connection"].create(
            {"client_id": self.other_client.id, "institution_id": bank.id}
        )
        failures = self.failure(connection=connection) | self.failure(connection=connection)
        self.failure(ConsentError("consent_expired"), connection=connection)
        concern = self.concerns("1_institution")
        self.assertRecordValues(concern, [{"institution_id": bank.id, "occurrences": 2, "client_count": 1}])
        self.assertEqual(concern.name, "institution_unavailable")
        self.assertEqual(self.behind(concern), failures)

    def test_yesterday_s_trouble_is_gone(self):
        self.failure()
        self.env.flush_all()
        self.env.cr.execute("UPDATE bank_sync_error SET create_date = create_date - interval '25 hours'")
        self.assertFalse(self.concerns("2_proxy"))

    def test_failures_without_a_bank_are_grouped_by_provider(self):
        failure = self.failure(TransientError("provider_unavailable", provider="sandbox"))
        concern = self.concerns("2_proxy")
        self.assertEqual((concern.provider_code, concern.occurrences), ("sandbox", 1))
        self.assertEqual(self.behind(concern), failure)
        failure.provider_code = False
        self.assertEqual(self.behind(self.concerns("2_proxy")), failure)

    def test_blocked_client_is_listed_with_the_reason(self):
        self.other_client._block(REASON, by="support")
        concern = self.concerns("3_client").filtered(lambda row: row.client_id == self.other_client)
        self.assertEqual(concern.name, REASON)
        self.assertEqual(concern.action_open()["res_id"], self.other_client.id)

    def test_suspicious_activity_is_shown_before_it_blocks(self):
        self.other_client._note_suspicion("code")
        self.other_client._note_suspicion("signature")
        concern = self.concerns("4_suspicion")
        self.assertRecordValues(concern, [{"client_id": self.other_client.id, "occurrences": 2}])
        self.assertEqual(len(self.behind(concern)), 2)

    def test_visit_that_may_still_succeed_is_not_a_concern(self):
        connection = self.env["bank.sync.connection"].create({"client_id": self.other_client.id})
        self.assertFalse(self.concerns("5_unfinished").filtered(lambda row: not row.institution_id))
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE bank_sync_connection SET create_date = create_date - interval '1 hour' WHERE id = %s",
            [connection.id],
        )
        self.env.invalidate_all()
        concern = self.concerns("5_unfinished").filtered(lambda row: not row.institution_id)
        self.assertIn(connection, self.behind(concern))

    def test_database_that_cannot_be_notified_is_a_concern(self):
        event = self.env["bank.sync.event"]._emit(self.other_client, "client.active")
        self.assertFalse(self.concerns("6_event"))
        event.write({"attempts": 1, "last_error": "HTTP 502"})
        concern = self.concerns("6_event")
        self.assertRecordValues(concern, [{"client_id": self.other_client.id, "name": "HTTP 502"}])
        self.assertEqual(self.behind(concern), event)

    def test_ids_of_the_rows_never_meet(self):
        self.failure()
        self.failure(TransientError("provider_unavailable", provider="sandbox"))
        self.other_client._block(REASON)
        self.other_client._note_suspicion("code")
        rows = self.env["bank.sync.concern"].search([])
        self.assertEqual(len(set(rows.ids)), len(rows.read(["name"])))

    def test_the_last_activity_of_a_client_needs_no_write_at_each_request(self):
        connection = self.env["bank.sync.connection"].create({"client_id": self.other_client.id})
        later = fields.Datetime.add(fields.Datetime.now(), hours=2)
        connection.refreshed_at = later
        self.other_client.invalidate_recordset()
        self.assertEqual(self.other_client.with_user(self.support).last_activity_at, later)
