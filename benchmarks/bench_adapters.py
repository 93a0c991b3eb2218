"""Adapters: how many transactions of a provider's answers are read and normalised per second on one core.

The transactions are those of the contract suite's case ``unknown_fields``, which has everything that the provider
documents, again and again under other ids. Account numbers and creditor references are checked once and remembered, so
every tenth transaction has some that were never seen before. They come as bytes of JSON, through the same funnel as in
real life; only the network is missing. Beside it is how many times as long that takes as Python's ``json.loads`` of
the same bytes, which is the lower bound (0: not JSON).
"""

import argparse
import functools
import importlib.util
import io
import itertools
import json
import re
import sys
import time
import tracemalloc

from environment import bootstrap, paths

from . import harness, transactions

HEADS = ("provider", "transactions", "per page", "bytes each", "seconds", "per second", "× JSON", "peak MB of a page")
#: One in this number of transactions has numbers that are seen for the first time.
NEW_NUMBERS = 10
#: An IBAN, or a reference of ISO 11649.
NUMBER = re.compile(r'"([A-Z]{2})[0-9]{2}[A-Z0-9 ]{11,36}"')
FIXTURES = paths.ROOT / "bank_sync_proxy" / "tests" / "fixtures"


def main(arguments):
    options = parse(arguments)
    bootstrap.need_packages()
    sys.path.insert(0, str(paths.ROOT))
    pure = importlib.import_module("environment.pure")
    pure.enter()
    contract = importlib.import_module("bank_sync_proxy.tests.pure.contract")
    here = [code for code in contract.CODES if importlib.util.find_spec(contract.LIBRARIES.get(code, "json"))]
    codes = options.providers.split(",") if options.providers else here
    figures = [measure(contract.script_class(code)(), options) for code in codes]
    if options.json:
        for row in figures:
            harness.result(harness.json_line(row))
        return 0
    for line in harness.table(HEADS, [[*row.values()] for row in figures], markdown=options.markdown):
        harness.result(line)
    return 0


def parse(arguments):
    parser = argparse.ArgumentParser(prog="scripts/bench adapters", description=__doc__.partition("\n")[0])
    parser.add_argument("--transactions", type=int, default=100_000, metavar="N", help="of each (default: 100,000)")
    parser.add_argument("--page", type=int, default=500, metavar="N", help="transactions of a page (default: 500)")
    parser.add_argument("--providers", metavar="CODES", help="codes with commas (default: all that speak HTTP)")
    output = parser.add_mutually_exclusive_group()
    output.add_argument("--json", action="store_true", help="print JSON objects instead of a table")
    output.add_argument("--markdown", action="store_true", help="print the table in Markdown")
    return parser.parse_args(arguments)


