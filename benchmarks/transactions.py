"""The transactions that all variants store: made up, always the same, in the shape of the protocol. Pure Python."""

import random
from datetime import date, timedelta
from decimal import Decimal

FIRST_DAY = date(2025, 7, 25)
DAYS = 300
CURRENCY = "EUR"
KNOWN_PARTNERS = 60

#: The shares of transactions with a known partner, and with an unknown account number.
KNOWN_SHARE = 0.4
UNKNOWN_SHARE = 0.3

SHOPS = ("Bakery Peeters", "City Parking", "Fuel Station Noord", "Green Grocer", "Hotel Central", "Rail Tickets")
UNKNOWN_PARTIES = (
    "Insurance & Sons",
    "Municipality",
    "Power Supply SA",
    "Telecom Plus",
    "Webshop Zebra",
    "Water Board",
)


def partner(number):
    """:return: (name, IBAN) of a known partner"""
    return f"Customer {number:02} Ltd", iban(number)


def iban(number):
    """A Belgian IBAN with the right check digits."""
    account = f"{539000000000 + 7919 * number:012}"
    # The letters BE as 1114, and 00 in the place of the check digits, behind the number.
    return f"BE{98 - int(account + '111400') % 97:02}{account}"


def news_count(lines):
    """:return: how many transactions are one percent of ``lines``"""
    return max(1, lines // 100)


def transactions(lines, more=0, first_day=FIRST_DAY, prefix="TX"):
    """
    :param int lines: number of transactions, spread evenly over ``DAYS`` days
    :param int more: number of transactions after those, on the days that follow, as many a day as before
    :param str prefix: begins the ids
    :return: list of *transaction* objects of the protocol, by day
    """
    chance = random.Random(prefix)
    return [
        _transaction(chance, f"{prefix}{number:07}", first_day + timedelta(days=number * DAYS // lines))
        for number in range(lines + more)
    ]


def _transaction(chance, identifier, day):
    kind, number, cents = chance.random(), chance.randrange(10**6), int(chance.lognormvariate(9, 1.2)) + 1
    if kind < KNOWN_SHARE:
        name, account_number = partner(number % KNOWN_PARTNERS)
        amount, texts = cents, [f"Invoice {day.year}/{number:06}", f"Customer number {number % KNOWN_PARTNERS}"]
    elif kind < KNOWN_SHARE + UNKNOWN_SHARE:
        name, account_number = UNKNOWN_PARTIES[number % len(UNKNOWN_PARTIES)], iban(1000 + number % 500)
        amount, texts = -cents, [f"Direct debit, contract {number:06}", f"Period {day:%m/%Y}"]
    else:
        name, account_number = SHOPS[number % len(SHOPS)], None
        amount, texts = -cents, [f"Card payment {day:%d-%m-%Y} {name.upper()}", f"Card ending in {number % 10000:04}"]
    return {
        "id": identifier,
        "status": "booked",
        "booking_date": day.isoformat(),
        "value_date": day.isoformat(),
        "amount": str(Decimal(amount) / 100),
        "currency": CURRENCY,
        "counterparty": {"name": name, "account_number": account_number, "bic": None},
        "remittance": texts,
        "end_to_end_id": f"E2E-{number:06}",
    }
