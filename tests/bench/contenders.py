"""Who is measured: clients as shipped, the same without the transaction, and FastStream one record at a time.

All of them hear the real topic in one process and one loop, from its beginning, each in a consumer group of its own. Who
is not running is paused, so that they run one after another on the same backlog.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from time import perf_counter
from typing import Any, Protocol, TypeVar

from faststream import AckPolicy
from faststream.kafka import KafkaBroker, KafkaMessage

from services.clients.documents import SHOWN
from services.clients.domain import CLIENTS
from services.clients.handlers import HEARD
from services.clients.store import INDEXES, ClientStore
from shared.contracts import clients, portal
from shared.contracts.pleo import RECEIPTS, ReceiptFact
from shared.mongo import Database, Tx
from shared.relay import MARKS
from shared.relay import ROWS as OUTBOX
from shared.service import Service
from shared.settings import Settings
from tests.bench import facts

T = TypeVar("T")
POLL = 0.005


class Contender(Protocol):
    """Who handles receipt facts and can be held."""

    @property
    def consumer(self) -> Any:
        """The consumer that hears them, once it runs."""
        ...

    @property
    def done(self) -> int:
        """How many facts it has committed."""
        ...

    @property
    def last(self) -> float:
        """When it committed the last ones."""
        ...

    async def start(self) -> None:
        """Begin to hear."""
        ...

    async def settle(self) -> None:
        """Return when nothing is left to be told about what was committed."""
        ...

    async def stop(self) -> None:
        """End, and forget the data."""
        ...


@dataclass(frozen=True, slots=True)
class Slice:
    """What one contender did in one turn."""

    records: int
    seconds: float

    @property
    def rate(self) -> float:
        """Records a second."""
        return self.records / self.seconds


class Shipped:
    """Clients as shipped, built from settings as `services.clients.app` builds it; *name* is what its group is called."""

    def __init__(self, settings: Settings, name: str = "clients") -> None:
        said = (*clients.TOPICS, *portal.TOPICS)
        self.service = Service(name, settings, INDEXES, ClientStore(), CLIENTS, SHOWN, HEARD, said)

    @property
    def claims(self) -> Any:
        return self.service.listening.claims[RECEIPTS.name]

    @property
    def consumer(self) -> Any:
        return self.claims._consumer

    @property
    def done(self) -> int:
        return sum(claim.next for claim in self.claims._held.values())

    @property
    def last(self) -> float:
        return self.service.handling.last_progress

    async def start(self) -> None:
        await facts.stand(self.service.database)
        await self.service.start()
        await _until(lambda: len(self.claims._held) == RECEIPTS.partitions)
        self.consumer.pause(*self.consumer.assignment())

    async def settle(self) -> None:
        while await self.service.database[MARKS].find_one() or await self.service.database[OUTBOX].find_one():
            await asyncio.sleep(0.1)

    async def stop(self) -> None:
        await self.service.database.drop()
        await self.service.stop()


class Untransacted(Shipped):
    """The same code on the same batches, but every write stands alone: no session, no transaction."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings, "plain")
        database: Any = self.service.database
        database.transaction = _alone(database)


def _alone(database: Database) -> Callable[[Callable[[Tx], Awaitable[T]]], Awaitable[T]]:
    no_session: Any = None

    async def run(work: Callable[[Tx], Awaitable[T]]) -> T:
        return await work(Tx(database._database, no_session))

    return run


class OneByOne:
    """FastStream as its tutorial has it: one message, one upsert, one commit. It keeps no counts and checks no order."""

    def __init__(self, settings: Settings) -> None:
        self._database = Database(settings.mongodb_url, f"{settings.portal_database_prefix}_single")
        self._broker = KafkaBroker(settings.kafka_bootstrap_servers, allow_auto_create_topics=False, logger=None)
        self._subscriber = self._broker.subscriber(
            RECEIPTS.name, group_id="single", auto_offset_reset="earliest", ack_policy=AckPolicy.MANUAL
        )
        self.done = 0
        self.last = 0.0

        async def on_fact(fact: ReceiptFact, message: KafkaMessage) -> None:
            expense = {"client_id": fact.client_id, "kind": message.headers["ce_type"], "at": message.headers["ce_time"]}
            where = {"_id": f"{fact.client_id}.{fact.expense_id}"}
            await self._database["expenses"].update_one(where, {"$set": expense}, upsert=True)
            await message.ack()
            self.done += 1
            self.last = perf_counter()

        self._subscriber(on_fact)

    @property
    def consumer(self) -> Any:
        return self._subscriber.consumer

    async def start(self) -> None:
        await self._broker.start()
        await _until(lambda: len(self.consumer.assignment()) == RECEIPTS.partitions)
        self.consumer.pause(*self.consumer.assignment())

    async def settle(self) -> None:
        return

    async def stop(self) -> None:
        await self._broker.stop()
        await self._database.drop()
        self._database.close()


async def turn(contender: Contender, records: int, most_seconds: float) -> Slice:
    """Let *contender* handle some *records*, at least one batch, and return what it did; it is paused before and after."""
    before, started = contender.done, perf_counter()
    contender.consumer.resume(*contender.consumer.assignment())
    while contender.done - before < records and perf_counter() - started < most_seconds:
        await asyncio.sleep(POLL)
    contender.consumer.pause(*contender.consumer.assignment())
    seen, since = contender.done, perf_counter()
    while perf_counter() - since < 0.4:  # a batch that is under way ends, and counts
        await asyncio.sleep(POLL)
        if contender.done != seen:
            seen, since = contender.done, perf_counter()
    assert seen > before, f"{type(contender).__name__} handled nothing in {most_seconds} s"
    done = Slice(seen - before, contender.last - started)
    await contender.settle()
    return done


async def _until(ask: Callable[[], bool], within: float = 60.0) -> None:
    deadline = perf_counter() + within
    while not ask():
        assert perf_counter() < deadline, f"not within {within} s"
        await asyncio.sleep(0.05)
