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
from shared.messages import Letter, write
from shared.mongo import Database
from shared.producer import send
from shared.relay import ROWS

AT_ONCE = 500
SETTLED_WITHIN = timedelta(seconds=60)
LOOK_AGAIN_SECONDS = 0.1


class Scheduler:
    """Says at every turn what is due; five of them do no harm."""

    def __init__(self, database: Database, producer: Callable[[], Any]) -> None:
        self._database = database
        self._producer = producer

    async def turn(self, at: datetime) -> None:
        """Say what is due by *at*."""
        await publish(self._producer(), await due(self._database, at, AT_ONCE), at)


async def publish(producer: Any, client_ids: Iterable[ClientId], at: datetime) -> None:
    """Say for each of *client_ids* that something may be due by *at*; returns once the broker has it all."""
    moment = now()
    await send(producer, [_fell_due(client_id, at, moment) for client_id in client_ids])


def _fell_due(client_id: ClientId, at: datetime, moment: datetime) -> Letter:
    fell_due = InvitationFellDue(client_id=client_id, at=at)
    name = f"due.{client_id}.{rfc3339(at)}"
    return write(COMMANDS, client_id, fell_due, id=name, source="portal.onboarding", time=moment)


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
