"""The smallest service there can be, on the real machinery: a counter per name, and fakes to hand to it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, ClassVar
from uuid import uuid4

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.structs import ConsumerRecord

from shared import handling, relay
from shared.claims import POSITIONS, Claim, Claims
from shared.clock import now
from shared.contracts.base import Actor, Cleanup, Command, CommandId, Event, FirmId, MemberId, Message, Role, State, Topic
from shared.contracts.portal import OUTCOMES
from shared.contracts.topics import DEAD_MAX_BYTES, dead_topic
from shared.decider import Decider, Said, Succeeded
from shared.handling import Change, Handling, Store
from shared.messages import Heard, Letter, write
from shared.mongo import Database, Document, Tx
from shared.relay import Relay, Shown
from shared.service import Service
from shared.settings import Settings
from tests.system import Ground

COUNTERS = "counters"
PASSED_ON = "another finishes it"
EARLY = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
LEYLA = Actor(
    member_id=MemberId("leyla"), firm_id=FirmId("kanzlei"), role=Role.ADMIN, name="Leyla", email="leyla@kanzlei.example"
)


class Tallied(Event):
    """So many more of *name*."""

    ce_type: ClassVar[str] = "toy.tallied.v1"

    name: str
    amount: int


class Tally(Command):
    """The wish for so many more of *name*."""

    ce_type: ClassVar[str] = "toy.tally.v1"

    name: str
    amount: int


class Told(Event):
    """News: *name* stands at *total*."""

    ce_type: ClassVar[str] = "toy.told.v1"

    name: str
    total: int


class Counter(State):
    """The whole state of one counter."""

    ce_type: ClassVar[str] = "toy.counter.v1"

    name: str
    total: int


@dataclass(frozen=True, slots=True)
class Grew:
    """A counter grew by *amount*, because of the message *id*."""

    name: str
    amount: int
    id: str


@dataclass(slots=True)
class Counters:
    """The counters that a batch touches."""

    documents: dict[str, Document]
    grown: set[str] = field(default_factory=set)


class CounterStore:
    """Loads counters by name and writes those that grew; a document keeps the id of everything that was done to it."""

    async def load(self, tx: Tx, heard: Sequence[Heard[Any]]) -> Counters:
        """Return the counters that *heard* name."""
        names = sorted({item.message.name for item in heard})
        found = {d["_id"]: d for d in await tx.find(COUNTERS, {"_id": {"$in": names}})}
        return Counters({n: found.get(n, {"_id": n, "total": 0, "version": 0, "done": []}) for n in names})

    async def save(self, tx: Tx, world: Counters, source: str) -> list[Change]:
        """Return what grew."""
        return [Change(COUNTERS, world.documents[name], told=True) for name in sorted(world.grown)]


@dataclass
class Troubled(CounterStore):
    """A store in which *trouble* happens after the transaction has written something of its own, before it is committed.

    *trouble* is given how many times a batch was saved before, and raises what it likes.
    """

    trouble: Callable[[int, Tx], Awaitable[None]]
    batches: list[int] = field(default_factory=list)

    async def load(self, tx: Tx, heard: Sequence[Heard[Any]]) -> Counters:
        """Note how many messages the batch has."""
        self.batches.append(len(heard))
        return await super().load(tx, heard)

    async def save(self, tx: Tx, world: Counters, source: str) -> list[Change]:
        """Write a trace, then let the trouble happen."""
        await tx.insert("traces", [{"_id": uuid4().hex}])
        await self.trouble(len(self.batches) - 1, tx)
        return await super().save(tx, world, source)


@dataclass(frozen=True)
class Topics:
    """The topics of one test, named after nobody else's."""

    facts: Topic
    commands: Topic
    news: Topic
    states: Topic

    @classmethod
    def fresh(cls, partitions: int = 1) -> Topics:
        """Return topics that no other test knows."""
        own = f"toy-{uuid4().hex[:12]}"
        return cls(
            Topic(name=f"{own}.facts", partitions=partitions, carries=(Tallied,)),
            Topic(name=f"{own}.commands", partitions=1, carries=(Tally,)),
            Topic(name=f"{own}.news", partitions=1, carries=(Told,), dead=False),
            Topic(name=f"{own}.states", partitions=1, cleanup=Cleanup.COMPACT, carries=(Counter,), dead=False),
        )

    @property
    def all(self) -> tuple[Topic, ...]:
        """All of them, with those on which records are set aside."""
        return (self.facts, self.commands, self.news, self.states, dead_topic(self.facts), dead_topic(self.commands))


