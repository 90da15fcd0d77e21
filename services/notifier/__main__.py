"""``python -m services.notifier`` serves; ``tick`` lets time speak, ``instants`` prints what the scheduler computes."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence
from datetime import datetime

from services.notifier.instants import instants
from services.notifier.scheduler import tick
from shared.broker import producer
from shared.contracts.notifier import Frequency
from shared.mongo import Database
from shared.settings import Settings, load

SERVICE = "notifier"


def main(arguments: Sequence[str]) -> None:
    """Serve until told to stop, or do what a subcommand says (contract, section 4)."""
    asked = _parser().parse_args(arguments)
    match asked.what:
        case "tick":
            _tick(asked.at)
        case "instants":
            changed = (_instant(asked.changed[0]), Frequency(asked.changed[1])) if asked.changed else None
            for line in instants(asked.switched_on, asked.frequency, changed, asked.count):
                print(line)
        case _:
            _serve()


def _serve() -> None:
    from services.notifier.app import build  # a subcommand needs none of it, and starts in a third of the time
    from shared.service import serve

    serve(SERVICE, build)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m services.notifier")
    what = parser.add_subparsers(dest="what")
    ticking = what.add_parser("tick", help="settle everything due by an instant, and send the mails")
    ticking.add_argument("--at", required=True, type=_instant, help="an instant with its offset, e.g. 2026-11-30T10:00:00+01:00")
    listing = what.add_parser("instants", help="print the instants of a subscription, one a line")
    listing.add_argument("--switched-on", required=True, type=_instant, metavar="T")
    listing.add_argument("--frequency", required=True, type=Frequency, choices=list(Frequency), metavar="daily|weekly|monthly")
    listing.add_argument(
        "--changed", nargs=2, metavar=("T2", "F2"), help="another frequency from T2 on; prints the first instants after T2"
    )
    listing.add_argument("--count", type=int, default=3)
    return parser


def _instant(text: str) -> datetime:
    """Return *text* as an aware datetime; raises ValueError, which argparse tells."""
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError("an offset is needed")
    return at


def _tick(at: datetime) -> None:
    settings = load()
    if not settings.portal_dev_login:
        sys.exit("tick is for local runs and tests: set PORTAL_DEV_LOGIN=1")
    try:
        print(f"{asyncio.run(_settle(settings, at))} members had something due")
    except TimeoutError:
        sys.exit("not everything due was settled and mailed within 120 s: do the notifier, clients and the mail server run?")


async def _settle(settings: Settings, at: datetime) -> int:
    database = Database(settings.mongodb_url, f"{settings.portal_database_prefix}_{SERVICE}")
    letters = producer(settings.kafka_bootstrap_servers)
    await letters.start()
    try:
        return await tick(database, letters, at)
    finally:
        await letters.stop()
        database.close()


if __name__ == "__main__":
    main(sys.argv[1:])
