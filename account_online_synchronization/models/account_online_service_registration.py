import logging

from odoo import api, fields, models, modules

from ..client.errors import ProxyError
from .account_online_service import STATES
from .server_fields import as_server

_logger = logging.getLogger(__name__)

#: The service refuses everything, until its support or the phone's owner says otherwise.
REFUSALS = ("phone_required", "client_blocked", "client_suspended", "client_disconnected")

#: A code sent to a phone is the way out of these.
PHONE_REFUSALS = ("phone_required", "client_blocked", "client_disconnected")

#: The service can't tell who we are: a new registration is the way out.
STRANGERS = ("not_registered", "registration_unreadable", "database_copied", "signature_rejected")

RETRY_MINUTES = 5


class AccountOnlineService(models.Model):
    """How this database becomes a client of a connection service, and stays one."""

    _inherit = "account.online.service"  # pylint: disable=consider-merging-classes-inherited

    # -------------------------------------------------------------------------
    # REGISTRATION
    # -------------------------------------------------------------------------

    def _prepare_to_connect(self):
        """Be known to the service, under the address that this database has today."""
        if not self.url:
            return
        if not self._is_known():
            self._become_client()
        elif self.registered_url != self._base_url():
            self._get_client().update(**self._describe())
            self.registered_url = self._base_url()
            # Why: the service knows it from now on, whatever becomes of this request.
            self._commit()

    def _describe(self):
        company = self.env.company
        return {
            "name": company.name,
            "url": self._base_url(),
            "contact_email": company.email or self.env.user.email or None,
        }

    def _become_client(self):
        """Become a new client. Links of the one before are disconnected: their connections belong to that."""
        if not self.try_lock_for_update():
            raise ProxyError(
                "registration_runs",
                self.env._("This database is being registered by another user right now. Try again in a moment."),
                action="retry",
            )
        is_first = not self.client_identifier
        answer = self._client_over(self._open_transport()).register(
            **self._describe(),
            # sudo: reads the uuid of this database, which no caller can choose
            database_uuid=self.env["ir.config_parameter"].sudo().get_param("database.uuid"),
            language=self.env.user.lang or None,
            database=self._database_digest(),
        )
        self.write(
            {
                "client_identifier": answer["client_id"],
                "registered_with": self.url,
                "registered_url": self._base_url(),
                "phone_hint": False,
            }
        )
        self._write_secrets(current=answer["client_secret"])
        self._take_state(answer)
        if not is_first:
            # sudo: all links of the database depend on its registration; who may cause that was checked by the action
            as_server(self.env["account.online.link"])._leave_former_client()
        # Why before it is used: a crash must not lose a secret that the service knows.
        self._commit()

    def _commit(self):
        if not modules.module.current_test:
            self.env.cr.commit()  # pylint: disable=invalid-commit

    def _make_way(self, error):
        """Try what a user who reconnects wants, after a refusal.

        :return: whether it is worth to ask again
        """
        if self.url and error.code in STRANGERS:
            self._become_client()
            return True
        if not self.url and error.code == "client_disconnected":
            # Why without a phone: whoever is in this database is in its own connection service.
            self._take_state(self._get_client().reactivate())
            return True
        return False

    def _ask_to_connect(self, question):
        """Ask what leads to a bank: this database registers itself where that is needed.

        :param question: ``callable()``
        :return: what it returns
        :raise ProxyError: when the service refuses all the same
        """
        self._prepare_to_connect()
        try:
            return question()
        except ProxyError as error:
            if not self._make_way(error):
                raise
            return question()

    def _wants_phone(self, error):
        return bool(self.url) and error.code in PHONE_REFUSALS

    # -------------------------------------------------------------------------
    # SECRET
    # -------------------------------------------------------------------------

    def _rotate_secret(self):
        """Sign with a new secret from now on. The old one stays until the new one was answered."""
        old = self._read_secrets()[0]
        new = self._get_client().rotate_secret()
        self._write_secrets(current=old, next=new)
        # Why before it is used: with its first use the service forgets the old one.
        self._commit()
        self._refresh_status()

    @api.model
    def _cron_rotate_secret(self):
        service = self._get()
        if not service._is_known():
            return
        try:
            service._rotate_secret()
        except ProxyError as error:
            _logger.info("The secret of the connection service was not changed, the next month will do: %s", error.code)

    # -------------------------------------------------------------------------
    # STATE
    # -------------------------------------------------------------------------

    def _refresh_status(self):
        """Ask how the service sees this database; what it says makes a secret that was being changed the only one."""
        if not self.url:
            self._take_state(self._get_client().get_status())
            return
        known = self._read_secrets()
        for number, secret in enumerate(known, start=1):
            try:
                answer = self._client_over(self._open_transport(secret)).get_status()
            except ProxyError as error:
                # Why the older one: the service may never have heard that the new one was to count.
                if error.code != "signature_rejected" or number == len(known):
                    raise
            else:
                break
        if len(known) > 1:
            self._write_secrets(current=secret)
        self._take_state(answer)

    def _take_state(self, answer):
        """:param dict answer: of ``clients.status`` or another operation that says the state"""
        state = answer.get("state") if answer.get("state") in STATES else False
        values = {"state": state, "blocked_by": False, "reason": False}
        for name in ("blocked_by", "reason", "phone_hint"):
            if name in answer:
                values[name] = answer[name] if isinstance(answer[name], str) else False
        self._write_changed(values)
        if state == "active":
            # sudo: all links of the database; the service itself has just said that it answers again
            as_server(self.env["account.online.link"])._go_on_after_refusal()

    def _note_refusal(self, code):
        """A question was refused: the mirror says why, without asking."""
        state = {
            "phone_required": "phone_required",
            "client_blocked": "blocked",
            "client_suspended": "blocked",
            "client_disconnected": "disconnected",
        }[code]
        self._write_changed({"state": state})

    def _write_changed(self, values):
        # Why: all who ask read this record, and a write without need makes them wait for one another.
        values = {name: value for name, value in values.items() if self[name] != value}
        if values:
            self.write(values)

    @api.model
    def _cron_look_after(self):
        """Daily, and when an event says so: what events want to be asked, and whether the service still answers."""
        service = self._get()
        events = self.env["account.online.event"]._search_to_handle()
        is_done = self.env["account.online.link"]._handle_events(events)
        try:
            if service._is_known() or (not service.url and events._about_client()):
                service._refresh_status()
                events._about_client().is_handled = True
        except ProxyError as error:
            _logger.info("The connection service did not say how it sees this database: %s", error.code)
            is_done = is_done and not events._about_client()
        if not is_done:
            now = fields.Datetime.now()
            cron = self.env.ref("account_online_synchronization.ir_cron_look_after")
            cron._trigger(at=fields.Datetime.add(now, minutes=RETRY_MINUTES))

    # -------------------------------------------------------------------------
    # FOR ADMINISTRATORS
    # -------------------------------------------------------------------------

    def _test(self):
        """:return: sentence about a service that answers
        :raise ProxyError: with the sentence for what is in the way
        """
        if self.url and not self._is_registered():
            # Why a stranger's question: it shows that a connection service is there, and registers nobody.
            answer = self._open_transport().call("clients.status", {})
            if not isinstance(answer.get("error"), dict) or answer["error"].get("code") == "unsupported_version":
                raise ProxyError.from_answer(answer.get("error"))
            return self.env._(
                "The connection service at %s answers. This database registers itself when the first bank is "
                "connected.",
                self.url,
            )
        self._refresh_status()
        if self.state == "active":
            return self.env._("The connection service answers and knows this database. Everything is fine.")
        return self.env._("The connection service answers. %s", self._describe_state())

    def _describe_state(self):
        """:return: sentence about the mirror of the state"""
        if self.url and not self._is_registered():
            return self.env._("Not registered yet: that happens by itself when the first bank is connected.")
        sentence = {
            "active": self.env._("Active."),
            "phone_required": self.env._("A phone number is asked for when the next bank is connected."),
            "blocked": self.env._(
                "This database is blocked. Use Reactivate on a bank connection, or contact support with the client ID."
            ),
            "disconnected": self.env._("This database is disconnected. Use Reconnect on a bank connection."),
        }.get(self.state, "")
        return f"{sentence} {self.reason}" if self.reason else sentence
