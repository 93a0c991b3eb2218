"""What an earlier module would have brought from the Demo Bank. Executed inside Odoo's shell.

Its lines are real ones, so that the first load by another provider meets the same bank, under other ids.
"""

import runpy
from pathlib import Path

TABLES = """
    CREATE TABLE account_online_provider (id serial PRIMARY KEY, name varchar, provider_type varchar,
        provider_account_identifier varchar, company_id int, last_refresh timestamp, ponto_token varchar);
    INSERT INTO account_online_provider (name, provider_type, provider_account_identifier, company_id, last_refresh,
        ponto_token) VALUES ('Old House Bank', 'ponto', 'c1f3', 1,
        now() at time zone 'UTC' - interval '2 days', 'hush');
    CREATE TABLE account_online_journal (id serial PRIMARY KEY, name varchar, account_online_provider_id int,
        account_number varchar, online_identifier varchar, last_sync date, balance float8);
    ALTER TABLE account_journal ADD COLUMN account_online_journal_id int, ADD COLUMN bank_statement_creation varchar;
    ALTER TABLE account_bank_statement_line ADD COLUMN online_identifier varchar;
"""


def prepare(env, days):
    """Journals with lines of the last days, as account_online_sync has left them.

    :return: names of the journals
    """
    books = runpy.run_path(str(Path(__file__).with_name("books.py")))
    books["connect"](env, [{"institution": "demo", "user": "demo", "days": days}])
    link = env["account.online.link"].search([])
    link._synchronize(user_present=True)
    accounts = link.account_online_account_ids.filtered("journal_ids")
    env.flush_all()
    env.cr.execute(TABLES)
    for account in accounts:
        env.cr.execute(
            "INSERT INTO account_online_journal (name, account_online_provider_id, account_number, online_identifier,"
            " last_sync, balance) VALUES (%s, 1, %s, %s, %s, %s) RETURNING id",
            [account.name, account.account_number or None, f"Y{account.id}", account.last_sync, account.balance],
        )
        env.cr.execute(
            "UPDATE account_journal SET account_online_journal_id = %s, bank_statement_creation = 'week',"
            " bank_statements_source = 'online_sync' WHERE id = %s",
            [env.cr.fetchone()[0], account.journal_ids.id],
        )
    names = accounts.journal_ids.mapped("name")
    env.cr.execute(
        """
        UPDATE account_bank_statement_line SET online_identifier = 'P' || id, online_transaction_identifier = NULL,
               online_transaction_digest = NULL, transaction_details = NULL, online_account_id = NULL;
        UPDATE account_journal SET account_online_account_id = NULL, account_online_link_id = NULL;
        DELETE FROM account_online_run; DELETE FROM account_online_transaction;
        DELETE FROM account_online_account; DELETE FROM account_online_link;
        DELETE FROM mail_message WHERE model = 'account.online.link'
        """
    )
    env.invalidate_all()
    env["account.online.migration"]._take_over()
    return names


def lines(env):
    """:return: for each journal with lines: its name and days with amounts"""
    found = env["account.bank.statement.line"].search([])
    return {
        journal.name: sorted([str(line.date), line.amount, line.payment_ref] for line in some)
        for journal, some in found.grouped("journal_id").items()
    }
