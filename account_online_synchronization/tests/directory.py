"""A directory of banks for the search screen: small, and with everything that a bank can be."""

BANKS = (
    {"id": "kbc", "name": "KBC Bank", "country": "BE", "bic": "KREDBEBB", "capabilities": {"history_days": 730}},
    {"id": "belfius", "name": "Belfius", "country": "BE", "bic": "GKCCBEBB"},
    {
        "id": "argenta",
        "name": "Argenta Spaarbank",
        "country": "BE",
        "status": "beta",
        "logo": "https://127.0.0.1:9/broken.png",
        "providers": [{"code": "one", "label": "One", "institution_id": "argenta", "status": "beta"}],
    },
    {
        "id": "ing",
        "name": "ING",
        "country": "BE",
        "capabilities": {"auto_sync": False},
        "providers": [
            {"code": "one", "label": "One", "institution_id": "ing", "status": "stable"},
            {"code": "two", "label": "Two", "institution_id": "ing-two", "status": "beta"},
        ],
    },
    {"id": "rabo", "name": "Rabobank", "country": "NL"},
)


def search(banks, payload, page_size=20):
    """:return: answer of ``institutions.search``"""
    query, country = (payload.get("query") or "").lower(), payload.get("country")
    found = [bank for bank in banks if query in bank["name"].lower() and country in (None, bank["country"])]
    start = int(payload.get("cursor") or 0)
    end = start + page_size
    answer = {"institutions": found[start:end], "next_cursor": str(end) if end < len(found) else None}
    if payload.get("with_countries"):
        answer["countries"] = sorted({bank["country"] for bank in banks})
    return answer
