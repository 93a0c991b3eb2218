"""What the Demo Bank writes beside a movement: names, account numbers and remittance texts, as real banks do."""

from decimal import Decimal

from .sandbox_bank import Dice
from .sandbox_institutions import BANKS, creditor_reference, hash_of, iban
from .sandbox_invoices import customer_reference, payment_of, supplier_reference
from .sandbox_names import BUSINESS_BANKS, CARD_SHOPS, CUSTOMERS, DATA, FOREIGN_SHOPS, SERVICES, SUPPLIERS, remittance
from .types import Counterparty, Transaction


def amount(cents):
    return Decimal(cents).scaleb(-2)


def account_number(ledger):
    """:return: IBAN, or the masked number of a card"""
    account = ledger.bank_account
    if account.profile == "credit_card":
        return f"•••• •••• •••• {int.from_bytes(hash_of(*ledger)[:4], 'big') % 10000:04d}"
    return iban(BANKS[ledger.bank], ledger.account, ledger.user)


def transaction_id(ledger, movement):
    """A permanent id. It contains the day, which helps when reading a database."""
    identity = hash_of(*ledger, movement.day.toordinal(), movement.index)
    return f"{movement.day:%Y%m%d}-{identity[:8].hex()}"


def pending_id(ledger, movement):
    """The id before the booking is another one, as at most banks."""
    return f"pending-{hash_of(*ledger, movement.day.toordinal(), movement.index, 'pending')[:8].hex()}"


def describe(ledger, movement, hour):
    """:return: the :class:`Transaction` as the bank shows it at an hour since the epoch"""
    booked = movement.visible <= hour
    dice = Dice(*ledger, movement.day.toordinal(), movement.index, "texts")
    words = TEXTS[movement.kind](ledger, movement, dice)
    number = transaction_id(ledger, movement)
    return Transaction(
        id=number if booked else pending_id(ledger, movement),
        status="booked" if booked else "pending",
        amount=amount(movement.cents),
        currency=ledger.bank_account.currency,
        booking_date=movement.booking_date if booked else None,
        value_date=movement.day if movement.is_card else movement.booking_date,
        pending_id=pending_id(ledger, movement) if booked and movement.is_card else None,
        raw={"kind": movement.kind, "ledger_day": movement.day.isoformat(), "demonstration": True},
        **words,
    )


def party(name, key):
    """A business banks where its name says: always the same account."""
    bank = BANKS[BUSINESS_BANKS[int.from_bytes(hash_of(name)[:2], "big") % len(BUSINESS_BANKS)]]
    return Counterparty(name, iban(bank, "business", key), bank.bic)


def _customer(ledger, movement, dice):
    name = CUSTOMERS[movement.detail[0]]
    payment = payment_of(ledger, movement)
    if payment:
        return _customer_of_books(ledger, movement, name, payment)
    invoice = f"INV/{movement.day.year}/{movement.day.timetuple().tm_yday * 4 + movement.index:05d}"
    words = {"counterparty": party(name, name), "end_to_end_id": f"E2E-{dice.between(10**7, 10**8 - 1)}"}
    if dice.chance(45):
        belgian = BANKS[ledger.bank].country == "BE"
        reference = creditor_reference(dice.between(10**8, 10**9 - 1), belgian)
        return {**words, "creditor_reference": reference, "remittance": (reference,)}
    form = dice.pick(DATA["remittance"]["customer"])
    return {**words, "remittance": remittance(form, invoice=invoice, name=name)}


def _customer_of_books(ledger, movement, name, payment):
    """What the customer writes of the invoices that are in the books."""
    end_to_end, reference = customer_reference(ledger, movement)
    words = {"counterparty": party(name, name), "end_to_end_id": end_to_end}
    if reference:
        return {**words, "creditor_reference": reference, "remittance": (reference,)}
    values = {f"invoice{place}": document.number for place, document in enumerate(payment.documents, 1)}
    if payment.documents:
        prefix, year, serial = payment.documents[0].number.split("/")
        values |= {"prefix": prefix, "year": year, "serial": int(serial), "digits": serial}
    form = DATA["remittance"]["customer_of_books"][payment.form]
    return {**words, "remittance": remittance(form, name=name, **values)}


def _supplier(ledger, movement, dice):
    name = SUPPLIERS[movement.detail[0]]
    number, reference, order = supplier_reference(ledger, movement)
    words = {"counterparty": party(name, name)}
    if reference:
        return {**words, "creditor_reference": reference, "remittance": (reference,)}
    return {**words, "remittance": remittance("supplier", number=number, day=movement.day, order=order)}


def _service(ledger, movement, dice):
    service = SERVICES[movement.detail[0]]
    words = {"remittance": remittance("service", text=service.text, day=movement.day)}
    if not service.name:
        return words
    if movement.detail[0] == "payroll":
        # A batch: the bank books one sum without a counterparty.
        return {**words, "end_to_end_id": f"SAL{movement.day:%Y%m}"}
    words["counterparty"] = party(service.name, service.name)
    if service.debit:
        words["mandate_id"] = f"M-{int.from_bytes(hash_of(*ledger, service.name)[:3], 'big')}"
        words["remittance"] += remittance("debit", mandate=words["mandate_id"])
    return words


def _own(ledger, movement, dice):
    other = ledger.sibling("savings" if ledger.bank_account.profile == "current" else "current")
    return {
        "counterparty": Counterparty(DATA["company"], account_number(other), BANKS[ledger.bank].bic),
        "remittance": remittance("own"),
        "end_to_end_id": f"OWN{movement.day:%Y%m%d}",
    }


def _owner(ledger, movement, dice):
    kind = "drawing" if movement.cents < 0 else "contribution"
    return {"counterparty": party(DATA["owner"], ledger.user), "remittance": remittance(kind, day=movement.day)}


def _settlement(ledger, movement, dice):
    return {"remittance": remittance("settlement", day=movement.day)}


def _interest(ledger, movement, dice):
    return {"remittance": remittance("interest")}


def _card(ledger, movement, dice):
    return _at_shop(movement, CARD_SHOPS[movement.detail[0]].name)


def _card_coffee(ledger, movement, dice):
    return _at_shop(movement, DATA["coffee_shop"])


def _card_subscription(ledger, movement, dice):
    return _at_shop(movement, DATA["subscription"])


def _card_foreign(ledger, movement, dice):
    shop, cents = FOREIGN_SHOPS[movement.detail[0]], movement.detail[1]
    words = _at_shop(movement, shop.name)
    words["remittance"] += remittance("abroad", amount=amount(-cents), currency=shop.currency)
    return {**words, "foreign_amount": amount(cents), "foreign_currency": shop.currency}


def _at_shop(movement, name):
    # Banks know the name of a shop, but no account number.
    return {"counterparty": Counterparty(name), "remittance": remittance("card", day=movement.day, name=name)}


TEXTS = {
    "card": _card,
    "card_coffee": _card_coffee,
    "card_foreign": _card_foreign,
    "card_subscription": _card_subscription,
    "customer": _customer,
    "interest": _interest,
    "own": _own,
    "owner": _owner,
    "service": _service,
    "settlement": _settlement,
    "supplier": _supplier,
}
