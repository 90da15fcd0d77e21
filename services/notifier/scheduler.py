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
from shared.messages import write
from shared.mongo import Database
from shared.telemetry import Log, new_trace

AT_ONCE = 5_000
SAID_AGAIN_SECONDS = 30.0  # a tick on its way is not said again at every turn
SETTLED_WITHIN_SECONDS = 120.0
LOOK_AGAIN_SECONDS = 0.1
log = Log("scheduler")


class Scheduler:
    """Ticks as often as the settings say, for as long as the service runs; five of them do no harm."""

    def __init__(self, database: Database, producer: Callable[[], Any], seconds: float) -> None:
        self._database = database
        self._producer = producer
        self._seconds = seconds
        self._said: dict[tuple[str, datetime], float] = {}
        self._task: asyncio.Task[None] | None = None
        self._last_turn = monotonic()

    async def start(self) -> None:
        """Begin to tick."""
        self._last_turn = monotonic()
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Tick no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def stuck(self, seconds: float) -> list[str]:
        """Return why this process should be started anew; empty is good."""
        if self._task is not None and self._task.done():
            return ["the scheduler has ended"]
        silent = monotonic() - self._last_turn
        return [f"the scheduler has not turned for {silent:.0f} s"] if silent > seconds + self._seconds else []

    async def _run(self) -> None:
        while True:
            self._last_turn = monotonic()
            try:
                await self._turn(now())
            except Exception as error:
                log.warning("tick_waits", error=repr(error)[:500])
            await asyncio.sleep(self._seconds)

    async def _turn(self, at: datetime) -> None:
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
    moment, sent = now(), []
    for member_id in sorted(member_ids):
        fell_due = DigestFellDue.model_validate({"member_id": member_id, "at": at})
        name = f"due.{member_id}.{rfc3339(at)}"
        letter = write(COMMANDS, member_id, fell_due, id=name, source="portal.notifier", time=moment, trace=new_trace())
        sent.append(await producer.send(letter.topic, letter.value, letter.key, headers=list(letter.headers)))
    await asyncio.gather(*sent)


async def tick(database: Database, producer: Any, at: datetime) -> int:
    """Treat everything due by *at* as due; return how many members that was, once all is settled, mailed and recorded.

    Raises TimeoutError after 120 s, e.g. if no notifier runs or the mail server is away.
    """
    ticked: set[str] = set()
    async with asyncio.timeout(SETTLED_WITHIN_SECONDS):
        while found := {member_id for member_id, _ in await due(database, at, AT_ONCE)}:
            await publish(producer, found - ticked, at)
            ticked |= found
            await asyncio.sleep(LOOK_AGAIN_SECONDS)
        while await _unsettled(database, at):
            await asyncio.sleep(LOOK_AGAIN_SECONDS)
    return len(ticked)


async def _unsettled(database: Database, at: datetime) -> bool:
    """Say whether a mail due by *at*, or a reminder of whenever, is not sent or not recorded."""
    concerned = [{"due_at": {"$lte": at}, "kind": MailKind.DIGEST.value}, {"kind": MailKind.REMINDER.value}]
    where = {"recorded": False, "$or": concerned}
    on_its_way = {"status": {"$in": [status.value for status in OPEN]}, "$or": concerned}
    mails = database[MAILS]
    return bool(await mails.find_one(on_its_way, {"_id": 1}) or await mails.find_one(where, {"_id": 1}))
