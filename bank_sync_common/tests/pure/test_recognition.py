"""Accounts are recognized by certain facts, and never by the order in which a bank lists them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from odoo.addons.bank_sync_common.tools.recognition import Keys, identify, recognize

KEYS = Keys(
    own=("id",),
    alike=(("hashes", "currency"), ("number", "currency", "name"), ("number", "currency")),
    certain=("iban", "currency"),
)


def fact(**values):
    return {"currency": "EUR", **values}


def found(known, *listed, keys=KEYS):
    return recognize(known, list(listed), keys)


# -------------------------------------------------------------------------
# EXAMPLES
# -------------------------------------------------------------------------


def test_an_equal_id_wins_over_any_likeness():
    known = {"one": fact(id="1", number="N"), "two": fact(id="2", number="N")}
    assert found(known, fact(id="2", number="N"), fact(id="1", number="N")) == ["two", "one"]
    assert found(known, fact(id="2", number="N")) == ["two"]


def test_a_new_account_does_not_take_the_place_of_one_it_is_like():
    known = {"one": fact(id="1", number="N"), "two": fact(id="2", number="N")}
    assert found(known, fact(id="3", number="N"), fact(id="2", number="N")) == [None, "two"]


def test_a_number_that_two_accounts_share_identifies_neither():
    known = {"one": fact(id="1", number="N"), "two": fact(id="2", number="N")}
    assert found(known, fact(id="8", number="N")) == [None]
    assert found({"one": known["one"]}, fact(id="8", number="N"), fact(id="9", number="N")) == [None, None]


def test_a_surer_key_tells_accounts_apart_that_share_a_weaker_one():
    known = {"one": fact(id="1", number="N", name="Current"), "two": fact(id="2", number="N", name="Card")}
    assert found(known, fact(id="8", number="N", name="Card")) == ["two"]


def test_what_is_empty_is_not_alike():
    for empty in (None, "", [], ()):
        assert found({"one": fact(id=empty, number=empty)}, fact(id=empty, number=empty)) == [None]


def test_a_new_id_is_recognised_by_what_only_one_account_has():
    assert found({"one": fact(id="1", number="N")}, fact(id="8", number="N")) == ["one"]


def test_accounts_whose_certain_facts_differ_are_never_alike():
    known = {"one": fact(id="1", hashes=["own-1", "holder"], iban="A")}
    assert found(known, fact(id="2", hashes=["own-2", "holder"], iban="B")) == [None]
    assert found(known, fact(id="2", hashes=["own-2", "holder"])) == ["one"]


def test_each_value_of_a_list_counts_for_itself():
    known = {"one": fact(id="1", hashes=["1", "all"]), "two": fact(id="2", hashes=["2", "all"])}
    assert found(known, fact(id="9", hashes=["9", "2", "all"]), fact(id="8", hashes=["8", "all"])) == ["two", None]


def test_values_that_point_to_several_accounts_prove_nothing():
    known = {"one": fact(id="1", hashes=["1"]), "two": fact(id="2", hashes=["2"])}
    assert found(known, fact(id="9", hashes=["1", "2"])) == [None]


def test_an_account_that_is_listed_twice_is_one():
    listed = [fact(id="1", number="N")] * 2
    assert identify({"ours": fact(id="1", number="N")}, listed, KEYS, ["1", "1"]) == ["ours", "ours"]


def test_a_new_account_never_gets_the_id_of_one_that_was_known():
    """Our id may be what the bank called the account before a renewal."""
    known = {"1": fact(id="2", number="N")}
    assert identify(known, [fact(id="1", number="M")], KEYS, ["1"]) == ["1.2"]
    assert identify(known, [fact(id="1", number="M"), fact(id="2", number="N")], KEYS, ["1", "2"]) == ["1.2", "1"]


def test_two_new_accounts_of_one_id_are_two():
    listed = [fact(id="1", currency="USD"), fact(id="1", currency="EUR")]
    assert identify({}, listed, KEYS, ["1", "1"]) == ["1.2", "1"]
    assert identify({}, listed[::-1], KEYS, ["1", "1"]) == ["1", "1.2"]


# -------------------------------------------------------------------------
# FOR ANY ACCOUNTS
# -------------------------------------------------------------------------

#: Few values, so that similar, contradicting and empty facts are frequent.
facts = st.fixed_dictionaries(
    {
        "id": st.sampled_from(["", "1", "2", "3", "4"]),
        "hashes": st.lists(st.sampled_from(["a", "b", "holder"]), max_size=2, unique=True),
        "number": st.sampled_from([None, "", "N", "M"]),
        "name": st.sampled_from(["", "Current", "Card"]),
        "iban": st.sampled_from([None, "A", "B"]),
        "currency": st.sampled_from(["EUR", "USD"]),
    }
)
by_id = st.lists(facts, max_size=5, unique_by=lambda one: one["id"])
knowns = by_id.map(lambda those: {f"ours-{number}": one for number, one in enumerate(those)})


@given(knowns, by_id, st.randoms(use_true_random=False))
def test_the_order_in_which_accounts_are_listed_never_matters(known, listed, random):
    before = dict(zip(map(str, listed), identify(known, listed, KEYS, [one["id"] for one in listed]), strict=True))
    shuffled, mixed = random.sample(listed, len(listed)), dict(random.sample(list(known.items()), len(known)))
    after = dict(zip(map(str, shuffled), identify(mixed, shuffled, KEYS, [one["id"] for one in shuffled]), strict=True))
    assert after == before


@given(knowns, by_id)
def test_no_two_accounts_ever_get_one_id(known, listed):
    ids = identify(known, listed, KEYS, [one["id"] for one in listed])
    assert len(set(ids)) == len(listed)


@given(knowns, by_id)
def test_an_equal_id_always_wins(known, listed):
    ours = {one["id"]: key for key, one in known.items() if one["id"]}
    for one, key in zip(listed, recognize(known, listed, KEYS), strict=True):
        if one["id"] in ours:
            assert key == ours[one["id"]]


@given(knowns, by_id)
def test_nobody_is_recognised_without_something_only_the_two_of_them_have(known, listed):
    for one, key in zip(listed, recognize(known, listed, KEYS), strict=True):
        if key is None or known[key]["id"] == one["id"]:
            continue
        old = known[key]
        assert old["currency"] == one["currency"] and not (old["iban"] and one["iban"] and old["iban"] != one["iban"])
        shared = [("number", one["number"])] if one["number"] and one["number"] == old["number"] else []
        shared += [("hashes", value) for value in one["hashes"] if value in old["hashes"]]
        assert any(is_alone(known.values(), one, *share) and is_alone(listed, one, *share) for share in shared)


def is_alone(those, one, name, value):
    """Whether only one of the accounts has a value; a number counts together with the name."""
    same = [other for other in those if other["currency"] == one["currency"]]
    if name == "hashes":
        return sum(value in other[name] for other in same) == 1
    named = [other for other in same if other[name] == value and other["name"] == one["name"]]
    return sum(other[name] == value for other in same) == 1 or (bool(one["name"]) and len(named) == 1)


@given(knowns)
def test_what_has_not_changed_is_recognised(known):
    listed = list(known.values())
    ids = recognize(known, listed, KEYS)
    assert [key for key, one in zip(ids, listed, strict=True) if one["id"]] == [
        key for key, one in known.items() if one["id"]
    ]


@pytest.mark.parametrize("keys", [Keys(), Keys(own=("id", "currency"))])
def test_nothing_listed_and_nothing_known_is_no_mistake(keys):
    assert identify({}, [], keys, []) == [] and identify({"one": {}}, [{}], keys, ["x"]) == ["x"]
