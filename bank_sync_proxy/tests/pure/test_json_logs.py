"""Log lines as JSON: what they say, and what they never say."""

import io
import json
import logging

import pytest

from odoo.addons.bank_sync_proxy.tools.json_logs import JsonFormatter, about, write_json


@pytest.fixture
def log():
    """:return: (logger, callable that gives what was written so far, as objects)"""
    logger, stream = logging.Logger("a.test"), io.StringIO()
    logger.addHandler(logging.StreamHandler(stream))
    write_json(logger)
    return logger, lambda: [json.loads(line) for line in stream.getvalue().splitlines()]


def test_line_says_when_where_and_what(log):
    logger, lines = log
    logger.warning("%s of %s", 1, 2)
    (line,) = lines()
    assert (line["level"], line["logger"], line["message"]) == ("WARNING", "a.test", "1 of 2")
    assert line["time"].endswith("+00:00")


def test_lines_of_a_request_say_what_it_is_about(log):
    logger, lines = log
    with about(operation="accounts.list", client=7):
        logger.info("within")
        with about(reference="E-7KQ2-M9XD"):
            logger.info("failed")
    logger.info("after")
    within, failed, after = lines()
    assert (within["operation"], within["client"]) == ("accounts.list", 7)
    assert (failed["operation"], failed["reference"]) == ("accounts.list", "E-7KQ2-M9XD")
    assert "operation" not in after and "reference" not in after


def test_what_code_attaches_to_a_record_is_not_written(log):
    logger, lines = log
    logger.info("asked", extra={"password": "canary", "headers": {"Authorization": "canary"}, "operation": ["canary"]})
    assert "canary" not in json.dumps(lines())


def test_line_break_in_untrusted_text_begins_no_new_log_line(log):
    logger, lines = log
    logger.info("from %s", 'a\n{"level": "ERROR"}')
    assert len(lines()) == 1


def test_traceback_is_part_of_its_line(log):
    logger, lines = log
    try:
        raise ValueError("wrong")
    except ValueError:
        logger.exception("failed")
    (line,) = lines()
    assert "Traceback" in line["exception"] and "ValueError: wrong" in line["exception"]


def test_long_untrusted_text_is_cut(log):
    logger, lines = log
    with about(operation="x" * 5_000):
        logger.info("asked")
    assert len(lines()[0]["operation"]) == 100


def test_handlers_that_write_to_no_stream_are_left_alone():
    """Such as Odoo's own for the table of the log, which has columns instead."""
    logger, other = logging.Logger("a.test"), logging.NullHandler()
    logger.addHandler(other)
    write_json(logger)
    assert not isinstance(other.formatter, JsonFormatter)
