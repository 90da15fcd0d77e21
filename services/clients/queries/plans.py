"""How a question is put to the database: pure, and forced by hint, so that nothing is guessed or sorted (invariant 7).

A page is *walked*: along the index that has its order, from its cursor on. Where search or filter keep few rows, a walk
would pass by too many; then these few are *picked* by the index that finds them, and the database keeps the first of them.
Where many names begin with what is searched, and few hold it elsewhere, those are walked, these picked, and both *merged*.
A search in a list of most of the firm's rows *skims* an index of their texts: who is passed by there is not even read.
Missing receipts, which change with every fact, are sorted and filtered by in a small collection of *places* beside the rows.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from bson import Regex

from services.clients.documents import PLACE_FIELDS, ROW_FIELDS
from services.clients.queries.question import Question
from services.clients.store import COUNTS, MEMBERS, PLACES, ROWS
from shared.mongo import Document
from shared.names import BEGINNING, TAIL, beginning, pattern, sought

FEW = 1_000
"""So many rows are picked in about the time in which a page of them is met among 100,000."""
MOST = 3
"""A list of a third of the firm is worth skimming all of it: to read a row takes three times as long as to pass it by."""
WHOLE_FIRM = ("all", "onboarding", "invitations")
"""Lists that hold every row that stands in a tab; some rows are in two."""
SHOWN = {"_id": 0, **dict.fromkeys((*ROW_FIELDS, *PLACE_FIELDS), 1)}

PLACED = ("by_missing", "by_missing_down")
"""The indexes of places."""

Where = dict[str, Any]
Place = tuple[Any, str]
"""Where a row stands in an order: the value it is sorted by, and its client's id."""


@dataclass(frozen=True, slots=True)
class Order:
    """An order of rows: the field, its direction, and the index that has it; ties stand by id ascending (L3)."""

    field: str
    direction: int
    index: str
    within_beginning: str | None = None
    of_texts: str | None = None

    @property
    def keys(self) -> list[tuple[str, int]]:
        """As the database is told."""
        return [(self.field, self.direction), ("client_id", 1)]

    @property
    def placed(self) -> bool:
        """Whether it is an order of places."""
        return self.index in PLACED

    def place(self, document: Mapping[str, Any]) -> Place:
        """Return where a row stands."""
        return document[self.field], document["client_id"]

    def sorted(self, documents: Iterable[Document]) -> list[Document]:
        """Return a few rows in this order."""
        by_id = sorted(documents, key=lambda document: str(document["client_id"]))
        return sorted(by_id, key=lambda document: document[self.field], reverse=self.direction < 0)


ORDERS: Mapping[str, Order] = {
    "name": Order("sort_key", 1, "by_name", "by_beginning", "by_text"),
    "-name": Order("sort_key", -1, "by_name_down", "by_beginning_down", "by_text_down"),
    "missing_receipts": Order("missing", 1, "by_missing"),
    "-missing_receipts": Order("missing", -1, "by_missing_down"),
}


def narrowed(question: Question) -> bool:
    """Say whether a walk passes by rows: a search, or a filter that the order's index does not know."""
    return bool(sought(question.search)) or (question.missing and ORDERS[question.sort].field != "missing")


def counted(question: Question, name: str) -> str:
    """Return under which name the rows of a list are counted that a question without search asks for."""
    return f"{name}+missing" if question.missing else name


class Way(Enum):
    """How the rows of a narrowed question are got at."""

    WALK = "walk"
    PICK = "pick"
    MERGE = "merge"
    SKIM = "skim"


@dataclass(frozen=True, slots=True)
class Counts:
    """How many rows there are to go by; each may stop counting beyond FEW."""

    listed: int
    firm: int = 0
    missing: int | None = None
    beginning: int | None = None
    within: int | None = None

    @property
    def fewest(self) -> tuple[int, str]:
        """The index by which rows are fewest, and how many it finds."""
        found = [(self.listed, "by_name")]
        if self.missing is not None:
            found.append((self.missing, "by_missing"))
        if self.beginning is not None and self.within is not None:
            found.append((self.beginning + self.within, "by_tails"))
        return min(found)


