r"""Runs regular expressions of users with limits, so that none can block a worker.

>>> Expressions().search(r"BRT: ([\d,]+)", "R:9672938 10/07 AX 9415126318 T:5L:NA BRT: 3358,07 C:")[1]
'3358,07'

One that takes too long is aborted, and not tried again:

>>> expressions = Expressions()
>>> expressions.search(r"(a+)+$", "a" * 1000 + "!") is None, expressions.given_up
(True, {'(a+)+$'})

Why ``regex`` and not ``re``: it has a time limit, and the same syntax.
"""

import logging
import re
from math import prod

import regex

_logger = logging.getLogger(__name__)

#: Seconds for one expression and one text. An ordinary one takes microseconds.
TIMEOUT = 0.1
#: Characters of the text, and of the expression.
MAX_TEXT, MAX_EXPRESSION = 2000, 500
#: Maximum repetition: `((a{1000}){1000}){1000}` takes a gigabyte of memory before it is run.
MAX_REPETITION = 10_000
REPETITION = re.compile(r"\{(\d{1,9})")


class Expressions:
    """The expressions of one run. ``given_up``: set of those that took too long."""

    def __init__(self):
        self.given_up = set()
        self._compiled = {}

    def search(self, expression, text):
        """As ``re.search``, in any case of letters; None also where the expression is invalid or takes too long."""
        if expression in self.given_up:
            return None
        if expression not in self._compiled:
            self._compiled[expression] = _compile(expression)
        compiled = self._compiled[expression]
        if compiled is None:
            return None
        try:
            return compiled.search(text[:MAX_TEXT], timeout=TIMEOUT)
        except TimeoutError:
            _logger.warning("A rule's expression takes too long and is left out: %.100r", expression)
            self.given_up.add(expression)
            return None


def _compile(expression):
    if len(expression) > MAX_EXPRESSION or prod(int(n) or 1 for n in REPETITION.findall(expression)) > MAX_REPETITION:
        return None
    try:
        return regex.compile(expression, regex.IGNORECASE | regex.VERSION0)
    except (regex.error, RecursionError, OverflowError):
        return None
