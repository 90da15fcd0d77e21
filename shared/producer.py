"""How records are sent: acknowledged by every replica, once and in order. It knows nothing of who hears them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

from aiokafka import AIOKafkaProducer

from shared.messages import Letter

MAX_REQUEST_BYTES = 3 * 1024 * 1024


def producer(bootstrap: str) -> AIOKafkaProducer:
    """Return a producer whose acknowledged records are on every replica, once and in order."""
    return AIOKafkaProducer(
        bootstrap_servers=bootstrap,
        acks="all",
        enable_idempotence=True,
        linger_ms=0,
        max_request_size=MAX_REQUEST_BYTES,
    )


async def send(producer: Any, letters: Iterable[Letter]) -> None:
    """Send *letters* in order; return once the broker has them all, raise what it raised otherwise."""
    sent = [await producer.send(letter.topic, letter.value, letter.key, headers=list(letter.headers)) for letter in letters]
    await asyncio.gather(*sent)