def choose(question: Question, counts: Counts) -> Way:
    """Return how a narrowed question is answered (invariant 7)."""
    order = ORDERS[question.sort]
    if counts.fewest[0] <= FEW:
        return Way.PICK
    if counts.within is None or order.within_beginning is None:
        return Way.WALK
    if counts.within <= FEW and len(sought(question.search)) >= BEGINNING:
        return Way.MERGE
    return Way.SKIM if counts.firm <= MOST * counts.listed else Way.WALK


def rows_of(firm_id: str, name: str, question: Question) -> Where:
    """Return which rows a question asks for, as a walk tells them."""
    where: Where = {"firm_id": firm_id, "lists": name}
    if question.missing:
        where["missing"] = {"$gt": 0}  # unknown is below 0, and is not missing (L2)
    if sought(question.search):
        where["folded"] = {"$regex": pattern(question.search)}
    return where


def left_by(leavers: Sequence[str]) -> Where:
    """Return what a row is found by that nobody works on but *leavers*, or nobody at all (M4)."""
    lists = ["unassigned", *(f"mine:{member_id}" for member_id in leavers)]
    return {"lists": {"$in": lists}, "assignees": {"$not": {"$elemMatch": {"$nin": list(leavers)}}}}


def beginning_so(firm_id: str, search: str) -> Where:
    """Return the rows whose name may begin with what is searched, as the index of tails knows them."""
    return {"firm_id": firm_id, "tails": _tail(" ", search)}


def holding(firm_id: str, search: str) -> Where:
    """Return the rows that may hold what is searched elsewhere: further on in the name, or in the number."""
    return {"firm_id": firm_id, "tails": _tail("", search)}


def _tail(mark: str, search: str) -> Regex[str]:
    return Regex(f"^{mark}{re.escape(sought(search)[:TAIL])}")


def picked(where: Where, question: Question, index: str) -> Where:
    """Return the same rows as *where* for picking them by *index*."""
    if index != "by_tails":
        return where
    return _by_tails(where, question, {"$in": [_tail(" ", question.search), _tail("", question.search)]})


def elsewhere(where: Where, question: Question) -> Where:
    """Return of *where* the rows that hold what is searched not only where their name begins, for picking them by tails."""
    return _by_tails(where, question, _tail("", question.search))


def _by_tails(where: Where, question: Question, tails: Any) -> Where:
    told = {**where, "tails": tails}
    if len(sought(question.search)) <= TAIL:
        del told["folded"]
    return told


def named_so(where: Where, question: Question) -> Where:
    """Return of *where* the rows whose name begins with what is searched, for walking along them."""
    told = {name: value for name, value in where.items() if name != "folded"}
    return {**told, "begins": beginning(question.search), "folded": {"$regex": "^" + pattern(question.search)}}


def between(where: Where, order: Order, after: Place | None, to: Place | None = None) -> Where:
    """Return the rows of *where* that stand after one place, up to another: ranges of the order's index, none overlaps (L5)."""
    if after is not None and to is not None and after[0] == to[0]:
        return {**where, order.field: to[0], "client_id": {"$gt": after[1], "$lte": to[1]}}
    over, under = ("$gt", "$lt") if order.direction > 0 else ("$lt", "$gt")
    ranges: list[Where] = []
    span = dict(where.get(order.field, {}))
    if after is not None:
        ranges.append({**where, order.field: after[0], "client_id": {"$gt": after[1]}})
        span[over] = after[0]
    if to is not None:
        ranges.append({**where, order.field: to[0], "client_id": {"$lte": to[1]}})
        span[under] = to[0]
    if not span:
        return where
    return {"$or": [*ranges, {**where, order.field: span}]} if ranges else {**where, order.field: span}


