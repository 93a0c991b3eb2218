"""Who pays and who is paid at the Demo Bank. All of them are invented."""

from typing import NamedTuple


class Shop(NamedTuple):
    """:param tuple range: lowest and highest amount, in hundredths"""

    name: str
    range: tuple[int, int]
    currency: str = ""


class Service(NamedTuple):
    """A regular payment of a business.

    :param int day: due on that day of the month, or the first working day after it
    :param bool debit: collected by direct debit, with a mandate
    """

    name: str
    text: str
    day: int
    range: tuple[int, int]
    debit: bool = False


CUSTOMERS = (
    "Atelier Vermeulen",
    "Brightwater Logistics",
    "Café Zonder Naam",
    "Dupré & Filles",
    "Echo Physiotherapy",
    "Fjordlys Design",
    "Grünwald Maschinenbau",
    "Harbour Street Dental",
    "Isola Immobiliare",
    "Jansen Tuinarchitecten",
    "Kestrel Engineering",
    "Librairie du Marché",
    "Müller & Söhne Bäckerei",
    "Northgate School",
)
SUPPLIERS = (
    "Alfa Packaging",
    "Brouwer Office Supply",
    "Cobalt Print",
    "Delmotte Transport",
    "Eikenhout Furniture",
    "Ferrand Matériaux",
    "Glasshouse Software",
    "Holm Electrical Parts",
)
CARD_SHOPS = (
    Shop("Station Sud Fuel", (35_00, 92_00)),
    Shop("Green Basket Market", (6_50, 68_00)),
    Shop("Le Petit Midi", (14_00, 55_00)),
    Shop("City Parking P3", (2_50, 18_00)),
    Shop("Paper & Pencil", (4_20, 39_00)),
    Shop("Rail Tickets", (8_80, 64_00)),
    Shop("Hardware Corner", (7_90, 120_00)),
)
COFFEE_SHOP = "Corner Coffee"
#: Amounts in hundredths of the foreign currency.
FOREIGN_SHOPS = (
    Shop("Cloudly Hosting Inc", (18_00, 240_00), "USD"),
    Shop("Paddington Hotel", (95_00, 310_00), "GBP"),
    Shop("Zürich Messe", (30_00, 180_00), "CHF"),
    Shop("Stockholm Taxi", (150_00, 620_00), "SEK"),
    Shop("Lisboa Coworking", (25_00, 140_00), "EUR"),
)
SERVICES = {
    "rent": Service("Kantoorpark Immo", "Rent office", 1, (1_850_00, 1_850_00)),
    "fees": Service("", "Account fee and transaction costs", 2, (9_00, 19_50)),
    "energy": Service("Lumen Energy", "Electricity and gas, customer 5520183", 8, (190_00, 340_00), debit=True),
    "telecom": Service("Telora Telecom", "Telephone and internet", 12, (89_90, 89_90), debit=True),
    "insurance": Service("Marlin & Rowe Insurance", "Business insurance policy 77-310-2", 15, (142_35, 142_35), True),
    "vat": Service("Tax Office VAT", "VAT declaration", 20, (1_900_00, 3_100_00)),
    "payroll": Service("Payroll batch", "Salaries, batch of 4 payments", 23, (6_800_00, 7_400_00)),
    "social": Service("Social Security Office", "Employer contributions", 25, (2_350_00, 2_700_00)),
}
#: Thousandths of a euro for one unit.
RATES = {"EUR": 1000, "USD": 920, "GBP": 1170, "CHF": 1050, "SEK": 88}
