import secrets
from unittest.mock import patch

from ..client.remote import RemoteTransport
from .common import OnlineSyncCommon, ScriptedProxy
from .proxy_server import ProxyServer, refusal


class ScriptedService(ScriptedProxy):
    """A proxy on another server, which also knows clients: one after the other, each with a phone."""

    PHONE = "+32470123456"
    CODE = "123456"

    def __init__(self, currency, server):
        super().__init__(currency)
        self.server = server
        self.state, self.blocked_by, self.reason, self.phone = "active", None, None, None
        #: The one accounting firm, and what this database has agreed with it.
        self.firm, self.agreement = "Abacus", None
        #: Client ids, in the order in which they have registered.
        self.clients = []

    def dispatch(self, operation, payload):
        method = getattr(self, operation.replace(".", "_"), None)
        if method:
            self.requests.append((operation, payload))
            return {"error": self.failures[operation]} if operation in self.failures else method(payload)
        if self.state != "active":
            suspended = self.state == "blocked" and self.blocked_by == "support"
            codes = {"phone_required": "phone_required", "disconnected": "client_disconnected"}
            code = codes.get(self.state) or ("client_suspended" if suspended else "client_blocked")
            actions = {"client_suspended": "contact_support", "client_disconnected": "reconnect"}
            self.requests.append((operation, payload))
            return self.failure(code, actions.get(code, "reactivate"))
        return super().dispatch(operation, payload)

    @staticmethod
    def failure(code, action):
        return {"error": {**refusal(code, 403)[1]["error"], "action": action}}

    def clients_register(self, payload):
        client, secret = secrets.token_hex(16), secrets.token_urlsafe(32)
        self.clients.append(client)
        self.server.secrets[client] = [secret]
        self.server.databases[client] = payload["database"]
        self.state, self.phone = "phone_required", None
        return {"client_id": client, "client_secret": secret, "state": self.state}

    def clients_status(self, _payload):
        hint = self.phone and f"•••• {self.phone[-2:]}"
        return {"state": self.state, "reason": self.reason, "phone_hint": hint, "blocked_by": self.blocked_by}

    def clients_update(self, _payload):
        return {"state": self.state}

    def clients_rotate_secret(self, _payload):
        new = secrets.token_urlsafe(32)
        self.server.secrets[self.clients[-1]].append(new)
        return {"client_secret": new}

    def clients_verify_phone(self, payload):
        if "phone" in payload:
            if len(payload["phone"]) < 8:
                return self.failure("phone_invalid", "reactivate")
            self.phone = payload["phone"]
        return self._code(payload)

    def clients_reactivate(self, payload):
        return self._code(payload)

    def firms_find(self, payload):
        if payload["code"].replace("-", "").replace(" ", "").upper() != "ABACUS22":
            return self.failure("firm_unknown", "retry")
        return {"firm": {"name": self.firm}}

    def firms_agree(self, payload):
        if "code" in payload and payload["firm_name"] != self.firm:
            return self.failure("firm_unknown", "retry")
        said = {name: payload.get(name) for name in ("client_name", "contact_name", "contact_email")}
        self.agreement = {"firm": {"name": self.firm}, "agreed_at": "2026-05-20T09:15:00Z", **said}
        return {"agreement": self.agreement}

    def firms_get(self, _payload):
        return {"agreement": self.agreement}

    def firms_revoke(self, _payload):
        self.agreement = None
        return {"revoked": True}

    def _code(self, payload):
        if "code" not in payload:
            return {"state": self.state, "sent": True, "phone_hint": f"•••• {self.phone[-2:]}", "retry_after": 60}
        if payload["code"] != self.CODE:
            return self.failure("code_rejected", "reactivate")
        self.state, self.blocked_by, self.reason = "active", None, None
        return {"state": "active"}


class ServiceCommon(OnlineSyncCommon):
    """A database that asks a proxy on another server: over real HTTP, with real signatures."""

    def setUp(self):
        # Why not our parent's: it puts something else in the place of the client.
        super(OnlineSyncCommon, self).setUp()
        self.server = ProxyServer(lambda operation, payload: self.proxy.dispatch(operation, payload))
        self.proxy = ScriptedService(self.company.currency_id.name, self.server)
        self.server.__enter__()
        self.addCleanup(self.server.__exit__)
        # Why one number: Odoo's tests compare the time-out of every request with one.
        self.startPatcher(patch.object(RemoteTransport, "timeouts", 10))
        self.service = self.env["account.online.service"]._get()
        self.env["ir.config_parameter"].set_param("web.base.url", "https://books.example.com")
        self.service._choose(self.server.address)

    def register(self, phone=ScriptedService.PHONE):
        """This database as a client that may ask everything."""
        self.service._become_client()
        self.proxy.state, self.proxy.phone = "active", phone
        self.service.state = "active"

    def secrets(self):
        """:return: those that the proxy accepts from the latest client"""
        return self.server.secrets[self.proxy.clients[-1]]

    def wizard(self, action):
        self.assertEqual(action.get("res_model"), "account.online.phone", action)
        return self.env["account.online.phone"].browse(action["res_id"])

    def message(self, action):
        return action["params"]["message"]

    def look_after(self):
        """The scheduled action that events wake up."""
        with self.enter_registry_test_mode():
            self.env.ref("account_online_synchronization.ir_cron_look_after").method_direct_trigger()
        self.env.invalidate_all()
