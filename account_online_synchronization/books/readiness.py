"""Checks whether an online account can fill a journal, before the bank is asked."""

from ..client.errors import ProxyError


def check(account):
    """Report once, not for each transaction, why Odoo can't post lines in the journal.

    :raise ProxyError: with a sentence that says what to do
    """
    if reason := reason_against(account, account.journal_ids):
        # Why two sentences: before the first load no transactions are missing.
        if account.last_sync:
            message = account.env._(
                "%(reason)s No data was lost: the next synchronization after that fetches what is missing.",
                reason=reason,
            )
        else:
            message = account.env._(
                "%(reason)s Nothing has been fetched yet: use Synchronize Now after that.", reason=reason
            )
        raise ProxyError("journal_not_ready", message, action="retry")


def reason_against(account, journal):
    """:return: a sentence with the reason why Odoo can't post lines in the journal, or None"""
    currency = journal.currency_id or journal.company_id.currency_id
    if journal.type not in ("bank", "credit", "cash"):
        return account.env._(
            "%(journal)s is not a bank journal anymore, so the transactions of %(account)s can't be imported into "
            "it. Change its type back, or choose another journal with Fetch Accounts on the connection.",
            **_names(account, journal),
        )
    if currency != account.currency_id:
        return account.env._(
            "%(journal)s is in %(journal_currency)s, but %(account)s is in %(currency)s. Change the currency of "
            "the journal back, or choose another journal with Fetch Accounts on the connection.",
            journal_currency=currency.name,
            currency=account.currency_id.name,
            **_names(account, journal),
        )
    if journal.restrict_mode_hash_table:
        return account.env._(
            "%(journal)s secures its entries when they are posted, but Odoo can secure bank transactions only once "
            "they are reconciled, so no transaction of %(account)s can be imported. Switch off “Secure Posted "
            "Entries with Hash” in the journal.",
            **_names(account, journal),
        )
    return _reason_against_accounts(account, journal)


def _reason_against_accounts(account, journal):
    if not journal.suspense_account_id:
        return journal.env._(
            "%(journal)s has no suspense account, so no transaction of %(account)s can be posted. Set one in the "
            "journal.",
            **_names(account, journal),
        )
    for ledger_account in journal.default_account_id + journal.suspense_account_id:
        if not ledger_account.active:
            return journal.env._(
                "The account %(code)s of %(journal)s is archived, so no transaction of %(account)s can be posted. "
                "Unarchive it in the chart of accounts, or choose another one in the journal.",
                code=ledger_account.display_name,
                **_names(account, journal),
            )
    return None


def _names(account, journal):
    """Why only for errors: the account's display name contains its currency, which must be read."""
    return {"journal": journal.display_name, "account": account.display_name}
