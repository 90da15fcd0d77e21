"""What two decide at once about the same people and clients, on the real database (invariants 8 and 14; M3, M4, A3, I4, I5)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest

from services.clients.domain.states import STEP, Client, Invitation
from services.clients.queries.pages import Pages
from services.clients.queries.question import Page, Question
from services.clients.queries.viewer import Viewer
from services.clients.store import MEMBERS
from shared.clock import now
from shared.contracts import clients, pleo
from shared.contracts.base import Actor, CommandId, FirmId, MemberId, Role
from shared.mongo import Database
from tests.integration.desk import Desk
from tests.system import Ground

FIRM, LEYLA, TOM, ANNA = FirmId("kanzlei"), MemberId("leyla"), MemberId("tom"), MemberId("anna")
MUELLER = "mueller-bau"
ACTOR = Actor(member_id=LEYLA, firm_id=FIRM, role=Role.ADMIN, name="Leyla", email="leyla@kanzlei.example")
PRODUCT = Actor(member_id=MemberId("product"), firm_id=FirmId("portal"), role=Role.ACCOUNTANT, name="", email="")
IDS: dict[str, Any] = {"firm_id": FIRM, "client_id": MUELLER}


def stamp(actor: Actor = ACTOR) -> dict[str, Any]:
    return {"command_id": CommandId(uuid4().hex), "issued_at": now(), "actor": actor}


def joins(member: MemberId, sequence: int = 1) -> pleo.MemberAdded:
    role = Role.ADMIN if member == LEYLA else Role.ACCOUNTANT
    return pleo.MemberAdded(
        firm_id=FIRM, member_id=member, name=member, email=f"{member}@kanzlei.example", role=role, sequence=sequence
    )


def leaves(member: MemberId, sequence: int = 2) -> pleo.MemberRemoved:
    return pleo.MemberRemoved(firm_id=FIRM, member_id=member, sequence=sequence)


def added() -> pleo.AccountantAdded:
    return pleo.AccountantAdded(**IDS, company_name="Müller Bau", sequence=1)


def withdrawn() -> pleo.AccountantWithdrawn:
    return pleo.AccountantWithdrawn(**IDS, sequence=2)


def assign(member: MemberId) -> clients.AssignMember:
    return clients.AssignMember(**stamp(), client_id=IDS["client_id"], member_id=member)


def accept(*members: MemberId) -> clients.AcceptInvitation:
    return clients.AcceptInvitation(**stamp(), client_id=IDS["client_id"], assign=members)


@pytest.fixture
async def desk(ground: Ground) -> AsyncIterator[Desk]:
    """A firm with three members, and a company that has added it."""
    desk = Desk(Database(ground.mongodb, f"t{uuid4().hex[:12]}_clients"))
    try:
        await desk.open()
        await desk.hear(pleo.FirmRegistered(firm_id=FIRM, name="Kanzlei"), *map(joins, (LEYLA, TOM, ANNA)), added())
        yield desk
    finally:
        await desk.database.drop()
        desk.database.close()


@pytest.mark.parametrize("wish", [assign(TOM), accept(TOM)])
async def test_nobody_is_assigned_who_left_meanwhile(desk: Desk, wish: clients.AssignMember | clients.AcceptInvitation) -> None:
    """Invariant 8, M3: read as a member, removed and carried out before the write: the wish is decided again, and refused."""
    tick = clients.LeaverFellDue(at=now(), firm_id=FIRM, member_id=TOM, sequence=2)
    assert await desk.hear_while(wish, leaves(TOM), tick) == 2
    assert await desk.outcomes() == ["unknown_member"]
    assert (await desk.client(FIRM, MUELLER)).assignees == ()


async def test_a_removal_finds_who_was_assigned_meanwhile(desk: Desk) -> None:
    """Invariant 8, M4: the other way round the assignment stands first, and the removal ends it."""
    assert await desk.hear_while(leaves(TOM), accept(TOM)) == 2
    assert (await desk.client(FIRM, MUELLER)).assignees == (TOM,)
    tick = await desk.database["outbox"].find_one({"topic": clients.COMMANDS.name})
    await desk.carry_out(clients.LeaverFellDue.model_validate_json(tick["value"]))
    assert (await desk.client(FIRM, MUELLER)).lists == ("all", "unassigned")
    await desk.assert_counted()


async def test_nobody_is_let_in_by_a_grant_of_a_client_that_parted_meanwhile(desk: Desk) -> None:
    """Invariant 8, A3, I5: a redemption that read the client as connected is decided again."""
    await desk.hear(accept(TOM))
    token = "a" * 64
    await desk.hear(clients.GrantAccess(**stamp(), client_id=IDS["client_id"], grant_id="g", token_hash=token))
    redeem = clients.RedeemGrant(**stamp(PRODUCT), token_hash=token)
    assert await desk.hear_while(redeem, clients.DisconnectClient(**stamp(), client_id=IDS["client_id"])) == 2
    assert await desk.outcomes() == ["grant_invalid", "succeeded", "succeeded", "succeeded"]


async def test_a_withdrawal_that_crosses_an_answer_ends_one_way(desk: Desk) -> None:
    """I4, I5: the answer is refused if the withdrawal was first, and ended by it if it was second."""
    assert await desk.hear_while(accept(TOM), withdrawn()) == 2
    assert await desk.outcomes() == ["invitation_withdrawn"]
    assert (await desk.client(FIRM, MUELLER)).status == "ended"


async def test_an_answer_that_crosses_a_withdrawal_is_ended_by_it(desk: Desk) -> None:
    """I4, I5: accepted first, disconnected then."""
    assert await desk.hear_while(withdrawn(), accept(TOM)) == 2
    assert await desk.outcomes() == ["succeeded"]
    client = await desk.client(FIRM, MUELLER)
    assert (client.status, client.disconnected, client.assignees) == ("ended", True, ())
    await desk.assert_counted()


def _client(number: int, *assignees: str) -> Client:
    return Client(
        FIRM,
        f"c{number:05d}",
        version=1,
        given_name=f"Bau {number}",
        name=f"Bau {number}",
        invitation=Invitation.ACCEPTED,
        sequence=1,
        accepted=1,
        connected=True,
        connected_at=now(),
        assignees=assignees,
        tenures=(1,) * len(assignees),
    )


async def test_what_is_a_leavers_alone_is_unassigned_before_the_first_step(desk: Desk) -> None:
    """M4, T8: a row that shows nobody is listed as such, with the exact total, while the removal is carried out."""
    await desk.stand([_client(1, TOM), _client(2, TOM, ANNA), _client(3), _client(4, ANNA)])
    viewer = Viewer(LEYLA, FIRM, "Leyla", ACTOR.email, Role.ADMIN, None, "Kanzlei", None)
    pages = Pages(desk.database, "s" * 32)

    async def found(**question: Any) -> tuple[list[str], int | None]:
        page = await pages.page(Page(Question("all", **question), 200, None), viewer)
        return [row.client_id for row in page.clients], page.total

    await desk.hear(leaves(TOM))
    tick = await desk.tick()
    assert await found(unassigned=True) == (["c00001", "c00003"], 2)
    assert await found(assignee=TOM) == ([], 0)
    await desk.hear(leaves(ANNA))
    assert await found(unassigned=True) == (["c00001", "c00002", "c00003", "c00004"], 4)
    await desk.carry_out(await desk.tick())
    await desk.carry_out(tick)
    assert await found(unassigned=True) == (["c00001", "c00002", "c00003", "c00004"], 4)
    await desk.assert_counted()


async def test_a_leaver_of_many_clients_goes_step_by_step_and_every_count_is_exact(desk: Desk) -> None:
    """M4, T8, invariant 14: after each step the counts are what the rows add up to, and a return waits for the last."""
    many = 3 * STEP + 1
    await desk.stand(_client(n, *((TOM,) if n % 2 else (TOM, ANNA))) for n in range(many))
    await desk.hear(leaves(TOM))
    tick, steps = await desk.tick(), 0
    await desk.hear(joins(TOM, 3))
    while tick is not None:
        assert not (await desk.database[MEMBERS].find_one({"_id": TOM}))["active"]
        await desk.hear(tick)
        tick, steps = await desk.tick(), steps + 1
        await desk.assert_counted()
    assert steps == 4
    assert (await desk.database[MEMBERS].find_one({"_id": TOM}))["active"]
    assert (await desk.client(FIRM, "c00001")).lists == ("all", "unassigned")
    assert (await desk.client(FIRM, "c00002")).assignees == (ANNA,)
