import pytest

from bank_sync_proxy.tools.urls import UrlRefused, clean_url, is_below, is_local_path, is_page, with_query


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


@pytest.mark.parametrize(
    ("url", "cleaned"),
    [
        ("https://books.example.com", "https://books.example.com"),
        ("https://Books.Example.COM:443/", "https://books.example.com"),
        ("HTTPS://books.example.com:8443/odoo/", "https://books.example.com:8443/odoo"),
        ("https://xn--bcher-kva.example", "https://xn--bcher-kva.example"),
        ("https://8.8.8.8", "https://8.8.8.8"),
        ("https://[2606:4700:0:0::1111]/", "https://[2606:4700::1111]"),
    ],
)
def test_the_public_address_of_a_database_is_stored_in_one_way_of_writing(url, cleaned):
    assert clean_url(url) == cleaned
    assert clean_url(cleaned) == cleaned


PRIVATE = [
    "http://books.example.com",
    "https://localhost",
    "https://localhost:8069",
    "https://books.localhost",
    "https://books.local",
    "https://odoo.internal",
    "https://nas.home.arpa",
    "https://odoo",
    "https://127.0.0.1",
    "https://0.0.0.0",
    "https://10.1.2.3",
    "https://172.16.0.1",
    "https://192.168.1.1",
    "https://100.64.0.1",
    "https://169.254.169.254",
    "https://224.0.0.1",
    "https://255.255.255.255",
    "https://[::1]",
    "https://[::]",
    "https://[fe80::1]",
    "https://[fc00::1]",
    "https://[ff02::1]",
    "https://[::ffff:10.0.0.1]",
    "https://[::ffff:a00:1]",
    "https://[2002:a00:1::]",
    "https://[64:ff9b::a00:1]",
    "https://[64:ff9b::7f00:1]",
]


@pytest.mark.parametrize("url", PRIVATE)
def test_no_database_is_served_inside_the_proxy_s_own_network(url):
    with pytest.raises(UrlRefused):
        clean_url(url)
    assert clean_url(url, allow_private=True)


@pytest.mark.parametrize("allow_private", [False, True])
@pytest.mark.parametrize(
    "url",
    [
        None,
        7,
        "",
        "books.example.com",
        "//books.example.com",
        "ftp://books.example.com",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "https:books.example.com",
        "https:/books.example.com",
        "https:///books.example.com",
        "https://",
        "https://user@books.example.com",
        "https://user:secret@books.example.com",
        "https://@books.example.com",
        "https://books.example.com?x=1",
        "https://books.example.com?",
        "https://books.example.com#x",
        "https://books.example.com#",
        "https://books.example.com:",
        "https://books.example.com:0",
        "https://books.example.com:99999",
        "https://books.example.com:4x3",
        "https://books.example.com/a/../b",
        "https://books.example.com/./b",
        "https://books.example.com/%2e%2e/b",
        "https://books.example.com//b",
        "https://books.example.com/a b",
        "https://books.example.com\\@evil.example",
        "https://books.example.com\t",
        " https://books.example.com",
        "https://books..example.com",
        "https://books.example.com.",
        "https://-books.example.com",
        "https://b%6foks.example.com",
        "https://bücher.example",
        "https://127.1",
        "https://2130706433",
        "https://0x7f000001",
        "https://0x7f.0.0.1",
        "https://0177.0.0.1",
        "https://1.2.3.4.5",
        "https://books.example.com/" + "a" * 2000,
    ],
)
def test_address_that_programs_read_differently_is_refused(url, allow_private):
    with pytest.raises(UrlRefused):
        clean_url(url, allow_private=allow_private)


BASE = "https://a.example/odoo"


@pytest.mark.parametrize(
    "url",
    [
        "https://a.example/odoo",
        "https://a.example/odoo?book=1",
        "https://a.example/odoo/back/to?book=1&next=//evil.example",
        "https://A.example:443/odoo/back/caf%C3%A9",
    ],
)
def test_a_page_of_the_database(url):
    assert is_below(url, BASE)


def test_a_database_at_the_root_of_its_host():
    assert is_below("https://a.example", "https://a.example")
    assert is_below("https://a.example?x=1", "https://a.example")
    assert is_below("http://127.0.0.1:8069/back", "http://127.0.0.1:8069")
    assert not is_below("https://a.example.evil.com/", "https://a.example")


@pytest.mark.parametrize(
    "url",
    [
        None,
        "",
        "/odoo/back",
        "//a.example/odoo",
        "http://a.example/odoo/back",
        "https://a.example:8443/odoo/back",
        "https://a.example:80/odoo/back",
        "https://evil.example/odoo/back",
        "https://evil.example/https://a.example/odoo",
        "https://a.example.evil.example/odoo/back",
        "https://evil.example#https://a.example/odoo",
        "https://evil.example?https://a.example/odoo",
        "https://evila.example/odoo",
        "https://b.a.example/odoo",
        "https://a.example@evil.example/odoo",
        "https://a.example:443@evil.example/odoo",
        "https://user@a.example/odoo/back",
        "https://a.example\\.evil.example/odoo",
        "https://a.example\\@evil.example/odoo",
        "https://evil.example\\@a.example/odoo",
        "https:\\\\a.example/odoo",
        "https://a.example/odoo\\..\\evil",
        "https://a.exa\tmple/odoo",
        "\thttps://a.example/odoo",
        "https://a.example/odoo\r\nLocation: https://evil.example",
        "https://a.example /odoo",
        "https://a.example/odoo2/back",
        "https://a.example/",
        "https://a.example/web",
        "https://a.example/odoo/../web",
        "https://a.example/odoo/./../web",
        "https://a.example/odoo/%2e%2e/web",
        "https://a.example/odoo/%2E./web",
        "https://a.example/odoo/..%2fweb",
        "https://a.example/odoo/%252e%252e/web",
        "https://a.example/odoo/%5c..%5cweb",
        "https://a.example/odoo/back#top",
        "https://a.example./odoo/back",
        "https://a.ex%61mple/odoo/back",
        "https://ａ.example/odoo/back",
        "https://a.example/odoo/" + "a" * 3000,
    ],
)
def test_what_could_leave_the_database_is_refused(url):
    assert not is_below(url, BASE)


@pytest.mark.parametrize("base", [None, "", False, "nonsense"])
def test_a_database_without_an_address_has_no_pages(base):
    assert not is_below("https://a.example/odoo", base)


@pytest.mark.parametrize(
    "url",
    [
        "https://bank.example/login?state=x",
        "https://bank.example:8443/a%20b#top",
        "https://bank.example/?request=" + "x" * 7000,
        "http://books.example:8069/bank_sync/sandbox/bank?state=x",
    ],
)
def test_page_of_a_provider_to_which_a_browser_is_sent(url):
    assert is_page(url, "http://books.example:8069")


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "data:text/html,<script>alert(1)</script>",
        "file:///etc/passwd",
        "http://bank.example/",
        "http://books.example:8070/",
        "//bank.example/",
        "/web/session/logout",
        "https:///path",
        "https:bank.example",
        "https://[bank",
        "https://bank.example:port/",
        "https://bank.example@evil.example/",
        "https://bank.example\\@evil.example/",
        "https://bank.example/\r\nSet-Cookie: a=b",
        "https://b\u202eank.example/",
        "https://bank.example/ ",
        "https://bank.example/" + "x" * 9000,
        "",
        None,
        5,
        {"a": 1},
    ],
)
def test_provider_s_address_that_is_not_a_page_is_refused(url):
    assert not is_page(url, "http://books.example:8069")
