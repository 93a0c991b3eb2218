from unittest.mock import patch

from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from ..models import bank_sync_institution
from ..providers.errors import TransientError
from ..providers.types import Capabilities
from .common import ProxyCase
from .more_providers import MoreProvidersMixin


@tagged("post_install", "-at_install")
class TestDirectoryUpdate(MoreProvidersMixin, ProxyCase):
    """Lists of providers are taken over: all of them, in pieces, and not blindly."""

    def numbered(self, count):
        return [(str(number), f"Bank {number:04}", "BE") for number in range(count)]

    def active_of(self, provider):
        return self.env["bank.sync.institution"].search_count([("provider_id", "=", provider.id)])

    def last_error(self):
        return self.env["bank.sync.error"].search([("operation", "=", "institutions.update")], limit=1)

    def test_a_long_list_comes_in_pieces_and_completely(self):
        self.list_of(self.second, *self.numbered(25))
        with patch.object(bank_sync_institution, "BATCH", 10):
            self.update()
            self.assertEqual(self.active_of(self.second), 25)
            before = self.row("second.7").id
            self.list_of(self.second, *self.numbered(23), ("new", "New", "BE"))
            self.update()
        self.assertEqual(self.active_of(self.second), 24)
        self.assertEqual(self.row("second.7").id, before)
        self.assertFalse(self.row("second.24").active)

    def test_a_list_without_changes_writes_nothing(self):
        self.list_of(self.second, *self.numbered(30))
        self.update()
        written = []
        model = type(self.env["bank.sync.institution"])
        with patch.object(model, "_write_multi", lambda records, values: written.append(records)):
            self.update()
        self.assertEqual(written, [])

    def test_an_empty_list_wipes_nothing_and_says_so(self):
        self.list_of(self.second, ("1", "One", "BE"))
        self.update()
        updated_at = self.second.directory_updated_at
        self.list_of(self.second)
        self.update()
        self.assertEqual(self.active_of(self.second), 1)
        self.assertEqual(self.second.directory_updated_at, updated_at)
        error = self.second.directory_error_id
        self.assertEqual((error, error.provider_code), (self.last_error(), "second"))
        self.assertIn("Accept the Shorter List", error.message)
        self.assertIn("0 banks, but 1 are known", error.message)

    def test_a_list_of_less_than_half_is_taken_over_only_when_an_administrator_says_so(self):
        self.list_of(self.second, *self.numbered(40))
        self.update()
        self.list_of(self.second, *self.numbered(19))
        self.second.action_update_directory()
        self.assertTrue(self.second.directory_error_id, "the form says why")
        self.assertTrue(self.second.may_accept_shorter)
        self.assertEqual(self.active_of(self.second), 40)
        answer = self.second.action_accept_shorter_directory()
        self.assertEqual((answer["params"]["type"], self.active_of(self.second)), ("success", 19))
        self.assertFalse(self.second.directory_error_id)

    def test_only_administrators_update_the_directory(self):
        self.list_of(self.second, ("1", "One", "BE"))
        administrator = new_test_user(self.env, "administrator", groups="base.group_system")
        answer = self.second.with_user(administrator).action_update_directory()
        self.assertEqual((answer["params"]["type"], self.active_of(self.second)), ("success", 1))
        employee = new_test_user(self.env, "employee", groups="base.group_user")
        for action in ("action_update_directory", "action_accept_shorter_directory"):
            with self.assertRaises(AccessError):
                getattr(self.second.with_user(employee), action)()

    def test_half_of_a_list_is_believed(self):
        self.list_of(self.second, *self.numbered(40))
        self.update()
        self.list_of(self.second, *self.numbered(20))
        self.update()
        self.assertEqual(self.active_of(self.second), 20)

    def test_one_provider_s_failure_stops_no_other(self):
        self.list_of(self.second, TransientError("provider_unavailable"))
        self.list_of(self.third, ("1", "Third's Bank", "BE"))
        self.update()
        self.assertEqual(self.active_of(self.third), 1)
        self.assertEqual(self.second.directory_error_id.code, "provider_unavailable")
        self.assertFalse(self.second.may_accept_shorter)
        self.assertFalse(self.third.directory_error_id)

    def test_entry_that_is_not_a_bank_is_left_out(self):
        with self.assertLogs("odoo.addons.bank_sync_proxy", "WARNING") as logs:
            self.list_of(self.second, ("1", "One", "BE"), ("1", "Twice", "BE"), ("", "No ID", "BE"), ("2", " - ", "BE"))
            self.update()
        self.assertIn("3 banks", logs.output[0])
        self.assertEqual(self.row("second.1").name, "One")
        self.assertEqual(self.active_of(self.second), 1)

    def test_what_a_page_could_not_show_is_not_taken_over(self):
        self.list_of(
            self.second,
            ("1", " One ", "belgium", "no BIC", "http://example.com/logo.png"),
            ("2", "Two", "be", "geba be bb xxx", "https://example.com/logo.png"),
            ("3", "Three", "BE", None, "javascript:alert(1)"),
        )
        self.update()
        one, two = self.row("second.1"), self.row("second.2")
        self.assertEqual((one.name, one.country_code, one.bic, one.logo), ("One", False, False, False))
        self.assertEqual((two.country_code, two.bic, two.logo), ("BE", "GEBABEBB", "https://example.com/logo.png"))
        self.assertFalse(self.row("second.3").logo)

    def test_one_odd_bank_of_a_list_keeps_no_other_one_away(self):
        odd = [
            ("x" * 10_000, "Long ID", "BE"),
            ("a\0", "NUL", "BE"),
            ("\ud800", "Half", "BE"),
            (5, "Number", "BE"),
            (["a"], "List", "BE"),
            ("nothing", None, "BE"),
            ("number", 7, "BE"),
            ("country", "Country", 5),
            ("bic", "BIC", "BE", 5),
            ("logo", "Logo", "BE", None, 5),
            ("nul", "N\0UL", "\0B", "AAAABE\0B", "https://x\0"),
            ("long", "x" * 1_000_000, "BE", None, f"data:image/png;base64,{'A' * 1_000_000}"),
        ]
        self.list_of(self.second, *odd, ("good", "Good Bank", "BE"))
        with self.assertLogs("odoo.addons.bank_sync_proxy", "WARNING"):
            self.update()
        self.assertFalse(self.second.directory_error_id)
        self.assertEqual(self.row("second.good").name, "Good Bank")
        self.assertEqual(len(self.row("second.long").name), 200)
        self.assertFalse(self.row("second.long").logo)

    def test_the_name_of_a_bank_says_what_it_seems_to_say(self):
        self.list_of(self.second, ("1", "Bank \u202eknaB\u200b\nBcc: x", "BE"), ("2", "<b>Bold</b> Bank", "BE"))
        self.update()
        self.assertEqual(self.row("second.1").name, "Bank knaB Bcc: x")
        self.assertEqual(self.row("second.2").name, "Bold Bank")

    def test_a_connected_bank_that_is_gone_stays_for_its_connections(self):
        connection = self.connect("demo")
        provider_class = type(self.provider._adapter())
        with patch.object(provider_class, "institutions", lambda *_args: iter(())):
            self.update(providers=self.provider, may_shrink=True)
        self.assertEqual(self.ask("institutions.search")["institutions"], [])
        institution = self.ask("connections.get", connection_id=connection)["connection"]["institution"]
        self.assertEqual((institution["id"], len(institution["providers"])), ("sandbox.demo", 1))
        self.assertTrue(self.ask("accounts.list", connection_id=connection)["accounts"])

    def test_concurrent_update_of_the_directory_is_refused(self):
        with self.registry.cursor() as other:
            self.env(cr=other)["bank.sync.institution"]._hold_directory()
            with self.assertRaisesRegex(UserError, "being updated already"):
                self.second.action_update_directory()
        self.list_of(self.second, ("1", "One", "BE"))
        self.second.action_update_directory()
        self.assertEqual(self.active_of(self.second), 1)

    def test_scheduled_action_asks_all_providers_and_continues_after_a_failure(self):
        self.list_of(self.second, RuntimeError("a mistake of ours"))
        self.list_of(self.third, ("1", "Demo Bank", "BE", "DEMOBEB0", None, "beta", Capabilities()))
        self.provider.directory_updated_at = False
        with self.enter_registry_test_mode(), self.assertLogs("odoo.addons.bank_sync_proxy", "ERROR"):
            self.env.ref("bank_sync_proxy.ir_cron_update_directory").method_direct_trigger()
        self.assertEqual(self.second.directory_error_id.code, "unexpected_answer")
        self.assertFalse(self.second.may_accept_shorter)
        self.assertTrue(self.third.directory_updated_at and self.provider.directory_updated_at)
        self.assertEqual(self.row("third.1").merge_key, "sandbox.demo")

    def test_the_scheduled_action_does_not_ask_again_at_once(self):
        self.list_of(self.second, ("1", "One", "BE"))
        self.update()
        self.list_of(self.second, ("1", "Renamed", "BE"))
        with self.enter_registry_test_mode():
            self.env.ref("bank_sync_proxy.ir_cron_update_directory").method_direct_trigger()
        self.assertEqual(self.row("second.1").name, "One")
