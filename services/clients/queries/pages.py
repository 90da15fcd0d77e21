"""Pages of a tab and their counts: what `plans` says, carried out; the cost does not grow with depth or size (L1–L6)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, replace

from services.clients.documents import ONLY_SEARCHED, client_from
from services.clients.domain.states import Client
from services.clients.queries import plans
from services.clients.queries.cursors import Cursors
from services.clients.queries.plans import Counts, Order, Place, Way, Where
from services.clients.queries.question import Page, Question
from services.clients.queries.viewer import Viewer
from services.clients.store import COUNTS, MEMBERS, ROWS
from shared.mongo import Database, Document
from shared.names import sought

PASSED_BY = 2_000
PASSED_BY_PER_ROW = 50
SHOWN = dict.fromkeys(ONLY_SEARCHED, 0)


@dataclass(frozen=True, slots=True)
class Found:
    """A page: its clients, the cursor of the next one, and how many there are in all where that was asked and is known."""

    clients: list[Client]
    cursor: str | None
    total: int | None


@dataclass(frozen=True, slots=True)
class _Part:
    """Some documents of the answer, and the total if it came along."""

    documents: list[Document]
    total: int | None = None


@dataclass(frozen=True, slots=True)
class _Asked:
    """A question as it is put to the database: which rows of which list, in which order, after which place, how many."""

    question: Question
    where: Where
    order: Order
    after: Place | None
    limit: int

    @property
    def firm_id(self) -> str:
        return str(self.where["firm_id"])

    @property
    def listed(self) -> str:
        return str(self.where["lists"])


class Pages:
    """Reads pages and counts of one firm's rows."""

    def __init__(self, database: Database, secret: str) -> None:
        self._database = database
        self._cursors = Cursors(secret)

    async def page(self, page: Page, viewer: Viewer) -> Found:
        """Return a page; raises 400 ``bad_cursor``. The total is told on the first page, but for searches that find very many."""
        question, order = page.question, plans.ORDERS[page.question.sort]
        after = None if page.cursor is None else self._cursors.opened(page.cursor, question, viewer)
        name = question.list_for(viewer)
        if name is None or not await self._works_here(question.assignee, viewer):
            return Found([], None, 0 if after is None else None)
        asked = _Asked(question, plans.rows_of(viewer.firm_id, name, question), order, after, page.limit + 1)
        part = await self._part(asked)
        shown = part.documents[: page.limit]
        more = len(part.documents) > page.limit
        cursor = self._cursors.closed(order.place(shown[-1]), question, viewer) if more else None
        return Found([client_from(d) for d in shown], cursor, part.total if after is None else None)

    async def _part(self, asked: _Asked) -> _Part:
        leavers = await self._leavers(asked.firm_id) if asked.question.unassigned else []
        if leavers:
            return await self._while_leaving(asked, leavers)
        return await (self._few(asked) if plans.narrowed(asked.question) else self._walked(asked))

    async def counts(self, firm_id: str, lists: Iterable[str]) -> dict[str, int]:
        """Return how many rows stand in each of *lists*: sums of a few documents, however many rows (L6, T8)."""
        wanted = sorted(set(lists))
        found = self._database[COUNTS].aggregate(
            [{"$match": {"firm_id": firm_id, "list": {"$in": wanted}}}, {"$group": {"_id": "$list", "n": {"$sum": "$n"}}}]
        )
        counted = {d["_id"]: int(d["n"]) for d in await found.to_list(None)}
        return {name: counted.get(name, 0) for name in wanted}

    async def _works_here(self, member_id: str | None, viewer: Viewer) -> bool:
        """Whoever was removed is assigned to nothing from that moment on (M4)."""
        where = {"_id": member_id, "firm_id": viewer.firm_id, "active": True}
        return member_id is None or await self._database[MEMBERS].find_one(where, {"_id": 1}) is not None

    async def _leavers(self, firm_id: str) -> list[str]:
        """Return the members whose removal is being carried out: what is theirs alone is unassigned already (M4)."""
        found = await self._database[MEMBERS].find({"firm_id": firm_id, "leaving": {"$gte": 0}}, {"_id": 1}).to_list(None)
        return [member["_id"] for member in found]

    async def _while_leaving(self, asked: _Asked, leavers: list[str]) -> _Part:
        """Return who works with nobody but *leavers*: walked and counted, for the minute it takes to unassign them."""
        asked = replace(asked, where={**asked.where, **plans.left_by(leavers)})
        documents = await self._walk(asked, None)
        if asked.after is not None:
            return _Part(documents)
        return _Part(documents, await self._database[ROWS].count_documents(asked.where, hint="by_name"))

    async def _walked(self, asked: _Asked) -> _Part:
        if asked.after is not None:
            return _Part(await self._walk(asked, None))
        name = plans.counted(asked.question, asked.listed)
        documents, counts = await asyncio.gather(self._walk(asked, None), self.counts(asked.firm_id, [name]))
        return _Part(documents, counts[name])

    async def _few(self, asked: _Asked) -> _Part:
        """Return what is found among many: the fewest rows are picked after all if a walk was in vain."""
        counts = await self._counts(asked)
        match plans.choose(asked.question, counts):
            case Way.PICK:
                return await self._picked(asked, counts.fewest[1])
            case Way.MERGE:
                return await self._merged(asked)
            case Way.WALK:
                edge = await self._edge(asked)
                documents = await self._walk(asked, edge)
                if len(documents) < asked.limit and edge is not None:
                    return await self._picked(asked, counts.fewest[1])
                return _Part(documents, None if sought(asked.question.search) else counts.missing)

    async def _counts(self, asked: _Asked) -> Counts:
        names = {asked.listed, plans.counted(asked.question, asked.listed)}
        if not sought(asked.question.search):
            found = await self.counts(asked.firm_id, names)
            return Counts(found[asked.listed], found[plans.counted(asked.question, asked.listed)])
        question = asked.question
        found, beginning, within = await asyncio.gather(
            self.counts(asked.firm_id, names),
            self._some(plans.beginning_so(asked.firm_id, question.search)),
            self._some(plans.holding(asked.firm_id, question.search)),
        )
        missing = found[plans.counted(question, asked.listed)] if question.missing else None
        return Counts(found[asked.listed], missing, beginning, within)

    async def _some(self, where: Where) -> int:
        return int(await self._database[ROWS].count_documents(where, hint="by_tails", limit=plans.FEW + 1))

    async def _merged(self, asked: _Asked) -> _Part:
        """Return the first of two kinds of rows: names that begin with what is searched, and rows that hold it elsewhere."""
        order, question = asked.order, asked.question
        named = plans.between(plans.named_so(asked.where, question), order, asked.after)
        elsewhere = plans.between(plans.elsewhere(asked.where, question), order, asked.after)
        walked, held = await asyncio.gather(
            self._along(named, order, order.within_beginning or order.index, asked.limit),
            self._first(elsewhere, order, "by_tails", asked.limit),
        )
        rows = {document["_id"]: document for document in (*walked, *held.documents)}
        return _Part(order.sorted(rows.values())[: asked.limit])

    async def _walk(self, asked: _Asked, edge: Place | None) -> list[Document]:
        where = plans.between(asked.where, asked.order, asked.after, edge)
        return await self._along(where, asked.order, asked.order.index, asked.limit)

    async def _along(self, where: Where, order: Order, index: str, limit: int) -> list[Document]:
        found = self._database[ROWS].find(where, SHOWN).sort(order.keys).limit(limit).hint(index)
        documents: list[Document] = await found.batch_size(limit).to_list(None)
        return documents

    async def _edge(self, asked: _Asked) -> Place | None:
        """Return up to which place a walk goes, None if to the end of its list: told by the order's index alone."""
        order = asked.order
        where = {name: asked.where[name] for name in ("firm_id", "lists", order.field) if name in asked.where}
        reach = PASSED_BY + PASSED_BY_PER_ROW * asked.limit
        shown = {"_id": 0, order.field: 1, "client_id": 1}
        found = self._database[ROWS].find(plans.between(where, order, asked.after), shown)
        found = found.sort(order.keys).skip(reach).limit(1).hint(order.index)
        return next((order.place(document) for document in await found.to_list(None)), None)

    async def _picked(self, asked: _Asked, index: str) -> _Part:
        where = plans.between(plans.picked(asked.where, asked.question, index), asked.order, asked.after)
        return await self._first(where, asked.order, index, asked.limit)

    async def _first(self, where: Where, order: Order, index: str, limit: int) -> _Part:
        pipeline = plans.first_of(where, order, limit, ROWS, SHOWN)
        told = await self._database[ROWS].aggregate(pipeline, hint=index).to_list(None)
        return _Part(order.sorted(told[0]["rows"]), told[0]["total"]) if told else _Part([], 0)
