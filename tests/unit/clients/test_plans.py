"""How a question is put to the database, and where its pages end (L5, invariant 7)."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.clients.queries.cursors import Cursors
from services.clients.queries.plans import FEW, ORDERS, Counts, Place, Way, between, choose, narrowed, picked, rows_of
from services.clients.queries.question import Question
from shared.problems import Problem
from tests.unit.clients.story import ANNA, LEYLA, RITA, TOM, Somebody

SEALED = Cursors("secret")
PLACES = st.tuples(st.integers(-1, 3), st.sampled_from("abcd"))


NAMED, TWO_LETTERS = Question("all", search="müller"), Question("all", search="mü")
BY_MISSING = Question("all", search="müller", sort="missing_receipts")
MANY = FEW + 1


@pytest.mark.parametrize(
    ("asked", "counts", "way", "index"),
    [
        (NAMED, Counts(100_000, 100_000, None, 4, 3), Way.PICK, "by_tails"),
        (NAMED, Counts(30, 100_000, None, MANY, MANY), Way.PICK, "by_name"),
        (NAMED, Counts(100_000, 100_000, FEW, MANY, MANY), Way.PICK, "by_missing"),
        (Question("all", missing=True), Counts(100_000, missing=FEW), Way.PICK, "by_missing"),
        (Question("all", missing=True), Counts(100_000, missing=60_000), Way.WALK, "by_missing"),
        (NAMED, Counts(100_000, 100_000, None, MANY, 0), Way.MERGE, "by_tails"),
        (NAMED, Counts(100_000, 100_000, None, 1, FEW), Way.MERGE, "by_tails"),
        (NAMED, Counts(100_000, 110_000, None, 1, MANY), Way.SKIM, "by_tails"),
        (NAMED, Counts(30_000, 100_000, None, 1, MANY), Way.WALK, "by_tails"),
        (TWO_LETTERS, Counts(100_000, 100_000, None, MANY, 0), Way.SKIM, "by_tails"),
        (BY_MISSING, Counts(100_000, 100_000, None, MANY, 0), Way.WALK, "by_tails"),
    ],
)
def test_the_fewest_rows_are_gone_by(asked: Question, counts: Counts, way: Way, index: str) -> None:
    """Invariant 7: by search, by filter or by list, a pure function of the counts."""
    assert choose(asked, counts) is way
    assert counts.fewest[1] == index


def test_only_what_passes_by_rows_needs_a_plan() -> None:
    """L2, L4: missing receipts in their own order are a range of its index; a search of nothing is none."""
    assert not narrowed(Question("all", search=" \u00ad"))
    assert not narrowed(Question("all", missing=True, sort="-missing_receipts"))
    assert narrowed(Question("all", missing=True))
    assert narrowed(Question("all", search="b"))


def test_a_search_longer_than_its_tail_is_looked_at_again() -> None:
    """L1: the index knows the beginning of a tail only."""
    short, long = Question("all", search="müller"), Question("all", search="müller bau und söhne")
    assert "folded" not in picked(rows_of("f", "all", short), short, "by_tails")
    assert "folded" in picked(rows_of("f", "all", long), long, "by_tails")


@given(st.sampled_from(sorted(ORDERS)), st.none() | PLACES, st.none() | PLACES, st.booleans())
def test_ranges_hold_what_stands_between_two_places(sort: str, after: Place | None, to: Place | None, missing: bool) -> None:
    """L5: after one place, up to another, each row once, ties by id ascending in both directions (L3)."""
    order = ORDERS[sort]
    rows = [(value, id) for value in range(-1, 4) for id in "abcd"]
    if missing and any(place is not None and place[0] <= 0 for place in (after, to)):
        return  # such a place is none of these rows'
    ranges = between({order.field: {"$gt": 0}} if missing else {}, order, after, to)
    found = [row for r in ranges.get("$or", [ranges]) for row in rows if _is_in({order.field: row[0], "client_id": row[1]}, r)]

    def stands(place: Place) -> tuple[int, str]:
        return place[0] * order.direction, place[1]

    known = [row for row in rows if (row[0] > 0 or not missing) and (after is None or stands(row) > stands(after))]
    if after is None or to is None or stands(after) <= stands(to):
        assert sorted(found) == [row for row in known if to is None or stands(row) <= stands(to)]


def _is_in(row: dict[str, Any], where: dict[str, Any]) -> bool:
    return all(_holds(row[field], wanted) for field, wanted in where.items())


def _holds(value: Any, wanted: Any) -> bool:
    if not isinstance(wanted, dict):
        return bool(value == wanted)
    tests = {"$gt": value.__gt__, "$lt": value.__lt__, "$lte": value.__le__}
    return all(tests[name](bound) is True for name, bound in wanted.items())


ASKED = Question("all", search="müller", missing=True, sort="name")
PLACE: Place = ("muller", "c1")


def test_a_cursor_opens_for_its_own_question() -> None:
    """L5: it says where the page ended."""
    assert SEALED.opened(SEALED.closed(PLACE, ASKED, LEYLA.viewer()), ASKED, LEYLA.viewer()) == PLACE


@pytest.mark.parametrize(
    ("asked", "who"),
    [
        (replace(ASKED, tab="mine"), LEYLA),
        (replace(ASKED, search="muller"), LEYLA),
        (replace(ASKED, missing=False), LEYLA),
        (replace(ASKED, unassigned=True), LEYLA),
        (replace(ASKED, assignee="tom"), LEYLA),
        (replace(ASKED, sort="-name"), LEYLA),
        (replace(ASKED, sort="missing_receipts"), LEYLA),
        (ASKED, RITA),
    ],
)
def test_a_cursor_of_another_question_or_firm_is_bad(asked: Question, who: Somebody) -> None:
    """L5, contract 1: 400 bad_cursor."""
    _assert_bad(SEALED.closed(PLACE, ASKED, LEYLA.viewer()), asked, who)


def test_a_cursor_is_for_one_viewers_list() -> None:
    """L5: what is mine is not somebody else's, but colleagues may share a page of all."""
    mine = Question("mine")
    _assert_bad(SEALED.closed(PLACE, mine, TOM.viewer()), mine, ANNA)


GOOD = SEALED.closed(PLACE, ASKED, LEYLA.viewer())
DEEP = urlsafe_b64encode(b'["seal",' + b"[" * 300 + b"]" * 300 + b',"c-1"]').rstrip(b"=").decode()


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "x",
        GOOD[:-1],
        GOOD[1:],
        GOOD + "!",
        GOOD + "=",
        GOOD + " ",
        "ä" + GOOD,
        "W10",
        "bnVsbA",
        "e30",
        "WzEsMiwzXQ",
        "\ud800",
        GOOD * 2,
        DEEP,
    ],
)
def test_a_cursor_that_is_none_is_bad(cursor: str) -> None:
    """Contract 1: truncated, garbage, wrong types, non-ASCII: 400, never a 5xx."""
    _assert_bad(cursor, ASKED, LEYLA)


@given(st.text(max_size=60))
def test_no_text_is_taken_for_a_cursor(text: str) -> None:
    """E1: whatever is sent."""
    _assert_bad(text, ASKED, LEYLA)


def _assert_bad(cursor: str, asked: Question, who: Somebody) -> None:
    with pytest.raises(Problem) as caught:
        SEALED.opened(cursor, asked, who.viewer())
    assert (caught.value.status, caught.value.code) == (400, "bad_cursor")
