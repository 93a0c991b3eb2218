from datetime import timedelta

from odoo import api, fields, models

from .server_fields import as_server

KEEP_DAYS = 30
#: Events that are deleted in one transaction; Odoo goes on while there are more.
BATCH = 10_000


class AccountOnlineEvent(models.Model):
    """What the connection service told without being asked: only what to ask about.

    Events are only added while a request waits, never changed, so that nobody waits for another; what they want is done
    by a scheduled action, which alone marks them.
    """

    _name = "account.online.event"
    _description = "Event of the Connection Service"
    _order = "id desc"

    create_date = fields.Datetime(string="When", readonly=True, index=True)
    identifier = fields.Char(string="Event ID", readonly=True)
    kind = fields.Char(required=True, readonly=True)
    connection_identifier = fields.Char(readonly=True, groups="base.group_system")
    nonce = fields.Char(readonly=True, groups="base.group_system")
    is_handled = fields.Boolean(readonly=True)

    # Events from within this database have none.
    _nonce_unique = models.UniqueIndex("(nonce)", "An event is received once.")
    _to_handle = models.Index("(id) WHERE is_handled IS NOT TRUE")

    @api.model
    def _receive(self, kind, connection_identifier=None, identifier=None, nonce=None):
        """Keep an event, and wake up the scheduled action that does what it wants."""
        # sudo: the event was signed (controllers/events.py) or comes from this very database
        event = as_server(self).create(
            {
                "kind": kind,
                "connection_identifier": connection_identifier,
                "identifier": identifier,
                "nonce": nonce,
            }
        )
        # sudo: wakes up one scheduled action, which decides itself what there is to do
        self.sudo().env.ref("account_online_synchronization.ir_cron_look_after")._trigger()
        return event

    @api.model
    def _search_to_handle(self):
        """Why not older ones: what could not be asked for a day is no news any more; synchronizations show it."""
        since = fields.Datetime.now() - timedelta(days=1)
        return self.search([("is_handled", "=", False), ("create_date", ">=", since)], order="id")

    def _about_client(self):
        return self.filtered(lambda event: event.kind.startswith("client."))

    @api.autovacuum
    def _gc_events(self):
        found = self.search([("create_date", "<", fields.Datetime.now() - timedelta(days=KEEP_DAYS))], limit=BATCH)
        found.unlink()
        return len(found), len(found) == BATCH
