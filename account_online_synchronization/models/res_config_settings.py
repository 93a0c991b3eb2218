from odoo import api, fields, models
from odoo.addons.bank_sync_common.models.identity import is_identity_confirmed
from odoo.addons.base.models.res_users import check_identity
from odoo.exceptions import AccessError, UserError, ValidationError

from ..client.errors import ProxyError
from ..sync.windows import OVERLAP_DAYS
from .account_online_link import AUTO_SYNC
from .account_online_notices import MAX_NOTICE_DAYS, MAX_NOTICES, NOTICE_DAYS, NOTICE_EMAIL, parse_notice_days
from .account_online_run import KEEP_ANSWERS, KEEP_RUNS

#: A century; a larger number is a typo.
MOST_DAYS = 36500


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    online_sync_overlap_days = fields.Integer(
        string="Days to Look Back", default=OVERLAP_DAYS, config_parameter="account_online_synchronization.overlap_days"
    )
    online_sync_keep_runs_days = fields.Integer(
        string="Days to Keep the History", default=KEEP_RUNS[1], config_parameter=KEEP_RUNS[0]
    )
    online_sync_keep_answers_days = fields.Integer(
        string="Days to Keep Raw Answers", default=KEEP_ANSWERS[1], config_parameter=KEEP_ANSWERS[0]
    )

    bank_statement_creation_groupby = fields.Selection(
        related="company_id.bank_statement_creation_groupby", readonly=False
    )
    online_sync_auto_sync = fields.Boolean(string="Synchronize New Connections Automatically", default=True)
    online_sync_notice_days = fields.Char(
        string="Days before the End", default=NOTICE_DAYS[1], config_parameter=NOTICE_DAYS[0]
    )
    online_sync_notice_email = fields.Char(string="Also Notify", config_parameter=NOTICE_EMAIL)

    online_sync_service = fields.Selection(
        selection=[("here", "This Database"), ("elsewhere", "Another Connection Service")],
        string="Connection Service",
    )
    online_sync_url = fields.Char(string="Address")
    online_sync_is_possible_here = fields.Boolean(readonly=True)
    online_sync_client_identifier = fields.Char(string="Client ID", readonly=True)
    online_sync_state = fields.Char(string="State", readonly=True)
    online_sync_institutions_url = fields.Char(readonly=True)
    online_sync_firm = fields.Char(string="Accounting Firm", readonly=True)

    # -------------------------------------------------------------------------
    # CONNECTION SERVICE
    # -------------------------------------------------------------------------

    @api.model
    def get_values(self):
        if not self.has_access("read"):
            # Why: any user may call this method over RPC.
            return super().get_values()
        service = self.env["account.online.service"]._get()
        return {
            **super().get_values(),
            "online_sync_auto_sync": self.env["account.online.link"]._default_auto_sync(),
            "online_sync_service": "elsewhere" if service.url else "here",
            "online_sync_url": service.url,
            "online_sync_is_possible_here": "bank.sync.api" in self.env,
            "online_sync_client_identifier": service._is_registered() and service.client_identifier,
            "online_sync_state": service.url and service._describe_state(),
            "online_sync_institutions_url": service._institutions_url(),
            "online_sync_firm": service._describe_firm(),
        }

    def set_values(self):
        # Why here, too: over RPC this method may be called without a record on which Odoo would check rights.
        self.check_access("write")
        self._tidy_online_sync_notices()
        result = super().set_values()
        # sudo: check_access above lets in only those who may save settings
        self.env["ir.config_parameter"].sudo().set_param(AUTO_SYNC, "1" if self.online_sync_auto_sync else "0")
        # Why checked: users who save settings without having seen this one have not chosen a service.
        if self.online_sync_service and self.env.user.has_group("base.group_system"):
            is_elsewhere = self.online_sync_service == "elsewhere"
            if is_elsewhere and not self.online_sync_url:
                raise UserError(self.env._("Enter the address of the connection service, or choose this database."))
            # Why here, too: over RPC this method may be called without the button that asks for the password.
            if self._changes_online_sync_service() and not is_identity_confirmed():
                raise AccessError(
                    self.env._(
                        "The connection service receives the bank consents of this database, so changing it "
                        "requires confirming your password. Change it in the settings of Invoicing."
                    )
                )
            self.env["account.online.service"]._get()._choose(is_elsewhere and self.online_sync_url)
        return result

    def execute(self):
        """*Save*: another connection service is chosen only after Odoo's own identity check."""
        self.ensure_one()
        if self._changes_online_sync_service() and not is_identity_confirmed():
            return self._execute_with_identity()
        return super().execute()

    @check_identity
    def _execute_with_identity(self):
        # Odoo calls it again after the identity check; then it saves.
        return self.execute()

    def _changes_online_sync_service(self):
        """Whether saving selects another service, which would receive the consents."""
        if not self.online_sync_service or not self.env.user.has_group("base.group_system"):
            return False
        service = self.env["account.online.service"]._get()
        chosen = self.online_sync_service == "elsewhere" and service._clean(self.online_sync_url)
        return chosen != (service.url or False)

    def action_test_online_sync(self):
        """*Test Connection*."""
        # Why no reload: the user may have unsaved changes on the page.
        action = self._notify_service_result(lambda service: service._test())
        return {**action, "params": {**action["params"], "next": False}}

    def action_rotate_online_sync_secret(self):
        """*Change Secret*, once the user has confirmed the password."""
        self._check_may_change_service()
        return self._rotate_online_sync_secret_with_identity()

    @check_identity
    def _rotate_online_sync_secret_with_identity(self):
        return self._rotate_online_sync_secret()

    def _rotate_online_sync_secret(self):
        def rotate(service):
            service._rotate_secret()
            return self.env._("This database signs its requests with a new secret from now on.")

        return self._notify_service_result(rotate)

    def action_register_online_sync(self):
        """*Register Again*, once the user has confirmed the password."""
        self._check_may_change_service()
        return self._register_online_sync_with_identity()

    @check_identity
    def _register_online_sync_with_identity(self):
        return self._register_online_sync()

    def _register_online_sync(self):
        def register(service):
            service._become_client()
            return self.env._("This database was registered as a new client. %s", service._describe_state())

        return self._notify_service_result(register)

    def _check_may_change_service(self):
        if not self.env.user.has_group("base.group_system"):
            raise UserError(self.env._("Only system administrators change the connection service."))

    def _notify_service_result(self, do):
        """:param do: function from the service to a sentence
        :return: action that shows the sentence, or the one of what went wrong
        """
        # Why also here: after the password check Odoo calls this method directly, not through the button.
        self._check_may_change_service()
        try:
            message, kind = do(self.env["account.online.service"]._get()), "success"
        except ProxyError as error:
            message, kind = error.message, "danger"
        action = self.env["account.online.link"]._notify(message, kind)
        return {**action, "params": {**action["params"], "title": self.env._("Connection Service")}}

    # -------------------------------------------------------------------------
    # DAYS AND NOTICES
    # -------------------------------------------------------------------------

    @api.constrains("online_sync_overlap_days", "online_sync_keep_runs_days", "online_sync_keep_answers_days")
    def _check_online_sync_days(self):
        least = {
            "online_sync_overlap_days": OVERLAP_DAYS,
            "online_sync_keep_runs_days": 1,
            "online_sync_keep_answers_days": 1,
        }
        for settings in self:
            for name, minimum in least.items():
                if not minimum <= settings[name] <= MOST_DAYS:
                    raise ValidationError(
                        self.env._(
                            "“%(setting)s” of the bank synchronization must be a number from %(least)s to %(most)s. "
                            "Please correct it in the settings of Invoicing.",
                            setting=settings._fields[name]._description_string(self.env),
                            least=minimum,
                            most=MOST_DAYS,
                        )
                    )

    @api.constrains("online_sync_notice_days", "online_sync_notice_email")
    def _check_online_sync_notices(self):
        for settings in self:
            if settings.online_sync_notice_days and not parse_notice_days(settings.online_sync_notice_days):
                raise ValidationError(
                    self.env._(
                        "“%(text)s” is not a list of days. Write up to %(most)s whole numbers from 1 to %(largest)s, "
                        "separated by commas, such as 14, 7, 1.",
                        text=settings.online_sync_notice_days,
                        most=MAX_NOTICES,
                        largest=MAX_NOTICE_DAYS,
                    )
                )
            if settings.online_sync_notice_email:
                self.env["account.online.link"]._check_addresses(settings.online_sync_notice_email)

    def _tidy_online_sync_notices(self):
        """Normalize the list: each number once, the largest first; the default days if empty."""
        days = parse_notice_days(self.online_sync_notice_days)
        self.online_sync_notice_days = ", ".join(map(str, days)) if days else NOTICE_DAYS[1]
