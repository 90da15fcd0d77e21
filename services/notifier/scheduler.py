"""Time's voice: says whose subscriptions may be due, and nothing more; the state decides (invariant 1, N11)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from datetime import datetime
from time import monotonic
from typing import Any

from services.notifier.domain.mail import OPEN
from services.notifier.store import MAILS, SUBSCRIPTIONS
from shared.clock import now, rfc3339
from shared.contracts.notifier import COMMANDS, DigestFellDue, MailKind
from shared.messages import Letter, write
from shared.mongo import Database, Document
from shared.producer import send
from shared.telemetry import new_trace
from shared.ticking import LOOK_AGAIN_SECONDS, Hands

AT_ONCE = 5_000
SAID_AGAIN_SECONDS = 30.0  # a tick on its way is not said again at every turn


class Scheduler:
    """Says at every turn whose subscriptions may be due; five of them do no harm."""

    def __init__(self, database: Database, producer: Callable[[], Any]) -> None:
        self._database = database
        self._producer = producer
        self._said: dict[tuple[str, datetime], float] = {}

    async def turn(self, at: datetime) -> None:
        """Say what is due by *at*, unless that was said a moment ago."""
        moment = monotonic()
        self._said = {key: when for key, when in self._said.items() if moment - when < SAID_AGAIN_SECONDS}
        fresh = {key: moment for key in await due(self._database, at, AT_ONCE) if key not in self._said}
        await publish(self._producer(), {member_id for member_id, _ in fresh}, at)
        self._said |= fresh


async def due(database: Database, at: datetime, count: int) -> list[tuple[str, datetime]]:
    """Return members with an instant due by *at*, and that instant, longest due first; *count* subscriptions are read."""
    where = {"email": True, "next_at": {"$lte": at}}
    found = database[SUBSCRIPTIONS].find(where, {"member_id": 1, "next_at": 1}).sort([("next_at", 1)]).limit(count)
    return list(dict.fromkeys([(s["member_id"], s["next_at"]) async for s in found]))


async def publish(producer: Any, member_ids: Iterable[str], at: datetime) -> None:
    """Say for each of *member_ids* that something may be due by *at*; returns once the broker has it all."""
    moment = now()
    await send(producer, [_fell_due(member_id, at, moment) for member_id in sorted(member_ids)])


def _fell_due(member_id: str, at: datetime, moment: datetime) -> Letter:
    fell_due = DigestFellDue.model_validate({"member_id": member_id, "at": at})
    name = f"due.{member_id}.{rfc3339(at)}"
    return write(COMMANDS, member_id, fell_due, id=name, source="portal.notifier", time=moment, trace=new_trace())


async def tick(hands: Hands, at: datetime) -> int:
    """Treat everything due by *at* as due; return how many members that was, once all is settled, mailed and recorded."""
    database, ticked = hands.database, set[str]()
    while found := {member_id for member_id, _ in await due(database, at, AT_ONCE)}:
        await publish(hands.producer, found - ticked, at)
        ticked |= found
        await asyncio.sleep(LOOK_AGAIN_SECONDS)
    while await on_their_way(database, at, MailKind.DIGEST) or await on_their_way(database, None, MailKind.REMINDER):
        await asyncio.sleep(LOOK_AGAIN_SECONDS)
    return len(ticked)


async def on_their_way(database: Database, at: datetime | None, *kinds: MailKind) -> bool:
    """Say whether a mail of *kinds* that is due by *at*, or whenever, is not sent or not recorded."""
    concerned: Document = {"kind": {"$in": [kind.value for kind in kinds]}, **({"due_at": {"$lte": at}} if at else {})}
    unsent = {"status": {"$in": [status.value for status in OPEN]}, **concerned}
    unrecorded = {"recorded": False, "report_after": {"$exists": True}, **concerned}
    mails = database[MAILS]
    return bool(await mails.find_one(unsent, {"_id": 1}) or await mails.find_one(unrecorded, {"_id": 1}))
