"""To Kafka: a command is acknowledged by every replica, or its caller is told ("When a part is away")."""

from __future__ import annotations

import asyncio
from typing import Any

from aiokafka.errors import KafkaError

from shared.messages import Letter
from shared.producer import producer
from shared.telemetry import Log

PUBLISH_SECONDS = 3.4
log = Log("publisher")


class NotPublished(Exception):
    """Kafka did not acknowledge in time: the record may be on its way, or not."""


class Publisher:
    """One producer; one that broke for good is replaced."""

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap
        self._producer: Any = None
        self._lock = asyncio.Lock()

    async def start(self) -> None:
        """Connect; raises what Kafka raises."""
        self._producer = await self._fresh()

    async def stop(self) -> None:
        """Send what waits and disconnect."""
        if self._producer is not None:
            await self._discard(self._producer)

    @property
    def started(self) -> bool:
        """Whether there is a producer that can be used."""
        return self._producer is not None

    async def publish(self, letter: Letter) -> None:
        """Return when *letter* is on every replica; raises NotPublished if that is not known within four seconds."""
        used = self._producer
        try:
            async with asyncio.timeout(PUBLISH_SECONDS):
                if used is None:
                    used = await self._replace(None)
                sent = await used.send(letter.topic, letter.value, letter.key, headers=list(letter.headers))
                sent.add_done_callback(_seen)
                await asyncio.shield(sent)  # giving up the wait does not take the record back
        except TimeoutError as late:
            raise NotPublished("not acknowledged in time") from late
        except (KafkaError, OSError) as error:
            log.warning("publish_failed", error=repr(error)[:300])
            if not getattr(error, "retriable", False):
                await self._let_go(used)
            raise NotPublished(repr(error)) from error

    async def _replace(self, broken: Any) -> Any:
        async with self._lock:
            if self._producer is broken:
                self._producer = await self._fresh()
            return self._producer

    async def _let_go(self, broken: Any) -> None:
        """A producer whose sequence is broken sends nothing any more; the next command makes a new one."""
        if broken is not None and self._producer is broken:
            self._producer = None
            self._ending = asyncio.create_task(self._discard(broken))

    async def _fresh(self) -> Any:
        made = producer(self._bootstrap)
        try:
            await made.start()
        except BaseException:
            await self._discard(made)
            raise
        return made

    async def _discard(self, old: Any) -> None:
        try:
            await asyncio.wait_for(old.stop(), PUBLISH_SECONDS)
        except Exception as error:
            log.warning("producer_not_stopped", error=repr(error)[:300])


def _seen(sent: asyncio.Future[Any]) -> None:
    if not sent.cancelled():
        sent.exception()  # a failure nobody waits for any more is told by the command's status
