"""The simulated bank behind the Demo Bank: accounts and ledgers as pure functions of names and days.

Nothing is stored and nothing is random: each movement follows by hash from (institution, account, user, day), so two
installations show the same for the same dates, and a ledger of years costs no more than its hashes.

Time has the grain of an hour. A movement has an hour at which it is first *visible* as booked; a card payment is
pending for one to three days before that. Some bookings are *late*: their booking date lies before the day on which
they appear. The bank's calendar is UTC.
"""

from datetime import date, datetime, timedelta, timezone
from functools import lru_cache
from typing import NamedTuple

from .sandbox_institutions import BANKS, hash_of
from .sandbox_names import CARD_SHOPS, CUSTOMERS, FOREIGN_SHOPS, RATES, SERVICES, SUPPLIERS

#: Ledgers begin here; balances include everything since.
EPOCH = date(2024, 1, 1)
MIDNIGHT = datetime(EPOCH.year, EPOCH.month, EPOCH.day, tzinfo=timezone.utc)
#: How long after its day a movement may still be unbooked, and how far back a late booking is dated.
MAX_PENDING_DAYS = 3
MAX_LATE_DAYS = 4


# -------------------------------------------------------------------------
# CHANCE THAT IS NONE
# -------------------------------------------------------------------------


class Dice:
    """Draws that follow from the words it is made of."""

    def __init__(self, *words):
        self._words = words
        self._block = 0
        self._bytes = b""

    def _draw(self):
        if not self._bytes:
            self._bytes = hash_of(*self._words, self._block)
            self._block += 1
        drawn, self._bytes = self._bytes[:4], self._bytes[4:]
        return int.from_bytes(drawn, "big")

    def chance(self, percent):
        return self._draw() % 100 < percent

    def between(self, low, high):
        return low + self._draw() % (high - low + 1)

    def pick(self, choices):
        return choices[self._draw() % len(choices)]


# -------------------------------------------------------------------------
# LEDGERS
# -------------------------------------------------------------------------


