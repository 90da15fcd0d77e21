"""Pages of a tab: one equality on one index, keyset behind it, a cursor bound to its question (L1–L5, L10)."""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from services.clients.documents import client_from
from services.clients.domain.states import Client
from services.clients.queries.viewer import Viewer
from services.clients.store import COUNTS, MEMBERS, ROWS
from shared.auth import derive, same
from shared.contracts.base import ID_PATTERN
from shared.mongo import Database
from shared.names import SHORTEST_LOOSE, fold, loose
from shared.problems import FieldError, Problem

SORTS: Mapping[str, tuple[str, int, str]] = {
    "name": ("sort_key", 1, "by_name"),
    "-name": ("sort_key", -1, "by_name_down"),
    "missing_receipts": ("missing", 1, "by_missing"),
    "-missing_receipts": ("missing", -1, "by_missing_down"),
}
TABS = ("invitations", "onboarding", "mine", "all")


@dataclass(frozen=True, slots=True)
class Question:
    """What of which tab is asked for, in which order."""

    tab: str
    search: str = ""
    missing: bool = False
    unassigned: bool = False
    assignee: str | None = None
    sort: str = "name"


@dataclass(frozen=True, slots=True)
class Page:
    """A question, and which part of its answer."""

    question: Question
    limit: int
    cursor: str | None


def parse(query: Mapping[str, str], viewer: Viewer) -> Page:
    """Return what a query string asks for; raises 422 with an entry per wrong parameter, 403 for a tab of another role (T9)."""
    wrong: list[FieldError] = []

    def check(name: str, good: bool, detail: str) -> None:
        if not good:
            wrong.append(FieldError(name, "invalid", detail))

    tab = query.get("tab", "")
    check("tab", tab in TABS, "must be one of " + ", ".join(TABS))
    search = query.get("search", "")
    check("search", len(search) <= 100, "must have at most 100 characters")
    flags = {}
    for name in ("missing_receipts", "unassigned"):
        value = query.get(name)
        check(name, value in (None, "true", "false"), "must be true or false")
        flags[name] = value == "true"
    check("unassigned", not flags["unassigned"] or tab == "all", "is for the tab all only")
    assignee = query.get("assignee")
    check("assignee", assignee is None or bool(re.fullmatch(ID_PATTERN, assignee)), "must be a member id")
    check("assignee", assignee is None or (viewer.admin and tab in ("all", "onboarding")), "is for admins, in all and onboarding")
    sort = query.get("sort", "name")
    check("sort", sort in SORTS, "must be one of " + ", ".join(SORTS))
    limit = query.get("limit", "50")
    good = limit.isascii() and limit.isdigit() and len(limit) <= 3 and 1 <= int(limit) <= 200
    check("limit", good, "must be 1 to 200")
    if wrong:
        raise Problem(422, "invalid", locale=viewer.locale, errors=list({e.field: e for e in wrong}.values()))
    if tab not in viewer.tabs:
        raise Problem(403, "tab_not_allowed", locale=viewer.locale)
    question = Question(tab, search.strip(), flags["missing_receipts"], flags["unassigned"], assignee, sort)
    return Page(question, int(limit), query.get("cursor"))


