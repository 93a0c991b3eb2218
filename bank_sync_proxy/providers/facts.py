"""What a provider can do and what it takes, declared once: the cards and forms of the product, and the tables in README
and docs, are made of it."""

from dataclasses import dataclass

from .errors import _lt

#: Members of the European Economic Area.
EEA = (
    *("AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IS", "IT", "LI", "LT"),
    *("LU", "LV", "MT", "NL", "NO", "PL", "PT", "RO", "SE", "SI", "SK"),
)

#: Which customers a provider accepts: code → text for users.
AUDIENCES = {
    "own": _lt("Your own accounts"),
    "business": _lt("Businesses"),
    "contract": _lt("Companies with a contract"),
}

#: In a step: where the addresses of this installation are filled in.
CALLBACK, WEBHOOK = "%(callback)s", "%(webhook)s"

# Groups of cards, best first.
OPEN, ONE_BANK, CONTRACT, DEMONSTRATION, CLOSED = range(5)


@dataclass(frozen=True)
class Facts:
    """Facts about a provider. Sentences are English, marked by ``_lt``.

    For a person who chooses:

    :param str region: where its banks are, in words
    :param tuple countries: the same as ISO codes, as far as its own website commits itself; empty: worldwide
    :param tuple audience: which customers it accepts, codes of :data:`AUDIENCES`; empty: all
    :param str price: what it costs, and who pays
    :param str needs: what is needed to begin
    :param int minutes: until the first keys, or until a user can connect; None: days or longer
    :param str signup_url: where one becomes a customer
    :param str terms: one sentence about what its public terms allow
    :param tuple terms_urls: pages on which the sentence is based, as (title, address)
    :param str closed: why it accepts no new customers; empty: it does
    :param bool one_bank: it reaches the accounts of a single bank
    :param bool lists_banks: no: the user chooses the bank on the provider's pages, and the directory has only those
    :param tuple steps: what to do until there are keys, one sentence each; may contain :data:`CALLBACK` and
        :data:`WEBHOOK`

    For the engine and its users:

    :param str connect: ``bank's pages`` · ``provider's pages`` · ``provider's window`` (beside ours) · ``pasted key`` ·
        ``our pages``
    :param str identity: which field is the stable id of a transaction
    :param str sources: the source of each of these facts, in English only; "from memory" if there is no other
    :param bool pending: pending transactions are distinguished from booked ones
    :param bool removals: it says which transactions were withdrawn
    :param bool webhooks: it announces news without a request
    :param bool bookmark: the next run continues where the last one ended, instead of at a date
    :param int history_days: None: as the bank allows
    :param int consent_days: how long a consent holds at most; None: until it is withdrawn
    :param int fetches_per_day: requests allowed for one account while no user is present; None: no limit known
    """

    region: str
    price: str
    needs: str
    connect: str
    identity: str
    sources: str
    countries: tuple = ()
    audience: tuple = ()
    minutes: int | None = None
    signup_url: str = ""
    terms: str = ""
    terms_urls: tuple = ()
    closed: str = ""
    one_bank: bool = False
    lists_banks: bool = True
    steps: tuple = ()
    pending: bool = False
    removals: bool = False
    webhooks: bool = False
    bookmark: bool = False
    history_days: int | None = None
    consent_days: int | None = None
    fetches_per_day: int | None = None

    def reaches(self, country):
        """:return: whether banks of a country (ISO code) can be reached"""
        return not self.countries or country in self.countries

    def group(self, demonstration=False):
        """:return: the place of its card: what anybody can begin with today comes first"""
        if self.closed:
            return CLOSED
        if demonstration:
            return DEMONSTRATION
        if self.audience == ("contract",):
            return CONTRACT
        return ONE_BANK if self.one_bank else OPEN

    def asks_for(self, address):
        """
        :param str address: :data:`CALLBACK` or :data:`WEBHOOK`
        :return: whether a step wants it
        """
        return any(address in step for step in self.steps)
