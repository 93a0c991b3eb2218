"""A directory of banks as providers list them, always the same one, and what people type to find them."""

import random
from itertools import count

_SYLLABLES = {
    "de": "al ber burg dorf eich feld grün hau heim ingen königs lauter mühl neu ober pfaf rhein stein tal über wald",
    "fr": "au beau char cler dou épi fon gre hé isle juv la mont noy or pré quim ro sau tré val ville",
    "es": "al ba cá cór do es fuen gua ja la má mon na ñez or pal ri sa tor val ver za",
    "it": "al bel ca cre do fer ga gno im lu mo no or pa pe ra san ti tre va ve zo",
    "pl": "biał byd cho czę dę głó gro kiel kra łom łódź no ol po rze są sło szcz tar wą wro zam",
    "nord": "ås berg bø dal ei fjor grå hå jel kø lund mø nes ør sand skå stav sø trond tøn våg",
    "cz": "be bíl br čes du hra chru je kar kut li mě ná ol par píš pře ro ří stra tá ús žď",
    "en": "ash bel brook ches dale east ford glen ham hill kings lan mill new oak port rock sher stan ton west wood",
}
SYLLABLES = {language: text.split() for language, text in _SYLLABLES.items()}
#: Country, language of its places, share in percent, and how its banks are called.
COUNTRIES = (
    (
        "US",
        "en",
        18,
        (
            "First National Bank of {}",
            "{} Community Credit Union",
            "Bank of {}, N.A.",
            "{} Savings Bank",
            "{} Federal Credit Union",
            "Farmers & Merchants Bank of {}",
        ),
    ),
    (
        "DE",
        "de",
        16,
        (
            "Volksbank {} eG",
            "Sparkasse {}",
            "Kreissparkasse {}",
            "Raiffeisenbank {}-{} eG",
            "VR-Bank {} eG",
            "Bankhaus {} GmbH & Co. KGaA",
        ),
    ),
    (
        "FR",
        "fr",
        8,
        (
            "Crédit Agricole {}",
            "Caisse d'Épargne {}",
            "Banque Populaire {}",
            "Crédit Mutuel {}-{}",
            "Société Générale {}",
            "Crédit Coopératif {}",
        ),
    ),
    (
        "IT",
        "it",
        8,
        (
            "Banca di Credito Cooperativo di {} S.C.",
            "Cassa di Risparmio di {} S.p.A.",
            "Banca Popolare di {} S.C.p.A.",
            "Cassa Rurale di {}",
        ),
    ),
    ("ES", "es", 6, ("Caja Rural de {}, S.C.C.", "Banco de {} S.A.", "Caixa Popular de {}", "Caja de Ahorros de {}")),
    ("PL", "pl", 6, ("Bank Spółdzielczy w {}", "Powszechny Bank {} S.A.", "Łużycki Bank Spółdzielczy {}")),
    (
        "AT",
        "de",
        5,
        ("Raiffeisenbank {} eGen", "Volksbank {} AG", "{}er Landes- und Hypothekenbank AG", "Österreichische {}bank"),
    ),
    ("GB", "en", 5, ("{} Building Society", "Bank of {} plc", "{} Credit Union Ltd", "The {} Bank Limited")),
    ("CH", "de", 4, ("Kantonalbank {}", "Raiffeisenbank {} Genossenschaft", "Privatbank {} & Cie AG")),
    ("NO", "nord", 4, ("{} Sparebank", "Sparebank 1 {}", "{}banken ASA")),
    ("SE", "nord", 3, ("{} Sparbank AB (publ)", "Sparbanken {}", "Länsbanken {} AB")),
    ("DK", "nord", 3, ("{} Andelskasse", "Sparekassen {} A/S", "Jyske {} Bank A/S")),
    ("CZ", "cz", 3, ("Banka {} a.s.", "Družstevní záložna {}", "Spořitelna {}")),
    ("BE", "fr", 2, ("Banque {} SA/NV", "Crédit {} Belgique", "{} Spaarbank NV")),
    ("NL", "de", 2, ("Coöperatieve Rabobank {} U.A.", "{} Bank N.V.")),
    ("FI", "nord", 2, ("{} Osuuspankki", "{}n Säästöpankki Oyj")),
    ("PT", "es", 2, ("Caixa de Crédito Agrícola Mútuo de {} CRL", "Banco {} S.A.")),
    ("BR", "es", 2, ("Banco {} S.A.", "Cooperativa de Crédito {} Ltda")),
    ("IE", "en", 1, ("{} Credit Union Limited", "Bank of {} DAC")),
)
#: Well-known banks, so that the search results are easy to judge.
KNOWN = (
    ("BNP Paribas Fortis SA/NV", "BE", "GEBABEBB"),
    ("KBC Bank NV", "BE", "KREDBEBB"),
    ("ING Belgium", "BE", "BBRUBEBB"),
    ("Deutsche Bank AG", "DE", "DEUTDEFF"),
    ("Commerzbank AG", "DE", "COBADEFF"),
    ("N26 Bank SE", "DE", "NTSBDEB1"),
    ("Société Générale S.A.", "FR", "SOGEFRPP"),
    ("Crédit Lyonnais", "FR", "CRLYFRPP"),
    ("Banco Santander, S.A.", "ES", "BSCHESMM"),
    ("Intesa Sanpaolo S.p.A.", "IT", "BCITITMM"),
    ("Česká spořitelna, a.s.", "CZ", "GIBACZPX"),
    ("PKO Bank Polski S.A.", "PL", "BPKOPLPW"),
    ("Danske Bank A/S", "DK", "DABADKKK"),
    ("Skandinaviska Enskilda Banken AB (publ)", "SE", "ESSESESS"),
    ("Barclays Bank PLC", "GB", "BARCGB22"),
    ("Revolut Bank UAB", "LT", "REVOLT21"),
)
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def institutions(wanted, seed=1):
    """
    :param int wanted: how many
    :return: list of (id, name, country, BIC or None, ``stable`` or ``beta``)
    """
    chance = random.Random(seed)
    rows = [(f"known-{number}", *bank, "stable") for number, bank in enumerate(KNOWN)][:wanted]
    weights = [share for _country, _language, share, _names in COUNTRIES]
    for number in count(len(rows)):
        if number >= wanted:
            return rows
        country, language, _share, names = chance.choices(COUNTRIES, weights)[0]
        name = chance.choice(names)
        name = name.format(*(_place(chance, language) for _hole in range(name.count("{}"))))
        bic = None
        if chance.random() < 0.85:
            bic = "".join(chance.choices(LETTERS, k=4)) + country + "".join(chance.choices(LETTERS, k=2))
            bic += "XXX" if chance.random() < 0.4 else ""
        rows.append((f"bank-{number}", name, country, bic, "beta" if chance.random() < 0.1 else "stable"))


