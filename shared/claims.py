"""Who may write for a partition: claims by epoch, kept in the database beside the state (invariants 2 and 3)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

from aiokafka import ConsumerRebalanceListener, TopicPartition
from pymongo import ReturnDocument

from shared.mongo import Database
from shared.telemetry import LAG, LOST, Log

POSITIONS = "positions"
DRAIN_SECONDS = 8.0  # below rebalance_timeout_ms, or the member is thrown out
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 10.0
MOST_AT_ONCE = 4000  # by weight: well under a second of a transaction that may live five
log = Log("claims")


@dataclass(slots=True)
class Claim:
    """The right to write for one partition: *epoch* fences others, *next* is the first record not yet handled.

    *turn* is held by the batch that is being handled: the next one waits for it.
    """

    id: str
    topic: str
    partition: int
    epoch: int
    next: int
    turn: asyncio.Lock = field(default_factory=asyncio.Lock, repr=False, compare=False)


class Claims(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka has no types
    """The claims of one subscriber. Pauses what is assigned, claims it in a task, seeks, resumes.

    Kafka's own offsets never decide where we start. A partition without a claim has no one to handle its records.
    """

    def __init__(self, service: str, database: Database, claimed: Callable[[str], None]) -> None:
        self._service = service
        self._database = database
        self._claimed = claimed
        self._subscriber: Any = None
        self._held: dict[TopicPartition, Claim] = {}
        self._tasks: dict[TopicPartition, asyncio.Task[None]] = {}
        self._pauses: dict[TopicPartition, float] = {}
        self.trouble: dict[str, str] = {}
        self._waits: dict[str, tuple[int, float]] = {}
        self._joined = False

    def attach(self, subscriber: Any) -> None:
        """Tell which FastStream subscriber these claims are for."""
        self._subscriber = subscriber

    @property
    def ready(self) -> bool:
        """Whether every assigned partition is claimed, and at least the consumer runs."""
        consumer = self._consumer
        return (
            consumer is not None and bool(consumer.assignment() or self._joined) and set(consumer.assignment()) <= set(self._held)
        )

    @property
    def _consumer(self) -> Any:
        return self._subscriber.consumer if self._subscriber is not None else None

    def held(self, topic: str, partition: int) -> Claim | None:
        """Return the claim on a partition, or None: then its records are not ours to handle."""
        return self._held.get(TopicPartition(topic, partition))

    def settled(self, claim: Claim) -> None:
        """A batch of *claim* was committed: what had gone wrong is forgotten."""
        self._pauses.pop(TopicPartition(claim.topic, claim.partition), None)

    def most(self, claim: Claim) -> int:
        """Return how many records of *claim* go into one transaction, by weight: fewer each time an outage stopped it.

        What stopped it may have been that it lived longer than the database allows.
        """
        pause = self._pauses.get(TopicPartition(claim.topic, claim.partition))
        return MOST_AT_ONCE if pause is None else max(1, int(MOST_AT_ONCE * FIRST_PAUSE / (8 * pause)))

    def lost(self, claim: Claim) -> None:
        """Give *claim* up and look again after a growing pause: it was fenced, or an outage stopped it."""
        tp = TopicPartition(claim.topic, claim.partition)
        if self._held.get(tp) is not claim:
            return
        del self._held[tp]
        self._waits.pop(claim.id, None)
        pause = self._pauses[tp] = min(self._pauses.get(tp, FIRST_PAUSE / 2) * 2, LONGEST_PAUSE)
        if tp in self._consumer.assignment():
            self._consumer.pause(tp)
            self._spawn(tp, pause)

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        """Pause before any await: the fetcher does not wait for us. No heartbeat is sent while this runs."""
        self._joined = True
        if assigned:
            self._consumer.pause(*assigned)
        for tp in assigned:
            self._spawn(tp, 0)

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        """Begin nothing more, and return when running transactions have ended; heartbeats go on here."""
        await self.stop()

    async def stop(self) -> None:
        """Hold nothing any longer, and return when running transactions have ended."""
        for task in self._tasks.values():
            task.cancel()
        self._tasks.clear()
        self._held.clear()
        self._waits.clear()
        if self._subscriber is not None:
            await self._subscriber.lock.wait_release(DRAIN_SECONDS)

    def _spawn(self, tp: TopicPartition, after: float) -> None:
        previous = self._tasks.pop(tp, None)
        if previous is not None:
            previous.cancel()
        self._tasks[tp] = asyncio.create_task(self._claim(tp, after))

    async def _claim(self, tp: TopicPartition, after: float) -> None:
        pause = max(after, FIRST_PAUSE)
        await asyncio.sleep(after)
        while True:
            try:
                if await self._try(tp):
                    return
            except Exception as error:
                log.warning("claim_waits", topic=tp.topic, partition=tp.partition, error=repr(error))
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)

    async def _try(self, tp: TopicPartition) -> bool:
        consumer = self._consumer
        begin = (await consumer.beginning_offsets([tp]))[tp]
        end = (await consumer.end_offsets([tp]))[tp]
        name = f"{self._service}/{tp.topic}/{tp.partition}"
        position = await self._database[POSITIONS].find_one_and_update(
            {"_id": name}, {"$inc": {"epoch": 1}, "$setOnInsert": {"next": 0}}, upsert=True, return_document=ReturnDocument.AFTER
        )
        start = position["next"]
        if start > end:
            self.trouble[name] = f"{name}: our position {start} is beyond the log's end {end}; was the topic made anew?"
            log.warning("position_beyond_end", topic=tp.topic, partition=tp.partition, next=start, end=end)
            return False
        if start < begin:
            moved = await self._database[POSITIONS].update_one(
                {"_id": name, "epoch": position["epoch"]}, {"$set": {"next": begin}}
            )
            if moved.matched_count == 0:
                return False
            if start > 0:
                LOST.labels(self._service, tp.topic).inc(begin - start)
                log.warning("records_lost", topic=tp.topic, partition=tp.partition, count=begin - start)
            start = begin
        self.trouble.pop(name, None)
        if tp not in consumer.assignment():
            return True  # revoked meanwhile: whoever holds it claims it
        self._held[tp] = Claim(name, tp.topic, tp.partition, position["epoch"], start)
        consumer.seek(tp, start)
        consumer.resume(tp)
        self._claimed(name)
        return True

    def stuck(self, seconds: float) -> list[str]:
        """Return which partitions have had records waiting for *seconds* without our position moving."""
        return [
            f"{i} has not moved for {monotonic() - s:.0f} s" for i, (_, s) in self._waits.items() if monotonic() - s > seconds
        ]

    async def measure(self) -> None:
        """Set the lag of every partition held here, and note since when one waits."""
        for tp, claim in list(self._held.items()):
            head = self._consumer.highwater(tp)
            if head is not None:
                if head <= claim.next:
                    self._waits.pop(claim.id, None)
                elif self._waits.get(claim.id, (-1, 0.0))[0] != claim.next:
                    self._waits[claim.id] = (claim.next, monotonic())
                LAG.labels(self._service, tp.topic, str(tp.partition)).set(max(0, head - claim.next))
