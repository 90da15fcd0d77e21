"""How a question is put to the database: pure, and forced by hint, so that nothing is guessed or sorted (invariant 7).

A page is *walked*: along the index that has its order, from its cursor on. Where search or filter keep few rows, a walk
would pass by too many; then these few are *picked* by the index that finds them, and the database keeps the first of them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.clients.queries.question import Question
from shared.names import TAIL, pattern, sought

FEW = 2_000
"""So many rows are picked in about the time in which a walk meets a page of them in a list of 100,000."""

Where = dict[str, Any]
Place = tuple[Any, str]
"""Where a row stands in an order: the value it is sorted by, and its client's id."""


@dataclass(frozen=True, slots=True)
class Order:
    """An order of rows: the field, its direction, and the index that has it; ties stand by id ascending (L3)."""

    field: str
    direction: int
    index: str

    @property
    def keys(self) -> list[tuple[str, int]]:
        """As the database is told."""
        return [(self.field, self.direction), ("client_id", 1)]

    def place(self, document: Mapping[str, Any]) -> Place:
        """Return where a row stands."""
        return document[self.field], document["client_id"]


ORDERS: Mapping[str, Order] = {
    "name": Order("sort_key", 1, "by_name"),
    "-name": Order("sort_key", -1, "by_name_down"),
    "missing_receipts": Order("missing", 1, "by_missing"),
    "-missing_receipts": Order("missing", -1, "by_missing_down"),
}


def narrowed(question: Question) -> bool:
    """Say whether a walk passes by rows: a search, or a filter that the order's index does not know."""
    return bool(sought(question.search)) or (question.missing and ORDERS[question.sort].field != "missing")


def counted(question: Question, name: str) -> str:
    """Return under which name the rows of a list are counted that a question without search asks for."""
    return f"{name}+missing" if question.missing else name


def choose(found: Mapping[str, int]) -> tuple[str, bool]:
    """Return by which index rows are fewest, and whether so few that they are picked; *found* may stop counting beyond FEW."""
    index = min(found, key=lambda name: found[name])
    return index, found[index] <= FEW


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


def searched(firm_id: str, search: str) -> Where:
    """Return which rows a search may find, as the index of tails knows them; up to TAIL characters it does find them."""
    return {"firm_id": firm_id, "tails": {"$regex": "^" + re.escape(sought(search)[:TAIL])}}


def picked(where: Where, question: Question, index: str) -> Where:
    """Return the same rows as *where* for picking them by *index*."""
    if index != "by_tails":
        return where
    told = {**where, **searched(where["firm_id"], question.search)}
    if len(sought(question.search)) <= TAIL:
        del told["folded"]
    return told


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


def first_of(where: Where, order: Order, limit: int) -> Sequence[Where]:
    """Return the pipeline that tells how many rows *where* has, and the places of the first ones in an order."""
    best = {
        "n": limit,
        "sortBy": dict(order.keys),
        "output": {"_id": "$_id", order.field: f"${order.field}", "client_id": "$client_id"},
    }
    return [{"$match": where}, {"$group": {"_id": None, "total": {"$sum": 1}, "first": {"$topN": best}}}]
