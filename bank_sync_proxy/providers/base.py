"""The form that an adapter fills in. Read this page and one adapter, and you know how to write the next one."""

from dataclasses import replace
from datetime import datetime, timezone

from .auth import ReplacedSecrets, Safe
from .errors import ConfigurationError, ProtocolError, ProviderError
from .history import is_refused_for_its_period, next_period
from .parts import LONGEST, Part

#: Statuses of an answer that refuses the bookmark.
REFUSED_CURSORS = (400, 404, 406, 409, 410, 416, 422)


def _days_back(requested, today):
    """:return: days of the last requested period, 0 if it had no first day; None before the first refusal"""
    if len(requested) < 2:
        return None
    return (today - requested[-1]).days if requested[-1] else 0


def _days_learned(first, requested, today):
    """As :func:`_days_back`, of a search that failed.

    :param first: the first refusal, or None. Why it matters: a permission may be missing for all periods
    """
    return None if first and first.code == "permission_missing" else _days_back(requested, today)


class Provider:
    """A provider: the aggregator or standard through which the proxy reaches banks.

    An object lives for one operation and keeps nothing: the *state* of a connection is JSON that comes in and goes
    out, the caller stores it encrypted. Only secrets that the provider replaces meanwhile are stored at once
    (:meth:`replace_secrets`). No module here imports Odoo. Time comes from :meth:`now`, never from the
    system.

    Every method may raise a :class:`~.errors.ProviderError`; anything else that is raised counts as our mistake.
    """

    # -------------------------------------------------------------------------
    # YOU MUST SET
    # -------------------------------------------------------------------------

    #: The one word for this provider: name of the file, of its tests, of its page in docs/. Stored, never renamed.
    code = None
    #: What people call it.
    label = None
    #: What it can do and what it takes: :class:`~.facts.Facts`.
    facts = None

    # -------------------------------------------------------------------------
    # YOU MAY SET
    # -------------------------------------------------------------------------

    #: Where the provider documents its API, and the version that this adapter speaks.
    docs_url = None
    api_version = None
    #: What an administrator has to enter, as :class:`~.types.Setting`.
    settings_needed = ()
    #: No real money behind it; every page says so.
    demonstration = False

    #: Whether requests to the provider contain the first day, so that it may be the reason for an unknown refusal.
    sends_dates = False

    #: Whether :meth:`read_page` takes ``until``, so that a period whose answer is too large is requested in parts.
    takes_until = False
    #: Only with ``takes_until``: how many days are requested at once at most, None for any number.
    days_at_once = None

    #: Parts of the state that the provider replaces at any time, so that the previous ones end: change them with
    #: :meth:`replace_secrets` only, in any operation.
    replaced_secrets = ()

    #: Whether the provider leads back to our address without saying to which visit it belongs: its user copies the
    #: address and pastes it, so it counts for nothing else.
    copies_callback = False

    # -------------------------------------------------------------------------
    # YOU MAY READ
    # -------------------------------------------------------------------------

    #: The user who waits for the answer: a :class:`~.types.User`, or None if there is none or nothing is known of them.
    user = None

    #: Where :attr:`replaced_secrets` of the connection are stored: a :class:`~.auth.Safe`, set by the caller.
    safe = Safe()

    #: How large an answer to the database may be: a :class:`~.parts.AnswerLimit`, set by the caller; None: any size.
    answer_limit = None

    # -------------------------------------------------------------------------
    # YOU SHOULD NOT NEED TO OVERRIDE
    # -------------------------------------------------------------------------

    def __init__(self, settings=None, clock=None, production=True):
        """
        :param dict settings: values of :attr:`settings_needed` by name, texts
        :param clock: callable that returns the current moment, aware, UTC
        :param bool production: False for the provider's sandbox
        """
        self.settings = {setting.name: setting.default for setting in self.settings_needed}
        self.settings.update({name: value for name, value in (settings or {}).items() if value not in (None, "")})
        self.production = production
        self._clock = clock or (lambda: datetime.now(timezone.utc))

    def now(self):
        """:return: the current moment, aware, UTC"""
        return self._clock()

    def check_settings(self):
        """:raise ConfigurationError: when a required setting is missing"""
        missing = [s.label for s in self.settings_needed if s.required and not self.settings.get(s.name)]
        if missing:
            raise ConfigurationError(
                "provider_not_configured", f"missing settings: {', '.join(missing)}", provider=self.code
            )

    def replace_secrets(self, state, is_usable, request):
        """Get new secrets from the provider and store them before they are used, or take over those that another
        process has got. See :meth:`.auth.ReplacedSecrets.replace`, with the same parameters and result."""
        return ReplacedSecrets(self.replaced_secrets, self.safe).replace(state, is_usable, request)

    def transactions(self, state, account, since=None, cursor=None, limit=None):
        """What the proxy calls: :meth:`read_page`, with a shorter period if the bank refuses the requested one, and in
        parts if an answer would be too large.

        :return: :class:`~.types.Page`; ``history_days`` is how far back the bank went, if that was less
        :raise ProviderError: if the search for a period fails; ``history_days`` is how far it had come
        """
        if cursor:
            return self._continue(state, account, cursor, limit)
        today, requested, named, first = self.now().date(), [since], set(), None
        while True:
            try:
                page = self._read_part(state, account, self._beginning(requested[-1]), limit)
            except ProviderError as error:
                if not is_refused_for_its_period(error, requested[-1], today, self.sends_dates):
                    error.history_days = _days_learned(first, requested, today)
                    raise
                first = first or error
                named.update(error.named_days)
                following = next_period(requested, today, named)
                if not following:
                    first.history_days = _days_learned(first, requested, today)
                    raise first from None
                requested.extend(following)
            else:
                days = _days_back(requested, today)
                return page if days is None else replace(page, history_days=days)

    def _continue(self, state, account, cursor, limit):
        """A bookmark that the provider no longer accepts does not end the run: the database then requests by date."""
        try:
            return self._read_part(state, account, self._part_of(account, cursor), limit, is_first=False)
        except ProviderError as error:
            if error.code != "unexpected_answer" or error.status not in REFUSED_CURSORS:
                raise
            raise ProtocolError("bookmark_refused", str(error), provider=self.code, status=error.status) from error

    # A period in parts: see :mod:`.parts`.

    def _beginning(self, since):
        return Part.beginning(self.first_day(since), self.days_at_once, self.now().date())

    def _part_of(self, account, cursor):
        """:return: the part of a period that a cursor names"""
        part = self.read_part(account, cursor) if self.takes_until else None
        if self.days_at_once and not (part and not part.inner):
            raise ProtocolError("invalid_request", "not a cursor of this provider", provider=self.code)
        return part or Part(None, inner=cursor)

    def _read_part(self, state, account, part, limit, is_first=True):
        was_unlimited = is_first and not part.since
        while True:
            try:
                page = self._page_of(state, account, part, limit, is_first)
                return replace(page, history_days=LONGEST.days) if was_unlimited and part.since else page
            except ProtocolError as error:
                half = part.half(self.now().date()) if self.takes_until and error.code == "answer_too_large" else None
                if not half:
                    raise
                part = half

    def _page_of(self, state, account, part, limit, is_first):
        """:raise ProtocolError: ``answer_too_large``, of the provider or for the database"""
        asked = {"until": part.until} if self.takes_until else {}
        if part.inner:
            page = self.read_page(state, account, cursor=part.inner, limit=limit, **asked)
        else:
            # Why not always the day of the part: if all booked rows of a cut answer have arrived, it begins tomorrow.
            since = min(part.since, self.now().date()) if part.is_cut else part.since
            page = self.read_page(state, account, since=since, limit=limit, **asked)
        if part.until:
            # What is pending is shown with every period, and counts in the last one.
            page = replace(page, transactions=tuple(row for row in page.transactions if row.status == "booked"))
        following = replace(part, inner=page.next_cursor) if page.has_more else part.following(self.now().date())
        if part.is_cut or not (is_first or self._has_room(page)):
            # Some banks show what is older than the first day, too: it was part of an earlier answer.
            page = replace(page, transactions=tuple(row for row in page.transactions if part.has(row)))
        if not self._has_room(page):
            page, following = self._first_days(part, page)
        if not following or (following.inner and not (following.until or following.days)):
            # There are no parts: an adapter's own cursor knows all.
            return page
        return replace(page, next_cursor=self.write_part(account, following), has_more=True)

    def _has_room(self, page):
        return not self.answer_limit or self.answer_limit.allows(page)

    def _first_days(self, part, page):
        """:return: (the first days of a page that is too large, the part with the rest)"""
        is_whole = self.takes_until and not (page.has_more or part.inner)
        found = self.answer_limit.first_days(page, part.since) if is_whole else None
        if not found:
            raise ProtocolError("answer_too_large", "more than a database reads", provider=self.code)
        page, day = found
        is_over = part.until and day > part.until
        return page, part.following(self.now().date()) if is_over else replace(part, since=day, is_cut=True)

    # -------------------------------------------------------------------------
    # YOU MAY IMPLEMENT
    # -------------------------------------------------------------------------

    def first_day(self, since):
        """:return: the first day to request where ``since`` is wanted, or None; required with :attr:`days_at_once`"""
        return since

    def write_part(self, account, part):
        """:return: a cursor with a :class:`~.parts.Part`; required with :attr:`takes_until`, as :meth:`read_part`"""
        raise NotImplementedError

    def read_part(self, account, cursor):
        """:return: the part in a cursor, None for a cursor without one"""
        raise NotImplementedError

    def check_keys(self):
        """Send a request that costs nothing, for *Test These Keys*; required, if you declare keys of the proxy that a
        request can verify.

        :return: what the provider says about the keys, one line
        """
        raise NotImplementedError

    # -------------------------------------------------------------------------
    # YOU MUST IMPLEMENT
    # -------------------------------------------------------------------------

    def institutions(self, country=None):
        """:return: all :class:`~.types.Institution` (of a country), iterable; ids are the provider's own"""
        raise NotImplementedError

    def start(self, institution, flow):
        """Begin a new consent.

        :param str institution: the provider's own id
        :param flow: :class:`~.types.Flow`
        :return: :class:`~.types.Redirect` or :class:`~.types.Challenge`
        """
        raise NotImplementedError

    def accounts(self, state):
        """:return: list of :class:`~.types.Account` that the consent covers, with their booked balances"""
        raise NotImplementedError

    def read_page(self, state, account, since=None, cursor=None, limit=None):
        """One page of transactions, oldest first, as of the last refresh.

        A bank that refuses the period is reported as ``period_refused``: :meth:`transactions` requests a shorter one.

        Pages must be stable: a repeated request returns the same page, and new transactions between two pages must not
        cause gaps.

        :param str account: ``Account.id``
        :param date since: first booking date that is wanted; None: as far back as the bank allows
        :param str cursor: ``next_cursor`` of the page before
        :param int limit: how many are wanted at most; yours may be lower
        :param date until: only with :attr:`takes_until`: last booking date that is wanted; None: to the end
        :return: :class:`~.types.Page`
        """
        raise NotImplementedError

    # -------------------------------------------------------------------------
    # YOU MAY IMPLEMENT
    # -------------------------------------------------------------------------

    def answer(self, flow, values):
        """Take the answers to the last :class:`~.types.Challenge`; you must, if you ever give one.

        An answer that is not accepted gives the same challenge again, with ``error`` set: the caller counts attempts.
        Of an ``approval`` you are asked again and again, without values: give the same challenge until it is decided,
        and another one, without ``kind`` ``approval``, when the bank has stopped waiting.

        :param dict values: by name of the field; a tuple for ``multichoice``
        :return: :class:`~.types.Challenge`, :class:`~.types.Redirect`, :class:`~.types.Completed`, or, in a flow
            of kind ``refresh``, :class:`~.types.Refreshed`
        """
        raise NotImplementedError

    def complete(self, flow, params):
        """The browser came back from a :class:`~.types.Redirect`; you must, if you ever give one.

        The caller has checked that ``state`` is the one of this visit and that it is the same browser. A user who has
        refused at the bank comes back, too: say so with a :class:`~.types.Challenge` that offers another try, or raise.

        :param dict params: query, or form, of the callback, texts
        :return: as :meth:`answer`
        """
        raise NotImplementedError

    def refresh(self, state, user_present=False, flow=None):
        """Ask the bank for its news. Accounts that this lists are part of the result, so they are not listed again.

        :param bool user_present: a user waits and can answer questions
        :param flow: :class:`~.types.Flow` of the visit that a challenge or a redirect begins
        :return: :class:`~.types.Refreshed`; or, only while a user is present, a :class:`~.types.Challenge` or a
            :class:`~.types.Redirect`
        :raise ConsentError: ``challenge_required`` or ``auto_sync_forbidden`` when a user must be present and is not
        """
        raise NotImplementedError

    def renew(self, state, flow):
        """Begin a new consent, or new credentials, for the same connection. Accounts must keep their ids.

        A bank whose consent has no end date (``Capabilities.reconfirm_days``) needs no request: return a
        :class:`~.types.Challenge` of kind ``reconfirm`` and, when it is answered, :class:`~.types.Completed` with the
        same state and a new end.

        :return: as :meth:`start`; a new consent like the first one, unless you know better
        """
        return self.start(flow.institution, flow)

    def forget_refused(self, state):
        """:return: what stays of the state after the bank has refused its credentials, such as that of a bank that
        locks an access after a few attempts
        """
        return state

    def revoke(self, state):
        """Give the consent back; nothing to do where consents only run out."""

    def parse_webhook(self, headers, body):
        """Verify a webhook by the provider's own scheme, its age included, and read it.

        :param headers: mapping that ignores case
        :param bytes body: as it came
        :return: list of :class:`~.types.WebhookEvent`; what is not known is left out
        :raise ProtocolError: ``invalid_request`` for what the provider has not signed, or long ago
        """
        raise NotImplementedError

    def parse_error(self, response):
        """:return: the :class:`~.errors.ProviderError` for a failed HTTP answer; you must, if you speak HTTP"""
        raise NotImplementedError
