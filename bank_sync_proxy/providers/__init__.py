"""The providers and how to find them. Nothing in this package imports Odoo; a test walks the imports."""

from importlib import import_module

#: One line per provider: code, label, class. The code is also the name of the file; it is stored in databases and never
#: renamed. Alphabetical. Why not the classes themselves: a module is imported when its provider is used, so that a
#: missing optional library affects no other adapter.
PROVIDERS = (
    ("bunq", "bunq", "Bunq"),
    ("enable_banking", "Enable Banking", "EnableBanking"),
    ("fints", "FinTS (German banks)", "FinTS"),
    ("gocardless", "GoCardless (existing accounts only)", "GoCardless"),
    ("mollie", "Mollie", "Mollie"),
    ("paypal", "PayPal", "PayPal"),
    ("plaid", "Plaid", "Plaid"),
    ("ponto", "Ponto", "Ponto"),
    ("qonto", "Qonto", "Qonto"),
    ("revolut_business", "Revolut Business", "RevolutBusiness"),
    ("salt_edge", "Salt Edge", "SaltEdge"),
    ("sandbox", "Demo Bank", "Sandbox"),
    ("simplefin", "SimpleFIN", "SimpleFIN"),
    ("stripe", "Stripe", "Stripe"),
    ("teller", "Teller", "Teller"),
    ("yodlee", "Yodlee", "Yodlee"),
)


def provider_class(code):
    """:return: the :class:`~.base.Provider` subclass of a provider
    :raise KeyError: for a code that is not registered
    """
    name = {registered: name for registered, _label, name in PROVIDERS}[code]
    return getattr(import_module(f".{code}", __name__), name)
