from odoo.tests import new_test_user

from ..providers.errors import TransientError
from .common import ProxyCase


class SupportCase(ProxyCase):
    """A person of support, who may read, and a database that is helped."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.support = new_test_user(cls.env, "sam", groups="bank_sync_proxy.group_support", name="Sam Support")
        cls.errors = cls.env["bank.sync.error"]

    def failure(self, error=None, client=None, **context):
        client = client or self.other_client
        return self.errors._record(
            error or TransientError("institution_unavailable", "no answer"),
            operation=context.pop("operation", "accounts.list"),
            client=client,
            **context,
        )