def decider(topics: Topics, bug: Callable[[str, int], bool] = lambda name, amount: False) -> Decider[Counters]:
    """Return the toy's rules; they fail on what *bug* says yes to."""

    def decide(item: Heard[Any], world: Counters, moment: datetime) -> list[Any]:
        name, amount = item.message.name, item.message.amount
        if bug(name, amount):
            raise ArithmeticError(f"{name} cannot grow by {amount}")
        total = world.documents[name]["total"] + amount
        told = [Grew(name, amount, item.id), Said(topics.news, name, Told(name=name, total=total))]
        return [*told, Succeeded({"total": total})] if isinstance(item.message, Command) and name != PASSED_ON else told

    def evolve(world: Counters, event: Any) -> None:
        if isinstance(event, Grew):
            counter = world.documents[event.name]
            counter["total"] += event.amount
            counter["version"] += 1
            counter["done"].append(event.id)
            world.grown.add(event.name)

    return Decider(decide, evolve)


def shown(topics: Topics) -> dict[str, Shown]:
    """Return how counters are told."""

    def tell(document: Mapping[str, Any]) -> tuple[str, State]:
        return document["_id"], Counter(name=document["_id"], total=document["total"], version=document["version"])

    return {COUNTERS: Shown(topics.states, tell)}


def fact(topic: Topic, id: str, name: str = "bau", amount: int = 1, at: datetime = EARLY) -> Letter:
    """Return the record that says that *name* grew."""
    return write(topic, name, Tallied(name=name, amount=amount), id=id, source="pleo.toy", time=at)


def wish(topic: Topic, command_id: str, name: str = "bau", amount: int = 1) -> Letter:
    """Return the record that asks for *name* to grow."""
    command = Tally(command_id=CommandId(command_id), issued_at=EARLY, actor=LEYLA, name=name, amount=amount)
    return write(topic, name, command, id=command_id, source="portal.gateway", time=EARLY)


