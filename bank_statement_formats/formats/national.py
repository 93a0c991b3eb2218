"""National numbers of accounts, and references, that have check digits of their own.

An old number whose check digits are right has exactly one IBAN: it is computed, because journals have IBANs.
"""


def _iban(country, number, letters):
    return f"{country}{98 - int(number + letters + '00') % 97:02}{number}"


def belgian_iban(number):
    """
    >>> belgian_iban("435000000080"), belgian_iban("435000000081")
    ('BE47435000000080', None)
    """
    if not number.isdigit() or len(number) != 12 or not int(number) or int(number[:10]) % 97 != int(number[10:]) % 97:
        return None
    return _iban("BE", number, "1114")


def german_iban(bank, number):
    """By the standard rule. A few banks have rules of their own for some accounts: there the IBAN is another one, and
    the file is taken for another account's, with both numbers named.

    >>> german_iban("37040044", "532013000"), german_iban("37040044", "0")
    ('DE89370400440532013000', None)
    """
    if not (bank + number).isdigit() or len(bank) != 8 or len(number) > 10 or not int(number):
        return None
    return _iban("DE", f"{bank}{number:>010}", "1314")


def spanish_iban(bank, branch, number):
    """The file leaves the check digits out: both pairs are computed.

    >>> spanish_iban("2100", "0418", "0200051332")
    'ES9121000418450200051332'
    """
    if not (bank + branch + number).isdigit() or (len(bank), len(branch), len(number)) != (4, 4, 10):
        return None
    checks = _spanish_check(f"00{bank}{branch}"), _spanish_check(number)
    return _iban("ES", f"{bank}{branch}{checks[0]}{checks[1]}{number}", "1428")


def _spanish_check(number):
    rest = 11 - sum(int(digit) * 2**place for place, digit in enumerate(number)) % 11
    return {11: 0, 10: 1}.get(rest, rest)


#: Letters of account numbers count as the keys of an old telephone.
_FRENCH = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "12345678912345678923456789")


def french_iban(bank, branch, number):
    """The file leaves the key out: it is computed.

    >>> french_iban("20041", "01005", "0500013M026")
    'FR1420041010050500013M02606'
    """
    digits = (bank + branch + number).translate(_FRENCH)
    if not (digits.isascii() and digits.isdigit()) or (len(bank), len(branch), len(number)) != (5, 5, 11):
        return None
    digits = digits[:5], digits[5:10], digits[10:]
    key = 97 - (89 * int(digits[0]) + 15 * int(digits[1]) + 3 * int(digits[2])) % 97
    whole = f"{bank}{branch}{number}{key:02}"
    numeric = "".join(str(int(letter, 36)) for letter in f"{whole}FR00")
    return f"FR{98 - int(numeric) % 97:02}{whole}"


def structured_communication(number):
    """Belgium: OGM-VCS.

    >>> structured_communication("010806817183"), structured_communication("010806817184")
    ('+++010/8068/17183+++', None)
    """
    number = "".join(letter for letter in number if letter.isdigit())
    if len(number) != 12 or (int(number[:10]) % 97 or 97) != int(number[10:]):
        return None
    return f"+++{number[:3]}/{number[3:7]}/{number[7:]}+++"
