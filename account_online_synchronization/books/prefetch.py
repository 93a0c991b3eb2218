"""Prefetches what each run reads, with one query for the links and one for the accounts and related records.

Odoo's ORM reads each model with its own query, which would be five more in each of a run's two transactions.
"""

from odoo.tools import SQL


def lock(links):
    """Lock those links that are not locked yet, and read them.

    :param links: ``account.online.link`` with superuser rights
    :return: those that are now locked until the transaction ends, in the same order
    """
    # Why: cached values would not be updated.
    links.invalidate_recordset()
    query = links._search([("id", "in", links.ids)])
    [locked] = _fetch(query, [(links, links._table, _columns(links))], "FOR NO KEY UPDATE SKIP LOCKED")
    return links.filtered(lambda link: link in locked)


def prefetch(links):
    """Read the accounts of links with their journals, and the related records that a run needs.

    :param links: ``account.online.link`` with superuser rights
    """
    env = links.env
    accounts, journals = env["account.online.account"], env["account.journal"]
    table = accounts._table
    query = accounts._search([("account_online_link_id", "in", links.ids)], order=accounts._order, active_test=False)
    journal = query.left_join(table, "id", "account_journal", "account_online_account_id", "journal")
    currency = query.left_join(table, "currency_id", "res_currency", "id", "currency")
    company = query.left_join(journal, "company_id", "res_company", "id", "company")
    default = query.left_join(journal, "default_account_id", "account_account", "id", "default")
    suspense = query.left_join(journal, "suspense_account_id", "account_account", "id", "suspense")
    accounts, journals, *_others = _fetch(
        query,
        [
            (accounts, table, _columns(accounts)),
            (journals, journal, _columns(journals)),
            (env["res.currency"], currency, ["name", "decimal_places"]),
            (env["res.company"], company, ["currency_id"]),
            (env["account.account"], default, ["active"]),
            (env["account.account"], suspense, ["active"]),
        ],
    )
    _fill_cache(links, "account_online_account_ids", accounts)
    _fill_cache(links, "journal_ids", journals)
    _fill_cache(accounts, "journal_ids", journals)


def _columns(records):
    """:return: the names of the fields that Odoo prefetches together"""
    return [
        field.name
        for field in records._fields.values()
        if field.prefetch is True and field.column_type and records._has_field_access(field, "read")
    ]


def _fetch(query, parts, ending=""):
    """Like Odoo's ``_fetch_query``, but for several models.

    :param query: ``odoo.tools.Query``
    :param parts: list of (records of the model, alias of its table in the query, names of fields)
    :return: list of the records that were found of each part, in the order of the query
    """
    env = parts[0][0].env
    terms = [_column(records, alias, name, query) for records, alias, names in parts for name in ["id", *names]]
    columns = zip(*env.execute_query(SQL("%s %s", query.select(*terms), SQL(ending))), strict=True)
    found = []
    for records, _alias, names in parts:
        ids = next(columns, ())
        read = records.browse(ids)
        for name in names:
            records._fields[name]._insert_cache(read, next(columns, ()))
        found.append(records.browse(dict.fromkeys(filter(None, ids))))
    return found


def _column(records, alias, name, query):
    """Why no flush: pending updates are in the cache, which is not overwritten."""
    column = records._field_to_sql(alias, name, query)
    return column if records._fields[name].translate else SQL(column.code, *column.params)


def _fill_cache(records, name, children):
    field = records._fields[name]
    by_parent = children.grouped(field.inverse_name)
    field._insert_cache(records, [by_parent.get(record, children.browse())._ids for record in records])
