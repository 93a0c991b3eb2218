import logging
from datetime import timedelta

import psycopg2
from lxml import html
from markupsafe import Markup

from odoo import SUPERUSER_ID, api, fields, models
from odoo.addons.bank_sync_common.models.server_fields import as_server
from odoo.exceptions import ValidationError
from odoo.fields import Domain
from odoo.tools import email_normalize_all, email_split
from odoo.tools.misc import format_date

from ..client.errors import ACTIONS

_logger = logging.getLogger(__name__)

#: Setting: days before the end of a consent on which a notice is sent. From the earliest one on, it *ends soon*.
NOTICE_DAYS = ("account_online_synchronization.notice_days", "14, 7, 1")
#: Setting: further addresses that get the notices of new connections.
NOTICE_EMAIL = "account_online_synchronization.notice_email"
#: Upper bounds of the setting: number of notices, days ahead.
MAX_NOTICES, MAX_NOTICE_DAYS = 10, 365
#: The first day without a consent, on which a notice is always sent.
AFTERWARDS = -1
#: Failures that end without user action need no activity.
ACTIONS_FOR_A_PERSON = frozenset(ACTIONS) - {"retry"}
#: Maximum number of sentences in the note of one review activity.
MAX_SENTENCES = 50

STATUS_TYPE = "account_online_synchronization.mail_activity_type_connection"
REVIEW_TYPE = "account_online_synchronization.mail_activity_type_review"


def parse_notice_days(text):
    """:return: list of numbers of days, the largest first; None if the text is invalid"""
    days = [part.strip() for part in (text or "").split(",")]
    if not all(part.isascii() and part.isdigit() for part in days) or len(days) > MAX_NOTICES:
        return None
    numbers = sorted({int(part) for part in days}, reverse=True)
    return numbers if numbers[-1] >= 1 and numbers[0] <= MAX_NOTICE_DAYS else None


def _split_key(key):
    """:return: (subject, id of the user) of a status activity's key"""
    subject, _at, user_part = (key or "").rpartition("@")
    return subject, user_part


