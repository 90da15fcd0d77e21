"""Time's voice: says which invitations may be due, and nothing more; the state decides (invariant 1, O6)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from services.onboarding.store import due
from shared.clock import now, rfc3339
from shared.contracts.base import ClientId
from shared.contracts.onboarding import COMMANDS, InvitationFellDue
from shared.messages import Letter, write
from shared.mongo import Database
from shared.producer import send

AT_ONCE = 500


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
