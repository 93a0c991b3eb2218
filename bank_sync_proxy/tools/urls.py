"""Addresses that the browser is sent to. Imports no Odoo."""

from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

MAX_LENGTH = 2000


def is_local_path(url):
    """Whether a URL is a path on the same host, whatever a browser makes of it.

    Browsers drop tabs and line breaks, and take a backslash for a slash: ``/\\t/evil.example`` would leave the host.
    """
    return (
        isinstance(url, str)
        and len(url) <= MAX_LENGTH
        and url.startswith("/")
        and not url.startswith("//")
        and all("!" <= character <= "~" and character != "\\" for character in url)
    )


def with_query(url, **parameters):
    """The URL with parameters added to its query, or replaced there."""
    parts = urlsplit(url)
    query = [(key, value) for key, value in parse_qsl(parts.query, keep_blank_values=True) if key not in parameters]
    return urlunsplit(parts._replace(query=urlencode([*query, *parameters.items()])))
