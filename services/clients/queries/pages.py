"""Pages of a tab and their counts: what `plans` says, carried out; the cost does not grow with depth or size (L1–L6)."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from time import monotonic

from services.clients.documents import row_from
from services.clients.domain.states import Client
from services.clients.queries import plans
from services.clients.queries.cursors import Cursors
from services.clients.queries.plans import Counts, Order, Place, Way, Where
from services.clients.queries.question import Page, Question
from services.clients.queries.viewer import Viewer, viewer_from, who
from services.clients.store import COUNTS, MEMBERS, ROWS
from shared.mongo import Database, Document
from shared.names import sought

PASSED_BY = 2_000
PASSED_BY_PER_ROW = 50
AS_GOOD_AS_NEW = 60.0  # seconds
REMEMBERED = 1_000


@dataclass(frozen=True, slots=True)
class Found:
    """A page: its clients, who of the firm works on them, the cursor of the next one, and how many there are in all if known."""

    clients: list[Client]
    members: Mapping[str, Document]
    cursor: str | None
    total: int | None


@dataclass(frozen=True, slots=True)
class _Part:
    """Some rows of the answer, the active members assigned to them, and the total if it came along."""

    rows: list[Document]
    members: Mapping[str, Document]
    total: int | None


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

    def bounded_by(self, index: str) -> Where:
        """Return after which place a walk begins, among which rows, as far as the keys of *index* tell."""
        keyed = ("firm_id", "lists", self.order.field) if index == self.order.index else ("firm_id",)
        where = {name: self.where[name] for name in keyed if name in self.where}
        return plans.between(where, self.order, self.after)

    @property
    def searches(self) -> bool:
        return bool(sought(self.question.search))


class Pages:
    """Reads pages and counts of one firm's rows."""

    def __init__(self, database: Database, secret: str) -> None:
        self._database = database
        self._cursors = Cursors(secret)
        self._edges: dict[tuple[str, str, int], tuple[Place | None, float]] = {}

    async def page(self, page: Page, viewer: Viewer) -> Found:
        """Return a page; raises 400 ``bad_cursor``. The total is told on the first page, but for searches that find very many."""
        name = page.question.list_for(viewer)
        asked = self._asked(page, viewer, name or "")
        if name is None or not await self._works_here(page.question.assignee, viewer):
            return Found([], {}, None, 0 if asked.after is None else None)
        return self._found(await self._part(asked), asked, viewer)

    async def page_and_viewer(self, page: Page, presumed: Viewer) -> tuple[Found, Viewer]:
        """Return a page of a whole tab together with who asks for it, whom the first that is read tells, too.

        It is the page of whom they are *presumed* to be; whether it is theirs, the viewer tells. Raises ``not_a_member``, too.
        """
        asked = self._asked(page, presumed, presumed.list_of(page.question.tab))
        narrowed, asker = plans.narrowed(page.question), plans.told_too(MEMBERS, who(presumed.member_id, presumed.firm_id))
        told = await (self._counted(asked, asker) if narrowed else self._read([*self._walked(asked), asker], asked.order.index))
        viewer = viewer_from(told)
        part = await self._few(asked, told) if narrowed else _part_of(told, asked.order)
        return self._found(part, asked, presumed), viewer

    def _asked(self, page: Page, viewer: Viewer, name: str) -> _Asked:
        question, order = page.question, plans.ORDERS[page.question.sort]
        after = None if page.cursor is None else self._cursors.opened(page.cursor, question, viewer)
        return _Asked(question, plans.rows_of(viewer.firm_id, name, question), order, after, page.limit + 1)

    def _found(self, part: _Part, asked: _Asked, viewer: Viewer) -> Found:
        shown, more = part.rows[: asked.limit - 1], len(part.rows) == asked.limit
        cursor = self._cursors.closed(asked.order.place(shown[-1]), asked.question, viewer) if more else None
        total = part.total if asked.searches else part.total or 0  # there is no count of what never was
        return Found([row_from(d) for d in shown], part.members, cursor, total if asked.after is None else None)

    async def _part(self, asked: _Asked) -> _Part:
        leavers = await self._leavers(asked.firm_id) if asked.question.unassigned else []
        if leavers:
            return await self._while_leaving(asked, leavers)
        if not plans.narrowed(asked.question):
            return await self._walk(asked, asked.order.index)
        return await self._few(asked, await self._counted(asked))

    async def counts(self, firm_id: str, lists: Iterable[str]) -> Mapping[str, int]:
        """Return how many rows stand in each of *lists* (T8)."""
        return _summed(await self._database[COUNTS].find(plans.counts_of(firm_id, lists), {"list": 1, "n": 1}).to_list(None))

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
        part = await self._walk(asked, asked.order.index)
        if asked.after is not None:
            return part
        return replace(part, total=await self._database[ROWS].count_documents(asked.where, hint="by_name"))

    async def _few(self, asked: _Asked, told: Document) -> _Part:
        """Return what is found among many, by what was *told* to count: the fewest are picked after all if a walk was in vain."""
        counts = _counts_of(asked, told)
        match plans.choose(asked.question, counts):
            case Way.PICK:
                return await self._pick(asked, counts.fewest[1])
            case Way.MERGE:
                return await self._merge(asked)
            case Way.WALK:
                return await self._far(asked, counts, asked.order.index)
            case Way.SKIM:
                return await self._far(asked, counts, asked.order.of_texts or asked.order.index)

    async def _far(self, asked: _Asked, counts: Counts, index: str) -> _Part:
        """Return what a walk meets within reach; beyond that the fewest rows are picked."""
        edge = await self._edge(asked, index)
        walked = await self._walk(asked, index, edge)
        in_vain = len(walked.rows) < asked.limit and edge is not None
        return await self._pick(asked, counts.fewest[1]) if in_vain else walked

    async def _counted(self, asked: _Asked, *too: Where) -> Document:
        """Return what `_counts_of` needs, and what the stages *too* tell."""
        firm_id, search = asked.firm_id, asked.question.search
        lists = plans.counting(firm_id, (asked.listed, plans.counted(asked.question, asked.listed), *plans.WHOLE_FIRM))
        if not asked.searches:
            return await self._read([*lists, *too], "by_list")
        beginning = [*plans.some(plans.beginning_so(firm_id, search), "beginning"), plans.told_too(COUNTS, lists), *too]
        within = plans.some(plans.holding(firm_id, search), "within")
        held, told = await asyncio.gather(self._read(within, "by_tails"), self._read(beginning, "by_tails"))
        return {**told, "within": held.get("within", 0)}

    async def _walk(self, asked: _Asked, index: str, edge: Place | None = None) -> _Part:
        """Return the rows up to *edge*; on a first page with the total, which is counted already unless something is searched."""
        return await self._told(asked, self._walked(asked, edge), index)

    def _walked(self, asked: _Asked, edge: Place | None = None) -> list[Where]:
        where = plans.between(asked.where, asked.order, asked.after, edge)
        pipeline = [*plans.along(where, asked.order, asked.limit), *plans.names_of(asked.firm_id)]
        if asked.after is None and not asked.searches:
            counted = plans.counted(asked.question, asked.listed)
            pipeline.append(plans.told_too(COUNTS, plans.counting(asked.firm_id, [counted])))
        return pipeline

    async def _edge(self, asked: _Asked, index: str) -> Place | None:
        """Return up to which place a walk goes, None if to the end: it saves work and decides nothing, so an old one will do."""
        where = asked.bounded_by(index)
        known = self._edges.get(key := (repr(where), index, asked.limit))
        if known is None or known[1] < monotonic() - AS_GOOD_AS_NEW:
            if len(self._edges) >= REMEMBERED:
                self._edges.clear()
            known = self._edges[key] = await self._edge_of(asked, where, index), monotonic()
        return known[0]

    async def _edge_of(self, asked: _Asked, where: Where, index: str) -> Place | None:
        """Return the place that many rows away: told by the keys of the index alone."""
        order, reach = asked.order, PASSED_BY + PASSED_BY_PER_ROW * asked.limit
        found = self._database[plans.collection_of(index)].find(where, {"_id": 0, order.field: 1, "client_id": 1})
        found = found.sort(order.keys).skip(reach).limit(1).hint(index)
        return next((order.place(document) for document in await found.to_list(None)), None)

    async def _pick(self, asked: _Asked, index: str) -> _Part:
        where = plans.between(plans.picked(asked.where, asked.question, index), asked.order, asked.after)
        return await self._first(asked, where, index)

    async def _merge(self, asked: _Asked) -> _Part:
        """Return the first of two kinds of rows: names that begin with what is searched, and rows that hold it elsewhere."""
        order, question = asked.order, asked.question
        named = plans.between(plans.named_so(asked.where, question), order, asked.after)
        elsewhere = plans.between(plans.elsewhere(asked.where, question), order, asked.after)
        pipeline = [*plans.along(named, order, asked.limit), *plans.names_of(asked.firm_id)]
        walked, held = await asyncio.gather(
            self._told(asked, pipeline, order.within_beginning or order.index), self._first(asked, elsewhere, "by_tails")
        )
        rows = {row["client_id"]: row for row in (*walked.rows, *held.rows)}
        return _Part(order.sorted(rows.values())[: asked.limit], {**walked.members, **held.members}, None)

    async def _first(self, asked: _Asked, where: Where, index: str) -> _Part:
        pipeline = [*plans.first_of(where, asked.order, asked.limit), *plans.names_of(asked.firm_id)]
        part = await self._told(asked, pipeline, index)
        return _Part(asked.order.sorted(part.rows), part.members, part.total or 0)

    async def _told(self, asked: _Asked, pipeline: list[Where], index: str) -> _Part:
        return _part_of(await self._read(pipeline, index), asked.order)

    async def _read(self, pipeline: list[Where], index: str) -> Document:
        """Return what a pipeline tells by name, and the ``counts`` of lists that it tells."""
        found = await self._database.told(plans.collection_of(index), pipeline, hint=index)
        told = {name: told for document in found for name, told in document.items()}
        return {**told, "counts": _summed(document for document in found if "list" in document)}


def _part_of(told: Document, order: Order) -> _Part:
    """Return of what was told the rows, who works on them, and how many there are if that was counted."""
    members = {member["_id"]: member for member in told.get("members", ())}
    total = told.get("total", sum(told["counts"].values()) if told["counts"] else None)
    return _Part(plans.arranged(told, order), members, total)


def _counts_of(asked: _Asked, told: Document) -> Counts:
    """Return of what was told how many rows there are to go by."""
    question, counts = asked.question, told["counts"]
    firm = sum(counts[name] for name in plans.WHOLE_FIRM)
    missing = counts[plans.counted(question, asked.listed)] if question.missing else None
    if not asked.searches:
        return Counts(counts[asked.listed], firm, missing)
    return Counts(counts[asked.listed], firm, missing, told.get("beginning", 0), told["within"])


def _summed(documents: Iterable[Document]) -> Counter[str]:
    """Return the counts of lists, each told in parts."""
    counts: Counter[str] = Counter()
    for document in documents:
        counts[document["list"]] += document["n"]
    return counts
