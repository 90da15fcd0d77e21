"""``python -m services.notifier`` serves; ``tick`` lets time speak, ``instants`` prints what the scheduler computes."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from datetime import datetime

from services.notifier.domain.schedule import BERLIN
from services.notifier.instants import instants
from services.notifier.scheduler import tick
from shared.contracts.notifier import Frequency
from shared.ticking import add_at, tick_once

SERVICE = "notifier"
YEARS = (1900, 2900)
MOST_SHOWN = 10_000
LATE = "not everything due was settled and mailed within 120 s: do the notifier, clients and the mail server run?"


def main(arguments: Sequence[str]) -> None:
    """Serve until told to stop, or do what a subcommand says (contract, section 4)."""
    parser = _parser()
    asked = parser.parse_args(arguments)
    match asked.what:
        case "tick":
            print(f"{tick_once(SERVICE, tick, asked.at, LATE)} members had something due")
        case "instants":
            try:
                changed = (_moment(asked.changed[0]), Frequency(asked.changed[1])) if asked.changed else None
            except (ValueError, argparse.ArgumentTypeError) as wrong:
                parser.error(f"argument --changed: {wrong}")
            for line in instants(asked.switched_on, asked.frequency, changed, asked.count):
                print(line)
        case _:
            _serve()


def _serve() -> None:
    from services.notifier.app import build  # a subcommand needs none of it, and starts in a third of the time
    from shared.service import serve

    serve(SERVICE, build)


def _moment(text: str) -> datetime:
    """Return the moment *text*; a day, or a time without an offset, is Berlin's, as the calendar is (N2)."""
    moment = datetime.fromisoformat(text)
    if not YEARS[0] <= moment.year <= YEARS[1]:
        raise argparse.ArgumentTypeError(f"{text!r} is out of range: take a year from {YEARS[0]} to {YEARS[1]}")
    return moment if moment.tzinfo else moment.replace(tzinfo=BERLIN)


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) <= MOST_SHOWN):
        raise argparse.ArgumentTypeError(f"{text!r} is out of range: take a number up to {MOST_SHOWN}")
    return int(text)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m services.notifier")
    what = parser.add_subparsers(dest="what")
    add_at(what.add_parser("tick", help="settle everything due by an instant, and send the mails"))
    listing = what.add_parser("instants", help="print the instants of a subscription, one a line")
    listing.add_argument("--switched-on", required=True, type=_moment, metavar="T")
    listing.add_argument("--frequency", required=True, type=Frequency, choices=list(Frequency), metavar="daily|weekly|monthly")
    listing.add_argument(
        "--changed", nargs=2, metavar=("T2", "F2"), help="another frequency from T2 on; prints the first instants after T2"
    )
    listing.add_argument("--count", type=_count, default=3)
    return parser


if __name__ == "__main__":
    main(sys.argv[1:])
