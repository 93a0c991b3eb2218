import hashlib
import logging
import time
from datetime import timedelta, timezone

import psycopg2

from odoo import api, fields, models
from odoo.addons.account_online_synchronization.client.errors import ProxyError
from odoo.addons.bank_statement_formats import formats
from odoo.addons.bank_sync_common.models.server_fields import as_server
from odoo.addons.bank_sync_common.tools.vault import SecretsUnreadable
from odoo.exceptions import UserError
from odoo.tools import config, str2bool

from ..places import SFTP, Changed, Folder, PlaceError

_logger = logging.getLogger(__name__)

#: Fields that are used to sign in at a server.
ENTERED = {"host", "port", "username", "new_password", "new_private_key"}

#: Option of odoo.conf: the folder that contains one folder for each database, named like the database.
ROOT_OPTION = "bank_sync_statement_folder"
#: Option of odoo.conf: whether SFTP servers in a network that is not public may be connected to.
PRIVATE_OPTION = "bank_sync_private_sftp"
#: A file is read if it has not changed for this long, between two checks or by the clock of its place. Why days:
#: some servers report local times, and time zones are up to 26 hours apart.
QUIET = timedelta(minutes=1)
OLD = timedelta(days=2)
#: Delay until a file that was still being written is checked again.
AGAIN = timedelta(minutes=2)
#: Pause after a refused password, because banks lock the user after some attempts.
PAUSE = timedelta(days=1)
#: Pause after a first sign-in that the server has ended without an answer: perhaps the network, perhaps its way to
#: refuse a password. Each further pause is so many times what has passed since the first: attempts after 1, 5 and 25
#: hours, then once a day.
FIRST_PAUSE, PAUSE_GROWTH = timedelta(hours=1), 4
#: How long a server may be unreachable, or its connections end, before users are notified.
PATIENCE = timedelta(days=1)


