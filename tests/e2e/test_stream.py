"""Doorbells: who hears of a change, how often, and when a stream closes (T10, W3, E4; contract, `/v1/stream`)."""

from __future__ import annotations

import asyncio
import time
from itertools import pairwise

from tests.e2e.listening import Bell, listening, next_bell, until_closed
from tests.e2e.portal import Firm, Outside
from tests.system import eventually

JITTER = 0.1


def of_client(client_id: str) -> Bell:
    """Return the doorbell of a client."""
    return "client", f'{{"client_id":"{client_id}"}}'


async def test_an_assignment_rings_for_whom_it_concerns(firm: Firm) -> None:
    """W3's doorbell: `reset` first, then the tabs and the client; nothing of what changed is in it."""
    client_id = await firm.client("Müller Bau")
    bells = listening(firm.outside, firm.accountant)
    assert await next_bell(bells) == ("reset", "{}")
    await firm.post(f"/v1/clients/{client_id}/assignments", {"member_id": firm.tom})
    assert {await next_bell(bells), await next_bell(bells)} == {("tabs", "{}"), of_client(client_id)}


async def test_a_client_that_leaves_ones_sight_rings_once_more(firm: Firm) -> None:
    """W3: so that the page drops it; afterwards nothing about it rings."""
    ours, theirs = await firm.client("Müller Bau", firm.tom), await firm.client("Baur Bau", firm.tom)
    bells = listening(firm.outside, firm.accountant)
    assert (await next_bell(bells))[0] == "reset"
    path = f"/v1/clients/{theirs}/assignments/{firm.tom}"
    assert (await firm.outside.call("DELETE", path, firm.admin, headers={"Prefer": "wait=10"})).status == 200
    while await next_bell(bells) != of_client(theirs):
        pass
    heard: set[Bell] = set()
    for number in range(3):  # what was on its way may still ring a second later; the third round hears no more of it
        heard = set()
        await firm.missing(theirs, f"e{number}")
        await firm.figure(theirs, "missing_receipts", number + 1)
        await firm.missing(ours, f"e{number}")
        while of_client(ours) not in heard:
            heard.add(await next_bell(bells))
    assert heard <= {("tabs", "{}"), of_client(ours)}


async def test_a_disconnected_client_rings_at_its_assignees(firm: Firm) -> None:
    """I5, W3: the client is gone from their tab, and they are told."""
    client_id = await firm.client("Petersen Bau", firm.tom)
    bells = listening(firm.outside, firm.accountant)
    assert (await next_bell(bells))[0] == "reset"
    assert (await firm.post(f"/v1/clients/{client_id}/disconnect", {"confirm": True})).status == 200
    assert {await next_bell(bells), await next_bell(bells)} == {("tabs", "{}"), of_client(client_id)}


async def test_nobody_hears_of_clients_they_do_not_see(firm: Firm, outside: Outside) -> None:
    """W3: an accountant hears neither of a colleague's client nor of another firm's; an admin of all in the firm."""
    theirs = await firm.client("Fremd Bau", firm.leyla)
    ours = await firm.client("Eigen Bau", firm.tom)
    foreign = await (await outside.firm()).client("Anders Bau")
    accountant, admin = listening(outside, firm.accountant), listening(outside, firm.admin)
    for bells in (accountant, admin):
        assert (await next_bell(bells))[0] == "reset"
    for client_id in (foreign, theirs, ours):
        await firm.missing(client_id, "e1")
    heard: dict[str, set[Bell]] = {"accountant": set(), "admin": set()}
    for name, bells in (("accountant", accountant), ("admin", admin)):
        while of_client(ours) not in heard[name] or (name == "admin" and of_client(theirs) not in heard[name]):
            heard[name].add(await next_bell(bells))
    assert heard["accountant"] <= {("tabs", "{}"), of_client(ours)}
    assert heard["admin"] <= {("tabs", "{}"), of_client(ours), of_client(theirs)}


async def test_a_client_rings_once_a_second_and_its_last_change_always(firm: Firm) -> None:
    """Contract: at most one per client and second, none lost: the bell after the last change shows it."""
    client_id = await firm.client("Weber Bau", firm.tom)
    bells = listening(firm.outside, firm.accountant)
    assert (await next_bell(bells))[0] == "reset"
    changes = 40
    rang: list[float] = []
    shown = 0

    async def told() -> None:
        for number in range(changes):
            await firm.missing(client_id, f"e{number}")
            await asyncio.sleep(0.08)  # the pace of what happens, not a wait for it

    telling = asyncio.create_task(told())
    while shown < changes:
        bell = await next_bell(bells)
        if bell == of_client(client_id):
            rang.append(time.monotonic())
            shown = (await firm.get(f"/v1/clients/{client_id}", firm.accountant)).body["missing_receipts"] or 0
    await telling
    assert len(rang) < changes / 2
    assert all(later - earlier > 1.0 - JITTER for earlier, later in pairwise(rang)), rang


