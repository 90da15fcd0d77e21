"""THE transaction: position, state, rows, outcomes and outbox of one batch and partition, all or nothing.

A record is handled once because its partition's position moves in the same transaction as what it did (invariants
1-4). What cannot be read is set aside, what passes is waited for, what is our bug is cornered by halving (10).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from time import perf_counter
from typing import Any, Generic, Protocol, TypeVar

import orjson
from pymongo import IndexModel, InsertOne, ReplaceOne, UpdateOne

from shared import telemetry
from shared.claims import POSITIONS, Claim, Claims
from shared.clock import now as clock_now
from shared.contracts.base import Command, CommandId, Message, Outcome, Status, Topic
from shared.contracts.portal import OUTCOMES
from shared.dead import dead_letter
from shared.decider import Counted, Decider, Finished, Refused, Said, Succeeded
from shared.messages import Heard, Passed, Record, Unreadable, read, trace_of, write
from shared.mongo import Database, Document, Tx, duplicate, transient
from shared.relay import MARKS, ROWS, Relay, mark, row

COMMANDS = "commands"
INDEXES = {
    POSITIONS: [],
    COMMANDS: [IndexModel([("expires_at", 1)], name="kept", expireAfterSeconds=0)],
}
KEPT = timedelta(days=7)  # E5: command outcomes
TRIES_ALONE = 3
Opened = tuple[Record, Heard[Message] | Unreadable | Passed]
"""A record and what it says."""
W = TypeVar("W")
log = telemetry.Log("handling")


class Fenced(Exception):
    """Somebody else has claimed the partition since: write nothing."""


@dataclass(slots=True)
class Change:
    """A document as it is to be written, and whether its state is told to others."""

    collection: str
    document: Document
    told: bool = False
    only: tuple[str, ...] | None = None  # the fields that changed, where writing all would be wasteful
    new: bool = False  # it was not there when the batch was loaded


def slices(opened: Sequence[Opened], most: int) -> Iterator[list[Opened]]:
    """Yield *opened* in pieces of at most *most* by weight, one record at least: a transaction has a lifetime to keep."""
    piece: list[Opened] = []
    weight = 0
    for one in opened:
        heavy = one[1].message.weight if isinstance(one[1], Heard) else 1
        if piece and weight + heavy > most:
            yield piece
            piece, weight = [], 0
        piece.append(one)
        weight += heavy
    if piece:
        yield piece


def _operation(change: Change) -> InsertOne[Document] | ReplaceOne[Document] | UpdateOne:
    document, only = change.document, change.only
    if change.new:
        return InsertOne(document)  # if somebody was quicker, the batch is decided again with what they wrote
    where = {"_id": document["_id"]}
    if only is None:
        return ReplaceOne(where, document, upsert=True)
    return UpdateOne(where, {"$set": {name: document[name] for name in only}})


def _again(item: Heard[Any], known: Mapping[str, Any]) -> bool:
    """A command that failed by a bug of ours and is replayed after the fix is decided as new (E3)."""
    return item.replayed and (known["outcome"] or {}).get("code") == "internal_error"


class Store(Protocol[W]):
    """A service's documents: loads the states that messages touch, and writes those that changed."""

    async def load(self, tx: Tx, heard: Sequence[Heard[Any]]) -> W:
        """Return every state that *heard* touches, with as few queries as can be."""
        ...

    async def save(self, tx: Tx, world: W, source: str) -> Iterable[Change]:
        """Write what changed that is no plain document, and return the plain ones."""
        ...


@dataclass(slots=True)
class _Batch:
    """What one attempt at a batch found out; made anew at each attempt."""

    rows: list[Document] = field(default_factory=list)
    memory: dict[str, Document] = field(default_factory=dict)
    outcomes: list[str] = field(default_factory=list)
    settled: list[dict[str, Any]] = field(default_factory=list)  # lines of the log, as are those of what was set aside
    dead: list[dict[str, Any]] = field(default_factory=list)
    stamps: list[datetime] = field(default_factory=list)
    n: int = 0
    offset: int = -1

    def next_n(self, offset: int) -> int:
        self.n = self.n + 1 if offset == self.offset else 0
        self.offset = offset
        return self.n


