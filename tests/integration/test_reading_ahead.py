"""A page read together with who asks for it: one way to the database, nothing shown to whom it is not for (T9, T10)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest

from services.clients.queries.question import Page, Question
from services.clients.queries.viewer import Viewer
from services.clients.store import FIRMS, MEMBERS
from shared.contracts.base import Role
from shared.problems import Problem
from tests.integration.listing import KANZLEI, LEYLA, RIVAL, TOM, Listing, client
from tests.system import Ground


@pytest.fixture(scope="module")
async def listing(ground: Ground) -> AsyncIterator[Listing]:
    async with Listing.usual(ground) as listing:
        yield listing


@pytest.fixture(autouse=True)
async def staff(listing: Listing) -> None:
    for viewer in (LEYLA, TOM):
        await listing.employs(viewer.member_id, viewer.role)


async def read(listing: Listing, member_id: str, query: str, firm_id: str = KANZLEI) -> Any:
    doors, request = listing.asked(member_id, query, firm_id)
    return orjson.loads((await doors.clients(request)).body)


THEIRS = [(LEYLA, tab) for tab in LEYLA.tabs] + [(TOM, tab) for tab in TOM.tabs]


@pytest.mark.parametrize("sort", ["name", "-missing_receipts"])
@pytest.mark.parametrize(("viewer", "tab"), THEIRS, ids=lambda part: str(getattr(part, "member_id", part)))
async def test_a_page_shows_what_its_viewer_sees(listing: Listing, viewer: Viewer, tab: str, sort: str) -> None:
    """T2–T5, L5: the first page and the next, by the list of their role."""
    question, cursor, more = Question(tab, sort=sort), None, ""
    for _ in range(2):
        wanted = await listing.pages.page(Page(question, 20, cursor), viewer)
        shown = await read(listing, viewer.member_id, f"tab={tab}&sort={sort}&limit=20{more}")
        assert [row["client_id"] for row in shown["items"]] == [c.client_id for c in wanted.clients] != []
        assert (shown["next_cursor"], shown["total"]) == (wanted.cursor, wanted.total)
        cursor, more = wanted.cursor, f"&cursor={wanted.cursor}"


async def test_a_page_takes_one_way_to_the_database(listing: Listing) -> None:
    """L6, invariants 7 and 11: role, rows, names and total from one question, that goes by indexes and names the firm."""
    listing.overheard.commands.clear()
    await read(listing, "leyla", "tab=all&sort=-name")
    assert len(listing.overheard.commands) == 1
    await listing.assert_planned()


@pytest.mark.parametrize("query", ["tab=all", "tab=invitations&limit=5", "tab=all&search=bau", "tab=all&unassigned=true"])
async def test_a_demoted_admin_sees_nothing_more_of_it(listing: Listing, query: str) -> None:
    """T9, T10: with the next request, though their token is as good as before."""
    assert (await read(listing, "leyla", query))["items"]
    await listing.employs("leyla", Role.ACCOUNTANT)
    with pytest.raises(Problem, match="tab_not_allowed"):
        await read(listing, "leyla", query)


@pytest.mark.parametrize("tab", ["all", "mine", "onboarding"])
async def test_who_was_removed_sees_nothing_more(listing: Listing, tab: str) -> None:
    """T10: with the next request."""
    await listing.database[MEMBERS].update_one({"_id": "leyla"}, {"$set": {"active": False}})
    with pytest.raises(Problem, match="not_a_member"):
        await read(listing, "leyla", f"tab={tab}")


async def test_another_firms_token_reads_nothing(listing: Listing) -> None:
    """T10, E1: neither of the firm that it names, nor of the member's own."""
    await listing.database[FIRMS].replace_one({"_id": RIVAL}, {"_id": RIVAL, "name": "Rival", "locale": None}, upsert=True)
    with pytest.raises(Problem, match="not_a_member"):
        await read(listing, "leyla", "tab=all", RIVAL)
    with pytest.raises(Problem, match="not_a_member"):
        await read(listing, "nobody", "tab=all")


async def test_a_firm_that_is_not_registered_has_no_members_yet(ground: Ground) -> None:
    """M1."""
    async with Listing.stands(ground, [client(1)]) as listing:
        await listing.employs("leyla", Role.ADMIN)
        assert (await read(listing, "leyla", "tab=all"))["items"]
        await listing.database[FIRMS].update_one({"_id": KANZLEI}, {"$set": {"name": None}})
        with pytest.raises(Problem, match="not_a_member"):
            await read(listing, "leyla", "tab=all")
        await listing.database[FIRMS].delete_one({"_id": KANZLEI})
        with pytest.raises(Problem, match="not_a_member"):
            await read(listing, "leyla", "tab=all")


@pytest.mark.parametrize(
    ("query", "code"),
    [("tab=all&limit=0", "invalid"), ("tab=all&cursor=x", "bad_cursor"), ("", "invalid"), ("tab=all&sort=?", "invalid")],
)
async def test_a_wrong_question_is_refused_in_its_viewers_language(listing: Listing, query: str, code: str) -> None:
    """E1, G1: reading ahead refuses nothing; who asks is looked up first."""
    await listing.database[MEMBERS].update_one({"_id": "leyla"}, {"$set": {"locale": "en-GB"}})
    with pytest.raises(Problem, match=code) as refused:
        await read(listing, "leyla", query)
    assert refused.value.locale == "en-GB"