class AccountOnlineNotices(models.AbstractModel):
    """Notifications about a bank connection: an expiring consent, an error that needs action, entries to review.

    The expiry is read from the consent's date, so notices are sent before the bank refuses a request, and also for
    connections without automatic synchronization.

    Contract. The model that inherits it has the fields ``name``, ``company_id``, ``state``, ``journal_ids``,
    ``expiring_synchronization_date``, ``account_online_account_ids``, ``error_code``, ``error_message``,
    ``error_reference`` and ``error_action``, and calls :meth:`_update_status_activity` whenever one of them, or the
    responsible user, has changed.
    """

    _name = "account.online.notices"
    _description = "Notices About a Bank Connection"
    _inherit = ["mail.thread", "mail.activity.mixin"]

    responsible_user_id = fields.Many2one(
        comodel_name="res.users",
        string="Responsible",
        default=lambda self: self._default_responsible_user_id(),
        copy=False,
        tracking=True,
        domain="[('share', '=', False), ('company_ids', 'in', company_id)]",
        help="Is notified of an expiring consent and of errors that need action. An accounting administrator of the "
        "company takes the place of a user who has left or has no access.",
    )
    renewal_contact_email = fields.Char(
        string="Also Notify",
        default=lambda self: self._default_renewal_contact_email(),
        copy=False,
        help="Addresses that also receive the e-mails that ask for a new consent; separate several by commas.",
    )
    expiring_synchronization_due_day = fields.Integer(
        string="Days Left", compute="_compute_consent_state", help="Days until the consent ends; negative afterwards."
    )
    consent_state = fields.Selection(
        selection=[("valid", "Valid"), ("ending", "Ends soon"), ("ended", "Ended")],
        string="Consent",
        compute="_compute_consent_state",
        search="_search_consent_state",
        help="Based on the expiry date; empty if the bank provided none.",
    )
    consent_text = fields.Char(compute="_compute_consent_state")
    expiry_notice_date = fields.Date(readonly=True, copy=False, help="Expiry date in the last notice sent.")
    expiry_notice_days = fields.Integer(readonly=True, copy=False, help="Days before expiry of the last notice sent.")
    # Why references, not a search by type: users may create activities of the same type.
    status_activity_id = fields.Many2one(
        comodel_name="mail.activity", readonly=True, copy=False, ondelete="set null", groups="base.group_system"
    )
    status_activity_key = fields.Char(
        readonly=True,
        copy=False,
        groups="base.group_system",
        help="Subject and user of the status activity. Kept after the activity, so that one that was marked as done "
        "does not come back before something new happens.",
    )
    review_activity_id = fields.Many2one(
        comodel_name="mail.activity", readonly=True, copy=False, ondelete="set null", groups="base.group_system"
    )

    # -------------------------------------------------------------------------
    # DEFAULT METHODS
    # -------------------------------------------------------------------------

    @api.model
    def _default_responsible_user_id(self):
        user = self.env.user
        return user if user._is_internal() and user.id != SUPERUSER_ID else self.env["res.users"]

    @api.model
    def _default_renewal_contact_email(self):
        # sudo: reads one system parameter that is not secret; the code fixes its name
        return self.env["ir.config_parameter"].sudo().get_param(NOTICE_EMAIL)

    # -------------------------------------------------------------------------
    # COMPUTE METHODS
    # -------------------------------------------------------------------------

    @api.depends("expiring_synchronization_date")
    @api.depends_context("lang", "tz")
    def _compute_consent_state(self):
        today, soon = fields.Date.context_today(self), self._get_notice_days()[0]
        for link in self:
            end = link.expiring_synchronization_date
            days = (end - today).days if end else 0
            link.expiring_synchronization_due_day = days
            link.consent_state = end and ("ended" if days < 0 else "ending" if days <= soon else "valid")
            link.consent_text = link._describe_consent(days) if link.consent_state in ("ending", "ended") else False

    def _describe_consent(self, days):
        if days < 0:
            return self.env._("The consent has ended.")
        if days == 0:
            return self.env._("The consent ends today.")
        if days == 1:
            return self.env._("The consent ends tomorrow.")
        return self.env._("The consent ends in %s days.", days)

    @api.model
    def _search_consent_state(self, operator, value):
        if operator != "in":
            return NotImplemented
        name, today = "expiring_synchronization_date", fields.Date.context_today(self)
        last_day = today + timedelta(days=self._get_notice_days()[0])
        domains = {
            False: Domain(name, "=", False),
            "ended": Domain(name, "<", today),
            "ending": Domain(name, ">=", today) & Domain(name, "<=", last_day),
            "valid": Domain(name, ">", last_day),
        }
        return Domain.OR(domains[state] for state in value if state in domains)

    # -------------------------------------------------------------------------
    # CONSTRAINT METHODS
    # -------------------------------------------------------------------------

    @api.constrains("renewal_contact_email")
    def _check_renewal_contact_email(self):
        for link in self.filtered("renewal_contact_email"):
            link._check_addresses(link.renewal_contact_email)

    @api.model
    def _check_addresses(self, addresses):
        for address in addresses.split(","):
            if len(email_normalize_all(address)) != 1 or len(email_split(address)) != 1:
                raise ValidationError(
                    self.env._(
                        "“%s” is not an e-mail address. Write one address, or several separated by commas.",
                        address.strip(),
                    )
                )

    # -------------------------------------------------------------------------
    # BUSINESS METHODS - CONSENT
    # -------------------------------------------------------------------------

    def _get_notice_user(self):
        """:return: the user who is notified, or an empty recordset if there is none"""
        self.ensure_one()
        # sudo: reads the responsible user of a link that the caller may read
        user, company = self.sudo().responsible_user_id, self.company_id
        if (
            user.active
            and user._is_internal()
            and company in user.company_ids
            and user.has_group("account.group_account_basic")
        ):
            return user
        return user.search(
            [
                ("active", "=", True),
                ("share", "=", False),
                ("company_ids", "in", company.ids),
                ("all_group_ids", "in", self.env.ref("account.group_account_manager").ids),
            ],
            order="id",
            limit=1,
        )

    @api.model
    def _get_notice_days(self):
        """:return: list of days before the end of a consent, the largest first"""
        name, usual = NOTICE_DAYS
        # sudo: reads one system parameter that is not secret; the code fixes its name
        days = self.env["ir.config_parameter"].sudo().get_param(name)
        return parse_notice_days(days) or parse_notice_days(usual)

    def _is_consent_to_renew(self):
        """Whether a notice is due: the consent expires soon or has expired, and the connection is in use."""
        # Why check the date first: the comparison reads the user's time zone.
        return (
            bool(self.expiring_synchronization_date)
            and self.state != "disconnected"
            and bool(self.journal_ids)
            and self.consent_state in ("ending", "ended")
        )

    def _get_expiry_threshold(self):
        """:return: the smallest number of notice days that has been reached"""
        thresholds = (*self._get_notice_days(), AFTERWARDS)
        return min(days for days in thresholds if self.expiring_synchronization_due_day <= days)

    def _send_expiry_notice(self):
        """Send the e-mail of the current threshold, unless it was sent for this date."""
        self.ensure_one()
        if not self._is_consent_to_renew():
            return
        end, threshold = self.expiring_synchronization_date, self._get_expiry_threshold()
        if self.expiry_notice_date == end and self.expiry_notice_days <= threshold:
            return
        # Why: stored in the same transaction as the e-mail, so each threshold is sent once.
        self.write({"expiry_notice_date": end, "expiry_notice_days": threshold})
        user = self._get_notice_user()
        partner, others = self._get_expiry_recipients(user)
        if not partner and not others:
            _logger.warning("Online link %s: its consent expires, and nobody has an e-mail address", self.id)
            return
        values = {"recipient_ids": [fields.Command.set(partner.ids)], "email_to": ", ".join(others)}
        # Why no model: the chatter would show the whole e-mail four times for each consent; one line is enough.
        values |= {"model": False, "res_id": False}
        template = self.env.ref("account_online_synchronization.mail_template_consent_expiry")
        template.with_context(lang=user.lang or self.env.lang).send_mail(
            self.id, email_values=values, email_layout_xmlid="mail.mail_notification_light"
        )
        addresses = ", ".join([*partner.mapped("email"), *others])
        self._message_log(body=self.env._("A notice about the end of the consent was sent to %s.", addresses))

    def _get_expiry_recipients(self, user):
        """:return: (the user's partner if it has an address, further addresses)"""
        partner = user.partner_id.filtered("email_normalized")
        addresses = dict.fromkeys(email_normalize_all(self.renewal_contact_email or ""))
        return partner, [address for address in addresses if address != partner.email_normalized]

    def _get_consent_card(self):
        """What the card of a journal shows of the consent, and whether *Renew* helps."""
        # Why: the card shows the error already.
        is_shown_as_error = self.state == "error" and self.error_action == "renew"
        is_shown = not is_shown_as_error and self.state != "disconnected" and self.consent_state in ("ending", "ended")
        return {
            "consent": self.consent_state if is_shown else "",
            "consent_text": self.consent_text if is_shown else "",
            "renew": is_shown or is_shown_as_error,
        }

    # -------------------------------------------------------------------------
    # BUSINESS METHODS - ACTIVITIES
    # -------------------------------------------------------------------------

    def _update_status_activity(self):
        """Create, update or remove the status activity according to the link's fields. Cheap if nothing changes.

        A failure is logged and never stops a synchronization.
        """
        self.ensure_one()
        # sudo: the link's own activity; the caller has checked the link, as Odoo does in write()
        link = as_server(self)
        subject = link._get_status_subject()
        if not subject and not link.status_activity_key:
            return
        user = link._get_notice_user() if subject else link.env["res.users"]
        key = f"{subject}@{user.id or ''}" if subject else False
        if key == link.status_activity_key:
            return
        try:
            with self.env.cr.savepoint():
                link._replace_status_activity(key, user)
        except psycopg2.OperationalError:
            # Serialization failures and lost connections: Odoo repeats the whole request or rolls it back.
            raise
        except Exception:
            _logger.exception("Online link %s: the activity could not be updated", link.id)

    def _get_status_subject(self):
        """:return: ``error:<code>``, ``refused:<accounts>``, ``consent:<date>:<threshold>``, or None, in this order"""
        if self.error_action in ACTIONS_FOR_A_PERSON and self.journal_ids:
            return f"error:{self.error_code}"
        if refused := self.account_online_account_ids._refused_ones():
            return f"refused:{','.join(map(str, refused.ids))}"
        if self._is_consent_to_renew():
            return f"consent:{self.expiring_synchronization_date}:{self._get_expiry_threshold()}"
        return None

    def _replace_status_activity(self, key, user):
        """Update an open activity about the same error, or about the consent; replace any other."""
        activity = self.status_activity_id.filtered("active")
        values = self._prepare_status_activity(key, user) if key else {}
        (subject, user_part), (old_subject, old_user_part) = _split_key(key), _split_key(self.status_activity_key)
        is_consent = subject.startswith("consent:")
        if activity and (subject == old_subject or (is_consent and old_subject.startswith("consent:"))):
            # Why not all values: the deadline is the day on which the error appeared, and users extend notes.
            names = ["summary", "date_deadline"] if is_consent else []
            if user_part != old_user_part:
                # Why only then: the user may have reassigned it to a colleague.
                names.append("user_id")
            activity.write({name: values[name] for name in names})
        else:
            activity.unlink()
            activity = activity.browse()
            if key:
                # Why: this addon sends its own e-mail about a consent; about an error Odoo sends its standard one.
                quiet = self.with_context(mail_activity_quick_update=is_consent)
                activity = quiet.activity_schedule(STATUS_TYPE, **values) or activity
        self.write({"status_activity_id": activity.id, "status_activity_key": key})

    def _prepare_status_activity(self, key, user):
        link = self.with_context(lang=user.lang or self.env.lang)
        if key.startswith("error:"):
            note = Markup("<p>%s</p>") % (link.error_message or "")
            if link.error_reference:
                note += Markup("<p>%s</p>") % link.env._("Reference: %s", link.error_reference)
            summary, deadline = link._describe_error_action(), fields.Date.context_today(link)
        elif key.startswith("refused:"):
            sentences = [account._describe_refusal() for account in link.account_online_account_ids._refused_ones()]
            note = Markup().join(Markup("<p>%s</p>") % sentence for sentence in sentences)
            summary = link.env._("Decide what to do with an account that the bank refuses")
            deadline = fields.Date.context_today(link)
        else:
            deadline = link.expiring_synchronization_date
            end = format_date(link.env, deadline, date_format="long")
            summary = link.env._("Renew the consent, valid until %s", end)
            note = Markup("<p>%s</p>") % link.env._(
                "The bank sends transactions as long as the consent is valid. What is missed afterwards arrives once "
                "the consent is renewed: use Renew on the bank connection."
            )
        return {"summary": summary, "note": note, "date_deadline": deadline, "user_id": user.id}

    def _describe_error_action(self):
        return {
            "renew": self.env._("Renew the consent"),
            "reconnect": self.env._("Reconnect the bank"),
            "reactivate": self.env._("Reactivate the bank synchronization"),
            "answer_challenge": self.env._("Enter the code that the bank asks for"),
            "disable_auto_sync": self.env._("Switch the automatic synchronization off"),
            "check_permission": self.env._("Check the permissions and the plan at the bank"),
            "leave_out": self.env._("Decide what to do with an account that the bank refuses"),
        }.get(self.error_action) or self.env._("Contact support about the bank connection")

    def _ask_to_review(self, sentences):
        """Ask the responsible user to review something in the books. One open activity collects all sentences.

        :param sentences: complete sentences for the user; no markup
        """
        self.ensure_one()
        # sudo: the link's own activity; the caller of the synchronization has checked the link
        link = as_server(self)
        activity = link.review_activity_id.filtered("active")
        user = activity.user_id or link._get_notice_user()
        addition = link.with_context(lang=user.lang or self.env.lang)._list_sentences(sentences, activity.note)
        if not addition:
            return
        if activity:
            activity.note += addition
            return
        activity = link.activity_schedule(REVIEW_TYPE, note=addition, user_id=user.id)
        link.review_activity_id = activity and activity.id

    def _list_sentences(self, sentences, note):
        """:return: HTML of the sentences that are not in the note yet, up to the maximum of a note"""
        entries = html.fragment_fromstring(note, create_parent="div").findall(".//li") if note else []
        known = {" ".join(entry.text_content().split()) for entry in entries}
        new = [text for text in dict.fromkeys(" ".join(str(text).split()) for text in sentences) if text not in known]
        room = max(MAX_SENTENCES - len(entries), 0)
        more = self.env._("And more: see the history of the bank connection.")
        if len(new) > room:
            new = new[:room] + ([] if more in known else [more])
        return new and Markup("<ul>%s</ul>") % Markup().join(Markup("<li>%s</li>") % text for text in new)

    # -------------------------------------------------------------------------
    # SCHEDULED ACTIONS
    # -------------------------------------------------------------------------

    @api.model
    def _cron_notify_expiring(self):
        """Notify about expiring consents, each link in its own transaction, so that no failure affects another."""
        links = self.search(
            [
                "|",
                "&",
                ("consent_state", "in", ("ending", "ended")),
                "&",
                ("state", "!=", "disconnected"),
                ("journal_ids", "!=", False),
                # Why: journals or users may have changed; outdated activities are closed.
                ("status_activity_key", "!=", False),
            ]
        )
        progress = self.env["ir.cron"]
        progress._commit_progress(remaining=len(links))
        for link in links:
            try:
                if not link.try_lock_for_update(allow_referencing=True):
                    # Why skipped: it is being synchronized. Odoo runs this action again because work remains.
                    continue
                link.invalidate_recordset()
                link._update_status_activity()
                # Why first: the activity is kept if the e-mail can't be created.
                progress._commit_progress()
                link._send_expiry_notice()
            except Exception:
                self.env.cr.rollback()
                _logger.exception("Online link %s: the notice about its consent failed", link.id)
            if not progress._commit_progress(1):
                break
