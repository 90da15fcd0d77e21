"""Hearing topics from now on, without a group: every replica hears everything, and remembers nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from time import monotonic
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from shared.contracts.base import Topic
from shared.messages import Record
from shared.telemetry import LAG, Log

POLL_MS = 500
RETRY_MS = 500
LOOK_SECONDS = 2.0
LOOK_TIMEOUT = 4.0
START_TIMEOUT = 15.0
SILENT_SECONDS = 10.0
AWAY_SECONDS = 6.0
STUCK_SECONDS = 60.0
PAUSE_SECONDS = 0.5
log = Log("tail")


class Tail:
    """Hears every partition of *topics* from the end on; a lost broker is joined again where hearing broke off."""

    def __init__(
        self,
        service: str,
        bootstrap: str,
        topics: Sequence[Topic],
        heard: Callable[[Record], None],
        gap: Callable[[], None] = lambda: None,
    ) -> None:
        self._service = service
        self._bootstrap = bootstrap
        self._partitions = [TopicPartition(topic.name, number) for topic in topics for number in range(topic.partitions)]
        self._heard = heard
        self._gap = gap
        self._next: dict[TopicPartition, int] = {}
        self._task: asyncio.Task[None] | None = None
        self._ready = asyncio.Event()
        self._polled = self._seen = self._moved = monotonic()

    async def start(self) -> None:
        """Begin to hear; returns when every partition has its position, so nothing published from then on is missed."""
        self._task = asyncio.create_task(self._run())
        async with asyncio.timeout(START_TIMEOUT * 2):
            await self._ready.wait()

    async def stop(self) -> None:
        """Stop hearing."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    @property
    def ready(self) -> bool:
        """Whether it hears, and the broker was seen lately."""
        return self._ready.is_set() and monotonic() - self._seen < AWAY_SECONDS + LOOK_SECONDS

    @property
    def stuck(self) -> bool:
        """Whether the hearing task itself makes no progress: a matter for a restart."""
        return self._task is not None and (self._task.done() or monotonic() - self._polled > STUCK_SECONDS)

    async def _run(self) -> None:
        while True:
            try:
                await self._hear()
            except Exception as error:
                log.warning("tail_broke_off", error=repr(error)[:300])
            self._ready.clear()
            self._polled = monotonic()
            await asyncio.sleep(PAUSE_SECONDS)

    async def _hear(self) -> None:
        """Hear until the consumer fails, or the head moves and nothing arrives."""
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self._bootstrap,
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="latest",
            request_timeout_ms=10_000,
            retry_backoff_ms=RETRY_MS,  # aiokafka says each try aloud
        )
        try:
            async with asyncio.timeout(START_TIMEOUT):
                await consumer.start()
                consumer.assign(self._partitions)
                await self._place(consumer)
            self._seen = self._moved = monotonic()
            self._ready.set()
            looking = asyncio.create_task(self._look(consumer))
            try:
                while not looking.done():
                    self._deliver(await consumer.getmany(timeout_ms=POLL_MS))
                await looking
            finally:
                looking.cancel()
                await asyncio.gather(looking, return_exceptions=True)
        finally:
            await asyncio.wait_for(consumer.stop(), START_TIMEOUT)

    async def _place(self, consumer: Any) -> None:
        """Seek to where hearing broke off, or to the end."""
        begins = await consumer.beginning_offsets(self._partitions)
        ends = await consumer.end_offsets(self._partitions)
        for tp in self._partitions:
            was = self._next.get(tp)
            if was is not None and not begins[tp] <= was <= ends[tp]:
                log.warning("tail_has_a_gap", topic=tp.topic, partition=tp.partition, next=was, begin=begins[tp], end=ends[tp])
                self._gap()
                was = None
            self._next[tp] = ends[tp] if was is None else was
            consumer.seek(tp, self._next[tp])

    def _deliver(self, batch: dict[TopicPartition, list[Record]]) -> None:
        self._polled = monotonic()
        for tp, records in batch.items():
            self._moved = self._polled
            for record in records:
                try:
                    self._heard(record)
                except Exception as error:  # one odd record must not deafen this replica
                    log.error("hearing_failed", error, topic=tp.topic, partition=tp.partition, offset=record.offset)
            self._next[tp] = records[-1].offset + 1

    async def _look(self, consumer: Any) -> None:
        """See whether the broker is there, and return when it has more than we were given for too long."""
        behind_since: float | None = None
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                async with asyncio.timeout(LOOK_TIMEOUT):
                    ends = await consumer.end_offsets(self._partitions)
            except Exception as error:
                log.warning("broker_not_seen", error=repr(error)[:300])
                continue
            now = self._seen = monotonic()
            behind = 0
            for tp, end in ends.items():
                behind += max(0, end - self._next[tp])
                LAG.labels(self._service, tp.topic, str(tp.partition)).set(max(0, end - self._next[tp]))
                if end < self._next[tp]:
                    return  # the topic was made anew
            behind_since = (behind_since or now) if behind else None
            if behind_since is not None and now - max(behind_since, self._moved) > SILENT_SECONDS:
                log.warning("tail_went_silent", behind=behind)
                return
