import random

import pytest

from bank_sync_proxy.tools import banks
from bank_sync_proxy.tools.banks import PASSES, Row, alike, clean_bic, core_words, merge, normalize


def groups(*rows):
    """:param rows: (provider, name, BIC or None[, country]); :return: sets of the positions that are one bank"""
    made = [
        Row(f"{provider}.{place:02}", provider, *(country or ["BE"]), clean_bic(bic), name)
        for place, (provider, name, bic, *country) in enumerate(rows)
    ]
    found = {}
    for row_id, key in merge(made).items():
        found.setdefault(key, set()).add(int(row_id.rsplit(".", 1)[1]))
    return sorted(map(sorted, found.values()))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Crédit-Mutuel  de   Bretagne", "credit mutuel de bretagne"),
        ("Caisse d'Épargne", "caisse depargne"),
        ("Sparebank 1 Østlandet", "sparebank 1 ostlandet"),
        ("PKO Bank Polski – Łódź", "pko bank polski lodz"),
        ("Große Kreissparkasse", "grosse kreissparkasse"),
        ("Intesa Sanpaolo S.p.A.", "intesa sanpaolo spa"),
        ("Danske Bank A/S", "danske bank as"),
        ("J.P. Morgan SE", "jp morgan se"),
        ("Εθνική Τράπεζα", "εθνικη τραπεζα"),
        ("三井住友銀行", "三井住友銀行"),
        (None, ""),
        ("%_\\", ""),
    ],
)
def test_names_are_compared_without_case_accents_and_punctuation(text, expected):
    assert normalize(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("gebabebb", "GEBABEBB"),
        ("GEBA BE BB XXX", "GEBABEBB"),
        ("AGRIFRPP882", "AGRIFRPP882"),
        ("GEBABE", None),
        ("GEBA1EBB", None),
        ("", None),
        (None, None),
    ],
)
def test_a_bic_is_one_or_none(text, expected):
    assert clean_bic(text) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Deutsche Bank AG", "deutsche bank"),
        ("AS SEB Pank", "seb pank"),
        ("Skandinaviska Enskilda Banken AB (publ)", "skandinaviska enskilda banken"),
        ("The Co-operative Bank p.l.c.", "co operative bank"),
        ("Raiffeisen Bank International AG", "raiffeisen bank international"),
        ("AB", "ab"),
        ("SA Bank", "bank"),
    ],
)
def test_legal_forms_do_not_belong_to_the_core_of_a_name(name, expected):
    assert " ".join(core_words(name)) == expected


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("ING", "ING Belgium", True),
        ("Bankinter", "Bank Inter", True),
        ("KBC", "KBC Bank & Verzekering", True),
        ("CIC", "Crédit Industriel et Commercial", True),
        ("Raiffeisen Internat. Bank", "Raiffeisen Bank International", True),
        ("Komercni banka", "Komerční banka, a.s.", True),
        ("HypoVereinsbank", "UniCredit Bank – Hypo Vereinsbank", True),
        ("Belfius Banque", "Belfius Bank", True),
        ("Crédit Agricole Alpes", "Crédit Agricole Nord", False),
        ("Bank", "Deutsche Bank", False),
        ("Banque de France", "Banque de Luxembourg", False),
        ("ABN", "ING", False),
    ],
)
def test_names_are_alike(one, other, expected):
    assert alike(core_words(one), core_words(other)) is expected
    assert alike(core_words(other), core_words(one)) is expected


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        pytest.param(
            [("a", "BNP Paribas Fortis SA/NV", "GEBABEBB"), ("b", "BNP Paribas Fortis", "GEBABEBBXXX")],
            [[0, 1]],
            id="the BIC agrees, the legal form does not matter",
        ),
        pytest.param(
            [("a", "ING", "BBRUBEBB"), ("b", "ING Belgique", "BBRUBEBB"), ("c", "ING Bank", None)],
            [[0, 1], [2]],
            id="without a BIC alike is not enough",
        ),
        pytest.param(
            [("a", "Belfius", "GKCCBEBB"), ("b", "Something Else", "GKCCBEBB")],
            [[0], [1]],
            id="a BIC alone is not enough",
        ),
        pytest.param(
            [("a", "Argenta", None), ("b", "ARGENTA nv", "ARSPBE22"), ("c", "Argenta", None)],
            [[0, 1, 2]],
            id="the core name agrees and no BIC contradicts",
        ),
        pytest.param(
            [("a", "Volksbank eG", "GENODEF1"), ("b", "Volksbank eG", "GENODEF2")], [[0], [1]], id="the BICs contradict"
        ),
        pytest.param(
            [("a", "Volksbank", "GENODEF1"), ("b", "Volksbank", "GENODEF2"), ("c", "Volksbank", None)],
            [[0], [1], [2]],
            id="it is not clear to which one the row without a BIC belongs",
        ),
        pytest.param(
            [("a", "ING", "BBRUBEBB"), ("b", "ING", "BBRUBEBB", "NL")], [[0], [1]], id="another country is another bank"
        ),
        pytest.param([("a", "Bank", None, ""), ("b", "Bank", None, "")], [[0], [1]], id="no country is no country"),
        pytest.param(
            [("a", "Demo", "GEBABEBB"), ("a", "Demo", "GEBABEBB"), ("b", "Demo", "GEBABEBB")],
            [[0], [1], [2]],
            id="two rows of one provider stay two, and nobody chooses between them",
        ),
        pytest.param(
            [("a", "KBC", "KREDBEBB"), ("a", "KBC Business", "KREDBEBB"), ("b", "KBC", "KREDBEBB")],
            [[0, 2], [1]],
            id="the full name decides between two rows of one provider",
        ),
        pytest.param(
            [("a", "KBC", "KREDBEBB"), ("a", "KBC Business", "KREDBEBB"), ("b", "KBC Bank", "KREDBEBB")],
            [[0], [1], [2]],
            id="where only alike rows of one provider are left, nothing is merged",
        ),
        pytest.param(
            [
                ("a", "Crédit Agricole Alpes", "AGRIFRPP882"),
                ("a", "Crédit Agricole Nord", "AGRIFRPP867"),
                ("b", "CA Alpes Crédit Agricole", "AGRIFRPP882"),
                ("b", "Crédit Agricole du Nord", "AGRIFRPP867"),
            ],
            [[0, 2], [1, 3]],
            id="branches are banks of their own",
        ),
        pytest.param(
            [("a", "Crédit Agricole", "AGRIFRPP882"), ("b", "Crédit Agricole", "AGRIFRPP867")],
            [[0], [1]],
            id="two branches contradict, whatever they are called",
        ),
        pytest.param(
            [("a", "Banca Popolare", None), ("b", "Banco Popolare", None)],
            [[0], [1]],
            id="two banks with similar names",
        ),
        pytest.param(
            [("a", "Nordea", "NDEASESS"), ("b", "Nordea Bank Abp", "NDEASESS"), ("c", "Nordea Bank", None)],
            [[0, 1, 2]],
            id="the third finds one of the two",
        ),
    ],
)
def test_which_rows_are_one_bank(rows, expected):
    assert groups(*rows) == expected


