import pytest

from account_online_reconcile.matching.expressions import MAX_EXPRESSION, Expressions


@pytest.mark.parametrize("expression", [r"(a+)+$", r"(a|a)*$", r"(a?){90}a{90}b"])
def test_an_expression_that_takes_too_long_is_given_up(expression):
    expressions = Expressions()
    assert expressions.search(expression, "a" * 1000 + "!") is None
    assert expressions.search(expression, "a") is None


@pytest.mark.parametrize("expression", [r"((a{1000}){1000}){1000}", "a" * (MAX_EXPRESSION + 1), "(", r"a{99999}"])
def test_an_expression_that_takes_too_much_memory_or_is_invalid_matches_nothing(expression):
    assert Expressions().search(expression, "a" * 2000) is None


@pytest.mark.parametrize(
    ("expression", "found"),
    [(r"brt: ([\d,]+)", "3358,07"), (r"(?:AMZN|Amazon)\W+(\w+)", "MARKETPLACE"), (r"(\d{4}\s?)+BRT", "5126 ")],
)
def test_ordinary_expressions_find_what_re_finds(expression, found):
    text = "AMAZON Marketplace 9415 5126 BRT: 3358,07".replace("Marketplace", "MARKETPLACE")
    assert Expressions().search(expression, text)[1] == found


def test_a_long_text_is_read_up_to_a_limit():
    assert Expressions().search("needle", " " * 5000 + "needle") is None
