"""Doorbells: who hears of a change, and when a stream closes (T10; contract, `/v1/stream`)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from tests.e2e.portal import Firm, Outside


async def _bells(outside: Outside, token: str) -> AsyncIterator[tuple[str, str]]:
    headers = {"Authorization": f"Bearer {token}"}
    async with outside.http.get(outside.url + "/v1/stream", headers=headers) as stream:
        assert stream.headers["Content-Type"].startswith("text/event-stream")
        event = ""
        async for line in stream.content:
            name, _, value = line.decode().strip().partition(": ")
            if name == "event":
                event = value
            elif name == "data":
                yield event, value


async def _next(bells: AsyncIterator[tuple[str, str]]) -> tuple[str, str]:
    return await asyncio.wait_for(anext(bells), 10)


async def test_an_assignment_rings_for_whom_it_concerns(firm: Firm, outside: Outside) -> None:
    """W3's doorbell: `reset` first, then the tabs and the client; nothing of what changed is in it."""
    client_id = await firm.client("Müller Bau")
    bells = _bells(outside, firm.accountant)
    assert await _next(bells) == ("reset", "{}")
    await firm.post(f"/v1/clients/{client_id}/assignments", {"member_id": firm.tom})
    heard = {await _next(bells), await _next(bells)}
    assert heard == {("tabs", "{}"), ("client", f'{{"client_id":"{client_id}"}}')}


async def test_a_removed_members_stream_closes_at_once(firm: Firm, outside: Outside) -> None:
    """T10: the stream ends, and the next request is refused."""
    bells = _bells(outside, firm.accountant)
    assert (await _next(bells))[0] == "reset"
    removed = {"firm_id": firm.id, "member_id": firm.tom, "sequence": 2}
    await outside.event("pleo.partners", "pleo.member.removed.v1", removed)

    async def drained() -> None:
        async for _ in bells:
            pass

    await asyncio.wait_for(drained(), 10)
    assert (await firm.get("/v1/tabs", firm.accountant)).code == "not_a_member"
