"""As many lines and open items as a busy company has, for measurements of time. Always the same."""

import random
from datetime import date, timedelta
from decimal import Decimal

from account_online_reconcile.matching.decide import Books
from account_online_reconcile.matching.facts import Line, OpenItem

FIRST_DAY = date(2026, 1, 1)


def many(lines=5000, items=20000, partners=2000, seed=7):
    """:return: (lines, books): of ten lines six name an invoice, two only come from its partner, two are anything"""
    chance = random.Random(seed)
    open_items = [
        OpenItem(
            number,
            Decimal(chance.randrange(1000, 500000)) / 100,
            number=f"INV/2026/{number:05}",
            references=(f"INV/2026/{number:05}",),
            partner=number % partners + 1,
            name=f"Customer {number % partners + 1:04} Ltd",
            accounts=(f"BE{number % partners:014}",),
            day=FIRST_DAY + timedelta(days=number % 120),
        )
        for number in range(1, items + 1)
    ]
    chosen = chance.sample(open_items, lines)
    return [_line(chance, key, item) for key, item in enumerate(chosen, 1)], Books(candidates=open_items)


def _line(chance, key, item):
    kind, day = chance.random(), FIRST_DAY + timedelta(days=130 + key % 30)
    if kind < 0.6:
        words = f"EREF+NOTPROVIDED SVWZ+Zahlung {item.number.lower()} Kd {key:06} vom {day:%d.%m.%Y}"
        return Line(key, day, item.amount, label=words, name=item.name.upper(), account=item.accounts[0])
    if kind < 0.8:
        return Line(key, day, item.amount, label="Vielen Dank", name=item.name, account=item.accounts[0])
    amount = -Decimal(chance.randrange(100, 90000)) / 100
    return Line(key, day, amount, label=f"KARTENZAHLUNG {day:%d/%m/%y} SHOP {key:05} 4711 0815", name=f"Shop {key}")
