"""From the outbox to Kafka: what happened goes out in order, state goes out as it is now (invariant 5)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pymongo import IndexModel

from shared.clock import now
from shared.contracts.base import State, Topic
from shared.messages import Letter, write
from shared.mongo import Database, Document, transient
from shared.producer import send
from shared.telemetry import OUTBOX, Log

ROWS, MARKS = "outbox", "outbox_marks"
INDEXES = {
    ROWS: [IndexModel([("source", 1), ("offset", 1), ("n", 1)], name="in_order")],
    MARKS: [IndexModel([("source", 1)], name="by_source")],
}
AT_ONCE = 1000
LOOK_AGAIN_SECONDS = 2.0
log = Log("relay")


@dataclass(frozen=True, slots=True)
class Shown:
    """How documents of a collection are told on a compacted topic: *tell* returns key and state of a document.

    *read* is the projection under which they are read; None is all of them.
    """

    topic: Topic
    tell: Callable[[Mapping[str, Any]], tuple[str, State]]
    read: Mapping[str, Any] | None = None


class Relay:
    """Publishes what transactions left in the outbox, for the input partitions this process holds.

    One task publishes, in order: rows of a partition by offset. A row goes only after the broker has it; so a crash
    repeats, never loses. A mark goes only if the document still has the version that was published.
    """

    def __init__(self, service: str, database: Database, producer: Callable[[], Any], states: Mapping[str, Shown]) -> None:
        self._service = service
        self._database = database
        self._producer = producer
        self._states = states
        self._due: set[str] = set()
        self._sources: set[str] = set()
        self._bell = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def wake(self, source: str) -> None:
        """Something of *source* waits: it was committed, or its partition was taken over."""
        self._sources.add(source)
        self._due.add(source)
        self._bell.set()

    def start(self) -> None:
        """Begin to publish."""
        self._task = asyncio.create_task(self._run())

    @property
    def alive(self) -> bool:
        """Whether the publishing task runs."""
        return self._task is not None and not self._task.done()

    async def stop(self) -> None:
        """Stop publishing; what waits, waits for the next start."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            try:
                await asyncio.wait_for(self._bell.wait(), LOOK_AGAIN_SECONDS)
            except TimeoutError:
                self._due |= self._sources  # on our own clock: another process may have died over its rows
            self._bell.clear()
            due, self._due = self._due, set()
            try:
                await self.drain(due)
            except Exception as error:
                self._due |= due
                if not transient(error):
                    log.error("relay_failed", error)
                await asyncio.sleep(0.5)
                self._bell.set()

    async def drain(self, sources: Iterable[str]) -> None:
        """Publish everything that waits for *sources*; raises what broker or database raise, the rows stay."""
        wanted = {"source": {"$in": sorted(sources)}}
        while (
            rows := await self._database[ROWS]
            .find(wanted)
            .sort([("source", 1), ("offset", 1), ("n", 1)])
            .limit(AT_ONCE)
            .to_list(None)
        ):
            await send(self._producer(), [_letter(row) for row in rows])
            await self._database[ROWS].delete_many({"_id": {"$in": [row["_id"] for row in rows]}})
        while marks := await self._database[MARKS].find(wanted).limit(AT_ONCE).to_list(None):
            await self._tell(marks)

    async def measure(self) -> None:
        """Set the gauge of waiting rows."""
        waiting = await self._database[ROWS].estimated_document_count()
        OUTBOX.labels(self._service).set(waiting)

    async def _tell(self, marks: list[Document]) -> None:
        by_collection: dict[str, list[Document]] = {}
        for mark in marks:
            by_collection.setdefault(mark["collection"], []).append(mark)
        letters: list[Letter] = []
        told: dict[str, int] = {}
        moment = now()
        for collection, some in by_collection.items():
            shown = self._states[collection]
            marked = sorted({mark["document"] for mark in some})
            found = await self._database[collection].find({"_id": {"$in": marked}}, shown.read).to_list(None)
            for document in found:
                key, state = shown.tell(document)
                letters.append(write(shown.topic, key, state, id=f"{key}.{state.version}", source=self._service, time=moment))
                told[_document_id(collection, document["_id"])] = state.version
        await send(self._producer(), letters)
        await self._still_newest(by_collection, told)
        done = [m["_id"] for m in marks if told.get(_document_id(m["collection"], m["document"]), m["version"]) >= m["version"]]
        await self._database[MARKS].delete_many({"_id": {"$in": done}})

    async def _still_newest(self, by_collection: Mapping[str, list[Document]], told: Mapping[str, int]) -> None:
        """Tell again what another process has changed since: the newest state must also be the last written."""
        for collection, some in by_collection.items():
            shown = self._states[collection]
            again = sorted({mark["document"] for mark in some})
            while again:
                found = await self._database[collection].find({"_id": {"$in": again}}, {"version": 1}).to_list(None)
                moved = [d["_id"] for d in found if d["version"] > told.get(_document_id(collection, d["_id"]), -1)]
                newer = await self._database[collection].find({"_id": {"$in": moved}}, shown.read).to_list(None) if moved else []
                told = {**told, **{_document_id(collection, d["_id"]): d["version"] for d in newer}}
                pairs = [shown.tell(d) for d in newer]
                await send(
                    self._producer(),
                    [write(shown.topic, key, s, id=f"{key}.{s.version}", source=self._service, time=now()) for key, s in pairs],
                )
                again = [d["_id"] for d in newer]


def row(source: str, offset: int, n: int, letter: Letter) -> Document:
    """Return the outbox row of *letter*, the *n*-th that the record at *offset* of *source* led to."""
    return {
        "_id": f"{source}/{offset}/{n}",
        "source": source,
        "offset": offset,
        "n": n,
        "topic": letter.topic,
        "key": letter.key,
        "value": letter.value,
        "headers": [[name, value] for name, value in letter.headers],
    }


def mark(source: str, collection: str, document: str, version: int, offset: int = 0) -> Document:
    """Return the mark that *document* of *collection* has a state to be told since the batch of *source* at *offset*.

    Every batch makes marks of its own: a transaction that wrote one which the relay deletes meanwhile would conflict.
    """
    return {
        "_id": f"{source}/{offset}|{_document_id(collection, document)}",
        "source": source,
        "collection": collection,
        "document": document,
        "version": version,
    }


def _document_id(collection: str, document: str) -> str:
    return f"{collection}|{document}"


def _letter(waiting: Document) -> Letter:
    return Letter(
        waiting["topic"],
        waiting["key"],
        waiting["value"],
        tuple((name, value) for name, value in waiting["headers"]),
    )
