import re
from datetime import timedelta
from pathlib import Path

from odoo.addons.bank_sync_proxy.tests.common import ProxyMixin
from odoo.addons.sms.tests.common import MockSMS
from odoo.tools import SQL

NEUTRALIZE = Path(__file__).parents[1] / "data" / "neutralize.sql"
PHONE = "+32470123456"
ANOTHER_PHONE = "+32470999888"
DIGEST, ANOTHER_DIGEST = "d" * 64, "e" * 64
ADDRESS = "203.0.113.7"
ABOUT = {
    "database_uuid": "3f1c2d4e-0000-4000-8000-00000000000a",
    "name": "Books",
    "url": "https://books.example.com",
    "contact_email": "Ada@Example.com",
    "language": "en_US",
    "database": DIGEST,
}


class ClientsMixin(ProxyMixin):
    """A proxy for databases elsewhere."""

    def register(self, **about):
        """:return: a client that has just registered"""
        answer = self.env["bank.sync.client"]._register_database({**ABOUT, **about}, ADDRESS)
        return self.env["bank.sync.client"].search([("identifier", "=", answer["client_id"])])

    def register_active(self, **about):
        """:return: a client whose phone was confirmed"""
        client = self.register(**about)
        secret = self.env["bank.sync.vault"]._encrypt(client, "secret_phone", {"phone": PHONE})
        client.write({"secret_phone": secret, "awaits_phone_since": False})
        client._set_state("active")
        return client

    def chatter(self, client):
        """:return: texts of the messages, newest first"""
        return [re.sub(r"<[^>]+>", "", body) for body in client.message_ids.mapped("body") if body]

    def records_of(self, client):
        return self.env["bank.sync.error"].search([("client_id", "=", client.id)])

    def make_older(self, records, **interval):
        """Let records be made earlier; ``minutes=10`` or ``days=3``."""
        seconds = timedelta(**interval).total_seconds()
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                "UPDATE %s SET create_date = create_date - make_interval(secs => %s) WHERE id = ANY(%s)",
                SQL.identifier(records._table),
                seconds,
                records.ids,
            )
        )
        records.invalidate_recordset()


class PhoneMixin(ClientsMixin):
    """Text messages are kept instead of sent."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["iap.account"].get("sms")

    def gateway(self, **options):
        return self.mockSMSGateway(sms_allow_unlink=True, **options)

    def verify(self, client, phone=PHONE, **payload):
        return self.ask("clients.verify_phone", client, phone=phone, **payload)

    def last_code(self):
        return re.match(r"\d{6}", self._sms[-1]["body"]).group()

    def wrong_code(self):
        return f"{(int(self.last_code()) + 1) % 10**6:06}"

    def codes(self, client):
        return self.env["bank.sync.phone.code"].search([("client_id", "=", client.id)])


class PhoneCase(PhoneMixin, MockSMS):
    pass
