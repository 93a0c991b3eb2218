"""The institutions of the Demo Bank, their accounts, and numbers that are valid but not assigned."""

from dataclasses import dataclass
from hashlib import blake2b
from typing import NamedTuple

from .sandbox_names import DATA


def hash_of(*words):
    """Bytes that follow from the words, on every machine and in every process."""
    return blake2b("\x1f".join(map(str, words)).encode(), digest_size=64).digest()


class BankAccount(NamedTuple):
    """An account that every user of a bank has.

    :param str profile: which movements it has: ``current`` · ``currency`` · ``savings`` · ``credit_card``
    :param int opening: balance at the epoch, in cents
    """

    key: str
    name: str
    profile: str
    currency: str
    opening: int = 0

    @property
    def type(self):
        return "current" if self.profile == "currency" else self.profile


@dataclass(frozen=True)
class Bank:
    """One of the demo institutions.

    :param str bank_code: a bank code that no real bank has, the beginning of its account numbers
    :param bool code_at_login: the bank asks for a code after the password …
    :param bool code_at_refresh: … and whenever news are fetched
    :param bool approval: the user approves in the bank's app after the password
    :param bool redirect: the consent is given on the bank's own page
    :param int refreshes_per_day: as in :class:`~.types.Capabilities`, and ``fetches_per_day`` and ``reconfirm_days``
    :param int failed_of_ten: as in :class:`~.types.Institution`, so that a demonstration shows a bank in trouble
    """

    key: str
    name: str
    country: str
    bic: str
    bank_code: str
    color: str
    accounts: tuple[BankAccount, ...]
    status: str = "stable"
    auto_sync: bool = True
    code_at_login: bool = False
    code_at_refresh: bool = False
    approval: bool = False
    redirect: bool = False
    refreshes_per_day: int | None = None
    fetches_per_day: int | None = None
    failed_of_ten: int = 0
    reconfirm_days: int | None = None


ACCOUNTS = {account["key"]: BankAccount(**account) for account in DATA["accounts"]}
# The 0 at the eighth place of a BIC marks it as a test BIC (ISO 9362).
BANKS = {
    bank["key"]: Bank(**{**bank, "accounts": tuple(ACCOUNTS[key] for key in bank["accounts"])})
    for bank in DATA["banks"]
}


def digits(count, *words):
    """A number of ``count`` digits, derived from the words."""
    return f"{int.from_bytes(hash_of(*words), 'big') % 10**count:0{count}d}"


def iban(bank, *words):
    """A valid IBAN of a bank, with the national check digits where its country has some."""
    if bank.country == "BE":
        base = bank.bank_code + digits(7, bank.key, *words)
        base += f"{int(base) % 97 or 97:02d}"
    elif bank.country == "FR":
        branch, account = "00001", digits(11, bank.key, *words)
        key = 97 - (89 * int(bank.bank_code) + 15 * int(branch) + 3 * int(account)) % 97
        base = f"{bank.bank_code}{branch}{account}{key:02d}"
    else:
        length = {"DE": 10, "NL": 10, "GB": 14}[bank.country]
        # A British number is six digits of sort code, which no bank begins with 00, and eight of account.
        prefix = "00" if bank.country == "GB" else ""
        base = bank.bank_code + prefix + digits(length - len(prefix), bank.key, *words)
    return f"{bank.country}{98 - _mod97(base + bank.country + '00'):02d}{base}"


def creditor_reference(number, belgian):
    """A structured reference with valid check digits: the Belgian one, or ISO 11649."""
    if belgian:
        base = f"{number % 10**10:010d}"
        text = f"{base}{int(base) % 97 or 97:02d}"
        return f"+++{text[:3]}/{text[3:7]}/{text[7:]}+++"
    return f"RF{98 - _mod97(f'{number}RF00'):02d}{number}"


def _mod97(text):
    return int("".join(str(int(character, 36)) for character in text)) % 97