class AccountOnlineFileSource(models.Model):
    """A folder of this server or of an SFTP server from which statement files are imported.

    Only system administrators have access: they decide from where the server reads, and know the password. Files are
    imported like those that arrive by e-mail, so duplicates are recognized on every way.
    """

    _name = "account.online.file.source"
    _description = "Folder of Statement Files"
    _inherit = ["account.online.server.fields"]
    _order = "name, id"
    _check_company_auto = True

    name = fields.Char(required=True)
    active = fields.Boolean(default=True)
    company_id = fields.Many2one(
        comodel_name="res.company", required=True, readonly=True, default=lambda self: self.env.company, index=True
    )
    journal_id = fields.Many2one(
        comodel_name="account.journal",
        check_company=True,
        ondelete="set null",
        domain="[('type', 'in', ('bank', 'credit')), ('company_id', '=', company_id)]",
        help="Journal for files that name no account. Empty: each file finds its journal by its account number.",
    )
    kind = fields.Selection(
        selection=[("folder", "Folder of this server"), ("sftp", "SFTP server")], required=True, default="sftp"
    )
    host = fields.Char(string="Server")
    port = fields.Integer(default=22)
    username = fields.Char(string="User Name", copy=False)
    folder = fields.Char(help="On an SFTP server: the folder's path. On this server: below the folder in odoo.conf.")
    new_password = fields.Char(
        string="Password",
        compute="_compute_new_secrets",
        inverse="_inverse_new_secrets",
        store=False,
        help="Stored encrypted, and never shown again.",
    )
    new_private_key = fields.Text(
        string="Private Key",
        compute="_compute_new_secrets",
        inverse="_inverse_new_secrets",
        store=False,
        help="In the form of OpenSSH, without a passphrase, instead of a password. Stored encrypted.",
    )
    has_secret = fields.Boolean(compute="_compute_has_secret")
    secret_data = fields.Text(readonly=True, copy=False, groups="base.group_system")
    host_key = fields.Char(
        string="Confirmed Fingerprint", readonly=True, copy=False, help="No password is sent to a server with another."
    )
    offered_host_key = fields.Char(string="Fingerprint of the Server", readonly=True, copy=False)
    checked_at = fields.Datetime(string="Last Checked", readonly=True, copy=False)
    error_message = fields.Text(readonly=True, copy=False)
    failing_since = fields.Datetime(readonly=True, copy=False)
    is_reported = fields.Boolean(
        readonly=True, copy=False, help="A user has been notified that the folder can't be read."
    )
    paused_until = fields.Datetime(
        readonly=True, copy=False, help="The scheduled action does not contact the server before then."
    )
    taken_ids = fields.One2many(
        comodel_name="account.online.file.taken", inverse_name="source_id", string="Files", readonly=True
    )

    # -------------------------------------------------------------------------
    # COMPUTE METHODS
    # -------------------------------------------------------------------------

    def _compute_new_secrets(self):
        self.new_password = self.new_private_key = False

    def _inverse_new_secrets(self):
        for source in self:
            secrets = {"password": source.new_password, "private_key": source.new_private_key}
            secrets = {name: value for name, value in secrets.items() if value}
            if secrets:
                source._write_secrets(secrets)

    @api.depends("secret_data")
    def _compute_has_secret(self):
        for source in self:
            source.has_secret = bool(source.secret_data)

    # -------------------------------------------------------------------------
    # CRUD METHODS
    # -------------------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        self._check_journals(vals_list)
        sources = super().create(vals_list)
        sources._forget_entered_secrets()
        return sources

    def write(self, vals):
        self.check_access("write")
        self._check_journals([vals])
        if ENTERED & vals.keys() and self.filtered("paused_until"):
            # sudo: write access was checked above; refused credentials were entered again
            as_server(self).paused_until = False
        places = {"host", "port"} & vals.keys()
        if elsewhere := self.filtered(lambda source: any(vals[name] != source[name] for name in places)):
            # sudo: write access was checked above; fingerprint and password of another server are not valid
            as_server(elsewhere).write({"host_key": False, "offered_host_key": False, "secret_data": False})
        result = super().write(vals)
        self._forget_entered_secrets()
        return result

    def _forget_entered_secrets(self):
        """Why: the values from the browser would be returned with the saved form."""
        self.invalidate_recordset(["new_password", "new_private_key"])

    # -------------------------------------------------------------------------
    # ACTIONS
    # -------------------------------------------------------------------------

    def action_test(self):
        """*Test*: show the fingerprint of the server until it is confirmed; then list the files, and read none."""
        self.ensure_one()
        server = self._server()
        try:
            if self.kind == "sftp" and not self.host_key:
                server.offered_host_key = server._open_place().offered_key()
                return False
            with server._open_place() as place:
                number = len(place.entries())
        except PlaceError as error:
            server.write(server._failure_values(error))
            return False
        server.write(server._success_values())
        return self._notify(self.env._("The folder can be read. Files in it: %s.", number))

    def action_confirm_host_key(self):
        """*Confirm Fingerprint*: the user has compared the fingerprint."""
        self.ensure_one()
        server = self._server()
        if not self.offered_host_key:
            raise UserError(self.env._("There is no fingerprint to confirm yet. Use Test first."))
        if self.env.context.get("shown_fingerprint") != self.offered_host_key:
            # Why: the scheduled action may have found another server key since the page was opened.
            raise UserError(
                self.env._("The server now shows another fingerprint. Reload the page and compare it again.")
            )
        server.write({**server._success_values(), "host_key": self.offered_host_key, "offered_host_key": False})

    def action_collect(self):
        """*Fetch Files Now*: trigger the scheduled action that reads all folders."""
        self.ensure_one()
        self._server().paused_until = False
        # sudo: triggers one fixed scheduled action, which searches for what is due
        self.env.ref("account_online_files.ir_cron_collect_files").sudo()._trigger()
        return self._notify(self.env._("The files are being fetched. You can go on working."))

    # -------------------------------------------------------------------------
    # BUSINESS METHODS
    # -------------------------------------------------------------------------

    def _server(self):
        self.check_access("write")
        # sudo: write access, which only system administrators of the company have, was checked above
        return as_server(self)

    def _check_journals(self, vals_list):
        """Why here: the message of Odoo's own check of companies would contain the name of the journal."""
        if not self.env.su:
            journals = [vals["journal_id"] for vals in vals_list if vals.get("journal_id")]
            self.env["account.journal"].browse(journals)._check_own_company()

    def _notify(self, message):
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {"message": message, "type": "info", "next": {"type": "ir.actions.client", "tag": "soft_reload"}},
        }

    # -------------------------------------------------------------------------
    # BUSINESS METHODS - SECRETS
    # -------------------------------------------------------------------------

    def _secret_place(self):
        self.ensure_one()
        return self._name, str(self.id), "secret_data"

    def _write_secrets(self, secrets):
        service = self.env["account.online.service"]
        try:
            # sudo: write access was checked by Odoo before this field was written; only its encrypted form is stored
            as_server(self).secret_data = service._vault().encrypt(secrets, *self._secret_place())
        except ProxyError as error:
            raise UserError(service._translate(error.message)) from None

    def _read_secrets(self):
        if not self.secret_data:
            return {}
        try:
            return self.env["account.online.service"]._vault().decrypt(self.secret_data, *self._secret_place())
        except (SecretsUnreadable, ProxyError):
            raise PlaceError("unreadable_secret") from None

    @api.model
    def _reencrypt(self):
        """:return: iterator of the result for each secret, as ``account.online.service`` counts"""
        for source in self.with_context(active_test=False).search([("secret_data", "!=", False)]):
            vault = self.env["account.online.service"]._vault()
            try:
                text = vault.reencrypt(source.secret_data, *source._secret_place())
            except SecretsUnreadable:
                yield "unreadable"
                continue
            yield "already" if text == source.secret_data else "reencrypted"
            source.secret_data = text

    # -------------------------------------------------------------------------
    # BUSINESS METHODS - READING
    # -------------------------------------------------------------------------

    def _open_place(self):
        """:return: the place, to be opened with ``with``"""
        if self.kind == "folder":
            root = config.get(ROOT_OPTION)
            # Why the database's name: administrators of one database must not read files of another one.
            return Folder(root, f"{self.env.cr.dbname}/{self.folder or ''}") if root else Folder("")
        if not self.host:
            raise PlaceError("no_answer")
        return SFTP(
            self.host,
            self.port,
            self.username,
            self.folder,
            host_key=self.host_key or "",
            allow_private=str2bool(config.get(PRIVATE_OPTION) or "", False),
            **self._read_secrets(),
        )

    @api.model
    def _cron_collect(self):
        """Import new files from all folders, one after the other."""
        sources = self.search(
            ["|", ("paused_until", "=", False), ("paused_until", "<=", fields.Datetime.now())],
            order="checked_at ASC NULLS FIRST, id",
        )
        progress, deadline = self.env["ir.cron"], self.env["account.online.link"]._deadline()
        progress._commit_progress(remaining=len(sources))
        for number, source in enumerate(sources, start=1):
            left = source._for_company()._collect(len(sources) - number, deadline)
            progress._commit_progress(1, remaining=len(sources) - number + left)
            if time.monotonic() > deadline:
                return
        waiting = [("state", "=", "waiting"), ("source_id", "in", sources.ids), ("source_id.error_message", "=", False)]
        if self.taken_ids.search_count(waiting, limit=1):
            self.env.ref("account_online_files.ir_cron_collect_files")._trigger(fields.Datetime.now() + AGAIN)

    def _for_company(self):
        """:return: the source in its company and in the language of the responsible user for the company's files"""
        link = self.env["account.online.link"].search(
            [("is_files", "=", True), ("company_id", "=", self.company_id.id)], limit=1
        )
        user = link and link._get_notice_user()
        lang = (user and user.lang) or self.create_uid.lang or self.env.lang
        return self.with_company(self.company_id).with_context(lang=lang)

    def _collect(self, others, deadline):
        """
        :param int others: folders that are still to be read after this one
        :param float deadline: monotonic seconds
        :return: number of files that could be read, and for which no time was left
        """
        progress, left = self.env["ir.cron"], 0
        try:
            place = self._open_place()
            # Why here and below: no transaction is open while waiting for a server.
            progress._commit_progress()
            with place:
                ripe = self._find_ripe(place.entries())
                progress._commit_progress()
                for number, entry in enumerate(ripe, start=1):
                    self._take(place, entry)
                    # Why committed: the import stays, even if the next file fails.
                    left = len(ripe) - number
                    progress._commit_progress(1, remaining=others + 1 + left)
                    if time.monotonic() > deadline:
                        break
        except PlaceError as error:
            self._note_failure(error)
        except psycopg2.OperationalError as error:
            # Concurrent update of the same records. The file is still waiting, and is retried soon.
            _logger.info("Folder %s of statement files is read again: %s", self.id, type(error).__name__)
            self.env.cr.rollback()
        except Exception:
            # Why any exception: one folder must not block the others.
            _logger.exception("Folder %s of statement files: an error of the program", self.id)
            self.env.cr.rollback()
            self._note_failure(PlaceError("program_error"))
        else:
            self.write(self._success_values())
            return left
        # Why: after a failure nothing more is tried until the next time.
        return 0

    def _find_ripe(self, entries):
        """:return: list of new entries that no longer change; others are stored for the next check"""
        now, ripe, new = fields.Datetime.now(), [], []
        old = (now - OLD).replace(tzinfo=timezone.utc).timestamp()
        known = {one.name: one for one in self.taken_ids.search([("source_id", "=", self.id)])}
        for entry in entries:
            one, version = known.pop(entry.name, None), f"{entry.size} {entry.modified}"
            values = {"version": version, "state": "waiting", "seen_at": now, "note": False}
            is_quiet = entry.modified <= old
            if not one:
                new.append({"source_id": self.id, "name": entry.name, **values})
            elif one.version != version:
                one.write(values)
            elif one.state != "waiting":
                continue
            elif one.seen_at <= now - QUIET:
                is_quiet = True
            if is_quiet:
                ripe.append(entry)
        self.taken_ids.create(new)
        # Why: it was renamed or removed before it was complete.
        self.taken_ids.browse([one.id for one in known.values() if one.state == "waiting"]).unlink()
        return ripe

    def _take(self, place, entry):
        limit = formats.Limits().file_bytes
        try:
            content = place.content(entry, limit)
        except Changed:
            self._find_taken(entry).seen_at = fields.Datetime.now()
            return
        except PlaceError as error:
            if error.code != "not_allowed":
                raise
            self._conclude(entry, "failed", self._describe(error))
            return
        if len(content) > limit:
            note = self.env._("The file is larger than %s MB, so it was not read.", limit // 1024**2)
            self._conclude(entry, "failed", note)
            return
        digest = hashlib.sha256(content).hexdigest()
        same = self.taken_ids.search(
            [
                ("source_id", "=", self.id),
                ("digest", "=", digest),
                ("state", "=", "done"),
                ("name", "!=", entry.name),
            ],
            limit=1,
        )
        if same:
            note = self.env._("It has the same content as %s, which was imported before.", same.name)
            self._find_taken(entry).write({"state": "done", "digest": digest, "note": note})
            return
        is_done, note = self._import(entry.name, content)
        self._conclude(entry, "done" if is_done else "failed", note, digest)

    def _find_taken(self, entry):
        return self.taken_ids.search([("source_id", "=", self.id), ("name", "=", entry.name)])

    def _conclude(self, entry, state, note, digest=False):
        """Post imported files in the chatter, as with e-mails, and ask accountants to review failed ones."""
        self._find_taken(entry).write({"state": state, "digest": digest, "note": note})
        link = self.env["account.online.link"]._for_files(self.company_id)
        (self.journal_id or link).message_post(body=note)
        if state == "failed":
            link._ask_to_review([note if entry.name in note else f"{entry.name}: {note}"])

    def _import(self, name, content):
        """Import it like a file from an e-mail.

        :return: (whether it was imported, sentence with the result)
        """
        try:
            with self.env.cr.savepoint():
                wizard = self.env["account.online.file.import"]
                wizard = wizard._receive(name, content, self.journal_id, self.company_id)
                note = wizard._import_received(is_confirmed=bool(self.journal_id))
                return all(wizard.statement_ids.mapped("is_ready")), note
        except UserError as error:
            return False, self.env._("%(file)s was not imported: %(reason)s", file=name, reason=error)
        except psycopg2.OperationalError:
            raise
        except Exception:
            # Why any exception: one file must not block the others.
            _logger.exception("Folder %s: a statement file can't be imported", self.id)
            return False, self.env._("%s was not imported because of an unexpected error. See the server log.", name)

    def _success_values(self):
        return {
            "checked_at": fields.Datetime.now(),
            "error_message": False,
            "failing_since": False,
            "is_reported": False,
            "paused_until": False,
        }

    def _failure_values(self, error):
        now, message = fields.Datetime.now(), self._describe(error)
        values = {
            "checked_at": now,
            "error_message": message,
            "failing_since": self.failing_since or now,
            "paused_until": error.code == "refused" and now + PAUSE,
        }
        if error.code == "sign_in_ended":
            is_again = message == self.error_message
            so_far = PAUSE_GROWTH * (now - values["failing_since"]) if is_again else FIRST_PAUSE
            values["paused_until"] = now + min(max(so_far, FIRST_PAUSE), PAUSE)
        if error.code in ("other_host_key", "unknown_host_key"):
            values["offered_host_key"] = error.detail
        return values

    def _note_failure(self, error):
        """Notify the responsible user once while it fails, because accountants would wait for files in vain."""
        values = self._failure_values(error)
        is_again = values["error_message"] == self.error_message
        if not is_again:
            _logger.info("Folder %s of statement files can't be read: %s", self.id, error.code)
        is_lasting = (
            error.code not in ("no_answer", "ended", "sign_in_ended")
            or (error.code == "sign_in_ended" and is_again)
            or values["failing_since"] <= values["checked_at"] - PATIENCE
        )
        if is_lasting and not self.is_reported:
            values["is_reported"] = True
            sentence = self.env._(
                "No statement files are fetched from “%(name)s”: %(reason)s",
                name=self.name,
                reason=values["error_message"],
            )
            self.env["account.online.link"]._for_files(self.company_id)._ask_to_review([sentence])
        self.write(values)

    def _describe(self, error):
        env, detail = self.env, error.detail
        sentences = {
            "no_root": env._(
                "No folder of this server may be read. The operator of the server sets bank_sync_statement_folder in "
                "odoo.conf, and creates a folder with the name of the database in it."
            ),
            "not_below_root": env._("The path leads out of the folder that may be read. Enter a path without dots."),
            "no_folder": env._("The folder does not exist. Links are not followed."),
            "not_allowed": env._("The server does not allow the files to be read. Check the rights of the folder."),
            "too_many": env._("The folder has more than %s files. Move old ones elsewhere.", detail),
            "no_library": env._("SFTP needs the Python library paramiko. Ask your system administrator to install it."),
            "no_answer": env._(
                "No SFTP server answers at this address. Check server name and port, and the firewall. %s", detail
            ).strip(),
            "ended": env._(
                "The connection to the SFTP server ended before all files were read. Odoo tries again at the next "
                "check. %s",
                detail,
            ).strip(),
            "sign_in_ended": env._(
                "The SFTP server ended the connection while Odoo was signing in, without giving a reason. Check the "
                "user name, the password or key, and whether your bank allows the address of this server. Odoo "
                "retries at growing intervals, so that the bank does not lock the user."
            ),
            "unknown_host_key": env._("Nobody has confirmed the fingerprint of the server yet. Use Test."),
            "other_host_key": env._(
                "The server has another key than the one that was confirmed, so nothing was sent to it. If your bank "
                "has announced a new key, compare the fingerprint and confirm it; otherwise ask your bank."
            ),
            "bad_key": env._("The private key can't be read. Enter it in the form of OpenSSH, without a passphrase."),
            "refused": env._(
                "The server refuses the user name, password or key. Enter them again. Until then Odoo tries only once "
                "a day, so that the bank does not lock the user."
            ),
            "private_address": env._(
                "The server is in a private network. The operator of this server allows that with "
                "bank_sync_private_sftp = True in odoo.conf."
            ),
            "bad_name": env._("A file in the folder has a name that is not in UTF-8. Rename it on the server."),
            "program_error": env._("An unexpected error occurred. See the server log."),
            "unreadable_secret": env._("The stored password can't be read by this database. Enter it again."),
        }
        return sentences[error.code]
