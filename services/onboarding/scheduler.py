"""Time's voice: says which invitations may be due, and nothing more; the state decides (invariant 1, O6)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

from services.onboarding.store import due
from shared.clock import now, rfc3339
from shared.contracts.base import ClientId
from shared.contracts.onboarding import COMMANDS, InvitationFellDue
from shared.messages import write
from shared.mongo import Database
from shared.relay import ROWS
from shared.telemetry import Log

AT_ONCE = 500
SETTLED_WITHIN = timedelta(seconds=60)
LOOK_AGAIN_SECONDS = 0.1
log = Log("scheduler")


class Scheduler:
    """Ticks as often as the settings say, for as long as the service runs; five of them do no harm."""

    def __init__(self, database: Database, producer: Callable[[], Any], seconds: float) -> None:
        self._database = database
        self._producer = producer
        self._seconds = seconds
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to tick."""
        self._task = asyncio.create_task(self._run())

    def stuck(self) -> list[str]:
        """Return why this process should be started anew; empty is good."""
        return ["the scheduler has ended"] if self._task is not None and self._task.done() else []

    async def stop(self) -> None:
        """Tick no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            try:
                moment = now()
                await publish(self._producer(), await due(self._database, moment, AT_ONCE), moment)
            except Exception as error:
                log.warning("tick_waits", error=repr(error)[:500])
            await asyncio.sleep(self._seconds)


async def publish(producer: Any, client_ids: Iterable[ClientId], at: datetime) -> None:
    """Say for each of *client_ids* that something may be due by *at*; returns once the broker has it all."""
    moment, sent = now(), []
    for client_id in client_ids:
        fell_due = InvitationFellDue(client_id=client_id, at=at)
        name = f"due.{client_id}.{rfc3339(at)}"
        letter = write(COMMANDS, client_id, fell_due, id=name, source="portal.onboarding", time=moment)
        sent.append(await producer.send(letter.topic, letter.value, letter.key, headers=list(letter.headers)))
    await asyncio.gather(*sent)


async def tick(database: Database, producer: Any, at: datetime) -> int:
    """Treat everything due by *at* as due and return how many it was, once it is settled and told.

    Raises TimeoutError after 60 s, e.g. if no onboarding service runs.
    """
    client_ids = await due(database, at)
    await publish(producer, client_ids, at)
    keys = [client_id.encode() for client_id in client_ids]
    waiting = {"key": {"$in": keys}}
    async with asyncio.timeout(SETTLED_WITHIN.total_seconds()):
        while await due(database, at, 1) or await database[ROWS].find_one(waiting, {"_id": 1}):
            await asyncio.sleep(LOOK_AGAIN_SECONDS)
    return len(client_ids)
