"""1,000 bank lines as the banks of seven countries write them, each with the right answer. Always the same.

Written from the bank's side: it knows how payers write and what banks make of it, and nothing of the matcher. What a
line *should* be matched with was decided before its text was made. Where the shapes of the texts come from:

DE  SEPA fields in MT940's :86: (``SVWZ+``, ``EREF+``, ``KREF+``, ``MREF+``), cut into subfields of 27 characters: DFÜ
    agreement of the German banks, as ``mt940`` and ``fints`` parse them
BE  ``+++123/4567/89012+++``, CODA's free communication in lines of 53: Febelfin; references as ``stdnum.be.ogm_vcs``
FR  labels of 31 characters in capitals (``VIR SEPA``, ``PRLV SEPA``, ``CB``): CFONB 120
NL  ``/TRTP/…/IBAN/…/NAME/…/REMI/…/EREF/…`` in lines of 65: the structure that Dutch banks use in :86:
CH  QR references in the reference field or in groups of five: SIX, as ``stdnum.ch.esr``
GB  18 characters that the payer chooses: Faster Payments
FI  reference numbers with a check digit (7, 3, 1), with zeros before them: Finance Finland
"""

import random
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

SEED = 20261129
TODAY = date(2026, 5, 31)
#: How many of the 1,000 lines are of each country.
COUNTRIES = {"DE": 200, "BE": 180, "FR": 180, "NL": 160, "CH": 140, "GB": 70, "FI": 70}


class Document(NamedTuple):
    key: int
    number: str
    reference: str
    partner: int
    name: str
    account: str
    amount: Decimal
    day: date
    is_bill: bool
    discount: tuple | None


class BankLine(NamedTuple):
    """``answer``: keys of the documents that it settles. ``kind``: how it was made. ``is_findable``: a user could find
    them, because the full reference is given or the counterparty has only one document of this amount."""

    key: int
    country: str
    day: date
    amount: Decimal
    label: str
    reference: str
    name: str
    account: str
    kind: str
    answer: frozenset
    is_findable: bool


class World(NamedTuple):
    country: str
    documents: list
    lines: list
    own_accounts: dict
    prefixes: tuple
    currency: str


# -------------------------------------------------------------------------------------------------
# People, companies and their documents
# -------------------------------------------------------------------------------------------------

_STEMS = {
    "DE": ("Müller", "Schäfer", "Weiß", "Huber", "König", "Krüger", "Bäcker", "Vogel", "Sommer", "Lehmann"),
    "BE": ("Peeters", "Janssens", "Maes", "Jacobs", "Dubois", "Lambert", "Wouters", "Claes", "Goossens", "Leclercq"),
    "FR": ("Lefèvre", "Girard", "Bonnet", "Moreau", "Garçon", "Rousseau", "Blanc", "Chevalier", "Noël", "Perrin"),
    "NL": ("De Vries", "Van den Berg", "Bakker", "Visser", "Smit", "Meijer", "Mulder", "Bos", "Vos", "Hendriks"),
    "CH": ("Keller", "Meier", "Zürcher", "Frei", "Brunner", "Baumann", "Gerber", "Wyss", "Graf", "Favre"),
    "GB": ("Taylor", "Walker", "Wright", "Hughes", "Edwards", "Green", "Hall", "Wood", "Clarke", "Patel"),
    "FI": (
        "Korhonen",
        "Virtanen",
        "Mäkinen",
        "Nieminen",
        "Mäkelä",
        "Hämäläinen",
        "Laine",
        "Koskinen",
        "Järvinen",
        "Lehto",
    ),
}
_TRADES = {
    "DE": ("Elektrotechnik", "Baustoffe", "Gartenbau", "Metallbau", "Druckerei", "Spedition"),
    "BE": ("Bouw", "Transport", "Drukkerij", "Electricité", "Tuinen", "Garage"),
    "FR": ("Bâtiment", "Transports", "Imprimerie", "Menuiserie", "Électricité", "Conseil"),
    "NL": ("Bouw", "Logistiek", "Drukwerk", "Installatie", "Advies", "Techniek"),
    "CH": ("Haustechnik", "Transporte", "Druck", "Gartenbau", "Treuhand", "Schreinerei"),
    "GB": ("Builders", "Haulage", "Printing", "Joinery", "Consulting", "Electrical"),
    "FI": ("Rakennus", "Kuljetus", "Paino", "Sähkö", "Konsultointi", "Huolto"),
}
_FORMS = {"DE": "GmbH", "BE": "BV", "FR": "SARL", "NL": "B.V.", "CH": "AG", "GB": "Ltd", "FI": "Oy"}
#: Prefix of invoices, of credit notes, of bills in each world, and the digits of the serial number.
_SEQUENCES = {
    "DE": ("RE/{year}/", "GS/{year}/", 5),
    "BE": ("INV/{year}/", "RINV/{year}/", 5),
    "FR": ("FAC/{year}/", "AVO/{year}/", 5),
    "NL": ("VF{year}", "CN{year}", 4),
    "CH": ("R-{year}-", "G-{year}-", 4),
    "GB": ("SI-", "SCN-", 6),
    "FI": ("LASKU/{year}/", "HYV/{year}/", 4),
}
_BILL_FORMS = ("{n:06}", "F{year}-{n:04}", "{year}/{n:05}", "RG-{n:05}", "K{n:07}", "INV{n:06}")


