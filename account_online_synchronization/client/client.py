"""The protocol's operations as methods. Answers are the dictionaries of docs/protocol.md."""

import copy

from odoo.addons.bank_sync_common.tools import signing
from odoo.addons.bank_sync_common.tools.words import _lt

from .answers import (
    MAX_ACCOUNTS,
    MAX_CURSOR,
    read_accounts,
    read_agreement,
    read_connection,
    read_firm_name,
    read_page,
    read_state,
    read_visit,
)
from .errors import ProxyError
from .texts import is_identifier

#: Operations that the proxy forwards to the bank, which wants to know whether a user is present.
FOR_THE_USER = {"connections.refresh", "accounts.list", "transactions.list"}
UNREADABLE = _lt(
    "The connection service sent an answer that can't be read, so nothing was fetched. Try again later, and "
    "contact support if this message persists."
)
ENDLESS = _lt(
    "The bank's list of transactions does not end, so nothing was imported from it. Try again later, and contact "
    "support if this message persists."
)

CLIENT_ID = signing.SHAPES[signing.CLIENT]

#: An account with more pages than this in one run is a paging error of the provider, not a busy account.
MAX_PAGES = 2000
#: More than the largest companies book in years; the limit protects the server's memory.
MAX_TRANSACTIONS = 500_000


def _is_secret(value):
    """Whether it can be stored and used to sign: texts of PostgreSQL can't contain NUL."""
    return isinstance(value, str) and 16 <= len(value) <= 1000 and value.isascii() and value.isprintable()


