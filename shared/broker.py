"""Kafka for everybody: how topics are made and checked, how records are heard, how they are sent.

``python -m shared.broker provision`` makes every topic of the published language on the broker in the environment.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import TopicAlreadyExistsError, for_code
from faststream import AckPolicy
from faststream.kafka import KafkaBroker, KafkaMessage

from shared.claims import Claims
from shared.contracts.base import Cleanup, Topic
from shared.contracts.topics import ALL
from shared.handling import Handling
from shared.lanes import Lanes, Turns
from shared.mongo import Database, GroundMissing
from shared.relay import Relay
from shared.settings import load

TOLD_WITHIN_SECONDS = 30


async def unopened(batch: tuple[Any, ...], original: Callable[[Any], Awaitable[KafkaMessage]]) -> KafkaMessage:
    """Return a batch without a look into it: FastStream's own parser raises at a header that is no UTF-8, and for ever."""
    message = await original((replace(batch[0], headers=()),))
    message.raw_message = batch
    return message


async def raw_records(message: KafkaMessage) -> Any:
    """Return the records of a batch as they came. It is async because FastStream runs other decoders in a thread each."""
    return message.raw_message


class Listening:
    """Declares the subscribers of one service: batches, positions in the database, nothing that Kafka's offsets decide."""

    def __init__(
        self,
        service: str,
        bootstrap: str,
        database: Database,
        handling: Handling[Any],
        relay: Relay,
    ) -> None:
        self.broker = KafkaBroker(bootstrap, apply_types=False, allow_auto_create_topics=False, logger=None)
        self.claims: dict[str, Claims] = {}
        self._service = service
        self._database = database
        self._handling = handling
        self._relay = relay

    def to(self, topic: Topic) -> None:
        """Hear *topic*. The group carries service and topic, so that a rebalance of one topic stalls no other."""
        claims = Claims(self._service, self._database, self._relay.wake)
        subscriber = self.broker.subscriber(
            topic.name,
            batch=True,
            group_id=f"{self._service}.{topic.name}",  # renaming it forgets nothing (positions are ours), but SREs alert on it
            auto_offset_reset="earliest",
            partition_assignment_strategy=(RangePartitionAssignor,),
            ack_policy=AckPolicy.NACK_ON_ERROR,
            parser=unopened,
            decoder=raw_records,
            listener=claims,
            heartbeat_interval_ms=500,
            session_timeout_ms=6000,  # below it a broker refuses
            rebalance_timeout_ms=10_000,  # the drain of running transactions must fit in
        )

        lanes = Lanes(topic, claims, self._handling, subscriber.lock)

        async def on_records(records: Any) -> None:  # FastStream builds a model of what is annotated
            await lanes.begin(records)

        subscriber(on_records)
        subscriber.get_msg = Turns().polled  # type: ignore[method-assign]
        claims.attach(subscriber)
        self.claims[topic.name] = claims

    async def start(self) -> None:
        """Begin to hear."""
        await self.broker.start()

    async def stop(self) -> None:
        """Let running batches end and leave the groups."""
        for claims in self.claims.values():
            await claims.stop()
        await self.broker.stop()

    def trouble(self) -> list[str]:
        """Return why this service is not ready to handle everything, in sentences; empty is good."""
        found = [text for claims in self.claims.values() for text in claims.trouble.values()]
        return found + [f"{name} is not claimed yet" for name, claims in self.claims.items() if not claims.ready]

    def stuck(self, seconds: float) -> list[str]:
        """Return which partitions wait without progress: consumers are known to go silent (liveness)."""
        return [text for claims in self.claims.values() for text in claims.stuck(seconds)]

    async def measure(self) -> None:
        """Set the lag of every partition held here."""
        for claims in self.claims.values():
            await claims.measure()


def _configs(topic: Topic) -> dict[str, str]:
    configs = {"cleanup.policy": topic.cleanup.value, "max.message.bytes": str(topic.max_message_bytes)}
    if topic.cleanup is Cleanup.DELETE and topic.retention is not None:
        configs["retention.ms"] = str(int(topic.retention.total_seconds() * 1000))
    return configs


async def provision(bootstrap: str, topics: Iterable[Topic] = ALL) -> None:
    """Make every topic that is missing; what stands already stays. Raises what the broker refuses."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        wanted = [NewTopic(t.name, t.partitions, 1, topic_configs=_configs(t)) for t in topics]
        answer = await admin.create_topics(wanted)
        for name, code, *_ in answer.topic_errors:
            error = for_code(code)
            if code and error is not TopicAlreadyExistsError:
                raise error(f"{name} could not be made")
        await _until_told(admin, {topic.name for topic in wanted})
    finally:
        await admin.close()


async def _until_told(admin: AIOKafkaAdminClient, names: set[str]) -> None:
    """Return once the broker tells of every topic: it does so a moment after it has made them. Raises TimeoutError."""
    async with asyncio.timeout(TOLD_WITHIN_SECONDS):
        while names - {t["topic"] for t in await admin.describe_topics(sorted(names)) if not t["error_code"]}:
            await asyncio.sleep(0.1)


async def assert_topics(bootstrap: str, topics: Iterable[Topic]) -> None:
    """Raise GroundMissing unless every topic stands with its partitions and clean-up policy (invariant 13)."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        wanted = {topic.name: topic for topic in topics}
        found = {t["topic"]: t for t in await admin.describe_topics(list(wanted)) if not t["error_code"]}
        for name, topic in wanted.items():
            if name not in found:
                raise GroundMissing(f"the topic {name} is missing: run `python -m shared.broker provision`")
            if len(found[name]["partitions"]) != topic.partitions:
                raise GroundMissing(
                    f"the topic {name} has {len(found[name]['partitions'])} partitions, not {topic.partitions}: make it anew"
                )
        resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in wanted]
        for answer in await admin.describe_configs(resources):
            for _, _, _, name, entries in answer.resources:
                policy = next(entry[1] for entry in entries if entry[0] == "cleanup.policy")
                if policy != wanted[name].cleanup.value:
                    raise GroundMissing(
                        f"the topic {name} has cleanup.policy={policy}, not {wanted[name].cleanup.value}: alter it"
                    )
    finally:
        await admin.close()


if __name__ == "__main__":
    if sys.argv[1:] != ["provision"]:
        sys.exit("usage: python -m shared.broker provision")
    asyncio.run(provision(load().kafka_bootstrap_servers))
