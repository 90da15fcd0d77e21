"""Exporting on a real database: streamed in constant memory, and only as long as one may see it (L9, T10)."""

from __future__ import annotations

import tracemalloc
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from starlette.requests import Request

from services.clients.queries.question import Question
from services.clients.queries.routes import Doors
from services.clients.store import MEMBERS
from shared.contracts.base import Role
from shared.problems import Problem
from tests.integration.listing import CONNECTED, LEYLA, Listing
from tests.system import Ground


@pytest.fixture(scope="module")
async def listing(ground: Ground) -> AsyncIterator[Listing]:
    async with Listing.usual(ground) as listing:
        yield listing


@dataclass
class Reader:
    """Reads the export of one firm's rows, piece by piece, as a member with a good token."""

    doors: Doors
    request: Request

    @classmethod
    async def of(cls, listing: Listing, member_id: str) -> Reader:
        await listing.employs(member_id, Role.ADMIN)
        return cls(*listing.asked(member_id))

    def read(self, question: Question) -> AsyncIterator[bytes]:
        return self.doors._csv(self.request, question, LEYLA)


async def test_an_export_takes_no_more_memory_for_more_rows(listing: Listing) -> None:
    """L9: streamed; what is held at once is a page, however many there are."""
    reader = await Reader.of(listing, "leyla")
    stream, peaks, lines = reader.read(Question("all")), [], 0
    tracemalloc.start()
    try:
        async for chunk in stream:
            lines += chunk.count(b"\r\n")
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.reset_peak()
    finally:
        tracemalloc.stop()
    assert lines == CONNECTED + 1
    assert len(peaks) > 5
    assert max(peaks[3:]) < 1.5 * max(peaks[:3])


@pytest.mark.parametrize(("change", "code"), [({"active": False}, "not_a_member"), ({"role": "accountant"}, "tab_not_allowed")])
async def test_an_export_breaks_off_with_the_right_to_read_it(listing: Listing, change: dict[str, Any], code: str) -> None:
    """T9, T10: removed or demoted in the middle, a member gets no further page; and no file that looks whole."""
    reader = await Reader.of(listing, "leyla")
    stream = reader.read(Question("all"))
    assert (await anext(stream)).startswith(b"\xef\xbb\xbf")
    assert await anext(stream)
    await listing.database[MEMBERS].update_one({"_id": "leyla"}, {"$set": change})
    with pytest.raises(Problem, match=code):
        await anext(stream)
