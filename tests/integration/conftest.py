"""A bench per test: topics and a database of its own on the shared ground."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from uuid import uuid4

import pytest
from aiokafka.admin import AIOKafkaAdminClient

from shared.broker import provision
from shared.mongo import Database
from shared.producer import producer
from tests.integration.toy import Bench, Topics
from tests.system import Ground

Benches = Callable[[int], Awaitable[Bench]]


@pytest.fixture
async def benches(ground: Ground) -> AsyncIterator[Benches]:
    """Make benches with so many partitions of facts; what they made is gone after the test."""
    async with contextlib.AsyncExitStack() as made:

        async def make(partitions: int) -> Bench:
            return await made.enter_async_context(_bench(ground, Topics.fresh(partitions)))

        yield make


@pytest.fixture
async def bench(benches: Benches) -> Bench:
    """A bench with one partition of facts, where order is easy to tell."""
    return await benches(1)


@contextlib.asynccontextmanager
async def _bench(ground: Ground, topics: Topics) -> AsyncIterator[Bench]:
    name = f"t{uuid4().hex[:12]}"
    await provision(ground.kafka, topics.all)
    database = Database(ground.mongodb, f"{name}_toy")
    sender = producer(ground.kafka)
    await sender.start()
    bench = Bench(ground, topics, name, database, sender)
    try:
        yield bench
    finally:
        for service in bench.running:
            await service.stop()
        await sender.stop()
        await database.drop()
        database.close()
        admin = AIOKafkaAdminClient(bootstrap_servers=ground.kafka)
        await admin.start()
        try:
            await admin.delete_topics([topic.name for topic in topics.all])
        finally:
            await admin.close()
