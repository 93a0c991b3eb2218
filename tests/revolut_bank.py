"""Revolut Business, as far as the adapter meets it. Names of the fields: Revolut's document of the Business API."""

from datetime import date, timedelta

from .web import json_response, web_server

CLIENT_ID, CODE = "the-client-of-example", "oa_prod_of-this-visit"
ACCOUNT = "0d1848dc-aaaa-4a9a-aaaa-cae53cbd4baf"
ACCESS_TOKEN, REFRESH_TOKEN = "access-of-example", "refresh-of-example"
MOMENT = "2023-01-19T15:15:01.895737Z"


def transaction(number):
    moment = f"{date.today() - timedelta(days=number)}T10:00:00.000000Z"
    leg = {"leg_id": ACCOUNT, "account_id": ACCOUNT, "amount": number, "currency": "EUR"}
    return {
        "id": f"v{number}",
        "type": "topup",
        "state": "completed",
        "created_at": moment,
        "updated_at": moment,
        "completed_at": moment,
        "reference": f"Invoice {number}",
        "legs": [{**leg, "description": "Payment from A customer"}],
    }


def token(form):
    """:return: (status, JSON)"""
    granted = {"authorization_code": ("code", CODE), "refresh_token": ("refresh_token", REFRESH_TOKEN)}
    name, value = granted[form["grant_type"]]
    if form[name] != value or form["client_id"] != CLIENT_ID or form["client_assertion"].count(".") != 2:
        return 400, {"error": "invalid_grant", "error_description": "x"}
    return 200, {
        "access_token": ACCESS_TOKEN,
        "token_type": "bearer",
        "expires_in": 2399,
        "refresh_token": REFRESH_TOKEN,
    }


def answer(path, authorization):
    """:return: (status, JSON)"""
    if authorization != f"Bearer {ACCESS_TOKEN}":
        return 401, {"code": 1000, "error_id": "x", "message": "Access token is invalid or has expired."}
    if path == "/accounts":
        account = {"id": ACCOUNT, "name": "Main", "balance": 4242, "currency": "EUR", "state": "active"}
        return 200, [{**account, "public": False, "created_at": MOMENT, "updated_at": MOMENT}]
    if path.endswith("/bank-details"):
        return 200, [{"iban": "FR7616798000010000005663951", "pooled": False}]
    return 200, [transaction(number) for number in (1, 2, 3)]


def revolut():
    """:return: context manager that gives its address"""

    def respond(asked):
        if asked.method == "POST":
            return json_response(*token(asked.form))
        return json_response(*answer(asked.path, asked.headers.get("Authorization", "")))

    return web_server(respond)
