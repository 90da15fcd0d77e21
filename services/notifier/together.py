"""Changes of single documents that travel in company: what comes while one batch is on its way makes the next.

A change that waits for nobody costs what it would cost alone; a hundred at once cost a few round trips.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from itertools import count
from typing import Any

from pymongo import UpdateOne

from shared.mongo import Document

MARK = "change"
MOST_AT_ONCE = 500
Change = tuple[Document, Document, str, "asyncio.Future[bool]"]
"""Which document, with its conditions; what is set; the change's mark; and who waits for its outcome."""


class Together:
    """Conditional updates of one collection; each names its document by id and is told whether it was the one to change it."""

    def __init__(self, collection: Any) -> None:
        self._collection = collection
        self._marks = (f"{whose}-{number}" for whose in [secrets.token_hex(8)] for number in count())
        self._waiting: list[Change] = []
        self._task: asyncio.Task[None] | None = None

    async def change(self, where: Document, change: Document) -> bool:
        """Set *change* on the document that is still as *where* says; return whether it was. Raises what the database raises."""
        done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append((where, change, next(self._marks), done))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._carry())
        return await done

    async def _carry(self) -> None:
        while self._waiting:
            some, self._waiting = self._waiting[:MOST_AT_ONCE], self._waiting[MOST_AT_ONCE:]
            try:
                changed = await self._write(some)
            except Exception as error:
                for *_, done in some:
                    if not done.done():
                        done.set_exception(error)
                continue
            for _, _, mark, done in some:
                if not done.done():
                    done.set_result(mark in changed)

    async def _write(self, some: Sequence[Change]) -> set[str]:
        """Return the marks of what was changed: all of them, as a rule; else the documents are asked who did it."""
        operations = [UpdateOne(where, {"$set": {**change, MARK: mark}}) for where, change, mark, _ in some]
        result = await self._collection.bulk_write(operations, ordered=False)
        if result.matched_count == len(some):
            return {mark for _, _, mark, _ in some}
        ids = [where["_id"] for where, *_ in some]
        found = self._collection.find({"_id": {"$in": ids}}, {MARK: 1})
        return {document[MARK] async for document in found if MARK in document}
