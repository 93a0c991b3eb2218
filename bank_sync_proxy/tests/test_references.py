import logging

from odoo.exceptions import AccessError
from odoo.tests import new_test_user, tagged

from ..providers.errors import ConsentError
from .support import SupportCase


@tagged("post_install", "-at_install")
class TestReferences(SupportCase):
    """A reference is found as users read it aloud, or type it from a picture."""

    def setUp(self):
        super().setUp()
        self.record = self.failure()
        self.record.reference = "E-7KQ2-M9XE"
        self.failure().reference = "E-3333-4444"

    def test_it_is_found_as_people_type_it(self):
        for spoken in (
            "E-7KQ2-M9XE",
            "e-7kq2-m9xe",
            "E7KQ2M9XE",
            "7kq2m9xe",
            "7KQ2 M9XE",
            " e 7kq2 – m9xe. ",
            "7KQ2",
            "m9xe",
            "q2m9",
            "E-7KO2-M9XE",
            "E-7K02-M9XE",
            "E-LKQ2-M9XE",
            "1kq2m9xe",
            "E-7KQ2-M9Xi",
            "e",
        ):
            with self.subTest(spoken=spoken):
                found = self.errors.search([("display_name", "ilike", spoken)])
                self.assertIn(self.record, found)
                self.assertFalse(found.filtered(lambda record: record.reference == "E-3333-4444"))

    def test_another_one_is_not_found(self):
        for spoken in ("E-7KQ2-M9XF", "7KQ2M9X7", "E-7KQ2-M9XE-2", "OOOO", "%", "___"):
            with self.subTest(spoken=spoken):
                self.assertNotIn(self.record, self.errors.search([("display_name", "ilike", spoken)]))

    def test_it_finds_its_connection(self):
        connection = self.env["bank.sync.connection"].create({"client_id": self.other_client.id})
        self.record.connection_id = connection
        connections = self.env["bank.sync.connection"]
        self.assertEqual(connections.search([("error_ids", "ilike", "7KO2")]), connection)


@tagged("post_install", "-at_install")
class TestErrorRecords(SupportCase):
    """What is shown beside a reference."""

    def test_who_must_act_follows_from_the_code(self):
        self.assertEqual(self.failure().actor, "nobody")
        self.assertEqual(self.failure(ConsentError("consent_expired")).actor, "user")

    def test_the_bank_is_known_also_while_a_user_is_choosing_it(self):
        bank = self.env["bank.sync.institution"]._find("sandbox.demo")
        connection = self.env["bank.sync.connection"].create({"client_id": self.other_client.id})
        self.assertEqual(
            self.failure(connection=connection, request={"institution_id": bank.identifier}).institution_id, bank
        )
        connection.institution_id = bank
        self.assertEqual(self.failure(connection=connection).institution_id, bank)
        self.assertFalse(self.failure(request={"institution_id": "no\x00ne"}).institution_id)

    def test_errors_around_that_time_are_those_of_the_same_client(self):
        record, near, far = self.failure(), self.failure(), self.failure()
        self.failure(client=self.client_record)
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE bank_sync_error SET create_date = create_date - interval '61 minutes' WHERE id = %s", [far.id]
        )
        self.env.invalidate_all()
        self.assertEqual(record.with_user(self.support).nearby_ids, near)

    def test_support_takes_no_records_along(self):
        record = self.failure()
        with self.assertRaises(AccessError):
            record.with_user(self.support).export_data(["reference", "detail"])
        administrator = new_test_user(
            self.env, "ada", groups="bank_sync_proxy.group_administrator,base.group_allow_export"
        )
        with self.assertLogs("odoo.addons.bank_sync_proxy.models.bank_sync_error", logging.INFO) as logs:
            self.assertTrue(record.with_user(administrator).export_data(["reference"])["datas"])
        self.assertIn("ada exports 1 error records", logs.output[0])
