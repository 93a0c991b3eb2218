"""Providers that exist only while a test runs: registered as real ones are, one module and one line each."""

import sys
import types
from unittest.mock import patch

from .. import providers as registry
from ..models import bank_sync_provider
from ..providers.base import Provider
from ..providers.facts import Facts
from ..providers.types import Challenge, Field, Institution


class Listing(Provider):
    """Lists what the test has put into ``banks``; asks for a name when a user connects."""

    banks = ()
    facts = Facts(
        region="Everywhere", price="Free", needs="Nothing", connect="our pages", identity="`id`", sources="Here"
    )

    def institutions(self, country=None):
        if isinstance(self.banks, Exception):
            raise self.banks
        yield from self.banks

    def start(self, institution, flow):
        return Challenge(title="Sign in", fields=(Field("user", "User name"),), data={"at": institution})


class MoreProvidersMixin:
    """``self.second`` and ``self.third`` come before the Demo Bank, in this order."""

    def setUp(self):
        super().setUp()
        entries = [("second", "Second Provider", "Second"), ("third", "Third Provider", "Third")]
        modules = {}
        for code, label, name in entries:
            module = types.ModuleType(code)
            setattr(module, name, type(name, (Listing,), {"code": code, "label": label}))
            modules[f"{registry.__name__}.{code}"] = module
        self.startPatcher(patch.dict(sys.modules, modules))
        known = (*registry.PROVIDERS, *entries)
        for owner in (registry, bank_sync_provider):
            self.startPatcher(patch.object(owner, "PROVIDERS", known))
        self.second, self.third = self.env["bank.sync.provider"].create(
            [
                {"name": label, "code": code, "sequence": number}
                for number, (code, label, _name) in enumerate(entries, start=1)
            ]
        )

    def list_of(self, provider, *banks):
        """Let a provider list banks from now on, or fail.

        :param banks: positional arguments of :class:`~..providers.types.Institution`, or one exception
        """
        failure = isinstance(banks[0], Exception) if banks else False
        listed = banks[0] if failure else [Institution(*bank) for bank in banks]
        self.startPatcher(patch.object(registry.provider_class(provider.code), "banks", listed))

    def update(self, **options):
        self.env["bank.sync.institution"]._update_directory(**options)

    def row(self, identifier):
        return (
            self.env["bank.sync.institution"].with_context(active_test=False).search([("identifier", "=", identifier)])
        )
