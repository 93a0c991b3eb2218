from unittest.mock import patch

from odoo.tests import tagged
from odoo.tools.translate import get_translation

from ..client.client import UNREADABLE
from ..client.transport import EmbeddedTransport
from .common import OnlineSyncCommon

FRENCH = get_translation("account_online_synchronization", "fr_FR", UNREADABLE.source, {})


@tagged("post_install", "-at_install")
class TestLanguages(OnlineSyncCommon):
    """Users read about a failure in their own language, even if it happened in the background."""

    def setUp(self):
        super().setUp()
        self.env["res.lang"]._activate_lang("fr_FR")
        transport = EmbeddedTransport(self.proxy.dispatch)
        self.startPatcher(
            patch.object(
                self.registry["account.online.link"],
                "_get_client",
                lambda link: link.env["account.online.service"]._get()._client_over(transport),
            )
        )
        self.link = self.connect_journal()
        self.proxy.answers["connections.refresh"] = {"this is": "no answer"}

    def test_tooltips_speak_to_users_and_not_of_the_code(self):
        helps = {
            f"{name}.{field.name}": field.help
            for name, model in self.registry.items()
            for field in model._fields.values()
            if isinstance(field.help, str) and (field._module or "").startswith(("account_online", "bank_sync"))
        }
        self.assertGreater(len(helps), 100)
        for name, text in helps.items():
            with self.subTest(name):
                self.assertNotRegex(text, r"[{}`]|\.py\b|[a-z]_[a-z]")

    def test_the_sentence_is_translated(self):
        self.assertNotEqual(FRENCH, UNREADABLE)

    def test_a_background_failure_is_in_the_language_of_the_responsible_user(self):
        self.link.responsible_user_id = self.env.user
        self.env.user.lang = "fr_FR"
        self.link.with_context(lang="en_US")._in_its_language()._synchronize(user_present=False)
        self.assertEqual(self.link.error_message, FRENCH)

    def test_a_waiting_user_reads_the_result_in_the_own_language(self):
        action = self.link.with_context(lang="fr_FR").action_fetch_transactions()
        self.assertEqual(action["params"]["message"], FRENCH)

    def test_requests_are_in_the_language_of_the_reader(self):
        heard = []

        def listen(_operation, payload):
            heard.append(payload.get("language"))
            return {"accounts": []}

        service = self.env["account.online.service"].with_context(lang="fr_FR")._get()
        service._client_over(EmbeddedTransport(listen)).list_accounts("C1")
        self.assertEqual(heard, ["fr_FR"])
