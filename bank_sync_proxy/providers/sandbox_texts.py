"""What the Demo Bank writes beside a movement: names, account numbers and remittance texts, as real banks do."""

from decimal import Decimal

from .sandbox_bank import Dice
from .sandbox_institutions import BANKS, creditor_reference, hash_of, iban
from .sandbox_names import CARD_SHOPS, COFFEE_SHOP, CUSTOMERS, FOREIGN_SHOPS, SERVICES, SUPPLIERS
from .types import Counterparty, Transaction

#: Where businesses have their accounts. Why not all of BANKS: one more would move them, and what the other banks have
#: reported would change.
BUSINESS_BANKS = ("demo", "demo-attended", "demo-beta", "demo-code", "demo-world")


def amount(cents):
    return Decimal(cents).scaleb(-2)


def account_number(ledger):
    """:return: IBAN, or the masked number of a card"""
    account = ledger.bank_account
    if account.profile == "credit_card":
        return f"•••• •••• •••• {int.from_bytes(hash_of(*ledger)[:4], 'big') % 10000:04d}"
    return iban(BANKS[ledger.bank], ledger.account, ledger.user)


def transaction_id(ledger, movement):
    """An id for good. It shows the day, for whoever has to read a database."""
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


def _party(name, key):
    """A business banks where its name says: always the same account."""
    bank = BANKS[BUSINESS_BANKS[int.from_bytes(hash_of(name)[:2], "big") % len(BUSINESS_BANKS)]]
    return Counterparty(name, iban(bank, "business", key), bank.bic)


def _customer(ledger, movement, dice):
    name = CUSTOMERS[movement.detail[0]]
    invoice = f"INV/{movement.day.year}/{movement.day.timetuple().tm_yday * 4 + movement.index:05d}"
    words = {"counterparty": _party(name, name), "end_to_end_id": f"E2E-{dice.between(10**7, 10**8 - 1)}"}
    if dice.chance(45):
        belgian = BANKS[ledger.bank].country == "BE"
        reference = creditor_reference(dice.between(10**8, 10**9 - 1), belgian)
        return {**words, "creditor_reference": reference, "remittance": (reference,)}
    texts = (
        (f"Payment of invoice {invoice}",),
        (invoice, "Thank you", name),
        (f"{name} {invoice}", "2% discount taken"),
    )
    return {**words, "remittance": dice.pick(texts)}


def _supplier(ledger, movement, dice):
    name = SUPPLIERS[movement.detail[0]]
    number = dice.between(1000, 99999)
    words = {"counterparty": _party(name, name)}
    if dice.chance(30):
        reference = creditor_reference(number * 1000 + 17, BANKS[ledger.bank].country == "BE")
        return {**words, "creditor_reference": reference, "remittance": (reference,)}
    return {**words, "remittance": (f"Your invoice {number}", f"Order PO{movement.day:%y%m}{dice.between(10, 99)}")}


def _service(ledger, movement, dice):
    service = SERVICES[movement.detail[0]]
    period = f"{movement.day:%m/%Y}"
    if not service.name:
        return {"remittance": (f"{service.text} {period}",)}
    words = {"remittance": (f"{service.text} {period}",)}
    if movement.detail[0] == "payroll":
        # A batch: the bank books one sum and names nobody.
        return {**words, "end_to_end_id": f"SAL{movement.day:%Y%m}"}
    words["counterparty"] = _party(service.name, service.name)
    if service.debit:
        words["mandate_id"] = f"M-{int.from_bytes(hash_of(*ledger, service.name)[:3], 'big')}"
        words["remittance"] += (f"Direct debit, mandate {words['mandate_id']}",)
    return words


def _own(ledger, movement, dice):
    other = ledger.sibling("savings" if ledger.bank_account.profile == "current" else "current")
    return {
        "counterparty": Counterparty("Demo Company", account_number(other), BANKS[ledger.bank].bic),
        "remittance": ("Transfer between own accounts",),
        "end_to_end_id": f"OWN{movement.day:%Y%m%d}",
    }


def _owner(ledger, movement, dice):
    text = "Owner's drawing" if movement.cents < 0 else "Owner's contribution"
    return {"counterparty": _party("Alex Demo", ledger.user), "remittance": (text, f"{movement.day:%m/%Y}")}


def _settlement(ledger, movement, dice):
    month = movement.day.replace(day=1)
    return {"remittance": ("Credit card settlement", f"Statement before {month:%d/%m/%Y}")}


def _interest(ledger, movement, dice):
    return {"remittance": ("Interest of the last quarter",)}


def _card(ledger, movement, dice):
    return _at_shop(movement, CARD_SHOPS[movement.detail[0]].name)


def _card_coffee(ledger, movement, dice):
    return _at_shop(movement, COFFEE_SHOP)


def _card_subscription(ledger, movement, dice):
    return _at_shop(movement, "Fieldnotes Subscription")


def _card_foreign(ledger, movement, dice):
    shop, cents = FOREIGN_SHOPS[movement.detail[0]], movement.detail[1]
    words = _at_shop(movement, shop.name)
    words["remittance"] += (f"{amount(-cents)} {shop.currency}",)
    return {**words, "foreign_amount": amount(cents), "foreign_currency": shop.currency}


def _at_shop(movement, name):
    # Banks know the name of a shop, but no account number.
    return {"counterparty": Counterparty(name), "remittance": (f"Card payment {movement.day:%d/%m}", name)}


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
