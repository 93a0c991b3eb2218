"""The invariant of all tests of the whole: the journals hold exactly what the bank has booked, once.

The first two functions run inside Odoo's shell, which gives ``env``; the others call them from outside.
"""

from datetime import timedelta
from pathlib import Path

import pytest

# -------------------------------------------------------------------------
# INSIDE ODOO
# -------------------------------------------------------------------------


def connect(env, wanted):
    """Connect users of demo institutions, each account with a new journal, without the way through the bank's pages.

    Nothing is fetched yet: the first load is what the tests want to disturb.

    :param wanted: list of dictionaries with the parameters of :func:`_connect`
    """
    for parameters in wanted:
        _connect(env, **parameters)


def _connect(env, institution, user, only=None, days=None):
    """
    :param str institution: its key, such as ``demo-world``
    :param str user: every user has separate accounts and transactions
    :param str only: name of the one account that the consent covers; None for all
    :param int days: how far back transactions are wanted; None for as far as the bank allows
    """
    connection = env["bank.sync.connection"].create(
        {
            "client_id": env["bank.sync.client"]._get_embedded().id,
            "institution_id": env["bank.sync.institution"]._find(f"sandbox.{institution}").id,
        }
    )
    adapter = connection.provider_id._adapter()
    login = connection._begin("connect", "en_US")
    credentials = {"user": user, "password": "demo"}
    consent = adapter.answer(connection._flow("connect", "en_US", login.data), credentials)
    options = consent.fields[0].options
    accounts = tuple(option.value for option in options if only in (None, option.label))
    connection._take(adapter.answer(connection._flow("connect", "en_US", consent.data), {"accounts": accounts}))
    link = env["account.online.link"]._create_from_proxy(
        connection._to_protocol(), connection._accounts(), env.ref("base.main_company")
    )
    start = days and adapter.now().date() - timedelta(days=days)
    for account in link.account_online_account_ids:
        account._link_journal(account._create_journal(), start_date=start)


def compare(env):
    """:return: what the bank says and what the journals say, per account: ids with amounts, and the balance"""
    return [_compare(env, account) for account in env["account.online.account"].search([("journal_ids", "!=", False)])]


def _compare(env, account):
    lines = env["account.bank.statement.line"].search([("journal_id", "=", account.journal_ids.id)])
    statements = lines.statement_id
    return {
        "id": account.id,
        "name": account.display_name,
        "bank": sorted(_booked(env, account)),
        "journal": sorted([line.online_transaction_identifier or "", line.amount] for line in lines),
        "bank_balance": account.balance,
        "journal_balance": lines.sorted("internal_index")[-1:].running_balance,
        "months": sorted({str(line.date)[:7] for line in lines}),
        "statements": sorted(str(statement.online_period_start)[:7] for statement in statements),
        "sound": all(statement.is_complete and statement.is_valid for statement in statements),
        "without_statement": len(lines.filtered(lambda line: not line.statement_id)),
    }


def _booked(env, account):
    """Asked at the proxy, past all that the database's side knows and does."""
    transport = env["account.online.link"]._get_client()._transport
    request = {
        "connection_id": account.account_online_link_id.connection_identifier,
        "account_id": account.online_identifier,
        "since": account.start_date and str(account.start_date),
    }
    booked, cursor = [], {}
    while True:
        page = transport.call("transactions.list", {**request, **cursor})
        booked += [[t["id"], float(t["amount"])] for t in page["transactions"] if t["status"] == "booked"]
        if not page["has_more"]:
            return booked
        cursor = {"cursor": page["next_cursor"]}


# -------------------------------------------------------------------------
# OUTSIDE
# -------------------------------------------------------------------------


def inside(installation, function, *arguments):
    """Call a function of this file inside Odoo's shell, behind ``env``.

    :return: what it returned
    """
    here = str(Path(__file__))
    return installation.shell(f"import runpy\nresult = runpy.run_path({here!r})[{function!r}](env, *{arguments!r})")


def assert_books_equal_the_bank(installation):
    """:return: number of lines"""
    accounts = inside(installation, "compare")
    assert accounts
    for account in accounts:
        assert account["journal"] == account["bank"], account["name"]
        assert_sound(account)
    return sum(len(account["journal"]) for account in accounts)


def assert_booked_since(installation):
    """As time goes by the bank forgets its oldest transactions; the journal keeps them.

    :return: number of lines
    """
    accounts = inside(installation, "compare")
    for account in accounts:
        assert account["bank"], account["name"]
        known = {identifier for identifier, _amount in account["bank"]}
        assert [row for row in account["journal"] if row[0] in known] == account["bank"], account["name"]
        assert_sound(account)
    return sum(len(account["journal"]) for account in accounts)


def assert_sound(account):
    """Balances and statements of one account of :func:`compare`."""
    assert account["journal_balance"] == pytest.approx(account["bank_balance"]), account["name"]
    assert account["statements"] == account["months"], account["name"]
    assert account["sound"], account["name"]
    assert not account["without_statement"], account["name"]


class Memory:
    """What a bank that forgets has ever booked, remembered from one comparison to the next."""

    def __init__(self):
        self.booked = {}

    def assert_books_equal_the_bank(self, installation):
        """:return: number of lines"""
        accounts = inside(installation, "compare")
        assert accounts
        for account in accounts:
            remembered = self.booked.setdefault(account["id"], {})
            remembered.update(account["bank"])
            assert account["journal"] == sorted(map(list, remembered.items())), account["name"]
            assert_sound(account)
        return sum(len(account["journal"]) for account in accounts)