async def test_a_quiet_stream_says_that_it_is_there(firm: Firm, beside: Outside) -> None:
    """Contract: a comment every 15 s, here set to a third of a second."""
    bells = listening(beside, firm.admin)
    assert await asyncio.wait_for(anext(bells), 10) == ("reset", "{}")
    began = time.monotonic()
    for _ in range(3):
        assert await asyncio.wait_for(anext(bells), 5) == (":", ": still here")
    assert time.monotonic() - began > 0.5
    await bells.aclose()


async def test_a_removed_members_stream_closes_at_once(firm: Firm, outside: Outside) -> None:
    """T10: the stream ends, and the next request is refused."""
    bells = listening(outside, firm.accountant)
    assert (await next_bell(bells))[0] == "reset"
    removed = {"firm_id": firm.id, "member_id": firm.tom, "sequence": 2}
    await outside.event("pleo.partners", "pleo.member.removed.v1", removed)
    await until_closed(bells)
    assert (await firm.get("/v1/tabs", firm.accountant)).code == "not_a_member"
    answer = await firm.get("/v1/stream", firm.accountant)
    assert (answer.status, answer.code) == (403, "not_a_member")


async def test_a_demoted_admins_stream_closes_and_the_next_shows_less(firm: Firm, outside: Outside) -> None:
    """T10: the view of an admin is lost with the very next request; a new stream rings for what is left."""
    client_id = await firm.client("Krüger Bau")
    await firm.invited_by("Kommt Noch")
    bells = listening(outside, firm.admin)
    assert (await next_bell(bells))[0] == "reset"
    await firm.member(firm.leyla, "Leyla Özdemir", "accountant", sequence=2)
    await until_closed(bells)
    assert await firm.tabs() == {"mine": 0}
    assert (await firm.get("/v1/clients?tab=all")).code == "tab_not_allowed"
    assert (await firm.get(f"/v1/clients/{client_id}")).code == "not_found"
    assert (await firm.get("/v1/members")).code == "admin_only"
    again = listening(outside, firm.admin)
    assert (await next_bell(again))[0] == "reset"
    await again.aclose()


async def test_a_new_name_closes_no_stream(firm: Firm, outside: Outside) -> None:
    """T10 is about the view: whoever marries goes on listening."""
    client_id = await firm.client("Strauß Bau", firm.tom)
    bells = listening(outside, firm.accountant)
    assert (await next_bell(bells))[0] == "reset"
    await firm.member(firm.tom, "Tom Sommer", "accountant", sequence=2)

    async def renamed() -> bool:
        return bool((await firm.get("/v1/me", firm.accountant)).body["member"]["name"] == "Tom Sommer")

    await eventually(renamed)
    await firm.missing(client_id, "e1")
    while await next_bell(bells) != of_client(client_id):
        pass


async def test_a_stream_ends_with_its_token(firm: Firm, outside: Outside) -> None:
    """Contract, "Who calls": `exp` counts for what is open, too."""
    expires = int(time.time()) + 4
    bells = listening(outside, await outside.token(firm.tom, exp=expires))
    assert (await next_bell(bells))[0] == "reset"
    assert await until_closed(bells) == []
    assert expires - JITTER <= time.time() < expires + 1.5


async def test_a_member_has_as_many_streams_as_are_allowed(firm: Firm, outside: Outside) -> None:
    """E4: five, the sixth is 429 with Retry-After; one that is closed makes room, and another member has their own."""
    streams = [listening(outside, firm.admin) for _ in range(5)]
    for bells in streams:
        assert (await next_bell(bells))[0] == "reset"
    sixth = await firm.get("/v1/stream")
    assert (sixth.status, sixth.code) == (429, "too_many_requests")
    assert int(sixth.headers["Retry-After"]) > 0
    other = listening(outside, firm.accountant)
    assert (await next_bell(other))[0] == "reset"
    await streams.pop().aclose()

    async def again() -> bool:
        async with outside.http.get(f"{outside.url}/v1/stream", headers={"Authorization": f"Bearer {firm.admin}"}) as stream:
            return stream.status == 200

    await eventually(again)
    for bells in (*streams, other):
        await bells.aclose()
