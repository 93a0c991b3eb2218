"""From the dashboard's button to the books, over real HTTP, with the Demo Bank at the other end.

The invariant, asked again and again: the journals hold exactly what the bank has booked, once.
"""

import pytest

#: What the bank says and what the journals say, per account: ids with amounts, and the balance.
COMPARE = """
result = []
for account in env["account.online.account"].search([("journal_ids", "!=", False)]):
    client = env["bank.sync.client"]._get_embedded()
    question = {
        "connection_id": account.account_online_link_id.connection_identifier, "account_id": account.online_identifier,
    }
    booked, cursor = [], None
    while True:
        page = env["bank.sync.api"]._dispatch(client, "transactions.list", {**question, **(cursor or {})})
        booked += [[t["id"], float(t["amount"])] for t in page["transactions"] if t["status"] == "booked"]
        if not page["has_more"]:
            break
        cursor = {"cursor": page["next_cursor"]}
    lines = env["account.bank.statement.line"].search([("journal_id", "=", account.journal_ids.id)])
    statements = lines.statement_id
    result.append({
        "name": account.name,
        "currency": account.currency_id.name,
        "bank": sorted(booked),
        "journal": sorted([line.online_transaction_identifier, line.amount] for line in lines),
        "bank_balance": account.balance,
        "journal_balance": lines.sorted("internal_index")[-1:].running_balance,
        "months": sorted({str(line.date)[:7] for line in lines}),
        "statements": sorted(str(statement.online_period_start)[:7] for statement in statements),
        "sound": all(statement.is_complete and statement.is_valid for statement in statements),
        "without_statement": len(lines.filtered(lambda line: not line.statement_id)),
    })
"""


def assert_books_equal_the_bank(installation):
    """:return: number of lines"""
    accounts = installation.shell(COMPARE)
    assert accounts
    for account in accounts:
        assert account["journal"] == account["bank"], account["name"]
        assert account["journal_balance"] == pytest.approx(account["bank_balance"]), account["name"]
        assert account["statements"] == account["months"], account["name"]
        assert account["sound"], account["name"]
        assert not account["without_statement"], account["name"]
    return sum(len(account["journal"]) for account in accounts)


def start_connecting(installation, bank, code=None):
    """Walk through the bank's pages.

    :return: a visitor who is back at the choice of journals, and the id of that choice
    """
    visitor = installation.visitor()
    visitor.open(visitor.call("account.online.link", "action_connect_bank")["url"] + "?country=")
    value = visitor.page.xpath(f"//button[@name='institution'][.//strong[text()='{bank}']]/@value")[0]
    visitor.submit("institution", value)
    visitor.submit("user", user="demo", password="demo")
    if code:
        visitor.submit("code", code=code)
    visitor.submit("accounts")
    return visitor, int(visitor.address.rstrip("/").rsplit("/", 1)[1])


def connect(installation, bank, code=None):
    """Connect a demo institution with a new journal for each account.

    :return: a visitor, and the id of the link
    """
    visitor, selection = start_connecting(installation, bank, code)
    visitor.call("account.online.account.selection", "action_confirm", [selection])
    installation.fetch_planned()
    return visitor, visitor.call("account.online.link", "search", [("name", "=", bank)])[-1]


def disconnect(visitor, link):
    """The next test starts without this bank."""
    visitor.call("account.online.link", "unlink", [link])


def test_the_journals_hold_exactly_what_the_bank_has_booked(served):
    visitor, link = connect(served, "Demo Bank")
    first = assert_books_equal_the_bank(served)
    assert first > 300

    served.run_scheduled_action()
    assert assert_books_equal_the_bank(served) == first, "the scheduled action found nothing new, and added nothing"

    served.move_demo_clock(24 * 12)
    assert (
        "New transactions"
        in visitor.call("account.online.link", "action_fetch_transactions", [link])["params"]["message"]
    )
    later = assert_booked_since(served)
    assert later > first

    served.move_demo_clock(24 * 40)
    visitor.call("account.online.link", "action_fetch_transactions", [link])
    assert assert_booked_since(served) > later
    served.move_demo_clock(0)
    disconnect(visitor, link)


