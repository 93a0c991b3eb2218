"""Inside Odoo: fill the institution directory, and search it as the protocol does."""

import resource
import sys
import time
from contextlib import contextmanager
from unittest.mock import patch

from odoo.addons.bank_sync_proxy.models import bank_sync_provider
from odoo.addons.bank_sync_proxy.providers.sandbox import Sandbox
from odoo.addons.bank_sync_proxy.providers.types import Institution

from .institutions import institutions, queries, second_list

MODEL = "bank.sync.institution"


def prepare(env, banks):
    """The provider lists ``banks`` banks: take them over, then once more, when nothing has changed.

    :return: ``first``, ``again`` and ``merge`` in seconds, ``peak_mb``: by how much the process has grown
    """
    provider = env["bank.sync.provider"].search([("code", "=", "sandbox")])
    before = _megabytes()
    figures = {}
    for name in ("first", "again"):
        with _listing(institutions(banks)):
            started = time.perf_counter()
            env[MODEL]._update_directory(provider, may_shrink=True)
            env.flush_all()
            figures[name] = time.perf_counter() - started
    figures["peak_mb"] = _megabytes() - before
    assert env[MODEL].search_count([("is_proposed", "=", True)]) == banks
    return figures


def merge(env, banks):
    """A second provider reaches most of the banks, too; it is removed afterwards.

    :return: ``seconds`` of the merging of all rows, ``rows``, ``entries`` that are left
    """
    with patch.object(bank_sync_provider, "PROVIDERS", (("sandbox", "", "Sandbox"), ("second", "Second", "Second"))):
        second = env["bank.sync.provider"].sudo()
        env.cr.execute(
            "INSERT INTO bank_sync_provider (name, code, environment, active, sequence) "
            "VALUES ('Second', 'second', 'production', TRUE, 5) RETURNING id"
        )
        second = second.browse(env.cr.fetchone()[0])
        listed = [Institution(*row) for row in _with_logos_empty(second_list(institutions(banks)))]
        env[MODEL]._update_provider(second, listed)
        env.flush_all()
        started = time.perf_counter()
        env[MODEL]._merge()
        seconds = time.perf_counter() - started
        entries = env[MODEL].search_count([("is_proposed", "=", True)])
        rows = env[MODEL].search_count([("active", "=", True)])
    env.cr.rollback()
    return {"seconds": seconds, "rows": rows, "entries": entries}


def search(env, banks, each):
    """:return: by kind of query the milliseconds of each search, and how many of them found something"""
    Directory = env[MODEL]
    figures = {}
    for kind, asked in queries(institutions(banks), each).items():
        Directory._search_page("warm")
        figures[kind] = _timed([lambda q=query, c=country: Directory._search_page(q, c) for query, country in asked])
    figures["all banks"] = _timed([lambda: Directory._search_page()] * each)
    for kind, query in (("page after page of all", None), ("page after page of “bank”", "bank")):
        figures[kind] = _pages(Directory, query, 10 * each)
    return figures


def protocol(env, banks, each):
    """:return: milliseconds of whole operations ``institutions.search``, from request to answer"""
    api, client = env["bank.sync.api"], env["bank.sync.client"]._get_embedded()
    asked = [query for kind in queries(institutions(banks), each).values() for query in kind]
    return _timed(
        [
            lambda q=query, c=country: api._dispatch(client, "institutions.search", {"query": q, "country": c})[
                "institutions"
            ]
            for query, country in asked
        ]
    )["ms"]


def _timed(searches):
    """:param searches: callables; a page, or (page, cursor)"""
    taken, found = [], 0
    for one in searches:
        started = time.perf_counter()
        page = one()
        taken.append(1000 * (time.perf_counter() - started))
        found += bool(page[0] if isinstance(page, tuple) else page)
    return {"ms": taken, "found": found}


def _pages(directory, query, limit):
    """Page after page, 20 banks each, up to a limit of pages."""
    taken, cursor, seen = [], None, []
    for _number in range(limit):
        started = time.perf_counter()
        page, cursor = directory._search_page(query, cursor=cursor)
        taken.append(1000 * (time.perf_counter() - started))
        seen += page.ids
        if not cursor:
            break
    assert len(seen) == len(set(seen)), "a bank was on two pages"
    return {"ms": taken, "found": len(taken)}


@contextmanager
def _listing(rows):
    def listed(_adapter, country=None):
        yield from (Institution(*row) for row in _with_logos_empty(rows))

    with patch.object(Sandbox, "institutions", listed):
        yield


def _with_logos_empty(rows):
    return ((row_id, name, country, bic, None, status) for row_id, name, country, bic, status in rows)


def _megabytes():
    """The highest that this process has needed so far."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1024**2
