"""Finding clients on a real database: every page is what a naive reader would find, and none is scanned or sorted for (L1–L6)."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from functools import cache

import pytest

from services.clients import documents
from services.clients.domain.states import Client
from services.clients.queries.pages import Pages
from services.clients.queries.plans import FEW
from services.clients.queries.question import SORTS, Page, Question
from services.clients.queries.viewer import Viewer
from services.clients.store import ROWS
from shared.names import matches, sort_key
from tests.integration.listing import KANZLEI, LEYLA, TOM, Listing, client
from tests.system import Ground

SEARCHES = (
    "",
    "bau",  # more than are few: every connected client's
    "e",
    "mü",
    "müller",
    "er bau",
    "2017",  # a client number, and a few names
    "müller bau gmbh & co. kg 17",  # longer than a tail
    "gibt es nicht",
    "(.*|$",
)


@pytest.fixture(scope="module")
async def listing(ground: Ground) -> AsyncIterator[Listing]:
    async with Listing.usual(ground) as listing:
        yield listing


def naive(clients: Sequence[Client], question: Question, viewer: Viewer) -> list[str]:
    """Return the ids of what a question finds, as one would without any index."""
    found = [c for c in clients if question.list_for(viewer) in c.lists]
    found = [c for c in found if any(_found(question.search, text) for text in (c.name, c.client_number or ""))]
    if question.missing:
        found = [c for c in found if (c.readable.missing or 0) > 0]
    unknown = documents.UNKNOWN
    by_id = sorted(found, key=lambda c: c.client_id)
    if question.sort.endswith("name"):
        by_id.sort(key=lambda c: _key(c.name), reverse=question.sort.startswith("-"))
    else:
        by_id.sort(key=lambda c: unknown if c.readable.missing is None else c.readable.missing, reverse=question.sort[0] == "-")
    return [c.client_id for c in by_id]


_found, _key = cache(matches), cache(sort_key)


async def everything(pages: Pages, question: Question, viewer: Viewer, limit: int) -> tuple[list[str], int | None]:
    """Return the ids of all pages, and the total that the first one told."""
    page = Page(question, limit)
    first = found = await pages.page(page, viewer)
    ids = [c.client_id for c in found.clients]
    while found.cursor is not None:
        found = await pages.page(replace(page, cursor=found.cursor), viewer)
        assert found.total is None
        ids += [c.client_id for c in found.clients]
    return ids, first.total


LISTS = (
    (LEYLA, Question("all")),
    (LEYLA, Question("mine")),
    (TOM, Question("mine")),
    (TOM, Question("onboarding")),
    (LEYLA, Question("onboarding")),
    (LEYLA, Question("invitations")),
    (LEYLA, Question("all", unassigned=True)),
    (LEYLA, Question("all", assignee="tom")),
    (LEYLA, Question("onboarding", assignee="tom")),
    (LEYLA, Question("all", assignee="nobody")),
    (LEYLA, Question("all", assignee="tom", unassigned=True)),
)


@pytest.mark.parametrize(("viewer", "question"), LISTS, ids=lambda part: str(getattr(part, "member_id", None) or part))
@pytest.mark.parametrize("search", SEARCHES)
async def test_every_question_gets_what_a_naive_reader_would_find(
    listing: Listing, viewer: Viewer, question: Question, search: str
) -> None:
    """L1–L5, L10, T8: tab, filters and search combined with AND, in order, each row once, with an exact total if any."""
    for sort, missing in itertools.product(SORTS, (False, True)):
        asked = replace(question, search=search, sort=sort, missing=missing)
        wanted = naive(listing.clients, asked, viewer)
        found, total = await everything(listing.pages, asked, viewer, 200)
        assert found == wanted, asked
        assert total == len(wanted) or (total is None and len(wanted) > FEW), asked


@pytest.mark.parametrize("search", SEARCHES)
async def test_no_page_is_scanned_or_sorted_for(listing: Listing, search: str) -> None:
    """L6, invariants 7 and 11: every command goes by a forced index that has the order, on every page, and names the firm."""
    listing.overheard.commands.clear()
    for (viewer, question), sort, missing in itertools.product(LISTS, SORTS, (False, True)):
        asked = Page(replace(question, search=search, sort=sort, missing=missing), 7)
        first = await listing.pages.page(asked, viewer)
        if first.cursor is not None:
            await listing.pages.page(replace(asked, cursor=first.cursor), viewer)
        await listing.assert_planned()


async def test_a_search_whose_rows_stand_far_away_is_found_all_the_same(ground: Ground) -> None:
    """L1, L6: many rows, but none among those that a walk passes by at first; and a last page whose walk ends with its list."""
    names = ("Apfel KG", "Süd AG", "Zander UG")
    ours = [replace(client(n), client_id=f"{name[:3]}{n}", name=f"{name} {n}") for name in names for n in range(FEW + 400)]
    ours += [replace(client(n), client_id=f"x{n}", name=f"Hotel Zander {n}", client_number="sued") for n in range(20)]
    async with Listing.stands(ground, ours) as listing:
        for sort, search in itertools.product(SORTS, ("zander", "apf", "ug", "kg", "sued")):
            asked = Question("all", search=search, sort=sort)
            listing.overheard.commands.clear()
            found = await listing.pages.page(Page(asked, 5), LEYLA)
            await listing.assert_planned()
            wanted = naive(ours, asked, LEYLA)
            assert [c.client_id for c in found.clients] == wanted[:5]
            assert found.total in (len(wanted), None)
            ids, _ = await everything(listing.pages, asked, LEYLA, 200)
            assert ids == wanted


async def test_how_far_a_search_looks_may_be_of_a_minute_ago(ground: Ground) -> None:
    """L1, L6: it is asked once for what is typed on, and rows that came, went or moved since are found as they stand now."""
    names = ("Apfel KG", "Süd AG", "Zander UG")
    ours = [replace(client(n), client_id=f"{name[:3]}{n}", name=f"{name} {n}") for name in names for n in range(FEW + 400)]
    async with Listing.stands(ground, ours) as listing:
        pages, searches = listing.pages, [Question("all", search=search, sort="-name") for search in ("er ug", "el kg", "g")]
        for asked in searches:
            await pages.page(Page(asked, 5), LEYLA)
        assert len([command for command in listing.overheard.commands if command.get("skip")]) == 1
        gone, later = ours[: FEW + 100], [replace(c, name=f"Zwerg {c.name}", client_id=f"z{c.client_id}") for c in ours]
        await listing.database[ROWS].delete_many({"_id": {"$in": [documents.client(c)["_id"] for c in gone]}})
        await listing.database[ROWS].insert_many([documents.client(c) for c in later])
        listing.overheard.commands.clear()
        for asked in searches:
            found = await pages.page(Page(asked, 5), LEYLA)
            assert [c.client_id for c in found.clients] == naive([*ours[FEW + 100 :], *later], asked, LEYLA)[:5]
        assert not [command for command in listing.overheard.commands if command.get("skip")]


async def test_counts_are_what_paging_yields(listing: Listing) -> None:
    """T8: each tab's count is exact; another firm's rows are nobody's here."""
    for viewer in (LEYLA, TOM):
        lists = {tab: viewer.list_of(tab) for tab in viewer.tabs}
        counts = await listing.pages.counts(KANZLEI, lists.values())
        for tab, name in lists.items():
            ids, total = await everything(listing.pages, Question(tab), viewer, 200)
            assert counts[name] == total == len(ids) > 0
