"""A service put together: database, broker, transaction, relay, health; the same for every owner of state."""

from __future__ import annotations

import asyncio
import contextlib
import gc
from collections.abc import Callable, Mapping, Sequence
from time import monotonic
from typing import Any

import uvicorn
from aiokafka import AIOKafkaProducer
from pymongo import IndexModel
from starlette.types import ASGIApp

from shared import handling, relay, telemetry
from shared.broker import Listening, assert_topics
from shared.contracts.base import Topic
from shared.contracts.topics import dead_topic
from shared.decider import Decider
from shared.door import Health
from shared.handling import Handling, Store
from shared.mongo import Database, transient
from shared.producer import producer
from shared.relay import Relay, Shown
from shared.settings import Settings, load

STUCK_SECONDS = 60.0
log = telemetry.Log("service")


class Service:
    """The parts every owner of state has, started and stopped in order."""

    def __init__(
        self,
        name: str,
        settings: Settings,
        indexes: Mapping[str, Sequence[IndexModel]],
        store: Store[Any],
        decider: Decider[Any],
        states: Mapping[str, Shown],
        heard: Sequence[Topic],
        said: Sequence[Topic],
    ) -> None:
        self.database = Database(settings.mongodb_url, f"{settings.portal_database_prefix}_{name}")
        self._bootstrap = settings.kafka_bootstrap_servers
        self._indexes = {**handling.INDEXES, **relay.INDEXES, **indexes}
        self._topics = {topic.name: topic for topic in (*heard, *said, *(dead_topic(t) for t in heard if t.dead))}
        self._producer: AIOKafkaProducer | None = None
        self.relay = Relay(name, self.database, self.producer, states)
        self.handling = Handling(name, self.database, store, decider, self.relay)
        self.listening = Listening(name, self._bootstrap, self.database, self.handling, self.relay)
        for topic in heard:
            self.listening.to(topic)
        self.health = Health(self._trouble, self._stuck, self._measure)
        self._seen_database = 0.0

    def producer(self) -> AIOKafkaProducer:
        """Return the producer; it runs from start to stop."""
        assert self._producer is not None
        return self._producer

    async def start(self) -> None:
        """Assert the ground (invariant 13), then hear and publish. Waits for a database or broker that is still away."""
        await self._patiently(lambda: self.database.ground(self._indexes))
        await self._patiently(lambda: assert_topics(self._bootstrap, self._topics.values()))
        self._producer = producer(self._bootstrap)
        await self._producer.start()
        self.relay.start()
        await self.listening.start()

    async def stop(self) -> None:
        """Let what runs end."""
        await self.listening.stop()
        await self.relay.stop()
        if self._producer is not None:
            with contextlib.suppress(Exception):  # a broker that is away cannot be said goodbye to
                await self._producer.stop()
        self.database.close()

    async def _patiently(self, step: Callable[[], Any]) -> None:
        while True:
            try:
                await step()
                return
            except Exception as error:
                if not (transient(error) or isinstance(error, OSError) or type(error).__module__.startswith("aiokafka")):
                    raise
                log.warning("waits_for_ground", error=repr(error)[:300])
                await asyncio.sleep(1)

    def _trouble(self) -> list[str]:
        away = [] if monotonic() - self._seen_database < 10 else ["the database does not answer"]
        return away + self.listening.trouble()

    def _stuck(self) -> list[str]:
        stuck = [] if self.relay.alive else ["the relay has ended"]
        return stuck + self.listening.stuck(STUCK_SECONDS)

    async def _measure(self) -> None:
        await self.listening.measure()
        await asyncio.wait_for(self.database.ping(), 5)
        self._seen_database = monotonic()
        await self.relay.measure()


def collect_seldom() -> None:
    """Let the garbage collector hardly ever look: neither a batch nor a request leaves cycles, and it would look amidst them."""
    gc.freeze()
    gc.set_threshold(500_000, 10, 10)


def serve(name: str, build: Callable[[Settings], ASGIApp]) -> None:
    """Run a service until it is told to stop."""
    telemetry.log_as(name)
    settings = load()
    app = build(settings)
    collect_seldom()
    uvicorn.run(
        app,
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=10,
        server_header=False,
    )
