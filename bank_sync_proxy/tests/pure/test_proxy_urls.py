import pytest

from bank_sync_proxy.tools.urls import is_local_path, with_query


@pytest.mark.parametrize("url", ["/", "/odoo", "/back/to?book=1&x=%C3%A9#top", "/a//b"])
def test_a_path_on_the_same_host(url):
    assert is_local_path(url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        None,
        7,
        "odoo",
        "https://evil.example",
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        "/ /evil.example",
        "\\\\evil.example",
        "javascript:alert(1)",
        "/" + "a" * 3000,
        "/é",
    ],
)
def test_what_could_leave_the_host_is_refused(url):
    assert not is_local_path(url)


def test_parameters_are_added_and_cannot_be_forged_by_older_ones():
    assert with_query("/a?b=1", connection_id="x&y") == "/a?b=1&connection_id=x%26y"
    assert with_query("/a?connection_id=forged#top", connection_id="x") == "/a?connection_id=x#top"
