from odoo.addons.bank_sync_proxy.tests.common import ProxyCase
from odoo.addons.bank_sync_proxy.tests.test_secrets import NEUTRALIZE as NEUTRALIZE_PROXY
from odoo.addons.bank_sync_proxy.tests.test_secrets import SecretsMixin
from odoo.tests import tagged

from .clients import NEUTRALIZE


@tagged("post_install", "-at_install")
class TestServerSecrets(SecretsMixin, ProxyCase):
    """What a copy of a proxy for many databases, or a person with SQL, may learn."""

    allow_inherited_tests_method = True

    def records_with_secrets(self):
        clients = self.env["bank.sync.client"].create(
            [{"name": name, "database_uuid": name, "url": f"https://{name}.example"} for name in ("one", "two")]
        )
        self.connect()
        self.connect()
        code = {"purpose": "verify", "client_serial": 1, "phone_serial": 1}
        return {
            "bank.sync.client": clients,
            "bank.sync.connection": self.env["bank.sync.connection"].search([], limit=2),
            "bank.sync.phone.code": self.env["bank.sync.phone.code"].create(
                [{**code, "client_id": client.id, "phone_digest": client.name} for client in clients]
            ),
        }

    def test_neutralized_copy_has_no_personal_data_of_clients(self):
        canary = "canary@example.com"
        client = self.env["bank.sync.client"].create(
            {"name": "Books", "database_uuid": "x", "url": "https://canary.example", "contact_email": canary}
        )
        self.env.cr.flush()
        client.write({"contact_email": f"new-{canary}", "confirmed_url": "https://canary.example"})
        client.message_post(body="Registered from canary.")
        self.env["bank.sync.event"].create(
            {"client_id": client.id, "kind": "client.active", "last_error": "canary.example: HTTP 500"}
        )
        self.env.cr.flush()
        error = self.env["bank.sync.error"].create(
            {"client_id": client.id, "request": canary, "detail": canary, "address": canary, "code": "rate_limited"}
        )
        self.env["bank.sync.suspicion"].create({"client_id": client.id, "kind": "burst", "detail": canary})
        self.env["bank.sync.refused.database"]._note(client, canary, canary)
        firm = self.env["bank.sync.firm"].create({"name": "Abacus"})
        about = {"client_name": "canary", "contact_name": "canary", "contact_email": canary}
        self.env["bank.sync.firm.agreement"]._agree(client, firm, about)
        self.env["bank.sync.firm.letter"].create({"subject": "canary", "body": canary})
        plaid = self.env["bank.sync.provider"].with_context(active_test=False).search([("code", "=", "plaid")])
        self.env.flush_all()
        # Why in SQL: a setting with a pattern would refuse the text.
        self.env.cr.execute(
            "UPDATE bank_sync_provider_setting SET plain_value = %s WHERE provider_id = %s AND type = 'text'",
            [canary, plaid.id],
        )
        for script in (NEUTRALIZE_PROXY, NEUTRALIZE):
            self.env.cr.execute(script.read_text())
        self.env.invalidate_all()
        tables = self.env.registry.models
        for model in tables:
            if self.env[model]._auto and not self.env[model]._abstract and model.startswith(("bank.sync.", "mail.")):
                self.assertNotIn("canary", self.stored(self.env[model]._table) or "", model)
        self.assertEqual(error.code, "rate_limited")