def worlds(seed=SEED):
    """:return: one :class:`World` for each country"""
    return [_Maker(country, count, seed).make() for country, count in COUNTRIES.items()]


class _Maker:
    def __init__(self, country, count, seed):
        self.country, self.count = country, count
        self.chance = random.Random(f"{seed}-{country}")
        self.documents, self.lines, self.paid = [], [], []
        self.used = set()
        self.serial = self.chance.randrange(20, 400)
        self.partners = self._make_partners(60)
        self.own = {"bank": self._iban(900), "savings": self._iban(901)}
        self.currency = {"CH": "CHF", "GB": "GBP"}.get(country, "EUR")

    def make(self):
        for _number in range(self.count * 2):
            self._document()
        for _number in range(self.count // 3):
            self._document(is_bill=True)
        for _number in range(20):
            self._document(is_credit_note=True)
        kinds = list(_KINDS)
        weights = [_KINDS[kind] for kind in kinds]
        while len(self.lines) < self.count:
            kind = self.chance.choices(kinds, weights)[0]
            getattr(self, f"_{kind}")()
        return World(
            self.country,
            [document for document in self.documents if document.key not in {one.key for one in self.paid}],
            self.lines[: self.count],
            self.own,
            tuple(form.format(year=2026) for form in _SEQUENCES[self.country][:2]),
            self.currency,
        )

    def _make_partners(self, count):
        names, found = set(), []
        while len(found) < count:
            name = f"{self._any(_STEMS)} {self._any(_TRADES)} {_FORMS[self.country]}"
            if self.chance.random() < 0.25:
                name = f"{self.chance.choice('ABCDEFGHJKLMNPRSTW')}. {self._any(_STEMS)}-{self._any(_STEMS)}"
            if name not in names:
                names.add(name)
                found.append((len(found) + 1, name, self._iban(len(found) + 1)))
        return found

    def _any(self, table):
        return self.chance.choice(table[self.country])

    def _iban(self, number):
        bank = f"{self.chance.randrange(10**8):08}{number:08}"
        letters = "".join(str(ord(letter) - 55) for letter in self.country)
        return f"{self.country}{98 - int(f'{bank}{letters}00') % 97:02}{bank}"

    def _amount(self):
        if self.chance.random() < 0.2:
            # Subscriptions: many customers owe the same.
            return Decimal(self.chance.choice(("19.00", "49.00", "99.00", "121.00", "350.00")))
        return Decimal(int(self.chance.lognormvariate(10.4, 1.1)) + 500) / 100

    def _document(self, is_bill=False, is_credit_note=False, like=None):
        self.serial += self.chance.choice((1, 1, 1, 2))
        key = len(self.documents) + 1
        day = TODAY - timedelta(days=self.chance.randrange(35, 140))
        partner, name, account = self.chance.choice(self.partners)
        invoice, credit_note, digits = _SEQUENCES[self.country]
        number = (credit_note if is_credit_note else invoice).format(year=day.year) + f"{self.serial:0{digits}}"
        amount = self._amount()
        if like:
            partner, name, account, amount = like.partner, like.name, like.account, like.amount
        reference = self._reference(key, number)
        if is_bill:
            reference = self.chance.choice(_BILL_FORMS).format(year=day.year, n=self.chance.randrange(1, 99999))
            number = f"BILL/{day.year}/{day.month:02}/{self.serial:04}"
        discount = None
        if not is_bill and not is_credit_note and self.chance.random() < 0.15:
            discount = (day + timedelta(days=14), (amount * Decimal("0.98")).quantize(Decimal("0.01")))
        signed = -amount if is_bill or is_credit_note else amount
        document = Document(key, number, reference, partner, name, account, signed, day, is_bill, discount)
        self.documents.append(document)
        return document

    def _reference(self, key, number):
        """What the company prints on its invoice for the payer to write."""
        if self.country == "BE":
            base = 1_200_000_000 + key * 7919 + self.serial
            digits = f"{base:010}{base % 97 or 97:02}"
            return f"+++{digits[:3]}/{digits[3:7]}/{digits[7:]}+++"
        if self.country == "CH":
            return _swiss(f"21000{key * 104729:021}")
        if self.country == "FI":
            base = f"{10000 + key}{self.serial:04}"
            total = sum(int(digit) * (7, 3, 1)[place % 3] for place, digit in enumerate(reversed(base)))
            return base + str(-total % 10)
        return number

    # -------------------------------------------------------------------------
    # WHAT PEOPLE PAY
    # -------------------------------------------------------------------------

    def _open(self, condition=lambda document: True):
        """A document that no line pays yet."""
        waiting = [one for one in self.documents if one.key not in self.used and condition(one)]
        document = self.chance.choice(waiting)
        self.used.add(document.key)
        return document

    def _invoice(self):
        return self._open(lambda one: not one.is_bill and one.amount > 0)

    def _is_only_one(self, *documents):
        """No other document of the partner has such an amount."""
        return all(
            [one.amount for one in self.documents if one.partner == document.partner].count(document.amount) == 1
            for document in documents
        )

    def _add(self, kind, amount, words, answer=(), reference="", payer=None, is_findable=False, day=None):
        _partner, name, account = payer or (None, "", "")
        label, name, account = _SCRIBES[self.country](self, kind, amount, words, name, account)
        answer = frozenset(document.key for document in answer)
        day = day or TODAY - timedelta(days=self.chance.randrange(30))
        key = len(self.lines) + 1
        self.lines.append(
            BankLine(
                key,
                self.country,
                day,
                amount,
                label,
                reference,
                name,
                account,
                kind,
                answer,
                is_findable and bool(answer),
            )
        )

    def _payer(self, document, known=0.7):
        """Who pays, and whether the bank names the account or the name that the company knows."""
        if self.chance.random() < known:
            return document.partner, document.name, document.account
        if self.chance.random() < 0.5:
            return document.partner, document.name, self._iban(5000 + document.key)
        return None, f"{self._any(_STEMS)} u. Partner", self._iban(5000 + document.key)

    def _written(self, document):
        """How a person writes the reference of an invoice: as printed, or nearly."""
        text, chance = document.reference, self.chance
        if self.country == "CH":
            return " ".join((text[:2], *(text[place : place + 5] for place in range(2, 27, 5))))
        if self.country == "BE":
            bare = text.strip("+")
            return chance.choice((text, text, f"***{bare}***", bare, bare.replace("/", ""), document.number))
        if self.country == "FI":
            return chance.choice((text, text.zfill(20), f"00{text}"))
        compact = text.replace("/", "").replace("-", "")
        forms = [text, text, text, text.replace("/", " "), text.replace("/", "-"), text.lower(), compact]
        serial = text[len(text.rstrip("0123456789")) :]
        if "/" in text:
            start = text[: -len(serial)]
            forms += [start + serial.lstrip("0"), f"{text.split('/')[0]} {serial}", text.partition("/")[2]]
        return chance.choice(forms)

    def _polite(self, *written):
        before, after = _PHRASES[self.country]
        return " ".join(filter(None, (self.chance.choice(before), ", ".join(written), self.chance.choice(after))))

    def _paid_with_reference(self):
        document = self._invoice()
        reference, words = "", self._polite(self._written(document))
        if self.country in ("CH", "FI", "BE") and self.chance.random() < 0.5:
            reference, words = document.reference, ""
        self._add("paid", document.amount, words, [document], reference, self._payer(document), True)

    def _paid_by_a_third_party(self):
        document = self._invoice()
        payer = (None, f"{self._any(_STEMS)} Holding", self._iban(7000 + document.key))
        self._add("other_payer", document.amount, self._polite(self._written(document)), [document], "", payer, True)

    def _paid_without_reference(self):
        document = self._invoice()
        words = self.chance.choice(_VAGUE[self.country])
        payer = self._payer(document, 1)
        self._add("vague", document.amount, words, [document], "", payer, self._is_only_one(document))

    def _paid_by_name_only(self):
        document = self._invoice()
        words = self.chance.choice(_VAGUE[self.country])
        payer = (document.partner, document.name, self._iban(6000 + document.key))
        self._add("by_name", document.amount, words, [document], "", payer, self._is_only_one(document))

    def _paid_with_typo(self):
        document = self._invoice()
        written = self._written(document)
        places = [place for place, letter in enumerate(written) if letter.isdigit()]
        place = self.chance.choice(places[-3:])
        digit = str((int(written[place]) + self.chance.randrange(1, 10)) % 10)
        words = self._polite(written[:place] + digit + written[place + 1 :])
        self._add("typo", document.amount, words, [document], "", self._payer(document, 1))

    def _paid_several(self):
        first = self._invoice()
        more = [
            one
            for one in self.documents
            if one.partner == first.partner and one.amount > 0 and not one.is_bill and one.key not in self.used
        ]
        some = [first, *more[: self.chance.choice((1, 1, 2))]]
        if len(some) < 2:
            return
        self.used.update(one.key for one in some)
        words = self._polite(*(self._written(one) for one in some))
        whole = sum(one.amount for one in some)
        self._add("several", whole, words, some, "", self._payer(first), len(words) < 100)

    def _paid_all_without_reference(self):
        partner = self.chance.choice(self.partners)
        mine = [one for one in self.documents if one.partner == partner[0]]
        if not 2 <= len(mine) <= 8 or any(one.key in self.used or one.amount < 0 for one in mine):
            return
        self.used.update(one.key for one in mine)
        self._add("all", sum(one.amount for one in mine), self.chance.choice(_VAGUE[self.country]), mine, "", partner)

    def _paid_in_part(self):
        document = self._invoice()
        part = (document.amount * Decimal(self.chance.choice(("0.5", "0.3", "0.25")))).quantize(Decimal("0.01"))
        self._add("part", part, self._polite(self._written(document)), [document], "", self._payer(document))

    def _paid_with_discount(self):
        document = self._open(lambda one: one.discount)
        day = document.discount[0] - timedelta(days=self.chance.randrange(8))
        words = self._polite(self._written(document))
        self._add("discount", document.discount[1], words, [document], "", self._payer(document), True, day)

    def _paid_with_credit_note(self):
        credit_note = self._open(lambda one: not one.is_bill and one.amount < 0)
        mine = [
            one
            for one in self.documents
            if one.partner == credit_note.partner and one.amount > -credit_note.amount and one.key not in self.used
        ]
        if not mine:
            return
        self.used.add(mine[0].key)
        both = [mine[0], credit_note]
        if self.country in ("BE", "CH", "FI"):
            words = self._polite(*(one.number for one in both))
        else:
            words = self._polite(*(self._written(one) for one in both))
        amount = mine[0].amount + credit_note.amount
        self._add("netted", amount, words, both, "", self._payer(mine[0]), len(words) < 100)

    def _refunded(self):
        credit_note = self._open(lambda one: not one.is_bill and one.amount < 0)
        words = f"{credit_note.number}"
        self._add("refund", credit_note.amount, words, [credit_note], "", self._payer(credit_note), True)

    def _bill_paid(self):
        bill = self._open(lambda one: one.is_bill)
        words = self._polite(bill.reference)
        self._add("bill", bill.amount, words, [bill], "", self._payer(bill), True)

    def _bill_collected(self):
        bill = self._open(lambda one: one.is_bill)
        words = f"{bill.reference} {_MANDATE[self.country]}{self.chance.randrange(10**7):07}"
        self._add("debit", bill.amount, words, [bill], "", self._payer(bill), True)

    # -------------------------------------------------------------------------
    # TRAPS: WHAT LOOKS AS IF, AND IS NOT
    # -------------------------------------------------------------------------

    def _paid_twice(self):
        """The invoice it names is paid already; another one of the partner has the same amount."""
        document = self._invoice()
        twin = self._document(like=document)
        self.used.add(twin.key)
        self.paid.append(document)
        self._add("paid_twice", document.amount, self._polite(document.number), [], "", self._payer(document, 1))

    def _one_of_two(self):
        """Two invoices of the same amount, and the payer does not say which."""
        document = self._invoice()
        twin = self._document(like=document)
        self.used.add(twin.key)
        words = self.chance.choice(_VAGUE[self.country])
        self._add("one_of_two", document.amount, words, [], "", self._payer(document, 1))

    def _amount_of_an_unknown_partner(self):
        """An unknown partner pays something else that happens to have the amount of an open invoice."""
        document = self._open(lambda one: not one.is_bill and one.amount > 0)
        payer = (None, f"{self._any(_STEMS)} {self.chance.choice('XYZQ')}", self._iban(8000 + document.key))
        self._add("stranger", document.amount, self.chance.choice(_VAGUE[self.country]), [], "", payer)

    def _other_numbers(self):
        """Customer, contract and order numbers that are the serial numbers of other documents."""
        document = self.chance.choice([one for one in self.documents if not one.is_bill])
        serial = document.number[len(document.number.rstrip("0123456789")) :]
        words = f"{self._any(_TRADES)} {serial} {TODAY:%d.%m.%Y} {self.chance.randrange(10**8):08}"
        payer = (None, f"{self._any(_STEMS)} {self.chance.choice('XYZQ')}", self._iban(8500))
        self._add("numbers", self._amount() * self.chance.choice((1, -1)), words, [], "", payer)

    def _cut_number(self):
        """The bank has cut the number; what is left is the number of another document."""
        document = self._invoice()
        whole = document.number
        words = whole[:-1].rjust(27 if self.country == "DE" else 18)
        self._add("cut", self._amount(), words.strip(), [], "", (None, "", ""))

    # -------------------------------------------------------------------------
    # EVERYTHING ELSE
    # -------------------------------------------------------------------------

    def _charges(self):
        amount = -Decimal(self.chance.randrange(150, 2500)) / 100
        self._add("charges", amount, self.chance.choice(_CHARGES[self.country]))

    def _card(self):
        shop = self.chance.choice(("AMAZON EU", "SHELL 4711", "IKEA 0042", "SNCF INTERNET", "UBER BV", "ADOBE 00123"))
        words = f"{_CARD[self.country]} {shop} {TODAY:%d/%m/%y} {self.chance.randrange(10**4):04}"
        self._add("card", -self._amount(), words)

    def _card_fees(self):
        words = f"SUMUP PAYOUT {self.chance.randrange(10**6):06} FEE {self.chance.randrange(99)},{10}"
        self._add("card_payout", self._amount(), words, [], "", (None, "SumUp Payments", self._iban(950)))

    def _salary(self):
        name = f"{self.chance.choice('ABCDEFGH')}. {self._any(_STEMS)}"
        words = f"{_SALARY[self.country]} {TODAY:%m/%Y}"
        amount = -Decimal(self.chance.randrange(180000, 480000)) / 100
        self._add("salary", amount, words, [], "", (None, name, self._iban(4000)))

    def _own_transfer(self):
        amount = Decimal(self.chance.randrange(10, 400)) * 100
        self._add("transfer", -amount, _TRANSFER[self.country], [], "", (None, "Own Company", self.own["savings"]))

    def _unknown(self):
        payer = (None, f"{self._any(_STEMS)} {self.chance.choice('XYZQ')}", self._iban(9000))
        self._add("unknown", self._amount() * self.chance.choice((1, -1)), "", [], "", payer)


#: How many of a hundred lines are of each kind, roughly.
_KINDS = {
    "paid_with_reference": 34,
    "paid_by_a_third_party": 3,
    "paid_without_reference": 6,
    "paid_by_name_only": 2,
    "paid_with_typo": 3,
    "paid_several": 6,
    "paid_all_without_reference": 2,
    "paid_in_part": 2,
    "paid_with_discount": 2,
    "paid_with_credit_note": 2,
    "refunded": 1,
    "bill_paid": 7,
    "bill_collected": 3,
    "paid_twice": 2,
    "one_of_two": 2,
    "amount_of_an_unknown_partner": 2,
    "other_numbers": 3,
    "cut_number": 1,
    "charges": 3,
    "card": 5,
    "card_fees": 2,
    "salary": 3,
    "own_transfer": 2,
    "unknown": 2,
}

_PHRASES = {
    "DE": (
        ("Rechnung", "Re.Nr.", "", "Rg", "Zahlung", "RNr:"),
        ("", "", "vielen Dank", "Kd-Nr 10234", "vom 12.03.2026"),
    ),
    "BE": (("", "", "Factuur", "Facture", "Betaling"), ("", "", "bedankt", "merci", "klant 4711")),
    "FR": (("FACTURE", "FACT", "REGLEMENT FACTURE", "", "RGLT"), ("", "", "MERCI", "CLIENT 00123")),
    "NL": (("Factuur", "factuurnr", "", "Betreft"), ("", "", "klantnr 10023", "dank u")),
    "CH": (("", "Rechnung", "Facture"), ("", "", "Danke")),
    "GB": (("", "INVOICE", "INV NO"), ("", "", "THANKS")),
    "FI": (("", "Viite", "Lasku"), ("", "", "kiitos")),
}
_VAGUE = {
    "DE": ("Zahlung", "Vielen Dank", "Wie besprochen", "Rechnung vom 12.03.2026"),
    "BE": ("Betaling factuur", "Paiement", "zoals besproken", "facture mars"),
    "FR": ("VIREMENT", "REGLEMENT", "FACTURE MARS 2026", "SOLDE"),
    "NL": ("Betaling", "factuur maart", "conform afspraak"),
    "CH": ("Zahlung", "Facture", "Danke"),
    "GB": ("PAYMENT", "THANK YOU", "BILL"),
    "FI": ("Maksu", "Lasku", "Kiitos"),
}
_CHARGES = {
    "DE": ("Entgeltabrechnung siehe Anlage", "ABSCHLUSS PER 31.05.2026", "KONTOFUEHRUNG"),
    "BE": ("Beheerskosten", "FRAIS DE GESTION 05/2026"),
    "FR": ("FRAIS TENUE DE COMPTE", "COTISATION JAZZ PRO", "COMMISSIONS 05 2026"),
    "NL": ("Kosten betalingsverkeer", "Kosten gebruik Betaalrekening"),
    "CH": ("Kontofuehrungsgebuehren", "FRAIS DE COMPTE"),
    "GB": ("ACCOUNT FEE", "CHARGES TO 29MAY"),
    "FI": ("Palvelumaksu", "Tilinhoitomaksu"),
}
_CARD = {
    "DE": "KARTENZAHLUNG",
    "BE": "BANCONTACT",
    "FR": "CB",
    "NL": "BEA",
    "CH": "KARTENZAHLUNG",
    "GB": "CARD",
    "FI": "KORTTIOSTO",
}
_SALARY = {
    "DE": "LOHN/GEHALT",
    "BE": "LOON",
    "FR": "SALAIRE",
    "NL": "Salaris",
    "CH": "Lohn",
    "GB": "SALARY",
    "FI": "Palkka",
}
_TRANSFER = {
    "DE": "Umbuchung",
    "BE": "Overschrijving eigen rekening",
    "FR": "VIREMENT INTERNE",
    "NL": "naar spaarrekening",
}
_TRANSFER |= {"CH": "Kontouebertrag", "GB": "TRANSFER", "FI": "Oma siirto"}
_MANDATE = {"DE": "MREF+M-", "BE": "MANDAAT ", "FR": "MDT ", "NL": "MARF/", "CH": "LSV ", "GB": "DD ", "FI": "SLMP "}


# -------------------------------------------------------------------------------------------------
# What banks make of it
# -------------------------------------------------------------------------------------------------


def _cut(text, width, joint="\n"):
    """In lines of ``width`` characters, even in the middle of a word."""
    return joint.join(text[start : start + width] for start in range(0, len(text), width))


def _plain(text):
    """Capitals without accents, as older systems of banks have them."""
    pairs = ("äAE", "öOE", "üUE", "ßSS", "ÄAE", "ÖOE", "ÜUE", "éE", "èE", "ëE", "çC", "âA", "ÉE", "åA")
    for pair in pairs:
        text = text.replace(pair[0], pair[1:])
    return text.upper()


def _german(maker, kind, amount, words, name, account):
    purpose = "EREF+NOTPROVIDED" if maker.chance.random() < 0.4 else ""
    if kind == "debit":
        purpose = "EREF+NOTPROVIDED" + "CRED+DE98ZZZ09999999999"
    text = f"{purpose}SVWZ+{words}" if kind not in ("charges",) else words
    style = maker.chance.random()
    if style < 0.5:
        return _cut(text, 27), name[:27], account
    return (_plain(text), _plain(name)[:54], account) if style < 0.75 else (words, name, account)


def _belgian(maker, kind, amount, words, name, account):
    if maker.chance.random() < 0.5:
        return _cut(words, 53), name[:35], account
    title = "OVERSCHRIJVING IN EUR VAN REKENING" if amount > 0 else "OVERSCHRIJVING IN EUR NAAR REKENING"
    return f"{title} {account} BIC GEBABEBB {_plain(name)} {words}", name[:35], account


def _french(maker, kind, amount, words, name, account):
    start = "VIR SEPA RECU" if amount > 0 else "PRLV SEPA" if kind == "debit" else "VIR SEPA"
    if kind in ("charges", "card"):
        return words[:62], "", ""
    text = _plain(f"{start} /DE {name} /MOTIF {words}" if maker.chance.random() < 0.5 else f"{start} {name} {words}")
    return _cut(text, 31, "\n" if maker.chance.random() < 0.5 else " "), _plain(name)[:31], account


def _dutch(maker, kind, amount, words, name, account):
    if kind in ("charges", "card"):
        return words, "", ""
    kind_of = "SEPA INCASSO ALGEMEEN DOORLOPEND" if kind == "debit" else "SEPA OVERBOEKING"
    text = f"/TRTP/{kind_of}/IBAN/{account}/BIC/ABNANL2A/NAME/{name.upper()}/REMI/{words}/EREF/NOTPROVIDED"
    return _cut(text, 65), name, account


def _swiss_bank(maker, kind, amount, words, name, account):
    title = "GUTSCHRIFT" if amount > 0 else "E-BANKING AUFTRAG"
    return f"{title} {name} {words}".strip()[:140], name, account if maker.chance.random() < 0.7 else ""


def _british(maker, kind, amount, words, name, account):
    return words.upper()[:18], name.upper()[:18], account


def _finnish_bank(maker, kind, amount, words, name, account):
    return words[:140], name.upper()[:35], account


_SCRIBES = {
    "DE": _german,
    "BE": _belgian,
    "FR": _french,
    "NL": _dutch,
    "CH": _swiss_bank,
    "GB": _british,
    "FI": _finnish_bank,
}


def _swiss(base):
    """26 digits and their check digit (modulo 10, recursive)."""
    carry = 0
    for digit in base:
        carry = (0, 9, 4, 6, 8, 2, 7, 1, 3, 5)[(int(digit) + carry) % 10]
    return base + str((10 - carry) % 10)
