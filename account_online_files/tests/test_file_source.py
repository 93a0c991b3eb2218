import io
import json
import math
import os
import tempfile
from datetime import datetime, timedelta
from pathlib import Path
from unittest.mock import patch

import paramiko
import psycopg2
from freezegun import freeze_time

from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged
from odoo.tools import config

from ..models import account_online_file, account_online_file_source
from ..models.account_online_file_source import PRIVATE_OPTION, ROOT_OPTION
from ..places import Folder, PlaceError
from ..wizards import account_online_file_import_statement
from .common import FilesCommon
from .sftp_server import SFTPServer

IBAN = "BE71096123456769"
NOW = "2026-05-21 10:00:00"


class ScriptedServer:
    """Answers as an SFTP server does, without a socket: paramiko's threads and timeouts need a clock that isn't frozen.

    The real protocol is for ``TestSFTPServer`` and for ``tests/pure/test_places.py``.

    :ivar list attempts: (user, password) of each attempt to sign in
    """

    is_away, ends, ends_sign_in, refused_files = False, False, False, ()

    def on_request(self):
        """Called with each request; tests replace it to observe what happens in the meantime."""

    def __init__(self, folder, port):
        self.folder, self.port = str(folder), port
        self.user, self.password = "bank", "s3cret-word"
        self.fingerprint = f"SHA256:{port:043}"
        self.attempts = []


class ScriptedSFTP(Folder):
    """Has the methods of :class:`~..places.SFTP`."""

    def __init__(self, server, user, path, host_key, password):
        super().__init__(server.folder, path)
        self.server, self.host_key, self.signs_in_as = server, host_key, (user, password)

    def entries(self):
        self.server.on_request()
        return super().entries()

    def content(self, entry, limit):
        self.server.on_request()
        if entry.name in self.server.refused_files:
            raise PlaceError("not_allowed")
        return super().content(entry, limit)

    def offered_key(self):
        return self.server.fingerprint

    def __enter__(self):
        self.server.on_request()
        if self.server.is_away:
            raise PlaceError("no_answer")
        if not self.host_key:
            raise PlaceError("unknown_host_key", self.server.fingerprint)
        if self.host_key != self.server.fingerprint:
            raise PlaceError("other_host_key", self.server.fingerprint)
        self.server.attempts.append(self.signs_in_as)
        if self.server.ends_sign_in:
            raise PlaceError("sign_in_ended")
        if self.server.ends:
            raise PlaceError("ended")
        if self.signs_in_as != (self.server.user, self.server.password):
            raise PlaceError("refused")
        return super().__enter__()


