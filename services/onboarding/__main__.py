"""``python -m services.onboarding`` serves; ``… tick --at 2026-11-30T10:00:00+01:00`` lets time speak (local runs and tests)."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence
from datetime import datetime

from services.onboarding.app import SERVICE, build
from services.onboarding.scheduler import tick
from shared.broker import producer
from shared.mongo import Database
from shared.service import serve
from shared.settings import Settings, load


def main(arguments: Sequence[str]) -> None:
    """Serve until told to stop, or settle what is due by an instant and say how much it was."""
    parser = argparse.ArgumentParser(prog="python -m services.onboarding")
    ticking = parser.add_subparsers(dest="what").add_parser("tick", help="settle reminders and expiry that are due by an instant")
    ticking.add_argument("--at", required=True, type=instant, help="an instant with its offset, e.g. 2026-11-30T10:00:00+01:00")
    asked = parser.parse_args(arguments)
    if asked.what != "tick":
        serve(SERVICE, build)
        return
    settings = load()
    if not settings.portal_dev_login:
        sys.exit("tick is for local runs and tests: set PORTAL_DEV_LOGIN=1")
    try:
        print(f"{asyncio.run(settle(settings, asked.at))} invitations were due")
    except TimeoutError:
        sys.exit("not everything due was settled within 60 s: is the onboarding service running?")


def instant(text: str) -> datetime:
    """Return *text* as an aware datetime; raises ValueError, which argparse tells."""
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError("an offset is needed")
    return at


async def settle(settings: Settings, at: datetime) -> int:
    """Return how many invitations were due by *at*, once they are settled."""
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
