"""The form that an adapter fills in. Read this page and one adapter, and you know how to write the next one."""

from datetime import datetime, timezone

from .errors import ConfigurationError


class Provider:
    """A provider: the aggregator or standard through which the proxy reaches banks.

    An object lives for one operation and keeps nothing: the *state* of a connection is JSON that comes in and goes
    out, the caller stores it encrypted. Nobody imports Odoo here. Time comes from :meth:`now`, never from the system.

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

    # -------------------------------------------------------------------------
    # YOU MAY READ
    # -------------------------------------------------------------------------

    #: Who waits for the answer: a :class:`~.types.User`, or None where nobody does or nothing is known of them.
    user = None

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

    # -------------------------------------------------------------------------
    # YOU MAY IMPLEMENT
    # -------------------------------------------------------------------------

    def check_keys(self):
        """Ask something that costs nothing, for *Test These Keys*; you must, if you declare keys of the proxy that
        somebody can be asked about.

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

    def transactions(self, state, account, since=None, cursor=None, limit=None):
        """One page, oldest first, as of the last refresh.

        A page must stay what it is: asked again, it gives the same; and news between two pages loses nothing.

        :param str account: ``Account.id``
        :param date since: first booking date that is wanted; None: as far back as the bank allows
        :param str cursor: ``next_cursor`` of the page before
        :param int limit: how many are wanted at most; yours may be lower
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
        """Ask the bank for its news.

        :param bool user_present: a user waits and can answer questions
        :param flow: :class:`~.types.Flow` of the visit that a challenge or a redirect begins
        :return: :class:`~.types.Refreshed`; or, only while a user is present, a :class:`~.types.Challenge` or a
            :class:`~.types.Redirect`
        :raise ConsentError: ``challenge_required`` or ``auto_sync_forbidden`` when nobody is present but must be
        """
        raise NotImplementedError

    def renew(self, state, flow):
        """Begin a new consent, or new credentials, for the same connection. Accounts must keep their ids.

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