class FileSourceCommon(FilesCommon):
    """A folder of files, and a system administrator who sets up from where they are fetched."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.Source = cls.env["account.online.file.source"]
        cls.journal.set_bank_account(IBAN)
        cls.system = new_test_user(
            cls.env,
            "folders",
            groups="base.group_system,account.group_account_manager",
            company_id=cls.company.id,
            company_ids=[(6, 0, cls.company.ids)],
        )

    def setUp(self):
        super().setUp()
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.root = Path(temporary.name)
        self.folder = self.root / self.env.cr.dbname / "bank"
        self.folder.mkdir(parents=True)

    def new_source(self, server, **values):
        """As a system administrator enters it."""
        return self.Source.with_user(self.system).create(
            {
                "name": "Bank",
                "host": "127.0.0.1",
                "port": server.port,
                "username": server.user,
                "new_password": server.password,
                **values,
            }
        )

    def sftp(self, server, **values):
        """A source whose fingerprint is confirmed."""
        source = self.new_source(server, **values)
        source.action_test()
        self.assertEqual(source.offered_host_key, server.fingerprint)
        self.confirm(source)
        return source

    def confirm(self, source):
        source.with_context(shown_fingerprint=source.offered_host_key).action_confirm_host_key()

    def put(self, name, *statements, age=timedelta(days=3)):
        path = self.folder / name
        path.write_text(json.dumps(list(statements)))
        moment = (datetime.fromisoformat(NOW) - age - datetime(1970, 1, 1)).total_seconds()
        os.utime(path, (moment, moment))


@tagged("post_install", "-at_install")
@freeze_time(NOW)
class TestFileSource(FileSourceCommon):
    """Statement files that a folder or an SFTP server brings: read once, never changed, the same as dropped ones."""

    def setUp(self):
        super().setUp()
        self.servers = {}
        self.startPatcher(patch.object(account_online_file_source, "SFTP", self.open_sftp))

    def open_sftp(self, _host, port, user, path, host_key="", password="", allow_private=False):
        return ScriptedSFTP(self.servers[port], user, path, host_key, password)

    def serve(self):
        server = ScriptedServer(self.folder, 2200 + len(self.servers))
        self.servers[server.port] = server
        return server

    def collect(self):
        self.run_action(self.env.ref("account_online_files.ir_cron_collect_files"))

    def run_action(self, cron):
        with self.enter_registry_test_mode():
            result = cron.method_direct_trigger()
        # Why: what the action raises is what it returns.
        self.assertIs(result, True)
        self.env.invalidate_all()

    def taken(self, source):
        return {one.name: one.state for one in source.sudo().taken_ids}

    # -------------------------------------------------------------------------
    # SFTP
    # -------------------------------------------------------------------------

    def test_files_of_an_sftp_server_are_imported_once(self):
        content = self.statement([self.row(3, "-5"), self.row(2, "-7")], opening=100, number=IBAN)
        self.put("may.tiny", content)
        source = self.sftp(self.serve())
        self.collect()
        self.assertFalse(source.error_message)
        self.assertEqual(self.taken(source), {"may.tiny": "done"})
        self.assertEqual(self.amounts(), [-7, -5])
        self.assertTrue(source.checked_at)

        self.collect()
        self.assertEqual(len(self.File.search([])), 1)
        self.put("june.tiny", self.statement([self.row(1, "-9")], opening=88, number=IBAN))
        self.collect()
        self.assertEqual(self.amounts(), [-9, -7, -5])

    def test_a_file_that_a_folder_has_brought_brings_nothing_when_it_is_dropped(self):
        content = self.statement([self.row(3, "-5"), self.row(3, "-5")], number=IBAN)
        self.put("may.tiny", content)
        self.sftp(self.serve())
        self.collect()
        wizard = self.drop(content, name="other name.tiny")
        self.assertEqual(self.counts(wizard), {"known": 2})
        self.assertFalse(wizard.has_news)
        self.assertIn("This file was already imported on", wizard.statement_ids.notes)

    def test_a_file_that_was_dropped_brings_nothing_when_a_folder_has_it(self):
        content = self.statement([self.row(3, "-5")], number=IBAN)
        self.import_file(content)
        self.put("may.tiny", content)
        self.put("copy.tiny", content)
        source = self.sftp(self.serve())
        self.collect()
        self.assertEqual(self.taken(source), {"may.tiny": "done", "copy.tiny": "done"})
        self.assertEqual(self.amounts(), [-5])

    def test_nothing_is_read_before_the_fingerprint_is_confirmed(self):
        server = self.serve()
        self.put("may.tiny", self.statement([self.row(3, "-5")], number=IBAN))
        source = self.new_source(server)
        self.collect()
        self.assertIn("confirmed", source.error_message)
        self.assertEqual(source.offered_host_key, server.fingerprint)
        self.assertEqual(server.attempts, [])
        self.assertFalse(self.lines())

    def test_a_server_with_another_key_gets_no_password(self):
        server = self.serve()
        source = self.sftp(server)
        source.sudo().host_key = "SHA256:" + "A" * 43
        self.collect()
        self.assertIn("another key", source.error_message)
        self.assertEqual(server.attempts, [])

    def test_only_the_fingerprint_that_the_person_has_seen_is_confirmed(self):
        source = self.new_source(self.serve())
        source.action_test()
        seen = source.offered_host_key
        source.sudo().offered_host_key = "SHA256:" + "A" * 43
        for context in ({}, {"shown_fingerprint": seen}):
            with self.assertRaises(UserError):
                source.with_context(**context).action_confirm_host_key()
        self.assertFalse(source.host_key)

    def test_a_refused_password_is_not_repeated_before_it_is_entered_again(self):
        server = self.serve()
        source = self.sftp(server, new_password="wrong")
        self.collect()
        self.assertIn("refuses the user name, password or key", source.error_message)
        self.collect()
        self.assertEqual(server.attempts, [("bank", "wrong")])
        source.new_password = server.password
        self.collect()
        self.assertEqual(server.attempts[1:], [("bank", server.password)])
        self.assertFalse(source.error_message)

    def test_a_refused_password_is_tried_again_on_the_next_day_or_on_request(self):
        server = self.serve()
        source = self.sftp(server, new_password="wrong")
        self.collect()
        with freeze_time("2026-05-22 10:00:01"):
            self.collect()
        self.assertEqual(len(server.attempts), 2)
        source.action_collect()
        self.collect()
        self.assertEqual(len(server.attempts), 3)

    def test_a_lost_connection_is_retried_at_the_next_check_and_reported_after_a_day(self):
        server = self.serve()
        source = self.sftp(server)
        server.ends = True
        self.collect()
        self.assertIn("The connection to the SFTP server ended", source.error_message)
        self.collect()
        self.assertEqual(len(server.attempts), 2)
        self.assertEqual(self.review_note(), "")
        with freeze_time("2026-05-22 10:00:01"):
            self.collect()
        self.assertIn("The connection to the SFTP server ended", self.review_note())

    def test_a_server_that_ends_each_sign_in_is_tried_ever_more_rarely_and_soon_reported(self):
        server = self.serve()
        source = self.sftp(server)
        server.ends_sign_in = True
        tried = []
        for hour in range(5 * 24):
            with freeze_time(datetime.fromisoformat(NOW) + timedelta(hours=hour)):
                self.collect()
            if len(server.attempts) > len(tried):
                tried.append(hour)
                self.assertEqual(bool(self.review_note()), hour > 0)
        self.assertEqual(tried, [0, 1, 5, 25, 49, 73, 97])
        for part in ("without giving a reason", "user name", "password or key", "address of this server"):
            self.assertIn(part, source.error_message)

    def test_a_server_that_ended_a_sign_in_is_tried_at_once_with_what_was_entered_again(self):
        server = self.serve()
        source = self.sftp(server)
        server.ends_sign_in = True
        self.collect()
        self.assertTrue(source.paused_until)
        server.ends_sign_in = False
        source.new_password = server.password
        self.collect()
        self.assertFalse(source.error_message)
        self.assertFalse(source.paused_until)

    def test_a_sign_in_that_ends_after_other_failures_is_soon_tried_again(self):
        server = self.serve()
        source = self.sftp(server)
        server.is_away = True
        self.collect()
        server.is_away, server.ends_sign_in = False, True
        with freeze_time("2026-05-23 10:00:00"):
            self.collect()
        self.assertEqual(str(source.paused_until), "2026-05-23 11:00:00")

    def test_no_transaction_is_open_while_a_server_is_waited_for(self):
        cron = type(self.env["ir.cron"])
        commit, committed, counts = cron._commit_progress, [], []

        def note(records, *arguments, **named):
            result = commit(records, *arguments, **named)
            committed[:] = [(records.env.cr, records.env.cr.sql_log_count)]
            return result

        server = self.serve()
        self.put("may.tiny", self.statement([self.row(3, "-5")], number=IBAN))
        self.put("june.tiny", self.statement([self.row(2, "-7")], number=IBAN))
        self.sftp(server)
        server.on_request = lambda: counts.append([cr.sql_log_count - count for cr, count in committed])
        self.patch(cron, "_commit_progress", note)
        self.collect()
        self.assertEqual(self.amounts(), [-7, -5])
        self.assertEqual(counts, [[0]] * 4)

    def test_another_server_is_confirmed_again_and_gets_no_stored_password(self):
        source = self.sftp(self.serve())
        source.port = self.serve().port
        self.assertFalse(source.host_key)
        self.assertFalse(source.has_secret)
        source.write({"port": 22, "new_password": "for the new one"})
        self.assertEqual(source.sudo()._read_secrets(), {"password": "for the new one"})

    def test_a_password_is_stored_encrypted_and_never_shown_again(self):
        source = self.sftp(self.serve())
        self.env.flush_all()
        self.env.cr.execute("SELECT * FROM account_online_file_source WHERE id = %s", [source.id])
        self.assertNotIn("s3cret-word", str(self.env.cr.fetchall()))
        self.assertFalse(source.new_password)
        self.assertTrue(source.has_secret)
        source.name = "Other name"
        self.assertEqual(source.sudo()._read_secrets(), {"password": "s3cret-word"})
        answer = source.web_save({"new_password": "another"}, {"new_password": {}, "has_secret": {}})
        self.assertEqual(answer, [{"id": source.id, "new_password": False, "has_secret": True}])
        self.assertEqual([*self.Source.sudo()._reencrypt()], ["already"])

    # -------------------------------------------------------------------------
    # FILES
    # -------------------------------------------------------------------------

    def test_a_file_that_is_still_written_waits_until_it_does_not_change(self):
        source = self.sftp(self.serve())
        part = self.statement([self.row(3, "-5")], number=IBAN)
        self.put("may.tiny", part, age=timedelta(0))
        self.collect()
        self.assertEqual(self.taken(source), {"may.tiny": "waiting"})
        with freeze_time("2026-05-21 10:02:00"):
            self.put("may.tiny", self.statement([self.row(3, "-5"), self.row(2, "-7")], number=IBAN), age=timedelta(0))
            self.collect()
        self.assertEqual(self.taken(source), {"may.tiny": "waiting"})
        self.assertFalse(self.lines())
        with freeze_time("2026-05-21 10:04:00"):
            self.collect()
        self.assertEqual(self.taken(source), {"may.tiny": "done"})
        self.assertEqual(self.amounts(), [-7, -5])

    def test_a_file_that_has_gone_before_it_was_complete_is_not_waited_for(self):
        source = self.sftp(self.serve())
        self.put("may.tiny", self.statement([self.row(3, "-5")], number=IBAN), age=timedelta(0))
        cron = self.env.ref("account_online_files.ir_cron_collect_files")
        triggers = self.env["ir.cron.trigger"].search([("cron_id", "=", cron.id)])
        self.collect()
        triggered = self.env["ir.cron.trigger"].search([("cron_id", "=", cron.id)]) - triggers
        self.assertEqual(len(triggered), 1)
        (self.folder / "may.tiny").unlink()
        self.collect()
        self.assertFalse(source.taken_ids)
        self.assertFalse(self.env["ir.cron.trigger"].search([("cron_id", "=", cron.id)]) - triggers - triggered)

    def test_a_file_that_needs_an_answer_says_why_and_is_tried_again_on_request(self):
        self.put("may.tiny", self.statement([self.row(3, "-5")]))
        source = self.sftp(self.serve())
        self.collect()
        self.assertEqual(self.taken(source), {"may.tiny": "failed"})
        self.assertIn("The file names no account.", source.taken_ids.note)
        self.collect()
        self.assertFalse(self.lines())
        source.journal_id = self.journal
        source.taken_ids.action_retry()
        self.collect()
        self.assertEqual(self.taken(source), {"may.tiny": "done"})
        self.assertEqual(self.amounts(), [-5])
        self.assertIn("may.tiny was imported", " ".join(self.journal.message_ids.mapped("body")))

    def test_one_bad_file_keeps_no_other_one_away(self):
        self.put("a.tiny", {"broken": True, "rows": []})
        self.put("b.tiny", self.statement([self.row(3, "-5")], number=IBAN))
        source = self.sftp(self.serve())
        self.collect()
        self.assertEqual(self.taken(source), {"a.tiny": "failed", "b.tiny": "done"})
        self.assertEqual(self.amounts(), [-5])

    def test_a_file_that_the_server_does_not_hand_over_keeps_no_other_one_away(self):
        server = self.serve()
        server.refused_files = ("a.tiny",)
        self.put("a.tiny", self.statement([self.row(2, "-7")], number=IBAN))
        self.put("b.tiny", self.statement([self.row(3, "-5")], number=IBAN))
        source = self.sftp(server)
        self.collect()
        self.assertEqual(self.taken(source), {"a.tiny": "failed", "b.tiny": "done"})
        self.assertIn("a.tiny: The server does not allow", self.review_note())
        self.assertFalse(source.error_message)

    def review_note(self):
        link = self.env["account.online.link"].sudo()._for_files(self.company)
        return link.review_activity_id.note or ""

    def test_accountants_are_notified_once_when_a_folder_can_no_longer_be_read(self):
        source = self.sftp(self.serve())
        source.sudo().folder = "gone"
        self.collect()
        self.assertIn("No statement files are fetched from “Bank”: The folder does not exist.", self.review_note())
        self.env["account.online.link"].sudo()._for_files(self.company).review_activity_id.unlink()
        self.collect()
        self.assertEqual(self.review_note(), "")
        source.sudo().folder = ""
        self.collect()
        source.sudo().folder = "gone"
        self.collect()
        self.assertIn("The folder does not exist.", self.review_note())

    def test_a_server_may_be_unreachable_for_a_day_before_a_notification(self):
        server = self.serve()
        source = self.sftp(server)
        server.is_away = True
        self.collect()
        self.assertIn("No SFTP server answers", source.error_message)
        self.assertEqual(self.review_note(), "")
        with freeze_time("2026-05-22 10:00:01"):
            self.collect()
        self.assertIn("No SFTP server answers", self.review_note())

    def test_a_file_with_a_concurrent_update_is_retried(self):
        self.put("may.tiny", self.statement([self.row(3, "-5")], number=IBAN))
        source = self.sftp(self.serve())
        wizard = type(self.env["account.online.file.import"])
        with patch.object(wizard, "_import_received", side_effect=psycopg2.errors.SerializationFailure):
            self.collect()
        self.assertEqual(self.taken(source), {"may.tiny": "waiting"})
        self.assertFalse(source.error_message)
        self.collect()
        self.assertEqual(self.taken(source), {"may.tiny": "done"})
        self.assertEqual(self.amounts(), [-5])

    def test_a_file_that_meets_a_synchronization_is_imported_when_that_has_ended(self):
        self.put("may.tiny", self.statement([self.row(3, "-5")], number=IBAN))
        source = self.sftp(self.serve())
        cron = self.env.ref("account_online_files.ir_cron_import_files")
        with (
            patch.object(account_online_file, "try_lock", return_value=False),
            patch.object(account_online_file_import_statement, "try_lock", return_value=False),
        ):
            self.collect()
            self.assertEqual(self.taken(source), {"may.tiny": "done"})
            self.assertIn("is being imported", source.taken_ids.note)
            self.run_action(cron)
            self.assertEqual(self.File.search([]).state, "planned")
        self.assertTrue(self.env["ir.cron.trigger"].search([("cron_id", "=", cron.id)]))
        self.run_action(cron)
        self.assertEqual(self.File.search([]).state, "done")
        self.assertEqual(self.amounts(), [-5])

    def test_a_long_file_of_a_folder_that_fails_later_is_reviewed(self):
        self.startPatcher(patch.object(account_online_file_import_statement, "LONG", 1))
        self.put("may.tiny", self.statement([self.row(3, "-5")], number=IBAN))
        source = self.sftp(self.serve())
        self.collect()
        self.assertIn("is being imported", source.taken_ids.note)
        self.assertEqual(self.review_note(), "")
        with patch.object(type(self.File), "_import_now", side_effect=UserError("The period is locked.")):
            self.run_action(self.env.ref("account_online_files.ir_cron_import_files"))
        self.assertIn("may.tiny was not imported: The period is locked.", self.review_note())

    def test_files_that_are_left_when_the_time_is_over_do_not_wait_for_the_next_hour(self):
        for number in range(3):
            self.put(f"{number}.tiny", self.statement([self.row(number, "-5")], number=IBAN))
        source = self.sftp(self.serve())
        with patch.object(type(self.env["account.online.link"]), "_deadline", lambda link: -math.inf):
            self.collect()
        self.assertEqual({*self.taken(source).values()}, {"done"})
        self.assertEqual(self.amounts(), [-5, -5, -5])

    def test_a_server_whose_clock_shows_another_zone_hands_over_no_half_file(self):
        self.put("may.tiny", self.statement([self.row(3, "-5")], number=IBAN), age=timedelta(hours=26))
        source = self.sftp(self.serve())
        self.collect()
        self.assertEqual(self.taken(source), {"may.tiny": "waiting"})
        self.assertFalse(self.lines())

    def test_a_folder_that_cannot_be_read_keeps_no_other_one_away(self):
        self.put("may.tiny", self.statement([self.row(3, "-5")], number=IBAN))
        broken = self.sftp(self.serve(), name="A")
        broken.sudo().folder = "gone"
        self.sftp(self.serve(), name="B")
        self.collect()
        self.assertIn("does not exist", broken.error_message)
        self.assertEqual(self.amounts(), [-5])

    # -------------------------------------------------------------------------
    # A FOLDER OF THE SERVER
    # -------------------------------------------------------------------------

    def local(self, **values):
        return self.Source.with_user(self.system).create(
            {"name": "Local", "kind": "folder", "folder": "bank", **values}
        )

    def test_a_folder_below_the_operator_s_root_is_read(self):
        self.startPatcher(patch.dict(config.options, {ROOT_OPTION: str(self.root)}))
        self.put("may.tiny", self.statement([self.row(3, "-5")], number=IBAN))
        source = self.local()
        self.collect()
        self.assertFalse(source.error_message)
        self.assertEqual(self.amounts(), [-5])

    def test_a_folder_outside_the_database_s_own_is_refused(self):
        self.startPatcher(patch.dict(config.options, {ROOT_OPTION: str(self.root)}))
        (self.root / "another_database").mkdir()
        for path in ("../another_database", "..", "bank/../..", "/etc"):
            source = self.local(folder=path)
            source.action_test()
            self.assertTrue(source.error_message, path)
        self.collect()
        self.assertFalse(self.File.search([]))

    def test_without_an_operator_s_root_no_folder_is_read(self):
        source = self.local()
        source.action_test()
        self.assertIn(ROOT_OPTION, source.error_message)

    # -------------------------------------------------------------------------
    # WHO MAY
    # -------------------------------------------------------------------------

    def test_accountants_neither_see_nor_set_up_folders(self):
        accountant = self.new_user("account.group_account_manager")
        source = self.local()
        for action in (source.action_test, source.action_collect, source.read):
            with self.assertRaises(AccessError):
                getattr(source.with_user(accountant), action.__name__)()
        with self.assertRaises(AccessError):
            self.Source.with_user(accountant).create({"name": "Mine", "kind": "folder"})

    def test_a_journal_of_another_company_is_not_chosen(self):
        other = self.setup_other_company(name="Other")["default_journal_bank"]
        with self.assertRaises(AccessError):
            self.local(journal_id=other.id)
        source = self.local()
        with self.assertRaises(AccessError):
            source.journal_id = other


@tagged("post_install", "-at_install")
class TestSFTPServer(FileSourceCommon):
    """The real protocol, with a real server and the real clock: what a source hands on, and what it leaves alone."""

    def setUp(self):
        super().setUp()
        self.startPatcher(patch.dict(config.options, {PRIVATE_OPTION: "True"}))

    def serve(self, **named):
        server = SFTPServer(self.folder, **named)
        server.__enter__()
        self.addCleanup(server.__exit__)
        return server

    def contents(self, source):
        with source.sudo()._open_place() as place:
            return {entry.name: place.content(entry, 1_000_000) for entry in place.entries()}

    def test_the_folder_of_an_sftp_server_is_read_and_nothing_in_it_is_changed(self):
        (self.folder / "below").mkdir()
        (self.folder / "below" / "may.tiny").write_bytes(b"statement")
        server = self.serve()
        source = self.sftp(server, folder="below")
        self.assertEqual(source.action_test()["params"]["message"], "The folder can be read. Files in it: 1.")
        self.assertFalse(source.error_message)
        self.assertEqual(self.contents(source), {"may.tiny": b"statement"})
        self.assertEqual({*server.attempts}, {("password", "bank", "s3cret-word")})
        self.assertEqual(server.changes, [])

    def test_a_server_in_a_private_network_needs_the_operator_s_consent(self):
        server = self.serve()
        with patch.dict(config.options, {PRIVATE_OPTION: "False"}):
            source = self.new_source(server)
            source.action_test()
        self.assertIn(PRIVATE_OPTION, source.error_message)
        self.assertFalse(source.offered_host_key)
        self.assertEqual(server.attempts, [])

    def test_a_private_key_signs_in_instead_of_a_password(self):
        key = paramiko.ECDSAKey.generate()
        written = io.StringIO()
        key.write_private_key(written)
        server = self.serve(client_key=key)
        source = self.sftp(server, new_password=False, new_private_key=written.getvalue())
        self.assertEqual(self.contents(source), {})
        self.assertEqual({kind for kind, *_more in server.attempts}, {"publickey"})

    def test_a_server_whose_key_is_not_the_confirmed_one_is_sent_nothing(self):
        server = self.serve()
        source = self.sftp(server)
        source.sudo().host_key = "SHA256:" + "A" * 43
        source.action_test()
        self.assertIn("another key", source.error_message)
        self.assertEqual(source.offered_host_key, server.fingerprint)
        self.assertEqual(server.attempts, [])