def test_the_order_of_the_rows_does_not_matter():
    rows = many(400)
    expected = merge(rows)
    for seed in range(5):
        random.Random(seed).shuffle(rows)
        assert merge(rows) == expected


def test_a_bank_has_at_most_one_row_of_each_provider():
    rows = {row.id: row for row in many(2000)}
    members = {}
    for row_id, key in merge(rows.values()).items():
        members.setdefault(key, []).append(rows[row_id])
    assert any(len(group) > 2 for group in members.values())
    for key, group in members.items():
        assert key == min(row.id for row in group)
        assert len({row.provider for row in group}) == len(group)
        assert len({row.country for row in group}) == 1
        assert len({row.bic[:8] for row in group if row.bic}) <= 1


def test_ten_times_as_many_rows_are_about_ten_times_as_much_work(monkeypatch):
    few, ten_times = comparisons(many(1000), monkeypatch), comparisons(many(10_000), monkeypatch)
    assert 0 < ten_times < 20 * few


def test_thousands_of_rows_with_one_name_and_one_bic_are_merged_quickly(monkeypatch):
    rows = [Row(f"{number:05}", f"p{number % 3}", "DE", "GENODEF1", "Volksbank") for number in range(9000)]
    assert comparisons(rows, monkeypatch) == 0
    assert len(set(merge(rows).values())) == 9000


def comparisons(rows, monkeypatch):
    """:return: how many pairs are looked at; counted, because a busy machine is slow and means nothing by it"""
    seen = []

    def counted(fits):
        return lambda one, other: seen.append(1) or fits(one, other)

    with monkeypatch.context() as patched:
        patched.setattr(banks, "PASSES", [(in_common, counted(fits)) for in_common, fits in PASSES])
        merge(rows)
    return len(seen)


def many(count):
    """Rows in which names, BICs and providers meet by chance, always the same ones."""
    chance = random.Random(7)
    names = ["Volksbank", "Sparkasse", "Credit", "Union", "Nord", "Popular", "AG", "eG", "Bank", "Sud"]
    rows = []
    for number in range(count):
        name = f"{' '.join(chance.sample(names, 2))} {chance.randrange(count // 40)}"
        bic = chance.choice([None, f"{chance.choice('ABCD') * 4}BE{chance.randrange(100):02}"])
        provider = chance.choice("abc")
        rows.append(Row(f"{provider}.{number}", provider, chance.choice(("BE", "DE")), bic, name))
    return rows
