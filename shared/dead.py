"""Records set aside: how they are written, listed, and replayed after a fix (E3).

``python -m shared.dead list|replay TOPIC [--partition P --offset O]``; topic, partition and offset are those of the
record's origin.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from shared.clock import now, rfc3339
from shared.contracts.topics import DEAD_PARTITIONS
from shared.messages import Letter, Record, Unreadable
from shared.settings import load

DEAD = ".dead"
REPLAYED = "dead_replayed"
MAX_REQUEST = 3 * 1024 * 1024


class NoSuchTopic(Exception):
    """Nothing is ever set aside from a topic of that name; the text says from which ones."""


def dead_letter(record: Record, fault: Unreadable, service: str, at: datetime) -> Letter:
    """Return *record* as it is set aside: key and bytes unchanged, its headers, and why and whence (contract, section 2)."""
    about = {
        "dead_reason": fault.reason,
        "dead_detail": fault.detail,
        "dead_topic": record.topic,
        "dead_partition": str(record.partition),
        "dead_offset": str(record.offset),
        "dead_service": service,
        "dead_at": rfc3339(at),
    }
    own = tuple((name, value) for name, value in record.headers if name not in about and name != REPLAYED)
    return Letter(
        f"{record.topic}{DEAD}",
        record.key,
        record.value,
        (*own, *((name, text.encode("utf-8", "replace")) for name, text in about.items())),
    )


async def letters(bootstrap: str, topic: str, partition: int | None, offset: int | None) -> AsyncIterator[Any]:
    """Yield the records set aside from there that the broker still holds, oldest first; None is anywhere. Raises NoSuchTopic."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False, max_partition_fetch_bytes=MAX_REQUEST)
    await consumer.start()
    try:
        known = sorted(name.removesuffix(DEAD) for name in await consumer.topics() if name.endswith(DEAD))
        if topic not in known:
            raise NoSuchTopic(f"nothing is set aside from {topic!r}: take one of {', '.join(known)}")
        for number in range(DEAD_PARTITIONS):
            tp = TopicPartition(f"{topic}{DEAD}", number)
            consumer.assign([tp])
            # seek_to_beginning can lose to the reset to "latest" that begins with every assignment: then nothing is found
            consumer.seek(tp, (await consumer.beginning_offsets([tp]))[tp])
            end = (await consumer.end_offsets([tp]))[tp]
            while await consumer.position(tp) < end:
                for record in (await consumer.getmany(tp, timeout_ms=1000)).get(tp, []):
                    if record.offset < end and _came_from(record, partition, offset):
                        yield record
    finally:
        await consumer.stop()


async def show(bootstrap: str, topic: str, partition: int | None = None, offset: int | None = None) -> int:
    """Print one line a record set aside; return how many."""
    count = 0
    async for record in letters(bootstrap, topic, partition, offset):
        about = {name: value.decode(errors="replace") for name, value in record.headers if name.startswith("dead_")}
        place = f"{about.get('dead_topic')} {about.get('dead_partition')} {about.get('dead_offset')}"
        print(f"{place} {about.get('dead_at')} {about.get('dead_reason')} {len(record.value or b'')}B {about.get('dead_detail')}")
        count += 1
    return count


async def replay(bootstrap: str, topic: str, partition: int | None, offset: int | None) -> int:
    """Send records set aside from *topic* there again, marked as replayed; return how many."""
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", enable_idempotence=True, max_request_size=MAX_REQUEST)
    await producer.start()
    count = 0
    try:
        async for record in letters(bootstrap, topic, partition, offset):
            headers = [(name, value) for name, value in record.headers if not name.startswith("dead_")]
            headers.append((REPLAYED, rfc3339(now()).encode()))
            origin = int(dict(record.headers)["dead_partition"])
            await producer.send_and_wait(topic, record.value, record.key, partition=origin, headers=headers)
            count += 1
    finally:
        await producer.stop()
    return count


def _came_from(record: Any, partition: int | None, offset: int | None) -> bool:
    about = dict(record.headers)
    origin = ((partition, "dead_partition"), (offset, "dead_offset"))
    return all(wanted is None or int(about[name]) == wanted for wanted, name in origin)


def main(arguments: list[str]) -> int:
    """Carry out one command line; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m shared.dead", description="List and replay records set aside.")
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("list", "replay"):
        command = commands.add_parser(name)
        command.add_argument("topic")
        command.add_argument("--partition", type=int)
        command.add_argument("--offset", type=int)
    asked = parser.parse_args(arguments)
    bootstrap = load().kafka_bootstrap_servers
    try:
        if asked.command == "list":
            print(f"{asyncio.run(show(bootstrap, asked.topic, asked.partition, asked.offset))} set aside", file=sys.stderr)
        else:
            print(f"{asyncio.run(replay(bootstrap, asked.topic, asked.partition, asked.offset))} replayed")
    except NoSuchTopic as wrong:
        print(wrong, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
