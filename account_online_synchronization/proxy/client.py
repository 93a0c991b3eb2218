"""The protocol's operations as methods. Answers are the dictionaries of docs/protocol.md."""

from .errors import ProxyError

#: An account with more pages than this in one run is a paging error of the provider, not a busy account.
MAX_PAGES = 2000


class ProxyClient:
    """Asks the proxy.

    :param transport: an object with ``call(operation, payload) -> answer``
    """

    def __init__(self, transport):
        self._transport = transport

    def _ask(self, operation, **payload):
        """:raise ProxyError: when the proxy answers a failure, or something that is not an answer"""
        answer = self._transport.call(operation, {key: value for key, value in payload.items() if value is not None})
        if not isinstance(answer, dict):
            raise ProxyError("unexpected_answer", "The connection service gave an answer that can't be read.")
        if answer.get("error"):
            raise ProxyError.from_answer(answer["error"])
        return answer

    def search_institutions(self, query=None, country=None, limit=20, cursor=None):
        return self._ask("institutions.search", query=query, country=country, limit=limit, cursor=cursor)

    def start_connection(self, return_url, country=None, language=None, institution_id=None):
        return self._ask(
            "connections.start",
            return_url=return_url,
            country=country,
            language=language,
            institution_id=institution_id,
        )

    def get_connection(self, connection_id):
        return self._ask("connections.get", connection_id=connection_id)["connection"]

    def renew_connection(self, connection_id, reason, return_url, language=None):
        """:param str reason: ``consent`` or ``credentials``"""
        return self._ask(
            "connections.renew", connection_id=connection_id, reason=reason, return_url=return_url, language=language
        )

    def refresh_connection(self, connection_id, user_present, return_url=None, language=None):
        return self._ask(
            "connections.refresh",
            connection_id=connection_id,
            user_present=user_present,
            return_url=return_url,
            language=language,
        )

    def delete_connection(self, connection_id):
        return self._ask("connections.delete", connection_id=connection_id)

    def list_accounts(self, connection_id):
        return self._ask("accounts.list", connection_id=connection_id)["accounts"]

    def iter_transaction_pages(self, connection_id, account_id, since=None, cursor=None):
        """Yield the pages of one range, each an answer of ``transactions.list``.

        :param date since: first day wanted, None for as far back as the bank allows
        :param str cursor: bookmark of an earlier run, instead of ``since``
        :raise ProxyError: also when the paging does not come to an end
        """
        seen = set()
        while True:
            page = self._ask(
                "transactions.list",
                connection_id=connection_id,
                account_id=account_id,
                since=since.isoformat() if since and not cursor else None,
                cursor=cursor,
            )
            yield page
            if not page.get("has_more"):
                return
            cursor = page.get("next_cursor")
            if not cursor or cursor in seen or len(seen) >= MAX_PAGES:
                raise ProxyError(
                    "unexpected_answer",
                    "The bank's list of transactions does not come to an end. Nothing was imported from it; "
                    "the next synchronization tries again. Please contact support if this message stays.",
                )
            seen.add(cursor)
