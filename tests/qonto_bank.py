"""Qonto, as far as the adapter meets it. Names of the fields: docs.qonto.com, Business API."""

from datetime import date, timedelta

from .web import json_response, web_server

LOGIN, SECRET_KEY = "example-sas-1234", "s3cret-of-qonto"
ACCOUNT = {
    "id": "018f71db-c635-78b5-b90a-ea05de98c2bf",
    "name": "Main account",
    "iban": "FR7616798000010000005663951",
    "currency": "EUR",
    "balance_cents": 4242,
}


def transaction(number):
    day = f"{date.today() - timedelta(days=number)}T10:00:00.000Z"
    return {
        "id": f"q{number}",
        "amount_cents": 100 * number,
        "local_amount_cents": 100 * number,
        "side": "credit",
        "currency": "EUR",
        "local_currency": "EUR",
        "label": "A customer",
        "settled_at": day,
        "emitted_at": day,
        "status": "completed",
        "reference": f"Invoice {number}",
        "note": None,
    }


def answer(path, authorization):
    """:return: (status, JSON)"""
    if authorization != f"{LOGIN}:{SECRET_KEY}":
        return 401, {"errors": [{"code": "unauthorized", "detail": "Invalid credentials"}]}
    if path == "/organization":
        return 200, {"organization": {"bank_accounts": [ACCOUNT]}}
    return 200, {"transactions": [transaction(number) for number in (1, 2, 3)], "meta": {"next_page": None}}


def qonto():
    """:return: context manager that gives its address"""
    return web_server(lambda asked: json_response(*answer(asked.path, asked.headers.get("Authorization", ""))))
