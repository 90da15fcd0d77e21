"""The pace of partitions: each in its turn is read and handles its records in order, and none waits for another."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AbstractContextManager
from itertools import chain
from typing import Any

from shared.claims import MOST_AT_ONCE, Claim, Claims
from shared.contracts.base import Topic
from shared.handling import Handling
from shared.messages import Record

LEFT_IN_HAND = 6_000  # records: one large transaction is under way while the next records are fetched; memory bounds it
POLL_MS = 1000


class Turns:
    """Reads a consumer's partitions in turn, and all that was fetched of one: a transaction is dear, a large one hardly dearer.

    FastStream's own poll takes what comes to a number, and leaves rests that are batches of their own; and it asks fifty
    times a second, where each empty answer is followed by a sleep, which is its latency, too.
    """

    def __init__(self) -> None:
        self._last = -1

    async def polled(self, consumer: Any) -> tuple[Record, ...]:
        """Return the next partition's records; if none waits, what comes within a while, which may be nothing."""
        for tp in sorted(consumer.assignment(), key=lambda tp: (tp.partition <= self._last, tp.partition)):
            if records := (await consumer.getmany(tp, max_records=MOST_AT_ONCE)).get(tp):
                self._last = tp.partition
                return tuple(records)
        found = await consumer.getmany(timeout_ms=POLL_MS, max_records=MOST_AT_ONCE)
        return tuple(chain.from_iterable(found.values()))


class Lanes:
    """Hands records of *topic* over, a batch a partition at a time; *busy* is held while one is handled or waits.

    A slow partition holds up the others only once its own next records wait.
    """

    def __init__(self, topic: Topic, claims: Claims, handling: Handling[Any], busy: AbstractContextManager[Any]) -> None:
        self._topic = topic
        self._claims = claims
        self._handling = handling
        self._busy = busy
        self._tasks: set[asyncio.Task[None]] = set()
        self._in_hand = 0
        self._fewer = asyncio.Condition()

    async def begin(self, records: Sequence[Record]) -> None:
        """Handle *records*; return once every partition has begun with its own, and few are left in hand."""
        by_partition: dict[int, list[Record]] = {}
        for record in records:
            by_partition.setdefault(record.partition, []).append(record)
        begun = [
            self._enter(claim, some) for n, some in by_partition.items() if (claim := self._claims.held(self._topic.name, n))
        ]
        for event in begun:
            await event.wait()
        async with self._fewer:
            await self._fewer.wait_for(lambda: self._in_hand <= LEFT_IN_HAND)

    def _enter(self, claim: Claim, records: Sequence[Record]) -> asyncio.Event:
        begun = asyncio.Event()
        task = asyncio.create_task(self._in_turn(claim, records, begun))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return begun

    async def _in_turn(self, claim: Claim, records: Sequence[Record], begun: asyncio.Event) -> None:
        self._in_hand += len(records)
        try:
            with self._busy:
                async with claim.turn:
                    begun.set()
                    if self._claims.held(claim.topic, claim.partition) is claim:  # else who claims anew reads them again
                        await self._handling.handle(self._topic, self._claims, claim, records)
        finally:
            self._in_hand -= len(records)
            async with self._fewer:
                self._fewer.notify_all()
