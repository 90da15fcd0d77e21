"""Time's voice: a turn every few seconds for as long as a service runs, and ``tick --at`` for local runs and tests.

A turn only publishes ticks; the state decides whether one acts (invariant 1). So turns may come late, twice, from several.
"""

from __future__ import annotations

import asyncio
import sys
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any

from aiokafka.errors import KafkaError
from pydantic import ValidationError

from shared.clock import now
from shared.mongo import Database, transient
from shared.producer import producer
from shared.settings import Settings, load
from shared.telemetry import Log

STUCK_SECONDS = 180.0
SETTLED_WITHIN_SECONDS = 120.0
LOOK_AGAIN_SECONDS = 0.1
EXAMPLE = "2026-11-30T10:00:00+01:00"
FARTHEST = timedelta(days=3660)  # ten years: what a tick passes over is written down instant by instant
log = Log("ticking")


@dataclass(frozen=True, slots=True)
class Hands:
    """What a tick from a command line has of the run: its service's database, a producer, and everybody's settings."""

    database: Database
    producer: Any
    settings: Settings


Tick = Callable[[Hands, datetime], Awaitable[int]]
"""Treats everything due by an instant as due; returns how much that was, once it is settled."""


class Ticking:
    """Takes a *turn* every *seconds*; one that fails waits for the next."""

    def __init__(self, turn: Callable[[datetime], Awaitable[None]], seconds: float) -> None:
        self._turn = turn
        self._seconds = seconds
        self._task: asyncio.Task[None] | None = None
        self._last = monotonic()

    async def start(self) -> None:
        """Begin to tick."""
        self._last = monotonic()
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Tick no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def stuck(self) -> list[str]:
        """Return why this process should be started anew; empty is good."""
        if self._task is not None and self._task.done():
            return ["the scheduler has ended"]
        silent = monotonic() - self._last
        return [f"the scheduler has not turned for {silent:.0f} s"] if silent > STUCK_SECONDS + self._seconds else []

    async def _run(self) -> None:
        while True:
            self._last = monotonic()
            try:
                await self._turn(now())
            except Exception as error:
                log.warning("tick_waits", error=repr(error)[:500])
            await asyncio.sleep(self._seconds)


def add_at(parser: ArgumentParser) -> None:
    """Let *parser* ask for the instant of a tick."""
    parser.add_argument("--at", required=True, type=instant, help=f"an instant with its offset, e.g. {EXAMPLE}")


def instant(text: str) -> datetime:
    """Return *text* as a moment in UTC, at most ten years ahead; raises ArgumentTypeError, which argparse tells."""
    try:
        told = datetime.fromisoformat(text)
        at = told.astimezone(UTC)
    except (ValueError, OverflowError) as wrong:
        raise ArgumentTypeError(f"{text!r} is no instant: write it like {EXAMPLE}") from wrong
    if told.tzinfo is None:
        raise ArgumentTypeError(f"{text!r} needs its offset: write it like {EXAMPLE}")
    if at - now() > FARTHEST:
        raise ArgumentTypeError(f"{text!r} is more than ten years ahead: take an instant that is nearer")
    return at


def tick_once(service: str, tick: Tick, at: datetime, late: str) -> int:
    """Let it be *at* for *service*, from a command line: return what was due; leaves with *late* after 120 s.

    Leaves with a sentence, too, where nothing was set up, or broker or database cannot be reached.
    """
    try:
        settings = load()
    except ValidationError:
        sys.exit("nothing was ever started here: run make up, or set PORTAL_HOME to the folder of the run that is meant")
    if not settings.portal_dev_login:
        sys.exit("tick is for local runs and tests: set PORTAL_DEV_LOGIN=1")
    try:
        return asyncio.run(_tick(settings, service, tick, at))
    except TimeoutError:
        sys.exit(late)
    except Exception as error:
        if not (transient(error) or isinstance(error, KafkaError)):
            raise
        sys.exit("broker or database cannot be reached: does the system run? make up starts it")


async def _tick(settings: Settings, service: str, tick: Tick, at: datetime) -> int:
    database = Database(settings.mongodb_url, f"{settings.portal_database_prefix}_{service}")
    letters = producer(settings.kafka_bootstrap_servers)
    try:
        await letters.start()
        async with asyncio.timeout(SETTLED_WITHIN_SECONDS):
            return await tick(Hands(database, letters, settings), at)
    finally:
        await letters.stop()
        database.close()
