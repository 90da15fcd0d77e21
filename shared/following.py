"""Whether what was said has had its effect elsewhere: for ticks from a command line, which return when all is done."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from aiokafka import AIOKafkaConsumer, TopicPartition

from shared.claims import POSITIONS
from shared.contracts.base import Topic
from shared.mongo import Database
from shared.relay import MARKS, ROWS
from shared.settings import Settings
from shared.ticking import LOOK_AGAIN_SECONDS


async def followed(settings: Settings, service: str, topic: Topic) -> None:
    """Return once *service* has handled all that stands on *topic* by now, and has told what that led to."""
    ends = await _ends(settings.kafka_bootstrap_servers, topic)
    database = Database(settings.mongodb_url, f"{settings.portal_database_prefix}_{service}")
    try:
        while await _lags(database, {f"{service}/{topic.name}/{partition}": end for partition, end in ends.items() if end}):
            await asyncio.sleep(LOOK_AGAIN_SECONDS)
    finally:
        database.close()


async def _lags(database: Database, ends: Mapping[str, int]) -> bool:
    """Say whether a position is before its end, or something waits in the outbox."""
    found = database[POSITIONS].find({"_id": {"$in": sorted(ends)}}, {"next": 1})
    reached = [position["_id"] async for position in found if position["next"] >= ends[position["_id"]]]
    waiting = {"source": {"$in": sorted(ends)}}
    if len(reached) < len(ends) or await database[ROWS].find_one(waiting, {"_id": 1}):
        return True
    return await database[MARKS].find_one(waiting, {"_id": 1}) is not None


async def _ends(bootstrap: str, topic: Topic) -> Mapping[int, int]:
    """Return by partition how many records were ever written."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap)
    await consumer.start()
    try:
        ends = await consumer.end_offsets([TopicPartition(topic.name, partition) for partition in range(topic.partitions)])
        return {tp.partition: end for tp, end in ends.items()}
    finally:
        await consumer.stop()