class ProxyClient:
    """Client of the proxy's protocol.

    :param transport: see :mod:`.transport`
    :param str language: language of the proxy's error messages, such as ``fr_BE``; None for its default
    :param translate: ``callable(sentence) -> str``, which translates this package's sentences
    """

    def __init__(self, transport, language=None, translate=str):
        self._transport = transport
        self._record = self._user = None
        self._language = language
        self._translate = translate

    def _changed(self, **attributes):
        changed = copy.copy(self)
        vars(changed).update(attributes)
        return changed

    def for_user(self, ip_address, agent):
        """:return: the same client, whose requests to the bank include the user's presence, which is not recorded"""
        return self._changed(_user={"ip_address": ip_address, "agent": agent} if ip_address else None)

    def recorded_by(self, record):
        """:return: the same client, which calls ``record(operation, payload, answer)`` with every answer"""
        return self._changed(_record=record)

    def without_transaction(self):
        """:return: the same client, if possible over a transport without the caller's transaction"""
        return self._changed(_transport=self._transport.for_threads() or self._transport)

    def for_threads(self):
        """:return: transport for other threads, None if there is none; see :mod:`.transport`"""
        return self._transport.for_threads()

    def _request(self, operation, _expect=None, **payload):
        """
        :param tuple _expect: key and type that the answer must have
        :raise ProxyError: when the proxy answers with a failure, or with an invalid answer
        """
        payload["language"] = payload.get("language") or self._language
        payload = {key: value for key, value in payload.items() if value is not None}
        try:
            return self._answer_of(operation, payload, _expect)
        except ProxyError as error:
            error.message = self._translate(error.message)
            raise

    def _answer_of(self, operation, payload, _expect):
        names_user = self._user and operation in FOR_THE_USER
        answer = self._transport.call(operation, {**payload, "user": self._user} if names_user else payload)
        if self._record:
            self._record(operation, payload, answer)
        if not isinstance(answer, dict):
            raise ProxyError("unexpected_answer", UNREADABLE)
        if answer.get("error"):
            raise ProxyError.from_answer(answer["error"])
        if _expect and not isinstance(answer.get(_expect[0]), _expect[1]):
            raise ProxyError("unexpected_answer", UNREADABLE)
        return answer

    def _unreadable(self):
        return ProxyError("unexpected_answer", self._translate(UNREADABLE))

    # -------------------------------------------------------------------------
    # THIS DATABASE AS A CLIENT
    # -------------------------------------------------------------------------

    def register(self, **about):
        """The only operation that needs no credentials.

        :param about: ``database_uuid``, ``name``, ``url``, ``contact_email``, ``language``, ``database`` (digest)
        :return: ``client_id``, ``client_secret``, ``state``
        """
        answer = self._request("clients.register", ("client_id", str), **about)
        if not CLIENT_ID.fullmatch(answer["client_id"]) or not _is_secret(answer.get("client_secret")):
            raise self._unreadable()
        return read_state(answer)

    def verify_phone(self, phone=None, country=None, code=None, language=None):
        """First with ``phone`` and ``country`` (ISO 3166), which sends a code; then with that ``code``.

        :return: ``state``; ``sent``, ``phone_hint``, ``retry_after`` where a code was sent
        """
        return read_state(
            self._request(
                "clients.verify_phone", ("state", str), phone=phone, country=country, code=code, language=language
            )
        )

    def reactivate(self, code=None, language=None):
        """First without ``code``, which sends one to the confirmed phone; then with it.

        :return: as :meth:`verify_phone`
        """
        return read_state(self._request("clients.reactivate", ("state", str), code=code, language=language))

    def get_status(self):
        """:return: ``state``, ``reason``, ``phone_hint``, ``client_id``, ``blocked_by``"""
        return read_state(self._request("clients.status", ("state", str)))

    def rotate_secret(self):
        """:return: the new secret, which replaces the old one at its first use"""
        answer = self._request("clients.rotate_secret", ("client_secret", str))
        if not _is_secret(answer["client_secret"]):
            raise self._unreadable()
        return answer["client_secret"]

    def update(self, **about):
        """:param about: ``url``, ``contact_email``, ``name``"""
        return read_state(self._request("clients.update", ("state", str), **about))

    # -------------------------------------------------------------------------
    # ACCOUNTING FIRMS
    # -------------------------------------------------------------------------

    def find_firm(self, code):
        """:return: the name of the accounting firm that has this code"""
        name = read_firm_name(self._request("firms.find", ("firm", dict), code=code)["firm"])
        if not name:
            raise self._unreadable()
        return name

    def agree_with_firm(self, **about):
        """:param about: ``code`` and ``firm_name`` of the firm, both absent to change what it reads of this database;
            ``client_name``, ``contact_name``, ``contact_email``
        :return: see :func:`.answers.read_agreement`
        """
        agreement = read_agreement(self._request("firms.agree", ("agreement", dict), **about)["agreement"])
        if not agreement or about.get("firm_name") not in (None, agreement["firm_name"]):
            # Why refused: the user has agreed to another name.
            raise self._unreadable()
        return agreement

    def get_firm_agreement(self):
        """:return: see :func:`.answers.read_agreement`; None where no accounting firm sees this database"""
        answer = self._request("firms.get")
        if "agreement" not in answer:
            raise self._unreadable()
        return read_agreement(answer["agreement"])

    def revoke_firm(self):
        """:return: True: no accounting firm sees this database any more"""
        if self._request("firms.revoke").get("revoked") is not True:
            raise self._unreadable()
        return True

    # -------------------------------------------------------------------------
    # BANKS
    # -------------------------------------------------------------------------

    def search_institutions(self, query=None, country=None, limit=20, cursor=None, with_countries=None):
        """:return: ``institutions`` and ``countries``, unchecked, see :mod:`.banks`; ``next_cursor``"""
        answer = self._request(
            "institutions.search",
            ("institutions", list),
            query=query,
            country=country,
            limit=limit,
            cursor=cursor,
            with_countries=with_countries,
        )
        following = answer.get("next_cursor")
        return {**answer, "next_cursor": following if is_identifier(following, MAX_CURSOR) else None}

    def start_connection(self, return_url, country=None, language=None, institution_id=None):
        """:return: see :func:`.answers.read_visit`; with the id of the new connection"""
        visit = self._request_page(
            "connections.start",
            return_url=return_url,
            country=country,
            language=language,
            institution_id=institution_id,
        )
        if not visit["connection_id"]:
            raise self._unreadable()
        return visit

    def get_connection(self, connection_id):
        """:return: see :func:`.answers.read_connection`"""
        answer = self._request("connections.get", ("connection", dict), connection_id=connection_id)
        connection = read_connection(answer["connection"])
        if connection["id"] != connection_id:
            # Why refused: the data of another connection would be stored for this one.
            raise self._unreadable()
        return connection

    def renew_connection(self, connection_id, reason, return_url, language=None):
        """:param str reason: ``consent`` or ``credentials``
        :return: see :func:`.answers.read_visit`
        """
        visit = self._request_page(
            "connections.renew",
            connection_id=connection_id,
            reason=reason,
            return_url=return_url,
            language=language,
        )
        if visit["connection_id"] not in (None, connection_id):
            raise self._unreadable()
        return {**visit, "connection_id": connection_id}

    def _request_page(self, operation, **payload):
        visit = read_visit(self._request(operation, ("page_url", str), **payload))
        if not visit["page_url"]:
            raise self._unreadable()
        return visit

    def refresh_connection(self, connection_id, user_present, return_url=None, language=None):
        """:return: see :func:`.answers.read_visit`; ``state`` is ``done`` or ``challenge``, ``accounts`` as from
        :meth:`list_accounts`, None where they have to be requested with it
        """
        answer = self._request(
            "connections.refresh",
            ("state", str),
            connection_id=connection_id,
            user_present=user_present,
            return_url=return_url,
            language=language,
        )
        visit, accounts = read_visit(answer), answer.get("accounts")
        if visit["state"] not in ("done", "challenge"):
            raise self._unreadable()
        listed = self._read_accounts(accounts) if isinstance(accounts, list) else None
        return {**visit, "connection_id": connection_id, "accounts": listed}

    def delete_connection(self, connection_id):
        """:return: True: the consent was revoked"""
        if self._request("connections.delete", connection_id=connection_id).get("deleted") is not True:
            raise self._unreadable()
        return True

    def list_accounts(self, connection_id):
        """:return: see :func:`.answers.read_accounts`; accounts without an id are left out"""
        return self._read_accounts(
            self._request("accounts.list", ("accounts", list), connection_id=connection_id)["accounts"]
        )

    def _read_accounts(self, accounts):
        if len(accounts) > MAX_ACCOUNTS:
            raise self._unreadable()
        return read_accounts(accounts)

    def iter_transaction_pages(self, connection_id, account_id, since=None, cursor=None, seen=()):
        """Yield the pages of one range, see :func:`.answers.read_page`.

        :param date since: first day wanted, None for as far back as the bank allows
        :param str cursor: bookmark of an earlier run, or cursor of the page after which to continue, instead of
            ``since``
        :param seen: cursors of the range's pages that were requested earlier
        :raise ProxyError: also when the paging does not end
        """
        seen, count = set(seen), 0
        while True:
            answer = self._request(
                "transactions.list",
                ("transactions", list),
                connection_id=connection_id,
                account_id=account_id,
                since=since.isoformat() if since and not cursor else None,
                cursor=cursor,
            )
            page = read_page(answer)
            count += len(page["transactions"]) + len(page["removed_ids"])
            if count > MAX_TRANSACTIONS:
                raise ProxyError("unexpected_answer", self._translate(ENDLESS))
            yield page
            if not page["has_more"]:
                return
            cursor = page["next_cursor"]
            if not cursor or cursor in seen or len(seen) >= MAX_PAGES:
                raise ProxyError("unexpected_answer", self._translate(ENDLESS))
            seen.add(cursor)
