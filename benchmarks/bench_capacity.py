"""What so many links need: machines, cores, workers, computed from what `scripts/bench fleet` has measured."""

import argparse
from dataclasses import fields

from . import harness
from .capacity import Assumed, Measured, needed

HEADS = (
    "links",
    "questions/s",
    "at the peak",
    "cores for Odoo",
    "cores for PostgreSQL",
    "HTTP workers",
    "their memory GB",
    "machines for Odoo",
)


def main(arguments):
    options = parse(arguments)
    for line in table(options.links, from_options(Measured, options), from_options(Assumed, options)):
        harness.result(line)
    return 0


def parse(arguments):
    parser = argparse.ArgumentParser(prog="scripts/bench capacity", description=__doc__)
    parser.add_argument(
        "--links", type=lambda text: [int(one) for one in text.split(",")], default=[10_000, 100_000, 1_000_000]
    )
    for field in fields(Measured):
        parser.add_argument(f"--{field.name.replace('_', '-')}", type=float, required=True, metavar="N")
    for field in fields(Assumed):
        parser.add_argument(f"--{field.name.replace('_', '-')}", type=float, default=field.default, metavar="N")
    return parser.parse_args(arguments)


def from_options(kind, options):
    return kind(**{field.name: getattr(options, field.name) for field in fields(kind)})


def table(numbers, measured, assumed=None):
    """:return: lines of a table in Markdown, as docs/capacity.md shows it"""
    rows = [list(needed(links, measured, assumed).values()) for links in numbers]
    return harness.table(HEADS, rows, markdown=True)
