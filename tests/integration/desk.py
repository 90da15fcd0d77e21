"""The rules of clients on a real database, records in the test's hand: who holds still, and who commits meanwhile."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from aiokafka.structs import ConsumerRecord

from services.clients import documents
from services.clients.domain import CLIENTS
from services.clients.domain.states import Client, World
from services.clients.store import COUNTS, INDEXES, PLACES, ROWS, ClientStore
from shared import handling, relay
from shared.claims import POSITIONS, Claim
from shared.clock import now
from shared.contracts import clients, pleo
from shared.contracts.base import Message, Topic
from shared.handling import Handling
from shared.messages import Heard, write
from shared.mongo import Database, Tx
from shared.relay import Relay
from tests.integration.toy import Recorded


@dataclass
class Held(ClientStore):
    """A store that holds still once, after it has read the world and before it writes."""

    read: asyncio.Event = field(default_factory=asyncio.Event)
    go: asyncio.Event = field(default_factory=asyncio.Event)
    attempts: int = 0

    async def load(self, tx: Tx, heard: Sequence[Heard[Any]]) -> World:
        """Read; the first time, wait until told to go on."""
        world = await super().load(tx, heard)
        self.attempts += 1
        if self.attempts == 1:
            self.read.set()
            await self.go.wait()
        return world


@dataclass
class Desk:
    """Clients without a consumer: every record is handed over as one of a partition of its own."""

    database: Database
    partitions: int = 0

    async def open(self) -> None:
        """Make the collections, as a start would."""
        await self.database.ground({**handling.INDEXES, **relay.INDEXES, **INDEXES})

    async def hear(self, *messages: Message, store: ClientStore | None = None) -> None:
        """Handle *messages*, each in a transaction of its own."""
        for message in messages:
            await self._handle(message, store or ClientStore())

    async def hear_while(self, message: Message, *meanwhile: Message) -> int:
        """Handle *message*; between its reads and its writes *meanwhile* is committed. Return how many attempts it took."""
        store = Held()
        handled = asyncio.create_task(self.hear(message, store=store))
        await store.read.wait()
        await self.hear(*meanwhile)
        store.go.set()
        await handled
        return store.attempts

    async def _handle(self, message: Message, store: ClientStore) -> None:
        topic, number, self.partitions = _topic_of(message), self.partitions, self.partitions + 1
        claims = Recorded(self.database)
        claim = Claim(f"clients/{topic.name}/{number}", topic.name, number, 1, 0)
        await self.database[POSITIONS].insert_one({"_id": claim.id, "epoch": 1, "next": 0})
        claims.hold(claim)
        letter = write(topic, "k", message, id=f"e{number}", source="tests", time=now())
        arrived = int(now().timestamp() * 1000)
        record = ConsumerRecord(topic.name, number, 0, arrived, 0, b"k", letter.value, None, 0, 0, letter.headers)
        posts = Relay("clients", self.database, lambda: None, documents.SHOWN)
        await Handling("clients", self.database, store, CLIENTS, posts).handle(topic, claims, claim, [record])
        assert not claims.given_up, f"{message} was not committed"

    async def carry_out(self, tick: clients.LeaverFellDue | None) -> int:
        """Handle *tick* and those it leads to; return how many steps that took."""
        steps = 0
        while tick is not None:
            await self.hear(tick)
            steps += 1
            tick = await self.tick()
        return steps

    async def tick(self) -> clients.LeaverFellDue | None:
        """Return the leaver's tick that the last record led to, if it did."""
        where = {"topic": clients.COMMANDS.name, "source": {"$regex": f"/{self.partitions - 1}$"}}
        found = await self.database[relay.ROWS].find_one(where)
        return clients.LeaverFellDue.model_validate_json(found["value"]) if found else None

    async def stand(self, rows: Iterable[Client]) -> None:
        """Let *rows* stand with their counts as if they had always been there."""
        stood = list(rows)
        lists = Counter((row.firm_id, name) for row in stood for name in row.lists)
        written = [documents.client(row) for row in stood]
        await self.database[ROWS].insert_many(written)
        await self.database[PLACES].insert_many([documents.place(row) for row in written])
        await self.database[COUNTS].insert_many(
            [{"_id": f"{firm}|{name}|stood", "firm_id": firm, "list": name, "n": n} for (firm, name), n in lists.items()]
        )

    async def client(self, firm_id: str, client_id: str) -> Client:
        """Return a client as it is stored."""
        return documents.client_from(await self.database[ROWS].find_one({"_id": f"{firm_id}.{client_id}"}))

    async def outcomes(self) -> list[str]:
        """Return what became of every command so far, sorted."""
        found = await self.database[handling.COMMANDS].find({}).to_list(None)
        return sorted(d["outcome"]["code"] or d["outcome"]["status"] for d in found)

    async def assert_counted(self) -> None:
        """Raise AssertionError unless every count is what the rows add up to (T8), and every row stands in its place (L4)."""
        found = await self.database[ROWS].find({}).sort("_id").to_list(None)
        rows = [documents.client_from(d) for d in found]
        assert await self.database[PLACES].find({}).sort("_id").to_list(None) == [documents.place(d) for d in found]
        wanted = Counter((row.firm_id, name) for row in rows for name in row.lists)
        counted: Counter[tuple[str, str]] = Counter()
        async for count in self.database[COUNTS].find({"list": {"$not": {"$regex": r"\+missing$"}}}):
            counted[count["firm_id"], count["list"]] += count["n"]
        assert +counted == wanted


def _topic_of(message: Message) -> Topic:
    topics = (clients.COMMANDS, *pleo.TOPICS)
    return next(topic for topic in topics if message.ce_type in topic.types)
