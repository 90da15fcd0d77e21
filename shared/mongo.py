"""MongoDB for everybody: the one place that knows Motor, and the transaction nothing can slip out of."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorClientSession, AsyncIOMotorDatabase
from pymongo import IndexModel, ReadPreference, WriteConcern
from pymongo.errors import (
    AutoReconnect,
    ConnectionFailure,
    DuplicateKeyError,
    ExecutionTimeout,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
    WaitQueueTimeoutError,
)
from pymongo.monitoring import CommandListener
from pymongo.read_concern import ReadConcern

Document = dict[str, Any]
T = TypeVar("T")

MAJORITY = WriteConcern("majority")
NO_SUCH_REPLICA_SET = 76
RETRYABLE = (11600, 11602, 10107, 13435, 13436, 189, 91, 50, 262, 112, 251, 246, 24, 225)
COMMIT_LIMIT_MS = 10_000
MOST_TOLD = 10_000


class GroundMissing(Exception):
    """The database does not stand as this service needs it; the text says what to do (invariant 13)."""


def transient(error: BaseException) -> bool:
    """Say whether *error* is an outage that passes, not a fault of ours (invariant 10)."""
    if isinstance(
        error, AutoReconnect | ConnectionFailure | ServerSelectionTimeoutError | WaitQueueTimeoutError | ExecutionTimeout
    ):
        return True
    if isinstance(error, PyMongoError) and (
        error.has_error_label("TransientTransactionError") or error.has_error_label("UnknownTransactionCommitResult")
    ):
        return True
    return isinstance(error, OperationFailure) and error.code in RETRYABLE


def duplicate(error: BaseException) -> bool:
    """Say whether *error* is a duplicate key, alone or in a bulk."""
    details = getattr(error, "details", None) or {}
    return isinstance(error, DuplicateKeyError) or any(e.get("code") == 11000 for e in details.get("writeErrors", ()))


@dataclass(frozen=True, slots=True)
class Tx:
    """The operations of one transaction; every one carries the session, there is no other way to write."""

    _database: AsyncIOMotorDatabase[Document]
    _session: AsyncIOMotorClientSession

    async def find(
        self,
        collection: str,
        where: Mapping[str, Any],
        projection: Mapping[str, Any] | None = None,
        limit: int = 0,
        sort: Sequence[tuple[str, int]] | None = None,
    ) -> list[Document]:
        """Return the documents of *collection* that match, in the order of *sort*, at most *limit* unless it is 0."""
        cursor = self._database[collection].find(where, projection, limit=limit, sort=sort, session=self._session)
        return await cursor.to_list(None)

    async def find_one(self, collection: str, where: Mapping[str, Any]) -> Document | None:
        """Return the document of *collection* that matches, or None."""
        return await self._database[collection].find_one(where, session=self._session)

    async def bulk(self, collection: str, operations: Sequence[Any]) -> None:
        """Carry out the write *operations*, in order; nothing to do is done."""
        if operations:
            await self._database[collection].bulk_write(list(operations), session=self._session)

    async def insert(self, collection: str, documents: Sequence[Document]) -> None:
        """Insert *documents*; none is fine."""
        if documents:
            await self._database[collection].insert_many(list(documents), session=self._session)

    async def update_one(self, collection: str, where: Mapping[str, Any], change: Mapping[str, Any]) -> bool:
        """Change the one document that matches; say whether there was one."""
        result = await self._database[collection].update_one(where, change, session=self._session)
        return result.matched_count == 1


class Database:
    """One service's database, read from the primary and written with majority."""

    def __init__(self, url: str, name: str, listener: CommandListener | None = None) -> None:
        self._client: AsyncIOMotorClient[Document] = AsyncIOMotorClient(
            url,
            tz_aware=True,
            serverSelectionTimeoutMS=4000,
            connectTimeoutMS=4000,
            socketTimeoutMS=30_000,
            event_listeners=[listener] if listener else [],
        )
        self._database: AsyncIOMotorDatabase[Document] = self._client.get_database(
            name,
            write_concern=MAJORITY,
            read_concern=ReadConcern("local"),
            read_preference=ReadPreference.PRIMARY,
        )

    def __getitem__(self, collection: str) -> Any:
        """Return a collection for reads outside a transaction and for the two named exceptions of invariant 1."""
        return self._database[collection]

    async def told(self, collection: str, pipeline: Sequence[Mapping[str, Any]], hint: str | None = None) -> list[Document]:
        """Return the few documents that a *pipeline* over *collection* tells, read by the index *hint*.

        They are asked for by command: Motor's cursors go to and fro between loop and thread, which is a fifth of such a read.
        What the driver does for a cursor is done here: a read whose connection breaks is asked for once more.
        """
        command: Document = {"aggregate": collection, "pipeline": list(pipeline), "cursor": {"batchSize": MOST_TOLD}}
        if hint is not None:
            command["hint"] = hint
        try:
            cursor = await self._told(command)
        except ServerSelectionTimeoutError:
            raise  # it has been waited for
        except AutoReconnect:
            cursor = await self._told(command)
        if cursor["id"] != 0:
            raise RuntimeError(f"{collection} told more than {MOST_TOLD} documents")
        return list(cursor["firstBatch"])

    async def _told(self, command: Document) -> Document:
        answer = await self._database.command({**command}, codec_options=self._database.codec_options)  # the driver adds to it
        found: Document = answer["cursor"]
        return found

    async def transaction(self, work: Callable[[Tx], Awaitable[T]]) -> T:
        """Run *work* in one transaction and return what it returned; *work* may run again, so it is pure but for its Tx."""

        async def body(session: AsyncIOMotorClientSession) -> T:
            return await work(Tx(self._database, session))

        async with await self._client.start_session() as session:
            result: T = await session.with_transaction(
                body,
                read_concern=ReadConcern("snapshot"),
                write_concern=MAJORITY,
                read_preference=ReadPreference.PRIMARY,
                max_commit_time_ms=COMMIT_LIMIT_MS,
            )
            return result

    async def ground(self, indexes: Mapping[str, Sequence[IndexModel]]) -> None:
        """Create what is missing of collections and *indexes*, and assert the rest; raises GroundMissing (invariant 13)."""
        hello = await self._client.admin.command("hello")
        if "setName" not in hello:
            raise GroundMissing("MongoDB is no replica set: start mongod with --replSet and initiate it")
        present = set(await self._database.list_collection_names())
        for collection, models in indexes.items():
            if collection not in present:
                await self._create(collection)
            if models:
                try:
                    await self._database[collection].create_indexes(list(models))
                except OperationFailure as error:
                    raise GroundMissing(
                        f"an index of {collection} stands with another definition ({error.details}); drop it and start again"
                    ) from error
            async for index in self._indexes(collection):
                if "collation" in index:
                    raise GroundMissing(f"the index {index['name']} of {collection} has a collation; drop it")

    async def _create(self, collection: str) -> None:
        try:
            await self._database.create_collection(collection)
        except OperationFailure as error:
            if error.code != 48:  # another process of this service was quicker
                raise

    def _indexes(self, collection: str) -> Any:
        return self._database[collection].list_indexes()

    async def ping(self) -> None:
        """Return if the primary answers; raises a transient error otherwise."""
        await self._client.admin.command("ping")

    async def drop(self) -> None:
        """Forget the whole database: for tests."""
        await self._client.drop_database(self._database.name)

    def close(self) -> None:
        """Close every connection."""
        self._client.close()
