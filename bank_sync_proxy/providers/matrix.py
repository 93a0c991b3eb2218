"""The tables of providers in README.md and docs/providers/README.md, made of what adapters declare."""

from . import PROVIDERS, provider_class
from .facts import AUDIENCES

BEGIN, END = "<!-- providers: made by scripts/matrix -->", "<!-- end of providers -->"


def short_table():
    """For the README: who can reach what, at which price."""
    heads = ("Provider", "Banks in", "For whom", "Price", "Until the first keys", "How a bank is connected")
    return _table(
        heads,
        lambda code, label, facts: (
            _link(code, label, "docs/providers/"),
            facts.region,
            _audience(facts),
            facts.price,
            _minutes(facts.minutes),
            facts.connect,
        ),
    )


def full_table():
    """For docs/providers/README.md: everything."""
    heads = (
        *("Provider", "Banks in", "For whom", "Price", "To begin", "Until the first keys", "Terms"),
        *("Connected on", "History", "Consent", "Requests a day"),
        *("Pending", "Removals", "Webhooks", "Continues by bookmark", "Id of a transaction"),
    )
    return _table(
        heads,
        lambda code, label, facts: (
            _link(code, label, ""),
            facts.region,
            _audience(facts),
            facts.price,
            facts.needs,
            _minutes(facts.minutes),
            _terms(facts),
            facts.connect,
            _days(facts.history_days, "as the bank allows"),
            _days(facts.consent_days, "no end"),
            str(facts.fetches_per_day or "–"),
            *("yes" if fact else "–" for fact in (facts.pending, facts.removals, facts.webhooks, facts.bookmark)),
            facts.identity,
        ),
    )


def replaced(text, table):
    """:return: a page with the table between its marks
    :raise ValueError: when a mark is missing
    """
    before, begin, rest = text.partition(BEGIN)
    _old, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the page has no {BEGIN} … {END}")
    return f"{before}{begin}\n\n{table}\n\n{end}{after}"


def _table(heads, row):
    lines = [heads, ["---"] * len(heads)]
    lines += [row(code, label, provider_class(code).facts) for code, label, _name in PROVIDERS]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _link(code, label, root):
    return f"[{label}]({root}{code}.md)"


def _days(days, unknown):
    return f"{days} days" if days else unknown


def _audience(facts):
    if facts.closed:
        return facts.closed
    return ", ".join(AUDIENCES[code].lower() for code in facts.audience) or "anyone"


def _minutes(minutes):
    return "some days or longer" if minutes is None else f"{minutes} minutes" if minutes else "none needed"


def _terms(facts):
    return " ".join((facts.terms, *(f"[{title}]({url})" for title, url in facts.terms_urls)))
