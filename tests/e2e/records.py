"""What is on the broker, read as any other service would: every partition of a topic, up to now."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from tests.e2e.portal import Outside

MOST_BYTES = 3 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class News:
    """A CloudEvent in binary mode."""

    key: str
    attributes: dict[str, str]
    data: dict[str, Any]

    @property
    def kind(self) -> str:
        """Its type, without the version."""
        return self.attributes["ce_type"].removesuffix(".v1")


async def records(outside: Outside, *topics: str) -> list[Any]:
    """Return every record of *topics*, or of all topics there are."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=outside.endpoints["KAFKA_BOOTSTRAP_SERVERS"], max_partition_fetch_bytes=MOST_BYTES
    )
    await consumer.start()
    try:
        cluster = await consumer._client.fetch_all_metadata()
        names = topics or cluster.topics()
        parts = [TopicPartition(name, n) for name in names for n in cluster.partitions_for_topic(name)]
        consumer.assign(parts)
        await consumer.seek_to_beginning(*parts)
        ends = await consumer.end_offsets(parts)
        found: list[Any] = []
        while any([await consumer.position(part) < end for part, end in ends.items()]):
            for some in (await consumer.getmany(timeout_ms=500)).values():
                found += some
        return found
    finally:
        await consumer.stop()


async def news(outside: Outside, client_id: str) -> list[News]:
    """Return what other services were told of a client, in order (contract, section 2: portal.clients)."""
    return [
        News(record.key.decode(), {name: value.decode() for name, value in record.headers}, json.loads(record.value))
        for record in await records(outside, "portal.clients")
        if record.key == client_id.encode()
    ]
