"""Reads answers of ``institutions.search`` for the search screen.

Invalid banks are left out, so that one of them does not prevent showing the others.
"""

from .health import read_health
from .texts import is_identifier, readable

MAX_LOGO = 20_000
MAX_WORD = 200
#: An embedded image, or one that is loaded over TLS; nothing else is put into a page.
LOGO_SCHEMES = ("https://", "data:image/")


def read_banks(institutions):
    """:param institutions: of an answer; anything but a list counts as empty
    :return: list of dictionaries, see :func:`_read_bank`
    """
    return [bank for bank in map(_read_bank, institutions if isinstance(institutions, list) else []) if bank]


def read_countries(countries):
    """:return: list of country codes, None if the service does not report them"""
    if not isinstance(countries, list):
        return None
    return [
        code for code in countries if isinstance(code, str) and len(code) == 2 and code.isascii() and code.isalpha()
    ]


def _read_bank(institution):
    """:return: ``id``, ``name``, ``country``, ``bic``, ``logo``, ``is_beta``, ``auto_sync``, ``history_days``,
    ``health`` (see :func:`.health.read_health`) and ``providers`` (list of ``id``, ``label``, ``is_beta``, ``health``,
    the proposed one first); texts are empty where unknown
    """
    if (
        not isinstance(institution, dict)
        or not is_identifier(institution.get("id"))
        or not _word(institution.get("name"))
    ):
        return None
    providers = institution.get("providers")
    return {
        "id": institution["id"],
        "name": _word(institution["name"]),
        "country": _word(institution.get("country")),
        "bic": _word(institution.get("bic")),
        "logo": read_logo(institution.get("logo")),
        "is_beta": institution.get("status") == "beta",
        **read_capabilities(institution.get("capabilities")),
        "health": read_health(institution.get("health")),
        "providers": [
            {
                "id": provider["institution_id"],
                "label": _word(provider.get("label")) or _word(provider.get("code")),
                "is_beta": provider.get("status") == "beta",
                "health": read_health(provider.get("health")),
            }
            for provider in (providers if isinstance(providers, list) else [])
            if isinstance(provider, dict) and is_identifier(provider.get("institution_id"))
        ],
    }


def read_capabilities(capabilities):
    """:return: ``auto_sync``, ``history_days`` and ``reconfirm_days`` (0 where unknown)

    A missing capability is neither promised nor warned about.
    """
    capabilities = capabilities if isinstance(capabilities, dict) else {}
    return {
        "auto_sync": capabilities.get("auto_sync") is not False,
        "history_days": _days(capabilities.get("history_days")),
        "reconfirm_days": _days(capabilities.get("reconfirm_days")),
    }


def _days(value):
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 36500 else 0


def _word(value):
    return readable(value, MAX_WORD) if isinstance(value, str) else ""


def read_logo(value):
    """:return: address of an image that may be put into a page; empty for everything else"""
    fits = isinstance(value, str) and len(value) <= MAX_LOGO and value.isascii() and value.isprintable()
    return value if fits and value.startswith(LOGO_SCHEMES) else ""