class Handling(Generic[W]):
    """Handles batches of records of one service, a transaction a partition."""

    def __init__(
        self,
        service: str,
        database: Database,
        store: Store[W],
        decider: Decider[W],
        relay: Relay,
        now: Callable[[], datetime] = clock_now,
    ) -> None:
        self.service = service
        self._database = database
        self._store = store
        self._decider = decider
        self._relay = relay
        self._now = now
        self.last_progress = perf_counter()

    async def handle(self, topic: Topic, claims: Claims, claim: Claim, records: Sequence[Record]) -> None:
        """Handle *records* of the partition of *claim*. Never raises: a partition in trouble is claimed anew."""
        fresh = [record for record in records if record.offset >= claim.next]
        if not fresh:
            return
        types = topic.types
        try:
            for some in slices([(record, read(record, types)) for record in fresh], claims.most(claim)):
                await self._settle(topic, claim, some)
            claims.settled(claim)
            self.last_progress = perf_counter()
        except Fenced:
            log.warning("fenced", partition=claim.id, epoch=claim.epoch)
            claims.lost(claim)
        except Exception as error:
            log.warning("partition_waits", partition=claim.id, error=repr(error)[:500])
            claims.lost(claim)

    async def _settle(self, topic: Topic, claim: Claim, some: Sequence[Opened]) -> None:
        """Commit *some* records; on a bug of ours halve them until the one that fails is alone, then set it aside."""
        try:
            await self._once_more_on_duplicate(topic, claim, some)
        except Exception as error:
            if isinstance(error, Fenced) or transient(error):
                raise
            if len(some) > 1:
                middle = len(some) // 2
                await self._settle(topic, claim, some[:middle])
                await self._settle(topic, claim, some[middle:])
                return
            record = some[0][0]
            place = {"topic": topic.name, "partition": claim.partition, "offset": record.offset}
            log.error("record_failed", error, **place, trace_id=telemetry.trace_id(trace_of(record)))
            await self._alone(topic, claim, some)

    async def _alone(self, topic: Topic, claim: Claim, one: Sequence[Opened]) -> None:
        reason = Unreadable("handler_error", "")
        for _ in range(TRIES_ALONE - 1):
            try:
                await self._commit(topic, claim, one, None)
                return
            except Exception as error:
                if isinstance(error, Fenced) or transient(error):
                    raise
                reason = Unreadable("handler_error", f"{type(error).__name__}: {error}"[:500])
        await self._commit(topic, claim, one, reason)

    async def _once_more_on_duplicate(self, topic: Topic, claim: Claim, some: Sequence[Opened]) -> None:
        try:
            await self._commit(topic, claim, some, None)
        except Exception as error:
            if not duplicate(error):
                raise
            await self._commit(topic, claim, some, None)

    async def _commit(self, topic: Topic, claim: Claim, some: Sequence[Opened], fault: Unreadable | None) -> None:
        started = perf_counter()
        end = some[-1][0].offset + 1

        async def work(tx: Tx) -> _Batch:
            where = {"_id": claim.id, "epoch": claim.epoch, "next": claim.next}
            if not await tx.update_one(POSITIONS, where, {"$set": {"next": end}}):
                raise Fenced
            batch = _Batch()
            await self._decide(tx, claim, some, fault, batch)
            return batch

        batch = await self._database.transaction(work)
        claim.next = end
        self._relay.wake(claim.id)
        self._observe(topic, batch, perf_counter() - started)

    async def _decide(
        self,
        tx: Tx,
        claim: Claim,
        some: Sequence[Opened],
        fault: Unreadable | None,
        batch: _Batch,
    ) -> None:
        readable = [item for _, item in some if isinstance(item, Heard)]
        seen = await self._seen(tx, readable)
        world = await self._store.load(tx, [] if fault else readable)
        moment = self._now()
        for record, item in some:
            if isinstance(item, Passed):
                batch.outcomes.append(item.outcome)
            elif isinstance(item, Unreadable):
                self._set_aside(claim, record, item, batch)
            elif (
                isinstance(item.message, Command)
                and item.message.command_id in seen
                and not _again(item, seen[item.message.command_id])
            ):
                self._repeat(claim, record, item, seen[item.message.command_id], batch)
            elif fault is not None:
                self._set_aside(claim, record, fault, batch)
                self._conclude(claim, record, item, [Refused("internal_error")], batch, seen)
            else:
                events = self._decider.decide(item, world, moment)
                for event in events:
                    self._decider.evolve(world, event)
                self._conclude(claim, record, item, events, batch, seen)
        self._decider.follow(world)
        await self._write(tx, claim, await self._store.save(tx, world, claim.id), batch)

    async def _seen(self, tx: Tx, heard: Iterable[Heard[Message]]) -> dict[str, Document]:
        ids = sorted({item.message.command_id for item in heard if isinstance(item.message, Command)})
        return {d["_id"]: d for d in await tx.find(COMMANDS, {"_id": {"$in": ids}})} if ids else {}

    async def _write(self, tx: Tx, claim: Claim, changes: Iterable[Change], batch: _Batch) -> None:
        by_collection: dict[str, list[Change]] = {}
        for change in changes:
            by_collection.setdefault(change.collection, []).append(change)
        marks = []
        for collection, some in sorted(by_collection.items()):
            some.sort(key=lambda change: (change.new, change.only is None, change.document["_id"]))  # a command for each kind
            await tx.bulk(collection, [_operation(change) for change in some])
            marks += [mark(claim.id, collection, c.document["_id"], c.document["version"], claim.next) for c in some if c.told]
        await tx.insert(MARKS, marks)
        await tx.bulk(COMMANDS, [ReplaceOne({"_id": i}, d, upsert=True) for i, d in sorted(batch.memory.items())])
        await tx.insert(ROWS, batch.rows)

    def _conclude(
        self, claim: Claim, record: Record, item: Heard[Any], events: Sequence[Any], batch: _Batch, seen: dict[str, Document]
    ) -> None:
        """Turn what was decided into outcomes and rows of the outbox."""
        outcome = "handled"
        for event in events:
            match event:
                case Refused() | Succeeded() if isinstance(item.message, Command):
                    command = item.message
                    finished = Finished(command.command_id, command.actor.member_id, event, type(command))
                    self._outcome(claim, record, item, finished, batch, seen)
                    outcome = "refused" if isinstance(event, Refused) else "handled"
                case Finished():
                    self._outcome(claim, record, item, event, batch, seen)
                case Said():
                    self._say(claim, record, item, event.topic, event.key, event.message, event.source, batch)
                case Counted():
                    outcome = event.outcome
                case _:
                    pass
        if isinstance(item.message, Command) and item.message.command_id not in batch.memory:
            passed_on = self._memory(item.message.command_id, item.message.actor.member_id, None)
            batch.memory[item.message.command_id] = seen[item.message.command_id] = passed_on
        batch.outcomes.append(outcome)
        batch.stamps.append(item.time)

    def _outcome(
        self, claim: Claim, record: Record, item: Heard[Any], finished: Finished, batch: _Batch, seen: dict[str, Document]
    ) -> None:
        command_id, member_id, event = finished.command_id, finished.member_id, finished.outcome
        outcome = Outcome(
            command_id=CommandId(command_id),
            member_id=member_id,
            status=Status.REFUSED if isinstance(event, Refused) else Status.SUCCEEDED,
            code=event.code if isinstance(event, Refused) else None,
            detail=event.detail if isinstance(event, Refused) else None,
            result=None if isinstance(event, Refused) else dict(event.result),
        )
        batch.memory[command_id] = seen[command_id] = self._memory(command_id, member_id, outcome)
        self._say(claim, record, item, OUTCOMES, command_id, outcome, None, batch)
        kind, became = finished.command.ce_type.split(".")[-2], event.code if isinstance(event, Refused) else "succeeded"
        trace_id = telemetry.trace_id(item.trace)
        batch.settled.append({"command": kind, "outcome": became, "command_id": command_id, "trace_id": trace_id})

    def _memory(self, command_id: str, member_id: str, outcome: Outcome | None) -> Document:
        return {
            "_id": command_id,
            "member_id": member_id,
            "outcome": outcome.model_dump(mode="json") if outcome else None,
            "expires_at": self._now() + KEPT,
        }

    def _repeat(self, claim: Claim, record: Record, item: Heard[Any], known: Mapping[str, Any], batch: _Batch) -> None:
        """A command that was decided before: its outcome is told again, nothing else happens."""
        batch.outcomes.append("repeated")
        if known["outcome"] is not None:
            outcome = Outcome.model_validate_json(orjson.dumps(known["outcome"]))
            self._say(claim, record, item, OUTCOMES, outcome.command_id, outcome, None, batch)

    def _say(
        self,
        claim: Claim,
        record: Record,
        item: Heard[Any],
        topic: Topic,
        key: str,
        message: Message,
        source: str | None,
        batch: _Batch,
    ) -> None:
        n = batch.next_n(record.offset)
        letter = write(
            topic,
            key,
            message,
            id=f"{claim.id.replace('/', '.')}.{record.offset}.{n}",
            source=source or f"portal.{self.service}",
            time=self._now(),
            trace=telemetry.continued(item.trace) if item.trace else None,
        )
        batch.rows.append(row(claim.id, record.offset, n, letter))

    def _set_aside(self, claim: Claim, record: Record, fault: Unreadable, batch: _Batch) -> None:
        letter = dead_letter(record, fault, self.service, self._now())
        batch.rows.append(row(claim.id, record.offset, batch.next_n(record.offset), letter))
        trace_id = telemetry.trace_id(trace_of(record))
        place = {"topic": record.topic, "partition": record.partition, "offset": record.offset}
        batch.dead.append({"reason": fault.reason, **place, "trace_id": trace_id})
        batch.outcomes.append("dead")

    def _observe(self, topic: Topic, batch: _Batch, seconds: float) -> None:
        telemetry.HANDLING.labels(self.service, topic.name).observe(seconds)
        for outcome, count in Counter(batch.outcomes).items():
            telemetry.HANDLED.labels(self.service, topic.name, outcome).inc(count)
        for line in batch.dead:
            telemetry.DEAD.labels(topic.name, line["reason"]).inc()
            log.warning("record_set_aside", **line)
        for line in batch.settled:
            telemetry.COMMANDS.labels(line["command"], line["outcome"]).inc()
            log.info("command_settled", **line)
        moment, freshness = self._now(), telemetry.FRESHNESS.labels(self.service, topic.name)
        for stamp in batch.stamps:
            freshness.observe(max(0.0, (moment - stamp).total_seconds()))
