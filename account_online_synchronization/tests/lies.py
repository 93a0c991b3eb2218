"""What a lying connection service may say: strategies of Hypothesis for JSON values and for damaged answers."""

import copy

from hypothesis import strategies as st

TEXTS = st.one_of(
    st.sampled_from(
        [
            "",
            " ",
            "\x00",
            "a\x00b",
            "\ud83d",
            "left \udc00 right",
            "\u202e42 egap",
            "\u2067x\u2069",
            "\u200b",
            "\ufeff",
            "<script>alert(1)</script>",
            "javascript:alert(1)",
            "https://banks.example.com@elsewhere.example/",
            "//elsewhere.example",
            "data:text/html,x",
            "C2",
            "A2",
            "USD",
            "1_000",
            "١٢",
            "１２.３",
            "1e5",
            "1e400",
            "1e-999999999",
            "0e999999",
            "-0",
            "NaN",
            "0000-01-01",
            "0001-01-01T00:00:00+23:59",
            "9999-12-31T23:59:59-23:59",
            "9999-12-31",
            "2026-W01-1",
            "x" * 3000,
            "\n" * 500,
            "9" * 200,
            "%s %(x)s {0}",
        ]
    ),
    st.text(alphabet=st.characters(exclude_categories=()), max_size=20),
)
NUMBERS = st.sampled_from([0, -1, 1, 2**31, 2**63, 10**30, -(10**4000), 0.5, 1e308, float("nan"), float("inf")])
JUNK = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXTS, inner, max_size=3)),
    max_leaves=6,
)


def _places(value, path=()):
    """All places of a JSON value, as paths."""
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from _places(item, (*path, key))


@st.composite
def damaged(draw, valid):
    """A valid answer in which up to three places were replaced, taken away or doubled."""
    value = copy.deepcopy(valid)
    for _number in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(list(_places(value))))
        if not path:
            value = draw(JUNK) if draw(st.integers(0, 9)) == 0 else value
            continue
        holder = value
        for key in path[:-1]:
            holder = holder[key]
        deed = draw(st.sampled_from(["replace", "replace", "replace", "remove", "double"]))
        if deed == "replace":
            holder[path[-1]] = draw(JUNK)
        elif deed == "remove":
            del holder[path[-1]]
        elif isinstance(holder, list):
            holder.append(copy.deepcopy(holder[path[-1]]))
    return value
