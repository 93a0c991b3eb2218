"""Reads answers of the protocol for the database; parts that do not follow docs/protocol.md are left out.

Types, lengths and characters of answers are not trusted. The client refuses answers that contradict themselves or
belong to another request.
"""

from .banks import read_capabilities, read_logo
from .health import read_health
from .texts import is_identifier, read_id, readable, storable

#: The proxy refuses longer ones, so no run could continue with them.
MAX_CURSOR = 2000
#: Maximum number of accounts of one connection, higher than at any provider.
MAX_ACCOUNTS = 1000
MAX_NAME = 200
#: Maximum number of notes, the service's sentences for the user.
MAX_NOTES, MAX_NOTE = 5, 500
#: Keys by which two descriptions of an account are recognized as the same one.
OF_ONE_ACCOUNT = ("number", "currency")
BALANCES = ("balance", "available", "balance_date")
ACCOUNT_TEXTS = ("name", "number", "currency", "type", "balance_at", "balance_date", "id_scheme")


def read_accounts(messages):
    """:param list messages: *account* objects, or anything
    :return: list of dictionaries of texts, see :func:`_read_account`; each id once
    """
    accounts, contradicted = {}, set()
    for account in filter(None, map(_read_account, messages)):
        known = accounts.setdefault(account["id"], account)
        if any(known[name] != account[name] for name in OF_ONE_ACCOUNT):
            # Why none of them: one's balance could be shown for the other.
            contradicted.add(account["id"])
        elif any(known[name] != account[name] for name in BALANCES):
            # Why none: nobody knows which one is right. The last one of an earlier answer remains.
            known |= {"balance": None, "available": None, "balance_at": "", "balance_date": ""}
    return [account for account in accounts.values() if account["id"] not in contradicted]


def _read_account(message):
    """:return: ``id``, ``name``, ``number``, ``currency``, ``type``, ``balance_at``, ``balance_date`` and ``id_scheme``
    as texts, empty where unknown; ``balance`` and ``available`` unchanged; ``reports_fees``; None without an id
    """
    if not isinstance(message, dict) or not is_identifier(message.get("id")):
        return None
    texts = {name: readable(message.get(name), MAX_NAME) for name in ACCOUNT_TEXTS}
    return {
        "id": message["id"],
        **texts,
        # Why: as of transactions; another spelling is not another currency.
        "currency": texts["currency"].upper(),
        **{name: _number(message.get(name)) for name in ("balance", "available")},
        "reports_fees": message.get("reports_fees") is True,
    }


def read_connection(connection):
    """:param dict connection: *connection* object, or any other
    :return: ``id``, ``state``, ``reason``, ``consent_expires_at``, ``refreshed_at`` as texts, empty where unknown;
        ``institution`` with ``id``, ``name``, ``logo``, ``capabilities``, see :func:`.banks.read_capabilities`, and
        ``health``, see :func:`.health.read_health`;
        ``provider`` with ``code`` and ``label``
    """
    institution, provider = _object(connection.get("institution")), _object(connection.get("provider"))
    moments = ("consent_expires_at", "refreshed_at")
    return {
        "id": connection.get("id"),
        "state": readable(connection.get("state"), MAX_NAME),
        "reason": readable(connection.get("reason")),
        **{name: readable(connection.get(name), MAX_NAME) for name in moments},
        "institution": {
            "id": institution["id"] if is_identifier(institution.get("id")) else "",
            "name": readable(institution.get("name"), MAX_NAME),
            "logo": read_logo(institution.get("logo")),
            "capabilities": read_capabilities(institution.get("capabilities")),
            "health": read_health(institution.get("health")),
        },
        "provider": {name: readable(provider.get(name), MAX_NAME) for name in ("code", "label")},
    }


def read_page(answer):
    """:param dict answer: of ``transactions.list``, its ``transactions`` a list
    :return: ``transactions`` and ``history_days`` unchanged, ``removed_ids``, ``next_cursor`` or None, ``has_more``
    """
    removed, cursor = answer.get("removed_ids"), answer.get("next_cursor")
    return {
        "transactions": answer["transactions"],
        # Why cleaned like ids of transactions: they are compared with those.
        "removed_ids": _read_ids(removed) if isinstance(removed, list) else [],
        "next_cursor": cursor if is_identifier(cursor, MAX_CURSOR) else None,
        "has_more": answer.get("has_more") is True,
        "history_days": answer.get("history_days"),
    }


def _read_ids(values):
    return [one for value in values if isinstance(value, str) and (one := read_id(value))]


def read_state(answer):
    """:param dict answer: of an operation about this database as a client
    :return: the same without values that can't be stored, with readable texts
    """
    return {
        key: readable(value) if isinstance(value, str) else value
        for key, value in storable(answer).items()
        if not isinstance(value, dict | list)
    }


def read_agreement(agreement):
    """:param agreement: *agreement* object, null, or anything
    :return: ``firm_name``, ``agreed_at``, ``client_name``, ``contact_name`` and ``contact_email`` as texts, empty where
        unknown; None where there is no agreement with a firm that has a name
    """
    agreement = _object(agreement)
    name = read_firm_name(agreement.get("firm"))
    said = ("agreed_at", "client_name", "contact_name", "contact_email")
    return name and {"firm_name": name, **{key: readable(agreement.get(key), MAX_NAME) for key in said}}


def read_firm_name(firm):
    """:param firm: *firm* object, or anything
    :return: the readable name, None if there is none
    """
    return readable(_object(firm).get("name"), MAX_NAME) or None


def read_visit(answer):
    """:param dict answer: of an operation that may lead to a page
    :return: ``page_url`` and ``connection_id``, each None where there is none; ``state``, ``expires_at`` and
        ``refreshed_at`` as texts that are empty where unknown; ``notes``, a list of sentences; ``health``, see
        :func:`.health.read_health`
    """
    named, page, notes = answer.get("connection_id"), answer.get("page_url"), answer.get("notes")
    # Why checked here, too: only the transport over HTTP compares the origin; the embedded one has none.
    is_page = is_identifier(page, MAX_CURSOR) and page.startswith(("https://", "http://", "/"))
    return {
        **{name: readable(answer.get(name), MAX_NAME) for name in ("state", "expires_at", "refreshed_at")},
        "connection_id": named if is_identifier(named) else None,
        "page_url": page if is_page and not page.startswith("//") else None,
        "notes": _read_notes(notes) if isinstance(notes, list) else [],
        "health": read_health(answer.get("health")),
    }


def _read_notes(values):
    """Each note once, in order."""
    read = (readable(value, MAX_NOTE) for value in values[:MAX_NOTES] if isinstance(value, str))
    return list(dict.fromkeys(filter(None, read)))


def _number(value):
    return value if isinstance(value, str | int) and not isinstance(value, bool) else None


def _object(value):
    return value if isinstance(value, dict) else {}