def second_list(rows, seed=2):
    """The same banks as another provider names them: some are missing, BICs and legal forms differ."""
    chance = random.Random(seed)
    for row_id, name, country, bic, status in rows:
        if chance.random() < 0.7:
            shorter = name.split(",")[0].upper() if chance.random() < 0.5 else name
            yield f"other-{row_id}", shorter, country, bic if chance.random() < 0.8 else None, status


def queries(rows, each, seed=3):
    """What people type.

    :param rows: of :func:`institutions`
    :param int each: how many of each kind
    :return: by kind list of (query, country or None)
    """
    chance = random.Random(seed)
    chosen = [chance.choice(rows) for _number in range(20 * each)]
    names = iter([name for _id, name, *_rest in chosen])
    bics = iter([bic for _id, _name, _country, bic, _status in chosen if bic])
    known = [name for name, _country, _bic in KNOWN]

    def some(make):
        return [(make(), None) for _number in range(each)]

    return {
        "beginning of the name": some(lambda: next(names)[: chance.randint(3, 12)]),
        "whole name": some(lambda: next(names)),
        "words from within": some(lambda: " ".join(next(names).split()[-2:])),
        "without accents, in capitals": some(lambda: _plain(next(names)).upper()),
        "misspelt": some(lambda: _misspelt(chance, next(names))),
        "misspelt, well known": some(lambda: _misspelt(chance, chance.choice(known).split(",")[0])),
        "BIC": some(lambda: next(bics)),
        "beginning of a BIC": some(lambda: next(bics)[: chance.randint(4, 6)]),
        "one letter": some(lambda: chance.choice(LETTERS)),
        "two letters": some(lambda: next(names)[:2]),
        "a word of many banks": some(
            lambda: chance.choice(["bank", "sparkasse", "credit union", "banca", "raiffeisen"])
        ),
        "with a country": [(name[:5], country) for _id, name, country, _bic, _status in chosen[-each:]],
        "no result": some(lambda: "".join(chance.choices("jqxz", k=9))),
    }


def _place(chance, language):
    return "".join(chance.choices(SYLLABLES[language], k=chance.choice((2, 2, 3, 3, 4)))).capitalize()


def _plain(text):
    return text.translate(str.maketrans("äáåąčçéèêěęíłñóöøřśšúüýžż", "aaaacceeeeeilnooorssuuyzz"))


def _misspelt(chance, name):
    """One letter of the longest word is missing, doubled, or has changed places with the next one."""
    words = name.split()
    longest = max(words, key=len)
    place = chance.randrange(1, max(len(longest) - 1, 2))
    before, letter, after = longest[:place], longest[place : place + 1], longest[place + 1 :]
    wrong = chance.choice((before + after, before + 2 * letter + after, before + after[:1] + letter + after[1:]))
    return " ".join(wrong if word == longest else word for word in words)