class Pages:
    """Reads pages and counts of one firm's rows."""

    def __init__(self, database: Database, secret: str) -> None:
        self._database = database
        self._secret = secret

    async def page(self, page: Page, viewer: Viewer) -> tuple[list[Client], str | None, int | None]:
        """Return the page's clients, the cursor of the next page, and on the first page the exact total."""
        field, direction, index = SORTS[page.question.sort]
        if page.question.assignee and not await self._works_here(page.question.assignee, viewer):
            return [], None, None if page.cursor else 0
        leavers = await self._leavers(viewer) if page.question.unassigned else []
        where = {**self._where(page.question, viewer), **_left_by(leavers)}
        first = page.cursor is None
        total = await self._total(page.question, viewer, where, exact=not leavers) if first else None
        if page.cursor is not None:
            value, client_id = self._opened(page.cursor, page.question, viewer)
            beyond = {"$gt" if direction > 0 else "$lt": value}
            where = {"$and": [where, {"$or": [{field: beyond}, {field: value, "client_id": {"$gt": client_id}}]}]}
        found = self._database[ROWS].find(where).sort([(field, direction), ("client_id", 1)]).limit(page.limit + 1).hint(index)
        documents = await found.to_list(None)
        cursor = None
        if len(documents) > page.limit:
            last = documents[page.limit - 1]
            cursor = self._closed([last[field], last["client_id"]], page.question, viewer)
        return [client_from(d) for d in documents[: page.limit]], cursor, total

    async def counts(self, firm_id: str, lists: list[str]) -> dict[str, int]:
        """Return how many rows stand in each of *lists*: sums of a few documents, however many rows (L6, T8)."""
        found = self._database[COUNTS].aggregate(
            [{"$match": {"firm_id": firm_id, "list": {"$in": lists}}}, {"$group": {"_id": "$list", "n": {"$sum": "$n"}}}]
        )
        counted = {d["_id"]: int(d["n"]) async for d in found}
        return {name: counted.get(name, 0) for name in lists}

    async def _works_here(self, member_id: str, viewer: Viewer) -> bool:
        """Whoever was removed is assigned to nothing from that moment on (M4)."""
        where = {"_id": member_id, "firm_id": viewer.firm_id, "active": True}
        return await self._database[MEMBERS].find_one(where, {"_id": 1}) is not None

    async def _leavers(self, viewer: Viewer) -> list[str]:
        """Return the members whose removal is being carried out: what is theirs alone is unassigned already (M4)."""
        found = self._database[MEMBERS].find({"firm_id": viewer.firm_id, "leaving": {"$gte": 0}}, {"_id": 1})
        return [member["_id"] async for member in found]

    async def _total(self, question: Question, viewer: Viewer, where: Mapping[str, Any], *, exact: bool) -> int:
        lists = self._lists(question, viewer)
        if question.search or len(lists) > 1 or not exact:
            return int(await self._database[ROWS].count_documents(where, hint="by_name"))
        name = f"{lists[0]}+missing" if question.missing else lists[0]
        return (await self.counts(viewer.firm_id, [name]))[name]

    def _lists(self, question: Question, viewer: Viewer) -> list[str]:
        if question.unassigned:
            return ["unassigned", *([f"mine:{question.assignee}"] if question.assignee else [])]
        if question.assignee:
            return [f"{'mine' if question.tab == 'all' else 'onboarding'}:{question.assignee}"]
        return [viewer.list_of(question.tab)]

    def _where(self, question: Question, viewer: Viewer) -> dict[str, Any]:
        lists = self._lists(question, viewer)
        where: dict[str, Any] = {"firm_id": viewer.firm_id, "lists": lists[0] if len(lists) == 1 else {"$all": lists}}
        if question.missing:
            where["missing"] = {"$gt": 0}
        asked = fold(question.search)
        if question.search:
            found: list[dict[str, Any]] = [{"exact": {"$regex": re.escape(asked)}}]
            if len(asked) >= SHORTEST_LOOSE:
                found.append({"loose": {"$regex": re.escape(loose(asked))}})
            where["$or"] = found
        return where

    def _mark(self, question: Question, viewer: Viewer) -> str:
        asked = orjson.dumps([viewer.firm_id, viewer.list_of(question.tab), *_parts(question)]).decode()
        return derive(self._secret, "cursor", asked)[:22]

    def _closed(self, place: list[Any], question: Question, viewer: Viewer) -> str:
        return urlsafe_b64encode(orjson.dumps([self._mark(question, viewer), *place])).rstrip(b"=").decode()

    def _opened(self, cursor: str, question: Question, viewer: Viewer) -> tuple[Any, str]:
        wrong = Problem(400, "bad_cursor", locale=viewer.locale)
        try:
            mark, value, client_id = orjson.loads(urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4)))
        except (ValueError, TypeError):
            raise wrong from None
        if not isinstance(mark, str) or not isinstance(client_id, str) or not same(mark, self._mark(question, viewer)):
            raise wrong
        expected = str if SORTS[question.sort][0] == "sort_key" else int
        if type(value) is not expected:
            raise wrong
        return value, client_id


def _left_by(leavers: list[str]) -> dict[str, Any]:
    """Return what a row is found by that nobody works on but *leavers*, or nobody at all."""
    if not leavers:
        return {}
    lists = ["unassigned", *(f"mine:{member_id}" for member_id in leavers)]
    return {"lists": {"$in": lists}, "assignees": {"$not": {"$elemMatch": {"$nin": leavers}}}}


def _parts(question: Question) -> list[Any]:
    return [question.tab, question.search, question.missing, question.unassigned, question.assignee, question.sort]
