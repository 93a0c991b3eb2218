"""What the Demo Bank is made of: its institutions, who pays and who is paid, and what is written beside it.

All of it is invented, and kept in sandbox.json; amounts are in hundredths.
"""

import json
from pathlib import Path
from typing import NamedTuple

DATA = json.loads(Path(__file__).with_name("sandbox.json").read_text(encoding="utf-8"))


class Shop(NamedTuple):
    """:param list range: lowest and highest amount, in hundredths of the shop's currency"""

    name: str
    range: list[int]
    currency: str = ""


class Service(NamedTuple):
    """A regular payment of a business.

    :param int day: due on that day of the month, or the first working day after it
    :param bool debit: collected by direct debit, with a mandate
    """

    name: str
    text: str
    day: int
    range: list[int]
    debit: bool = False


CUSTOMERS, SUPPLIERS = DATA["customers"], DATA["suppliers"]
CARD_SHOPS = [Shop(**shop) for shop in DATA["shops"]]
FOREIGN_SHOPS = [Shop(**shop) for shop in DATA["foreign_shops"]]
SERVICES = {key: Service(**service) for key, service in DATA["services"].items()}
#: Thousandths of a euro for one unit.
RATES = DATA["rates"]
#: Where businesses have their accounts. Why not all banks: one more would move them, and what the other banks have
#: reported would change.
BUSINESS_BANKS = DATA["business_banks"]


def remittance(form, **values):
    """:param form: key of a form of texts, or its texts
    :return: the texts, filled in
    """
    texts = DATA["remittance"][form] if isinstance(form, str) else form
    return tuple(text.format(**values) for text in texts)