def measure(script, options):
    """:return: figures of one provider"""
    script.server.close()
    case = json.loads((FIXTURES / script.code / "unknown_fields.json").read_text(encoding="utf-8"))
    page, size, answer = (script.from_memory if hasattr(script, "from_memory") else from_json)(
        script, case, options.page
    )
    ask = asking(script, answer, case.get("given", {}))
    seconds, floor = [], []
    for _number in range(-(-options.transactions // options.page)):
        forget_numbers()
        begun = time.process_time()
        found = ask()
        seconds.append(time.process_time() - begun)
        assert len(found) == options.page, f"{script.code} gave {len(found)} of {options.page}"
        begun = time.process_time()
        if page:
            json.loads(page)
        floor.append(time.process_time() - begun)
    tracemalloc.start()
    ask()
    peak = tracemalloc.get_traced_memory()[1] / 2**20
    tracemalloc.stop()
    return {
        "provider": script.code,
        "transactions": options.page * len(seconds),
        "per_page": options.page,
        "bytes_each": size,
        "seconds": sum(seconds),
        # Why the median page: what else the machine does slows down some of them.
        "per_second": options.page / harness.median(seconds),
        "times_json": harness.median(seconds) / harness.median(floor) if page else 0,
        "peak_mb": peak,
    }


def from_json(script, case, count):
    """:return: (the page as bytes of JSON, bytes of one transaction, callable(request) that gives bytes)"""
    answers = dict(fixture_answer(script.code, exchange) for exchange in case["exchanges"])
    asked = next(asked for asked, answer in answers.items() if find_rows(answer))
    page, size = larger_page(answers[asked], count)
    answers = {**{asked: json.dumps(answer).encode() for asked, answer in answers.items()}, asked: page}

    def answer_to(request):
        url, _mark, query = request.url.partition("?")
        fitting = [(wanted, answer) for (path, wanted), answer in answers.items() if url.endswith(path)]
        # Some lists are read twice, with different parameters. A single request matches with any parameters.
        return next((answer for wanted, answer in fitting if wanted == query), fitting[0][1])

    return page, size, answer_to


def fixture_answer(code, exchange):
    """:return: ((path, query), JSON)"""
    if "include" in exchange:
        included = json.loads((FIXTURES / code / f"{exchange['include']}.json").read_text(encoding="utf-8"))
        exchange = included["exchanges"][0]
    path, _mark, query = exchange["ask"].split()[1].partition("?")
    return (path, query), exchange["answer"]


def larger_page(answer, count):
    """:return: (bytes of the answer with as many transactions, bytes of one)"""
    rows = find_rows(answer)
    (row,) = rows
    text = json.dumps(row)
    numbers = itertools.count()
    samples = [
        json.loads(NUMBER.sub(lambda found: f'"{right_number(found[1], next(numbers))}"', text))
        for _number in range(0, count, NEW_NUMBERS)
    ]
    ids = {
        key: value
        for key, value in row.items()
        # Why no number: with something behind it, it would be none any more.
        if isinstance(value, str) and key.lower().endswith(("id", "reference")) and not NUMBER.fullmatch(f'"{value}"')
    }
    rows[:] = [
        {**samples[number // NEW_NUMBERS], **{key: f"{value}-{number}" for key, value in ids.items()}}
        for number in range(count)
    ]
    return json.dumps(answer).encode(), len(text)


def right_number(kind, number):
    """:return: an IBAN, or for ``RF`` a reference, with the right check digits"""
    if kind != "RF":
        return transactions.iban(number)
    # The letters RF as 2715, and 00 in the place of the check digits, behind the number.
    return f"RF{98 - int(f'{number:012}271500') % 97:02}{number:012}"


def forget_numbers():
    """As if all on the next page were new."""
    for value in vars(sys.modules["bank_sync_proxy.providers.reading"]).values():
        if hasattr(value, "cache_clear"):
            value.cache_clear()


def find_rows(value):
    """:return: the list that holds the one transaction, or None"""
    found = []

    def walk(item):
        for inner in item.values() if isinstance(item, dict) else item if isinstance(item, list) else ():
            if isinstance(inner, list) and len(inner) == 1 and isinstance(inner[0], dict) and names & {*inner[0]}:
                # Why not nested values: a transaction may have parts with separate amounts, such as fees.
                found.append(inner)
            else:
                walk(inner)

    names = {
        *("amount", "transactionAmount", "transaction_amount", "attributes", "legs", "Payment", "resultAmount"),
        "transaction_info",
    }
    # Why a list around it: an answer may itself be the list.
    walk([value])
    return found[-1] if found else None


def asking(script, answer, given):
    """:return: callable that reads one page with the adapter, whose requests are answered from memory"""
    requests, urllib3 = importlib.import_module("requests"), importlib.import_module("urllib3")
    adapter, state = script.new_adapter(), script.state

    class Memory(requests.adapters.BaseAdapter):
        def send(self, request, **_options):
            response = requests.Response()
            response.status_code, response.request, response.url = 200, request, request.url
            response.headers["Content-Type"] = script.media_type
            response.headers.update(signed(answer(request)))
            response.raw = urllib3.HTTPResponse(io.BytesIO(answer(request)), preload_content=False)
            return response

        def close(self):
            pass

    signed = functools.cache(getattr(script.server, "sign", lambda _content: {}))
    connect = adapter.connect

    def connect_to_memory(*args, **options):
        http = connect(*args, **options)
        http.session.mount("http://", Memory())
        return http

    adapter.connect = connect_to_memory
    since = given.get("since")
    since = since and importlib.import_module("datetime").date.fromisoformat(since)
    return lambda: adapter.transactions(state, given.get("account") or script.account, since=since).transactions
