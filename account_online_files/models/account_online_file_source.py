import base64
import hashlib
import logging
from datetime import datetime, timedelta, timezone

from odoo import api, fields, models
from odoo.addons.account_online_synchronization.client.errors import ProxyError
from odoo.addons.bank_statement_formats import formats
from odoo.addons.bank_sync_common.models.server_fields import as_server
from odoo.addons.bank_sync_common.tools.vault import SecretsUnreadable
from odoo.exceptions import UserError
from odoo.tools import config

from ..places import SFTP, Changed, Folder, PlaceError

_logger = logging.getLogger(__name__)

#: Option of odoo.conf: the folder below which each database has one of its own, named like the database.
ROOT_OPTION = "bank_sync_statement_folder"
#: A file is read when it has not changed for so long: between two looks, or by the clock of its place.
QUIET = timedelta(minutes=1)
OLD = timedelta(hours=1)
#: After so long somebody looks again at a file that was still being written.
AGAIN = timedelta(minutes=2)


class AccountOnlineFileSource(models.Model):
    """A folder of the server, or of an SFTP server, from which statement files are taken as if they were dropped.

    Only system administrators see it: whoever sets it up decides from where the server reads, and has the password. The
    files go the same way as those that arrive by e-mail, so that nothing is there twice however a file has come.
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
    secret_data = fields.Text(readonly=True, copy=False)
    host_key = fields.Char(
        string="Confirmed Fingerprint", readonly=True, copy=False, help="No password is sent to a server with another."
    )
    offered_host_key = fields.Char(string="Fingerprint of the Server", readonly=True, copy=False)
    checked_at = fields.Datetime(string="Last Look", readonly=True, copy=False)
    error_message = fields.Text(readonly=True, copy=False)
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
        places = {"host", "port"} & vals.keys()
        if elsewhere := self.filtered(lambda source: any(vals[name] != source[name] for name in places)):
            # sudo: write access was checked above; nothing is confirmed about another server, and no password is for it
            as_server(elsewhere).write({"host_key": False, "offered_host_key": False, "secret_data": False})
        result = super().write(vals)
        self._forget_entered_secrets()
        return result

    def _forget_entered_secrets(self):
        """Why: what the browser has sent would come back with the saved form."""
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
            server._note_failure(error)
            return False
        server.error_message = False
        return self._notify(self.env._("The folder can be read. Files in it: %s.", number))

    def action_confirm_host_key(self):
        """*This Is the Server*: the person has compared the fingerprint."""
        self.ensure_one()
        server = self._server()
        if not self.offered_host_key:
            raise UserError(self.env._("There is no fingerprint to confirm yet. Use Test first."))
        server.write({"host_key": self.offered_host_key, "offered_host_key": False, "error_message": False})

    def action_collect(self):
        """*Fetch Files Now*: wake up the scheduled action that reads all folders."""
        self.ensure_one()
        self._server()
        # sudo: wakes up one scheduled action, which decides itself what there is to do
        self.env.ref("account_online_files.ir_cron_collect_files").sudo()._trigger()
        return self._notify(self.env._("The files are being fetched. You can go on working."))

    # -------------------------------------------------------------------------
    # BUSINESS METHODS
    # -------------------------------------------------------------------------

    @api.model
    def _server_addons(self):
        return super()._server_addons() | {"account_online_files"}

    def _server(self):
        self.check_access("write")
        # sudo: write access, which only system administrators of the company have, was checked above
        return as_server(self)

    def _check_journals(self, vals_list):
        """Why here: Odoo's own check of companies would name the journal."""
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
        """:return: iterator of what became of each secret, as ``account.online.service`` counts"""
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
            # Why the database's name: administrators of one database have no business in the files of another one.
            return Folder(root, f"{self.env.cr.dbname}/{self.folder or ''}") if root else Folder("")
        if not self.host:
            raise PlaceError("no_answer")
        secrets = self._read_secrets()
        return SFTP(self.host, self.port, self.username, self.folder, host_key=self.host_key or "", **secrets)

    @api.model
    def _cron_collect(self):
        """Take what is new from all folders, one file after the other."""
        sources = self.search([("active", "=", True)])
        self.env["ir.cron"]._commit_progress(remaining=len(sources))
        for source in sources:
            source.with_company(source.company_id)._collect()
            if not self.env["ir.cron"]._commit_progress(1):
                return
        if sources.taken_ids.filtered(lambda one: one.state == "waiting"):
            self.env.ref("account_online_files.ir_cron_collect_files")._trigger(fields.Datetime.now() + AGAIN)

    def _collect(self):
        try:
            with self._open_place() as place:
                for entry in self._find_ripe(place.entries()):
                    self._take(place, entry)
                    # Why: what is imported stays, whatever becomes of the next file.
                    self.env["ir.cron"]._commit_progress()
        except PlaceError as error:
            self._note_failure(error)
        except Exception:
            # Why everything: one folder must not keep all others away.
            _logger.exception("Folder %s of statement files: an error of the program", self.id)
            self.env.cr.rollback()
            message = self.env._("The folder was not read, because of an error of the program. See the log.")
            self.write({"checked_at": fields.Datetime.now(), "error_message": message})
        else:
            self.write({"checked_at": fields.Datetime.now(), "error_message": False})

    def _find_ripe(self, entries):
        """:return: list of the entries that are new and have stopped changing; what has not is remembered"""
        now, known, ripe = fields.Datetime.now(), {one.name: one for one in self.taken_ids}, []
        for entry in entries:
            one, version = known.get(entry.name), f"{entry.size} {entry.modified}"
            if not one or one.version != version:
                values = {"version": version, "state": "waiting", "seen_at": now, "note": False}
                if one:
                    one.write(values)
                else:
                    one = self.taken_ids.create({"source_id": self.id, "name": entry.name, **values})
            is_old = datetime.fromtimestamp(max(entry.modified, 0), timezone.utc).replace(tzinfo=None) <= now - OLD
            if one.state == "waiting" and (is_old or one.seen_at <= now - QUIET):
                ripe.append(entry)
        return ripe

    def _take(self, place, entry):
        (one,) = self.taken_ids.filtered(lambda taken: taken.name == entry.name)
        limit = formats.Limits().file_bytes
        try:
            content = place.content(entry, limit)
        except Changed:
            one.seen_at = fields.Datetime.now()
            return
        if len(content) > limit:
            note = self.env._("The file is larger than %s MB, so it was not read.", limit // 1024**2)
            one.write({"state": "failed", "note": note})
            return
        digest = hashlib.sha256(content).hexdigest()
        same = self.taken_ids.filtered(lambda taken: taken.digest == digest and taken.state == "done" and taken != one)
        if same:
            note = self.env._("It has the same content as %s, which was imported before.", same[0].name)
            one.write({"state": "done", "digest": digest, "note": note})
            return
        is_done, note = self._import(entry.name, content)
        one.write({"state": "done" if is_done else "failed", "digest": digest, "note": note})
        self._tell(note)

    def _import(self, name, content):
        """As a file that has come by e-mail.

        :return: (whether it was imported, what became of it)
        """
        try:
            with self.env.cr.savepoint():
                upload = self.env["ir.attachment"].create({"name": name, "datas": base64.b64encode(content)})
                wizard = self.env["account.online.file.import"].create(
                    {
                        "journal_id": self.journal_id.id,
                        "company_id": self.company_id.id,
                        "attachment_ids": [(6, 0, upload.ids)],
                    }
                )
                note = wizard._import_received(is_confirmed=bool(self.journal_id))
                return all(wizard.statement_ids.mapped("is_ready")), note
        except UserError as error:
            return False, self.env._("%(file)s was not imported: %(reason)s", file=name, reason=error)
        except Exception:
            # Why everything: one file must not keep all others away.
            _logger.exception("Folder %s: a statement file can't be imported", self.id)
            return False, self.env._("%s was not imported, because of an error of the program. See the log.", name)

    def _tell(self, note):
        """Accountants read in the chatter what has come, as with e-mails."""
        if self.journal_id:
            self.journal_id.message_post(body=note)
        else:
            self.env["account.online.link"]._for_files(self.company_id).message_post(body=note)

    def _note_failure(self, error):
        message = self._describe(error)
        if message != self.error_message:
            _logger.info("Folder %s of statement files can't be read: %s", self.id, error.code)
        values = {"checked_at": fields.Datetime.now(), "error_message": message}
        if error.code in ("other_host_key", "unknown_host_key"):
            values["offered_host_key"] = error.detail
        self.write(values)

    def _describe(self, error):
        env, detail = self.env, error.detail
        sentences = {
            "no_root": env._(
                "No folder of this server may be read. The operator of the server sets bank_sync_statement_folder in "
                "odoo.conf, and creates a folder with the name of the database in it."
            ),
            "not_below_root": env._("The path leads out of the folder that may be read. Enter one without dots."),
            "no_folder": env._("The folder does not exist. Links are not followed."),
            "not_allowed": env._("The server does not allow the files to be read. Check the rights of the folder."),
            "too_many": env._("The folder has more than %s files. Move old ones elsewhere.", detail),
            "no_library": env._("SFTP needs the Python library paramiko. Ask your system administrator to install it."),
            "no_answer": env._("The server does not answer as an SFTP server does. %s", detail).strip(),
            "unknown_host_key": env._("Nobody has confirmed the fingerprint of the server yet. Use Test."),
            "other_host_key": env._(
                "The server has another key than the one that was confirmed, so nothing was sent to it. If your bank "
                "has announced a new key, compare the fingerprint and confirm it; otherwise ask your bank."
            ),
            "bad_key": env._("The private key can't be read. Enter it in the form of OpenSSH, without a passphrase."),
            "refused": env._("The server refuses the user name, password or key. Enter them again."),
            "unreadable_secret": env._("The stored password can't be read by this database. Enter it again."),
        }
        return sentences[error.code]
