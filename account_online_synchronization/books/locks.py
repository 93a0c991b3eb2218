"""Lock dates: read again in each transaction that writes, and unchanged until it ends."""

from odoo.addons.account.models.company import LOCK_DATE_FIELDS

#: Fields that Odoo computes from lock dates and exceptions for the current user.
OF_USERS = tuple(f"user_{name}" for name in LOCK_DATE_FIELDS)


def hold(journal):
    """Prevent changes to a journal's lock dates until the transaction ends, and read them again.

    A user who sets a lock date meanwhile waits for this transaction, so its lines come before the lock. If a user has
    set one since this transaction began, PostgreSQL refuses the lock on the row (a serialization failure), and the
    work is repeated with the new dates. The locks are shared, so that several accounts of the company can be stored at
    the same time.
    """
    # sudo: reads lock dates only; the user may not see the parent companies whose dates count, too
    companies = journal.company_id.sudo().parent_ids
    cr = journal.env.cr
    companies.flush_recordset(LOCK_DATE_FIELDS)
    journal.env["account.lock_exception"].flush_model(["active"])
    # Why ordered: two transactions that take several rows never wait for each other.
    cr.execute("SELECT id FROM res_company WHERE id = ANY(%s) ORDER BY id FOR SHARE", [companies.ids])
    cr.execute(
        "SELECT id FROM account_lock_exception WHERE company_id = ANY(%s) AND active ORDER BY id FOR SHARE",
        [companies.ids],
    )
    journal.env["res.company"].invalidate_model([*LOCK_DATE_FIELDS, *OF_USERS])


def locked_days(journal, days):
    """:return: set of the days that are locked in the journal, for the user of its environment"""
    locked = set()
    for day in sorted(set(filter(None, days))):
        if not journal.company_id._get_violated_lock_dates(day, False, journal):
            # Why from the latest: a lock date locks all days before it.
            break
        locked.add(day)
    return locked
