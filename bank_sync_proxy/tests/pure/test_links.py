"""Addresses in sentences become links, and nothing else does."""

import re

import pytest

from bank_sync_proxy.tools.links import with_links


def test_address_becomes_a_link_without_referrer():
    assert with_links("See https://www.example.org/a?b=1&c, or ask.") == (
        'See <a href="https://www.example.org/a?b=1&amp;c" target="_blank" rel="noopener noreferrer">'
        "https://www.example.org/a?b=1&amp;c</a>, or ask."
    )


@pytest.mark.parametrize(
    "text",
    [
        "http://example.org",
        "javascript:alert(1)",
        "data:text/html,https",
        "<script>alert(1)</script>",
        "ftp://example.org",
        "",
        None,
    ],
)
def test_everything_else_is_text(text):
    assert "<a" not in with_links(text) and "<script" not in with_links(text)


def test_what_surrounds_an_address_is_not_trusted():
    said = with_links('<img src=x onerror=1> https://example.org/"onmouseover="alert(1) <b>')
    assert (
        re.sub(r'<a href="https://example.org/" target="_blank" rel="noopener noreferrer">', "", said).count("<") == 1
    )
    assert "&lt;img" in said and "&lt;b&gt;" in said
