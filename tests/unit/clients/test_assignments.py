"""Who works on which client (section 7, M2 and M3)."""

from __future__ import annotations

import pytest

from services.clients.domain.events import AssigneesMoved
from shared.contracts import portal
from shared.contracts.base import ClientId, Message
from shared.contracts.clients import AssignmentsMoved
from shared.decider import Succeeded
from tests.unit.clients.story import (
    ANNA,
    CONNECTED,
    LEYLA,
    MUELLER_BAU,
    RITA,
    SPAETI,
    TOM,
    Somebody,
    accept,
    added,
    assign,
    assign_many,
    client_of,
    colleague,
    decline,
    disconnect,
    invited,
    joins,
    leaves,
    refused,
    said,
    told,
    unassign,
)

MOVED = (AssigneesMoved, AssignmentsMoved, portal.AssigneesChanged, Succeeded())
CROWD = [colleague(n) for n in range(51)]


def item(client_id: ClientId, code: str | None = None) -> dict[str, str | None]:
    return {"client_id": client_id, "status": "refused" if code else "succeeded", "code": code}


def test_an_admin_assigns_and_everybody_is_told() -> None:
    """M2: inside, who came; outside, who works on the client now."""
    story = told(added(), accept(ANNA)).when(assign(TOM)).then(*MOVED)
    assert said(story, AssignmentsMoved)[0].assigned == (TOM.id,)
    assert said(story, portal.AssigneesChanged)[0].member_ids == (ANNA.id, TOM.id)
    assert client_of(story).lists == ("all", f"mine:{ANNA.id}", f"mine:{TOM.id}")


def test_an_admin_unassigns_and_everybody_is_told() -> None:
    """M2: inside, who went; outside, who works on the client now."""
    story = told(added(), accept(ANNA, TOM)).when(unassign(TOM)).then(*MOVED)
    assert said(story, AssignmentsMoved)[0].unassigned == (TOM.id,)
    assert said(story, portal.AssigneesChanged)[0].member_ids == (ANNA.id,)


def test_assigning_twice_changes_nothing_and_succeeds() -> None:
    """M3: nothing is told, nothing moves."""
    story = told(added(), accept(TOM))
    before = client_of(story)
    story.when(assign(TOM)).then(Succeeded())
    assert client_of(story) is before


def test_unassigning_who_is_not_assigned_changes_nothing_and_succeeds() -> None:
    """M3: a known member, also one who left, is no fault."""
    told(*CONNECTED).when(unassign(TOM)).then(Succeeded())
    told(*CONNECTED, leaves(TOM)).when(unassign(TOM)).then(Succeeded())


@pytest.mark.parametrize("somebody", [RITA, colleague(1)])
def test_a_stranger_is_neither_assigned_nor_unassigned(somebody: Somebody) -> None:
    """M3: unknown_member for an assignment; an unknown or foreign id in the path is 404."""
    told(*CONNECTED).when(assign(somebody)).then(refused("unknown_member"))
    told(*CONNECTED).when(unassign(somebody)).then(refused("not_found"))


def test_who_left_is_not_assigned() -> None:
    """M3: assigning needs an active member."""
    told(*CONNECTED, leaves(TOM)).when(assign(TOM)).then(refused("unknown_member"))


def test_assigning_ends_at_fifty() -> None:
    """M3: the fifty-first is refused, one of the fifty may be assigned again."""
    story = told(*map(joins, CROWD), added(), accept(*CROWD[:49])).when(assign(CROWD[49])).then(*MOVED)
    story.when(assign(CROWD[50])).then(refused("too_many_assignees"))
    story.when(assign(CROWD[0])).then(Succeeded())
    assert len(client_of(story).assignees) == 50


def test_members_may_unassign_themselves() -> None:
    """M2: an accountant ends their own assignment, nobody else's."""
    story = told(added(), accept(TOM, ANNA))
    story.when(unassign(ANNA, by=TOM)).then(refused("admin_only"))
    story.when(unassign(TOM, by=TOM)).then(*MOVED)
    assert client_of(story).assignees == (ANNA.id,)


def test_an_accountant_assigns_nobody() -> None:
    """M2: an admin assigns."""
    for command in (assign(TOM, by=TOM), assign_many(MUELLER_BAU, assign=[TOM], by=TOM)):
        told(*CONNECTED).when(command).then(refused("admin_only"))


