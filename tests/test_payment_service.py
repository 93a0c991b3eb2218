"""A month of a shop at Stripe: from the key to books that agree, and the payout with its arrival at the bank."""

import pytest

from .stripe_bank import FIRST_KEY, PAYOUT, SECOND_KEY, month, stripe
from .test_accessibility import Inspector
from .test_browser import a_tour_of
from .test_provider_browser import look

INVOICE = """
partner = env["res.partner"].create({"name": "Ann Example"})
lines = [(0, 0, {"name": "Work", "quantity": 1, "price_unit": 121, "tax_ids": [(5, 0, 0)]})]
values = {"move_type": "out_invoice", "partner_id": partner.id, "invoice_line_ids": lines}
invoice = env["account.move"].create(values)
invoice.action_post()
result = [invoice.name, env.company.currency_id.name.lower()]
"""

CONNECT = """
provider = env["bank.sync.provider"].with_context(active_test=False).search([("code", "=", "stripe")])
provider.setting_ids = [(0, 0, {{"name": "base_url", "type": "text", "plain_value": {address!r}}})]
provider.write({{"keys_state": "work", "active": True}})
values = {{"name": "Stripe", "identifier": "stripe.test", "provider_institution": "stripe.BE", "country_code": "BE"}}
institution = env["bank.sync.institution"].create({{**values, "provider_id": provider.id, "status": "stable"}})
client = env["bank.sync.client"]._get_embedded()
connection = env["bank.sync.connection"].create({{"client_id": client.id, "institution_id": institution.id}})
flow = connection._flow("connect", "en_US", connection._begin("connect", "en_US").data)
connection._take(provider._adapter().answer(flow, {{"secret_key": {key!r}}}))
company = env.ref("base.main_company")
link = env["account.online.link"]._create_from_proxy(connection._to_protocol(), connection._accounts(), company)
account = link.account_online_account_ids
account._link_journal(account._create_journal())
result = [account.reports_fees, account.fee_lines, account.id, link.id, account.journal_ids.name]
"""

BOOKS = """
account = env["account.online.account"].search([("account_online_link_id.name", "=", "Stripe")])
lines = env["account.bank.statement.line"].search([("online_account_id", "=", account.id)], order="internal_index")
result = {
    "lines": [[one.online_transaction_identifier, one.amount] for one in lines],
    "balance": account.balance,
    "difference": account.balance_difference,
    "error": account.account_online_link_id.error_code or None,
}
"""

RENEW = """
connection = env["bank.sync.connection"].search([("institution_id.identifier", "=", "stripe.test")])
flow = connection._flow("renew", "en_US", connection._begin("renew", "en_US").data)
connection._take(connection.provider_id._adapter().answer(flow, {{"secret_key": {key!r}}}))
env["account.online.link"].search([("name", "=", "Stripe")])._synchronize(user_present=True)
"""

RECONCILE = """
service = env["account.online.account"].search([("account_online_link_id.name", "=", "Stripe")]).journal_ids
bank = env["account.journal"].create({{"name": "House Bank", "type": "bank", "code": "HOUSE"}})
values = {{"journal_id": bank.id, "amount": 50, "payment_ref": "STRIPE {payout}", "account_number": "IE29AIBK"}}
arrival = env["account.bank.statement.line"].create(values)
(bank + service).action_find_counterparts()
decisions = env["account.reconcile.decision"].search([])
payout = decisions.filtered(lambda one: one.statement_line_id == arrival)
sale = decisions.filtered(lambda one: one.statement_line_id.online_transaction_identifier == "txn_1")
steps = [payout.step, sale.step]
sale.action_accept()
payout.action_accept()
out = env["account.bank.statement.line"].search([("online_transaction_identifier", "=", "txn_7")])
invoice = env["account.move"].search([("name", "=", {invoice!r})])
result = [steps, arrival.is_reconciled and out.is_reconciled, invoice.amount_residual]
"""


@pytest.fixture(scope="module")
def shop(company):
    """A company with an invoice, and its Stripe account."""
    invoice, currency = company.shell(INVOICE)
    with stripe(currency) as (address, service):
        service.rows = month(invoice)
        service.address, service.invoice = address, invoice
        yield service


@pytest.fixture(scope="module")
def connected(company, shop):
    """:return: ids of the account and of the link, name of the journal"""
    reports_fees, fee_lines, *ids = company.shell(CONNECT.format(address=shop.address, key=FIRST_KEY))
    assert (reports_fees, fee_lines) == (True, "own")
    company.run_scheduled_action()
    return ids


@pytest.fixture
def tour(served, connected):
    with a_tour_of(served) as tour:
        yield tour


def test_fees_and_payouts_are_seen_on_a_screen_and_on_a_phone(tour, connected):
    account, link, journal = connected
    inspector = Inspector()
    tour.open(f"/odoo/account.online.account/{account}")
    tour.sees("becomes two transactions, 100.00 and -3.20.")
    look(tour, inspector, "payment_service_account", ".o_form_sheet")
    tour.open(f"/odoo/account.online.link/{link}")
    tour.click("Fetch Accounts")
    tour.sees("There is nothing new")
    tour.click("Show All Accounts")
    tour.sees("It is already used for this account.")
    look(tour, inspector, "payment_service_choose_accounts", ".o_form_sheet")
    tour.open("/odoo/accounting")
    tour.card(journal).get_by_role("button", name="Transactions").click()
    tour.page.locator(".o_data_row").first.wait_for()
    look(tour, inspector, "payment_service_lines", ".o_list_renderer")
    tour.page.locator(".o_data_row").first.locator("td[name=payment_ref]").click()
    tour.page.locator(".o_form_sheet").wait_for()
    look(tour, inspector, "payment_service_payout", ".o_form_sheet")
    assert not inspector.found, "\n".join(inspector.found)


def test_a_month_at_stripe_is_in_the_books_and_its_payout_at_the_bank(company, shop, connected):
    books = company.shell(BOOKS)
    assert books["lines"] == [
        ["txn_1", 121.0],
        ["txn_1:fee", -3.82],
        ["txn_2", 50.0],
        ["txn_2:fee", -1.75],
        ["txn_3", -50.0],
        ["txn_4", 80.0],
        ["txn_4:fee", -2.62],
        ["txn_5", -80.0],
        ["txn_5:fee", -20.0],
        ["txn_6", -1.99],
        ["txn_7", -50.0],
    ]
    assert round(sum(amount for _name, amount in books["lines"]), 2) == books["balance"] == 40.82
    assert books["difference"] == 0

    shop.key = SECOND_KEY
    company.run_scheduled_action()
    assert company.shell(BOOKS)["error"] == "credentials_rejected"
    company.shell(RENEW.format(key=SECOND_KEY))
    again = company.shell(BOOKS)
    assert (again["lines"], again["error"]) == (books["lines"], None)

    steps, is_paired, open_amount = company.shell(RECONCILE.format(payout=PAYOUT.upper(), invoice=shop.invoice))
    assert steps == ["transfer", "reference"]
    assert is_paired and open_amount == 0
