"""Stripe, as far as the adapter meets it: a month of a shop, in the shapes of the contract suite's fixtures.

Names of the fields: docs.stripe.com/api, Balance and Balance Transactions.
"""

from contextlib import contextmanager
from datetime import date, datetime, time, timedelta, timezone

from .web import json_response, web_server

FIRST_KEY, SECOND_KEY = "rk_live_firstkeyofstripe", "rk_live_secondkeyofstripe"
PAYOUT = "po_1QxMonth"


def moment(days_ago):
    day = datetime.combine(date.today() - timedelta(days=days_ago), time(9), timezone.utc)
    return int(day.timestamp())


def row(number, days_ago, kind, amount, fee=0, source=None, description=None, category=None):
    details = [{"amount": fee, "description": "Stripe processing fees", "type": "stripe_fee"}] if fee else []
    return {
        "id": f"txn_{number}",
        "object": "balance_transaction",
        "amount": amount,
        "available_on": moment(days_ago - 2),
        "balance_type": "payments",
        "created": moment(days_ago),
        "description": description,
        "fee": fee,
        "fee_details": details,
        "net": amount - fee,
        "reporting_category": category or kind,
        "source": source,
        "status": "available",
        "type": kind,
    }


def charge(number, amount, name, order):
    return {
        "id": f"ch_{number}",
        "object": "charge",
        "amount": amount,
        "billing_details": {"name": name},
        "metadata": {"reference": order},
    }


def month(invoice):
    """Sales, fees, a refund, a dispute, a separate fee, and a payout; the newest first, as Stripe lists them.

    :param str invoice: number that the first customer pays
    """
    back = {"id": "re_1", "object": "refund", "amount": 5000, "reason": "requested_by_customer"}
    dispute = {"id": "du_1", "object": "dispute", "amount": 8000, "reason": "fraudulent"}
    return [
        row(7, 4, "payout", -5000, source={"id": PAYOUT, "object": "payout", "amount": 5000}),
        row(6, 6, "stripe_fee", -199, description="Radar", category="fee"),
        row(5, 8, "adjustment", -8000, 2000, dispute, category="dispute"),
        row(4, 12, "charge", 8000, 262, charge(4, 8000, "Cy Example", "S00018")),
        row(3, 14, "refund", -5000, source=back),
        row(2, 20, "charge", 5000, 175, charge(2, 5000, "Bea Example", "S00017")),
        row(1, 25, "charge", 12100, 382, charge(1, 12100, "Ann Example", invoice)),
    ]


class Shop:
    """What the server answers; ``key`` is the one that it accepts."""

    def __init__(self, currency):
        self.currency, self.key, self.rows = currency, FIRST_KEY, []

    def answer(self, path, query, authorization):
        """:return: (status, JSON)"""
        if authorization != f"Bearer {self.key}":
            return 401, {"error": {"type": "invalid_request_error", "message": "Invalid API Key provided"}}
        rows = [{**one, "currency": self.currency} for one in self.rows]
        if path == "/balance":
            total = [{"amount": sum(one["net"] for one in rows), "currency": self.currency}]
            nothing = [{"amount": 0, "currency": self.currency}]
            return 200, {"object": "balance", "livemode": True, "available": total, "pending": nothing}
        if path != "/balance_transactions":
            known = [one for one in rows if path == f"/balance_transactions/{one['id']}"]
            return (200, known[0]) if known else (404, {"error": {"type": "invalid_request_error"}})
        since = int(query.get("created[gte]", 0))
        found = [one for one in rows if one["created"] >= since][: int(query["limit"])]
        return 200, {"object": "list", "data": found, "has_more": False}


@contextmanager
def stripe(currency):
    """:return: (its address, :class:`Shop`), until the end"""
    shop = Shop(currency)

    def respond(asked):
        return json_response(*shop.answer(asked.path, asked.args, asked.headers.get("Authorization", "")))

    with web_server(respond) as url:
        yield url, shop