@pytest.mark.parametrize("somebody", [RITA, colleague(1)])
def test_an_id_in_the_path_is_looked_at_before_the_role(somebody: Somebody) -> None:
    """E2: the path's id (404) comes before admin_only."""
    told(added(), accept(TOM)).when(unassign(somebody, by=TOM)).then(refused("not_found"))


def test_whoever_left_decides_nothing() -> None:
    """T10, M4: a removed member is nobody's member with the next command."""
    told(*CONNECTED, leaves(LEYLA)).when(assign(TOM)).then(refused("not_a_member"))


def test_a_demoted_admin_decides_nothing() -> None:
    """T10: the role is looked up, not believed: the stamp of the gateway may be older than the demotion."""
    demoted = joins(LEYLA, 2).model_copy(update={"role": TOM.role})
    told(*CONNECTED, demoted).when(assign(TOM)).then(refused("admin_only"))
    told(*CONNECTED, demoted).when(unassign(TOM)).then(refused("admin_only"))


@pytest.mark.parametrize("history", [(), (added(), decline()), (*CONNECTED, disconnect())])
def test_nobody_is_assigned_to_what_has_ended(history: tuple[Message, ...]) -> None:
    """I5, E1: what ended and what never was are alike."""
    told(*history).when(assign(TOM)).then(refused("not_found"))
    told(*history).when(unassign(TOM)).then(refused("not_found"))
    told(*history).when(assign_many(MUELLER_BAU, assign=[TOM])).then(Succeeded({"items": [item(MUELLER_BAU, "not_found")]}))


def test_many_clients_are_assigned_at_once() -> None:
    """M2: one or many clients, each with its own outcome; a client named twice counts once."""
    nowhere = ClientId("nowhere")
    story = told(added(), accept(ANNA), added(client_id=SPAETI, name="Späti"))
    story.when(assign_many(MUELLER_BAU, nowhere, SPAETI, SPAETI, assign=[TOM, TOM], unassign=[ANNA]))
    assert story.decided[-1] == Succeeded({"items": [item(MUELLER_BAU), item(nowhere, "not_found"), item(SPAETI)]})
    assert client_of(story).assignees == client_of(story, client_id=SPAETI).assignees == (TOM.id,)


def test_a_client_of_another_firm_is_one_that_is_not_there() -> None:
    """E1: foreign ids are not found."""
    story = told(*CONNECTED)
    story.when(assign(RITA, by=RITA)).then(refused("not_found"))
    story.when(assign_many(MUELLER_BAU, assign=[RITA], by=RITA)).then(Succeeded({"items": [item(MUELLER_BAU, "not_found")]}))


def test_a_full_client_refuses_only_itself() -> None:
    """M3: too_many_assignees per item; who goes makes room for who comes."""
    story = told(*map(joins, CROWD), added(), accept(*CROWD[:50]), invited())
    story.when(added(client_id=SPAETI)).when(assign_many(MUELLER_BAU, SPAETI, assign=[TOM]))
    assert story.decided[-1] == Succeeded({"items": [item(MUELLER_BAU, "too_many_assignees"), item(SPAETI)]})
    story.when(assign_many(MUELLER_BAU, assign=[TOM], unassign=[CROWD[0]]))
    assert story.decided[-1] == Succeeded({"items": [item(MUELLER_BAU)]})


@pytest.mark.parametrize("somebody", [RITA, colleague(1)])
def test_one_unknown_member_refuses_the_whole(somebody: Somebody) -> None:
    """M3: unknown_member, for the whole command, whether to assign or to unassign."""
    story = told(*CONNECTED)
    story.when(assign_many(MUELLER_BAU, assign=[TOM, somebody])).then(refused("unknown_member"))
    story.when(assign_many(MUELLER_BAU, assign=[TOM], unassign=[somebody])).then(refused("unknown_member"))
    assert client_of(story).assignees == ()


def test_many_may_be_freed_of_somebody_who_left() -> None:
    """M3: a known member may be unassigned though inactive, but not assigned."""
    story = told(added(), accept(TOM), leaves(TOM))
    story.when(assign_many(MUELLER_BAU, assign=[TOM])).then(refused("unknown_member"))
    story.when(assign_many(MUELLER_BAU, unassign=[TOM])).then(
        AssigneesMoved, AssignmentsMoved, portal.AssigneesChanged, Succeeded
    )