def along(where: Where, order: Order, limit: int) -> list[Where]:
    """Return the pipeline that walks an order's index and tells the first *limit* rows of *where*.

    They are gathered by `$firstN`, which gathers no fewer than there are: with `$push` the database chooses the engine that
    passes rows by in twice the time.
    """
    walk: list[Where] = [{"$match": where}, {"$sort": dict(order.keys)}, {"$limit": limit}]
    if order.placed:
        return [*walk, {"$group": {"_id": None, "places": _first(limit, _stood(order))}}, _ROWS_OF_PLACES]
    return [*walk, {"$project": SHOWN}, {"$group": {"_id": None, "rows": _first(limit, "$$ROOT")}}]


def first_of(where: Where, order: Order, limit: int) -> list[Where]:
    """Return the pipeline that tells how many rows *where* has, and the first ones in an order; they come as they like."""
    best: Where = {"$topN": {"n": limit, "sortBy": dict(order.keys), "output": _stood(order)}}
    if order.direction > 0:
        best = {"$minN": {"n": limit, "input": _stood(order)}}  # they are compared as they are, which is quicker
    return [{"$match": where}, {"$group": {"_id": None, "total": {"$sum": 1}, "places": best}}, _ROWS_OF_PLACES]


def collection_of(index: str) -> str:
    """Return which collection an index is of."""
    return PLACES if index in PLACED else COUNTS if index == "by_list" else ROWS


def arranged(told: Mapping[str, Any], order: Order) -> list[Document]:
    """Return the rows that a pipeline told, by the places they were found at: what moved since stands where it stood (L5)."""
    rows: list[Document] = told.get("rows", [])
    if "places" not in told:
        return rows
    by_id = {row["_id"]: row for row in rows}
    return [{**by_id[place["_id"]], order.field: place["at"]} for place in told["places"]]


def names_of(firm_id: str) -> list[Where]:
    """Return what a pipeline that tells rows ends with, so that it tells the active members assigned to them, too (M4)."""
    active: list[Where] = [{"$match": {"firm_id": firm_id, "active": True}}, {"$project": {"name": 1}}]
    return [{"$lookup": _joined(MEMBERS, "rows.assignees", "members", active)}]


def counts_of(firm_id: str, names: Iterable[str]) -> Where:
    """Return what the counts of some lists are found by: to be summed, a few for each list, however many rows (L6, T8)."""
    return {"firm_id": firm_id, "list": {"$in": sorted(set(names))}}


def counting(firm_id: str, names: Iterable[str]) -> list[Where]:
    """Return the pipeline over the counts that tells those of some lists, as ``n``: to sum a few here costs the database more."""
    return [{"$match": counts_of(firm_id, names)}, {"$project": {"_id": 0, "list": 1, "n": 1}}]


def some(where: Where, told: str) -> list[Where]:
    """Return the pipeline that tells as *told* how many rows *where* has, counted to just beyond FEW; of none it says nothing."""
    return [{"$match": where}, {"$limit": FEW + 1}, {"$count": told}]


def told_too(collection: str, pipeline: Sequence[Where]) -> Where:
    """Return the stage that tells what a pipeline over another collection tells after what was told before."""
    return {"$unionWith": {"coll": collection, "pipeline": list(pipeline)}}


def _stood(order: Order) -> Where:
    return {"at": f"${order.field}", "_id": "$_id"}  # within a firm, ids stand as its clients' do


def _first(limit: int, told: Any) -> Where:
    return {"$firstN": {"n": limit, "input": told}}


def _joined(collection: str, ids: str, told: str, pipeline: list[Where]) -> Where:
    return {"from": collection, "localField": ids, "foreignField": "_id", "pipeline": pipeline, "as": told}


_ROWS_OF_PLACES: Where = {"$lookup": _joined(ROWS, "places._id", "rows", [{"$project": {**SHOWN, "_id": 1}}])}