class Ledger(NamedTuple):
    """The books of one account of one user; hashable, so that days and months can be remembered."""

    bank: str
    account: str
    user: str

    @property
    def bank_account(self):
        return next(account for account in BANKS[self.bank].accounts if account.key == self.account)

    def sibling(self, profile):
        """The same user's ledger of another kind, or None."""
        keys = [account.key for account in BANKS[self.bank].accounts if account.profile == profile]
        return self._replace(account=keys[0]) if keys else None

    def balance(self, hour):
        """:return: the booked balance in cents, at an hour since the epoch"""
        today = EPOCH + timedelta(days=hour // 24)
        total = self.bank_account.opening
        # Why months: past months are added up once; only the recent days have to be computed.
        settled = (today - timedelta(days=MAX_PENDING_DAYS)).replace(day=1)
        month = EPOCH
        while month < settled:
            total += _month_total(self, month)
            month = _next_month(month)
        return total + sum(m.cents for m in self.movements(max(settled, EPOCH), today) if m.visible <= hour)

    def movements(self, first, last):
        """:return: iterator over the movements of the days from first to last"""
        for number in range(max(0, (first - EPOCH).days), (last - EPOCH).days + 1):
            yield from _day(self, EPOCH + timedelta(days=number))


class Movement(NamedTuple):
    """One movement of a ledger, as far as sums and order need it; its texts are in sandbox_texts.

    :param date day: the day on which it happened
    :param int index: its place in that day; ``day`` and ``index`` identify it permanently
    :param str kind: what it is
    :param int cents: in the account's currency, credit positive
    :param int begun: hour since the epoch at which it happened
    :param int visible: hour since the epoch from which on it is booked; until then it is pending
    :param date booking_date: may lie before the day of ``visible``
    :param detail: which shop, supplier, service … or the twin's index
    """

    day: date
    index: int
    kind: str
    cents: int
    begun: int
    visible: int
    booking_date: date
    detail: tuple = ()

    @property
    def is_card(self):
        return self.kind.startswith("card")


def hours(moment):
    """:return: hours since the epoch"""
    return int((moment - MIDNIGHT).total_seconds() // 3600)


def _next_month(month):
    return (month + timedelta(days=32)).replace(day=1)


@lru_cache(maxsize=65536)
def _month_total(ledger, month):
    return sum(movement.cents for movement in ledger.movements(month, _next_month(month) - timedelta(days=1)))


@lru_cache(maxsize=65536)
def _month_result(ledger, month):
    """What a month brought, apart from what balances it."""
    balancing = "settlement" if ledger.bank_account.profile == "credit_card" else "owner"
    last = _next_month(month) - timedelta(days=1)
    return sum(movement.cents for movement in ledger.movements(month, last) if movement.kind != balancing)


@lru_cache(maxsize=16384)
def _day(ledger, day):
    """The movements that a day begins, in order."""
    if day < EPOCH:
        return ()
    planner = _Planner(ledger, day)
    PROFILES[ledger.bank_account.profile](planner)
    return tuple(planner.movements)


class _Planner:
    """Writes one day of a ledger."""

    def __init__(self, ledger, day):
        self.ledger = ledger
        self.day = day
        self.dice = Dice(*ledger, day.toordinal())
        self.midnight = (day - EPOCH).days * 24
        self.workday = day.weekday() < 5
        self.previous_month = (day.replace(day=1) - timedelta(days=1)).replace(day=1)
        self.movements = []

    def is_on(self, number):
        """Whether today is the first working day from that day of the month on."""
        start = self.day.replace(day=number)
        start += timedelta(days={5: 2, 6: 1}.get(start.weekday(), 0))
        return self.day == start

    def transfer(self, kind, cents, *detail, hour=None, punctual=False):
        """A movement that is booked at once; now and then it appears late."""
        if not cents:
            return
        begun = self.midnight + (self.dice.between(6, 18) if hour is None else hour)
        late = 0 if punctual or not self.dice.chance(5) else self.dice.between(1, MAX_LATE_DAYS)
        booking_date = max(EPOCH, self.day - timedelta(days=late))
        self._add(kind, cents, begun, begun, booking_date, detail)

    def card(self, kind, cents, *detail, hour=None):
        """A card payment: pending first."""
        begun = self.midnight + (self.dice.between(7, 21) if hour is None else hour)
        visible = (begun // 24 + self.dice.between(1, MAX_PENDING_DAYS)) * 24 + self.dice.between(3, 8)
        self._add(kind, cents, begun, visible, EPOCH + timedelta(days=visible // 24), detail)

    def _add(self, kind, cents, begun, visible, booking_date, detail):
        self.movements.append(
            Movement(self.day, len(self.movements), kind, cents, begun, visible, booking_date, detail)
        )

    def purchases(self, percent, foreign_percent):
        """Card payments of a day: at home, abroad, and sometimes two coffees that differ only in their ids."""
        currency = self.ledger.bank_account.currency
        if self.dice.chance(percent):
            shop = self.dice.between(0, len(CARD_SHOPS) - 1)
            low, high = CARD_SHOPS[shop].range
            self.card("card", -self.dice.between(low, high), shop)
        if self.dice.chance(foreign_percent):
            shops = [i for i, shop in enumerate(FOREIGN_SHOPS) if shop.currency != currency]
            shop = self.dice.pick(shops)
            low, high = FOREIGN_SHOPS[shop].range
            foreign = -self.dice.between(low, high)
            # The rate moves a little from day to day, as rates do.
            rate = RATES[FOREIGN_SHOPS[shop].currency] * self.dice.between(970, 1030) // RATES[currency]
            self.card("card_foreign", foreign * rate // 1000, shop, foreign)
        if self.dice.chance(8):
            cents, hour = -self.dice.pick((320, 350, 380, 420)), self.dice.between(8, 16)
            self.card("card_coffee", cents, hour=hour)
            twin = self.movements[-1]
            self.movements.append(twin._replace(index=len(self.movements)))

    def service(self, key):
        """A regular payment; its amount varies within its range from month to month."""
        low, high = SERVICES[key].range
        self.transfer("service", -self.dice.between(low, high), key)

    def balance_with_owner(self, number):
        """Nine tenths of last month's result leave (or come), so that balances stay in proportion over the years."""
        if self.is_on(number) and self.previous_month >= EPOCH:
            result = _month_result(self.ledger, self.previous_month)
            self.transfer("owner", -(result * 9 // 10 // 5000 * 5000), punctual=True)


def _current(plan):
    dice, ledger = plan.dice, plan.ledger
    if plan.workday:
        for percent in (80, 30):
            if dice.chance(percent):
                plan.transfer("customer", dice.between(180_00, 2_400_00), dice.between(0, len(CUSTOMERS) - 1))
        if dice.chance(65):
            plan.transfer("supplier", -dice.between(80_00, 1_350_00), dice.between(0, len(SUPPLIERS) - 1))
        for key, service in SERVICES.items():
            if plan.is_on(service.day):
                plan.service(key)
        if plan.is_on(3) and ledger.sibling("credit_card"):
            plan.transfer("settlement", card_settlement(ledger, plan.previous_month), hour=9, punctual=True)
        if ledger.sibling("savings"):
            plan.transfer("own", -savings_transfer(plan), hour=10, punctual=True)
        plan.balance_with_owner(24)
    plan.purchases(55, 5)


def _currency(plan):
    dice = plan.dice
    if plan.workday:
        for percent in (50, 15):
            if dice.chance(percent):
                plan.transfer("customer", dice.between(150_00, 1_900_00), dice.between(0, len(CUSTOMERS) - 1))
        if dice.chance(45):
            plan.transfer("supplier", -dice.between(60_00, 1_500_00), dice.between(0, len(SUPPLIERS) - 1))
        if plan.is_on(SERVICES["fees"].day):
            plan.service("fees")
        plan.balance_with_owner(24)
    plan.purchases(25, 8)


def _savings(plan):
    current = plan.ledger.sibling("current")
    if plan.workday and current:
        # Why with the other ledger's dice: what leaves the one arrives on the other, in the same hour.
        plan.transfer("own", savings_transfer(_Planner(current, plan.day)), hour=10, punctual=True)
    if plan.day.month in (1, 4, 7, 10) and plan.is_on(2):
        plan.transfer("interest", plan.dice.between(45_00, 95_00), punctual=True)


def _credit_card(plan):
    plan.purchases(40, 12)
    if plan.is_on(11):
        plan.card("card_subscription", -49_00)
    if plan.is_on(3):
        plan.transfer("settlement", -card_settlement(plan.ledger, plan.previous_month), hour=9, punctual=True)


PROFILES = {"current": _current, "currency": _currency, "savings": _savings, "credit_card": _credit_card}


def card_settlement(ledger, month):
    """What the current account pays for a month of the credit card: a negative amount."""
    card = ledger.sibling("credit_card")
    return _month_result(card, month) if month >= EPOCH else 0


def savings_transfer(plan):
    """What goes from the current account to the savings account on a day; negative when it comes back."""
    dice = Dice(*plan.ledger, plan.day.year, plan.day.month, "savings")
    amount = dice.between(20, 36) * 50_00
    if plan.is_on(5):
        return amount
    if plan.day.month % 4 == 0 and plan.is_on(17):
        return -3 * amount
    return 0
