"""Each addon can be uninstalled and installed again; core keeps working without it."""

import pytest

from environment import paths

WHAT_STAYS = """
lines = env["account.bank.statement.line"].search_count([])
sources = env["account.journal"].search([("type", "=", "bank")]).mapped("bank_statements_source")
result = [lines, sources]
"""

SYNCHRONIZED_JOURNAL = """
journal = env["account.journal"].search([("type", "=", "bank")], limit=1)
link = env["account.online.link"].create({"name": "A bank", "state": "connected"})
account = env["account.online.account"].create({
    "name": "A", "account_online_link_id": link.id, "online_identifier": "A", "currency_id": env.company.currency_id.id,
})
account._link_journal(journal)
env["account.bank.statement.line"].create({
    "journal_id": journal.id, "date": "2026-05-01", "amount": 1, "payment_ref": "x",
    "online_account_id": account.id, "online_transaction_identifier": "T1",
})
"""


def states(installation):
    names = ", ".join(f"'{addon}'" for addon in paths.ADDONS)
    return dict(installation.sql(f"SELECT name, state FROM ir_module_module WHERE name IN ({names})"))


def test_all_addons_can_be_uninstalled_and_installed_again(installation):
    # All others depend on it, and go with it.
    installation.odoo("module", "uninstall", "bank_sync_common", "-d", installation.name)
    assert states(installation) == dict.fromkeys(paths.ADDONS, "uninstalled")
    installation.odoo("module", "install", *paths.ADDONS, "-d", installation.name)
    assert states(installation) == dict.fromkeys(paths.ADDONS, "installed")


# Why only then: each takes as long as all together above.
@pytest.mark.thorough
@pytest.mark.parametrize("addon", paths.ADDONS)
def test_an_addon_can_be_uninstalled_and_installed_again(installation, addon):
    installation.odoo("module", "uninstall", addon, "-d", installation.name)
    installation.odoo("module", "install", addon, "-d", installation.name)
    assert states(installation)[addon] == "installed"


def test_without_the_proxy_the_user_learns_what_to_install(installation):
    installation.odoo("module", "uninstall", "bank_sync_proxy", "-d", installation.name)
    answer = installation.shell("result = env['account.online.directory'].action_begin_bank_search()")
    assert "install the app “Bank Synchronization Proxy”" in answer["error"]["message"]


def test_uninstalling_keeps_the_statement_lines_and_frees_the_journal(installation):
    installation.prepare_company()
    installation.shell(SYNCHRONIZED_JOURNAL)
    installation.odoo("module", "uninstall", "account_online_synchronization", "-d", installation.name)
    assert installation.shell(WHAT_STAYS) == [1, ["undefined"]]


def test_uninstalling_takes_the_change_of_groups_back(installation):
    installation.odoo("module", "uninstall", "account_online_synchronization", "-d", installation.name)
    implied = "env.ref('account.group_account_manager').implied_ids"
    assert installation.shell(f"result = env.ref('account.group_account_basic') in {implied}") is False