@dataclass
class Bench:
    """What a test works with: topics and a database of its own, and instances of the toy service."""

    ground: Ground
    topics: Topics
    name: str
    database: Database
    producer: AIOKafkaProducer
    running: list[Service] = field(default_factory=list)

    def settings(self) -> Settings:
        """Return what a service is told."""
        return Settings(
            kafka_bootstrap_servers=self.ground.kafka,
            mongodb_url=self.ground.mongodb,
            portal_secret="s" * 32,
            portal_door_key="d" * 32,
            portal_database_prefix=self.name,
        )

    async def start(
        self,
        store: Store[Counters] | None = None,
        bug: Callable[[str, int], bool] = lambda name, amount: False,
        hears: Sequence[Topic] | None = None,
    ) -> Service:
        """Return an instance of the toy that runs; the first one's database is this bench's."""
        service = Service(
            "toy",
            self.settings(),
            {COUNTERS: [], "traces": []},
            store or CounterStore(),
            decider(self.topics, bug),
            shown(self.topics),
            hears or (self.topics.facts,),
            (self.topics.news, self.topics.states, OUTCOMES),
        )
        self.running.append(service)
        await service.start()
        return service

    async def stop(self, service: Service) -> None:
        """Stop an instance in good order."""
        self.running.remove(service)
        await service.stop()

    async def send(self, *letters: Letter, partition: int | None = None) -> None:
        """Put *letters* on their topics, in order, and return when the broker has them."""
        for letter in letters:
            await self.producer.send_and_wait(
                letter.topic, letter.value, letter.key, headers=list(letter.headers), partition=partition
            )

    async def counter(self, name: str = "bau") -> Document:
        """Return how a counter stands; an empty document if there is none."""
        return await self.database[COUNTERS].find_one({"_id": name}) or {}

    async def done(self, name: str = "bau") -> list[str]:
        """Return the ids of what was done to a counter, in order."""
        return list((await self.counter(name)).get("done", []))

    async def position(self, topic: Topic | None = None, partition: int = 0) -> Document:
        """Return the position of the toy on a partition."""
        found = await self.database[POSITIONS].find_one({"_id": f"toy/{(topic or self.topics.facts).name}/{partition}"})
        return found or {}

    async def records(self, topic: str) -> list[ConsumerRecord]:
        """Return everything that is on *topic* now, partition by partition."""
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self.ground.kafka, enable_auto_commit=False, max_partition_fetch_bytes=2 * DEAD_MAX_BYTES
        )
        await consumer.start()
        try:
            cluster = await consumer._client.fetch_all_metadata()
            parts = [TopicPartition(topic, number) for number in sorted(cluster.partitions_for_topic(topic))]
            consumer.assign(parts)
            ends = await consumer.end_offsets(parts)
            for part, begin in (await consumer.beginning_offsets(parts)).items():
                consumer.seek(part, begin)
            found: list[ConsumerRecord] = []
            for part in parts:
                while await consumer.position(part) < ends[part]:
                    found += (await consumer.getmany(part, timeout_ms=500)).get(part, [])
            return sorted(found, key=lambda record: (record.partition, record.offset))
        finally:
            await consumer.stop()

    async def told(self, topic: Topic, model: type[Message]) -> list[Any]:
        """Return the messages on *topic*, all of the type *model*."""
        return [model.model_validate_json(record.value) for record in await self.records(topic.name)]

    def by_hand(self, producer: Any = None, store: Store[Counters] | None = None, database: Any = None) -> ByHand:
        """Return the machinery without a consumer: the test says who holds which claim, and what is delivered."""
        posts = Relay("toy", database or self.database, lambda: producer or self.producer, shown(self.topics))
        hands = Handling("toy", self.database, store or CounterStore(), decider(self.topics), posts)
        return ByHand(self, hands, posts, Recorded(self.database))

    async def prepare(self) -> None:
        """Make the collections, as a start would."""
        await self.database.ground({**handling.INDEXES, **relay.INDEXES, COUNTERS: [], "traces": []})


class Recorded(Claims):
    """Claims of a process whose consumer stands still: what it lost is noted, nobody claims again."""

    def __init__(self, database: Database) -> None:
        super().__init__("toy", database, lambda _: None)
        self.attach(SimpleNamespace(consumer=SimpleNamespace(assignment=set)))
        self.given_up: list[Claim] = []

    def hold(self, claim: Claim) -> None:
        """Hold *claim*."""
        self._held[TopicPartition(claim.topic, claim.partition)] = claim

    def lost(self, claim: Claim) -> None:
        """Note it."""
        self.given_up.append(claim)
        super().lost(claim)


@dataclass
class ByHand:
    """Handling and relay of one process, its claims in the test's hand."""

    bench: Bench
    handling: Handling[Counters]
    relay: Relay
    claims: Recorded

    async def claim(self, topic: Topic, partition: int = 0) -> Claim:
        """Claim a partition as `Claims` does: the epoch goes up by one."""
        name = f"toy/{topic.name}/{partition}"
        await self.bench.database[POSITIONS].update_one(
            {"_id": name}, {"$inc": {"epoch": 1}, "$setOnInsert": {"next": 0}}, upsert=True
        )
        stands = await self.bench.position(topic, partition)
        claim = Claim(name, topic.name, partition, stands["epoch"], stands["next"])
        self.claims.hold(claim)
        return claim

    async def deliver(self, topic: Topic, *letters: Letter, first: int = 0) -> None:
        """Hand *letters* over as the records of partition 0 from offset *first* on."""
        arrived = int(now().timestamp() * 1000)
        records = [
            ConsumerRecord(topic.name, 0, offset, arrived, 0, letter.key, letter.value, None, 0, 0, letter.headers)
            for offset, letter in enumerate(letters, first)
        ]
        claim = self.claims.held(topic.name, 0)
        if claim is not None:
            await self.handling.handle(topic, self.claims, claim, records)
