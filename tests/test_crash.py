"""A server that dies in the middle loses nothing and doubles nothing."""

import contextlib
import threading
import time

import requests

from .test_demo_bank import assert_books_equal_the_bank, start_connecting


def test_a_server_killed_in_the_middle_of_the_first_load(installation):
    installation.prepare_company()
    installation.start()
    visitor, selection = start_connecting(installation, "Demo Bank")

    def first_load():
        with contextlib.suppress(requests.RequestException):
            visitor.call("account.online.account.selection", "action_confirm", [selection])

    loading = threading.Thread(target=first_load)
    loading.start()
    time.sleep(3)
    assert loading.is_alive(), "the load was over before the kill: nothing was tested"
    installation.server.kill()
    loading.join()
    assert installation.shell("result = env['account.bank.statement.line'].search_count([])") == 0

    installation.start()
    again = installation.visitor()
    again.call("account.online.account.selection", "action_confirm", [selection])
    assert assert_books_equal_the_bank(installation) > 300
