"""Firms and members, heard of in any order (M1, M4)."""

from __future__ import annotations

from typing import Any

from hypothesis import given as anything
from hypothesis import strategies as st

from services.clients.domain import CLIENTS
from services.clients.domain.events import AssigneesMoved, FirmNamed, MemberKnown
from services.clients.domain.states import Member, World
from shared.contracts import portal
from shared.contracts.base import Role
from shared.contracts.clients import AssignmentsMoved, LeaverFellDue, MemberLeft
from shared.contracts.pleo import FirmRegistered, MemberAdded, MemberChanged, MemberFact, MemberRemoved
from shared.decider import Counted
from tests.spec import NOW, Story, given
from tests.unit.clients.story import (
    ANNA,
    KANZLEI,
    LEYLA,
    MUELLER_BAU,
    SPAETI,
    TOM,
    accept,
    added,
    assign,
    client_of,
    joins,
    leaves,
    refused,
    shown,
    thorough,
    told,
)

Fact = MemberFact | MemberRemoved


def _fact(kind: int, sequence: int, name: str, role: Role) -> Fact:
    if kind == 0:
        return leaves(TOM, sequence)
    type_ = MemberAdded if kind == 1 else MemberChanged
    return type_(firm_id=KANZLEI, member_id=TOM.id, name=name, email=f"{name}@k.example", role=role, sequence=sequence)


@st.composite
def identity_facts(draw: st.DrawFn) -> tuple[list[Fact], list[Fact]]:
    """Return facts about Tom, and an order in which they arrive, some of them more than once."""
    parts = st.tuples(st.integers(0, 2), st.sampled_from(["Tom", "Thomas"]), st.sampled_from(Role))
    facts = [_fact(kind, n, name, role) for n, (kind, name, role) in enumerate(draw(st.lists(parts, min_size=1, max_size=6)))]
    again = draw(st.lists(st.sampled_from(facts), max_size=4))
    return facts, draw(st.permutations(facts + again))


@thorough
@anything(identity_facts())
def test_no_order_of_identity_facts_makes_another_member(story: tuple[list[Fact], list[Fact]]) -> None:
    """M1: the highest sequence wins; who they are is what was last said of it, also of somebody who left."""
    facts, arrivals = story
    member = given(CLIENTS, World(), *arrivals).world.member(TOM.id)
    assert member.active == isinstance(facts[-1], MemberFact)
    described = [f for f in facts if isinstance(f, MemberFact)]
    if described:
        last = described[-1]
        assert (member.firm_id, member.name, member.email, member.role) == (KANZLEI, last.name, last.email, last.role)


def test_who_left_is_told_to_have_left_once() -> None:
    """M4: their subscriptions end; a repeat is stale."""
    story = told().when(leaves(TOM)).then(MemberKnown, MemberLeft(firm_id=KANZLEI, member_id=TOM.id), LeaverFellDue)
    story.when(leaves(TOM)).then(Counted("stale"))


def test_of_two_identity_facts_with_one_sequence_the_first_stays() -> None:
    """Contract 2: counted as a conflict if the data differ."""
    other = joins(TOM).model_copy(update={"name": "Thomas"})
    told().when(other).then(Counted("conflict"))
    told().when(joins(TOM)).then(Counted("stale"))
    told().when(leaves(TOM, 1)).then(Counted("conflict"))
    told(joins(TOM, 2)).when(other).then(Counted("stale"))


def test_what_is_about_a_firm_not_yet_known_is_kept() -> None:
    """M1: members and invitations may come before their firm."""
    story = given(CLIENTS, World(), joins(LEYLA), added(), accept(LEYLA))
    story.when(FirmRegistered(firm_id=KANZLEI, name="Kanzlei")).then(FirmNamed)
    assert client_of(story).assignees == (LEYLA.id,)
    story.when(FirmRegistered(firm_id=KANZLEI, name="Kanzlei")).then()


def test_a_removed_member_counts_as_removed_at_once() -> None:
    """M4: no row shows an inactive assignee, long before the assignments are taken away."""
    story = told(added(), accept(TOM, ANNA), leaves(TOM))
    assert not story.world.member(TOM.id).works_for(KANZLEI)
    active = [p for p in (LEYLA, ANNA) if story.world.member(p.id).active]
    assert shown(client_of(story), people=active)["assignees"] == [{"id": ANNA.id, "name": ANNA.name}]
    story.when(assign(ANNA, by=TOM)).then(refused("not_a_member"))


def test_a_leaver_is_unassigned_step_by_step() -> None:
    """M4: unassigned everywhere; a step asks for the next while it found something."""
    story = told(added(), accept(TOM, ANNA), added(client_id=SPAETI), accept(TOM, client_id=SPAETI), leaves(TOM))
    step = _step_of(story, MUELLER_BAU)
    story.when(step).then(AssigneesMoved, AssignmentsMoved, portal.AssigneesChanged, step)
    story.when(_step_of(story, SPAETI)).then(AssigneesMoved, AssignmentsMoved, portal.AssigneesChanged, step)
    assert client_of(story).assignees == (ANNA.id,)
    assert "unassigned" in client_of(story, client_id=SPAETI).lists
    story.when(_step_of(story)).then()


def test_who_came_back_stays_assigned() -> None:
    """M1, M4: a step for somebody who is a member again does nothing."""
    story = told(added(), accept(TOM), leaves(TOM, 2), joins(TOM, 3))
    story.when(_step_of(story, MUELLER_BAU)).then()
    assert client_of(story).assignees == (TOM.id,)


def test_a_member_nobody_heard_of_is_nobodys() -> None:
    """M3: an unknown id works for no firm."""
    assert not Member("nobody").works_for(KANZLEI)


def _step_of(story: Story[World], *next_clients: Any) -> LeaverFellDue:
    """Return the leaver's tick, with the clients the store would find for it."""
    story.world.leaving[TOM.id] = [(KANZLEI, client_id) for client_id in next_clients]
    return LeaverFellDue(at=NOW, firm_id=KANZLEI, member_id=TOM.id)