def assert_booked_since(installation):
    """As time goes by the bank forgets its oldest transactions; the journal keeps them."""
    total = 0
    for account in installation.shell(COMPARE):
        assert account["bank"], account["name"]
        known = {identifier for identifier, _amount in account["bank"]}
        assert [row for row in account["journal"] if row[0] in known] == account["bank"], account["name"]
        assert account["journal_balance"] == pytest.approx(account["bank_balance"]), account["name"]
        assert account["sound"], account["name"]
        total += len(account["journal"])
    return total


def test_a_bank_that_wants_a_code_at_every_refresh(served):
    visitor, link = connect(served, "Demo Code Bank", code="123456")
    assert_books_equal_the_bank(served)
    served.move_demo_clock(24 * 3)

    action = visitor.call("account.online.link", "action_fetch_transactions", [link])
    assert action["type"] == "ir.actions.act_url"
    visitor.open(action["url"])
    visitor.submit("code", code="000000")
    assert "not right" in visitor.page.text_content()
    visitor.submit("code", code="123456")
    assert visitor.address.endswith(f"/{link}"), "the user is back at the connection"
    assert_booked_since(served)

    served.run_scheduled_action()
    state = visitor.call("account.online.link", "read", [link], ["error_code", "error_message"])[0]
    assert state["error_code"] == "challenge_required"
    assert "Synchronize Now" in state["error_message"]
    served.move_demo_clock(0)
    disconnect(visitor, link)


def test_a_bank_that_forbids_automatic_synchronization(served):
    visitor, link = connect(served, "Demo Attended Bank")
    assert visitor.call("account.online.link", "read", [link], ["auto_sync"])[0]["auto_sync"] is False

    visitor.call("account.online.link", "write", [link], {"auto_sync": True})
    served.run_scheduled_action()
    messages = served.shell(f"result = env['account.online.link'].browse({link}).message_ids.mapped('body')")
    assert "disable the automatic synchronization" in " ".join(messages)

    visitor.call("account.online.link", "action_fetch_transactions", [link])
    assert visitor.call("account.online.link", "read", [link], ["state"])[0]["state"] == "connected"
    disconnect(visitor, link)


def test_each_currency_has_its_own_journal(served):
    visitor, link = connect(served, "Demo World Bank")
    assert_books_equal_the_bank(served)
    currencies = served.shell(
        f"result = env['account.online.link'].browse({link}).journal_ids.mapped("
        "lambda j: (j.currency_id or j.company_id.currency_id).name)"
    )
    assert sorted(currencies) == ["EUR", "GBP", "USD"]
    disconnect(visitor, link)


def test_update_credentials_keeps_connection_accounts_and_journals(served):
    visitor, link = connect(served, "Demo Beta Bank")
    before = visitor.call("account.online.link", "read", [link], ["account_online_account_ids", "journal_ids"])
    visitor.open(visitor.call("account.online.link", "action_update_credentials", [link])["url"])
    visitor.submit("user", user="demo", password="wrong")
    assert "do not match" in visitor.page.text_content()
    visitor.submit("user", user="demo", password="demo")
    visitor.submit("accounts")
    after = visitor.call("account.online.link", "read", [link], ["account_online_account_ids", "journal_ids"])
    assert after == before
    assert_books_equal_the_bank(served)
    disconnect(visitor, link)


def test_leaving_the_banks_pages_leaves_nothing_behind(served):
    visitor = served.visitor()
    visitor.open(visitor.call("account.online.link", "action_connect_bank")["url"])
    visitor.submit("action", "cancel")
    assert visitor.address.startswith(served.url + "/odoo")
    assert visitor.call("account.online.link", "search", [("name", "like", "Demo")]) == []
