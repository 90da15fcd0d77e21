"""Firms and members, heard of in any order (M1, M4)."""

from __future__ import annotations

from hypothesis import given as anything
from hypothesis import strategies as st

from services.clients.domain import CLIENTS
from services.clients.domain.events import AssigneesMoved, FirmNamed, MemberKnown
from services.clients.domain.states import STEP, Member, World
from shared.contracts import portal
from shared.contracts.base import ClientId, Role
from shared.contracts.clients import LeaverFellDue, MemberLeft
from shared.contracts.pleo import FirmRegistered, MemberAdded, MemberChanged, MemberFact, MemberRemoved
from shared.decider import Counted
from shared.messages import Heard
from tests.spec import given
from tests.unit.clients.story import (
    ANNA,
    KANZLEI,
    LEYLA,
    RIVAL,
    SPAETI,
    TOM,
    accept,
    added,
    assign,
    client_of,
    clock,
    gone,
    joins,
    leaves,
    refused,
    said,
    shown,
    step,
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
    heard = given(CLIENTS, World(), *arrivals)
    for removal in (f for f in facts if isinstance(f, MemberRemoved)):
        gone(heard, TOM, removal.sequence)
    member = heard.world.member(TOM.id)
    assert member.active == isinstance(facts[-1], MemberFact)
    described = [f for f in facts if isinstance(f, MemberFact)]
    if described:
        last = described[-1]
        assert (member.firm_id, member.name, member.email, member.role) == (KANZLEI, last.name, last.email, last.role)


@thorough
@anything(st.permutations([leaves(TOM, 2), joins(TOM, 3), leaves(TOM, 4), joins(TOM, 5), joins(TOM, 6)]), st.data())
def test_no_order_of_removal_and_return_keeps_an_old_assignment(order: list[Fact], data: st.DataObject) -> None:
    """M4: a removal unassigns everywhere, also if it is heard after the return; steps come whenever they come."""
    story = told(added(), accept(TOM, ANNA))
    for fact in order:
        story.when(fact)
        if isinstance(fact, MemberRemoved) and data.draw(st.booleans()):
            gone(story, TOM, fact.sequence)
    for removal in (2, 4):
        gone(story, TOM, removal)
    assert story.world.member(TOM.id).works_for(KANZLEI)
    assert client_of(story).lists == ("all", f"mine:{ANNA.id}")
    story.when(assign(TOM))
    for removal in (2, 4):  # ticks may come twice
        gone(story, TOM, removal)
    assert client_of(story).assignees == (ANNA.id, TOM.id)


def test_who_left_is_told_to_have_left_once() -> None:
    """M4: their subscriptions end; a repeat is stale."""
    story = told().when(leaves(TOM)).then(MemberKnown, MemberLeft(firm_id=KANZLEI, member_id=TOM.id), LeaverFellDue)
    story.when(leaves(TOM)).then(Counted("stale"))


def test_of_two_identity_facts_with_one_sequence_the_first_stays() -> None:
    """Contract 2: counted as a conflict if the data differ, also when more was heard since."""
    other = joins(TOM).model_copy(update={"name": "Thomas"})
    told().when(other).then(Counted("conflict"))
    told().when(joins(TOM)).then(Counted("stale"))
    told().when(leaves(TOM, 1)).then(Counted("conflict"))
    story = told(joins(TOM, 2)).when(other).then(Counted("conflict"))
    story.when(joins(TOM)).then(Counted("stale"))


def test_what_is_about_a_firm_not_yet_known_is_kept() -> None:
    """M1: members and invitations may come before their firm."""
    story = given(CLIENTS, World(), joins(LEYLA), added(), accept(LEYLA))
    story.when(FirmRegistered(firm_id=KANZLEI, name="Kanzlei")).then(FirmNamed)
    assert client_of(story).assignees == (LEYLA.id,)
    story.when(FirmRegistered(firm_id=KANZLEI, name="Kanzlei")).then(Counted("stale"))


def test_of_two_registrations_the_newest_names_the_firm() -> None:
    """M1: firms have no sequence; the newest by time, then id, counts in any order."""
    first, second = FirmRegistered(firm_id=KANZLEI, name="Alt"), FirmRegistered(firm_id=KANZLEI, name="Neu")
    told_by = [Heard(first, "b", "identity", clock(1)), Heard(second, "a", "identity", clock(2))]
    for order in (told_by, told_by[::-1]):
        assert given(CLIENTS, World(), *order).world.firms[KANZLEI].name == "Neu"


def test_a_removed_member_counts_as_removed_at_once() -> None:
    """M4: no row shows an inactive assignee, long before the assignments are taken away."""
    story = told(added(), accept(TOM, ANNA), leaves(TOM))
    assert not story.world.member(TOM.id).works_for(KANZLEI)
    active = [p for p in (LEYLA, ANNA) if story.world.member(p.id).active]
    assert shown(client_of(story), people=active)["assignees"] == [{"id": ANNA.id, "name": ANNA.name}]
    story.when(assign(ANNA, by=TOM)).then(refused("not_a_member"))


def test_a_leaver_is_unassigned_step_by_step() -> None:
    """M4, invariant 14: five hundred clients a step, and the last step says so."""
    story = told()
    for number in range(STEP + 1):
        story.when(added(client_id=ClientId(f"c{number:03d}")), assign(TOM, client_id=ClientId(f"c{number:03d}")))
    story.when(leaves(TOM), step(story, TOM))
    assert sum(TOM.id in client.assignees for client in story.world.clients.values()) == 1
    (tick,) = said(story, LeaverFellDue)
    story.when(step(story, TOM, after=tick.after)).then(AssigneesMoved, portal.AssigneesChanged, MemberKnown)
    assert not any(TOM.id in client.assignees for client in story.world.clients.values())


def test_a_client_left_with_nobody_is_listed_for_admins() -> None:
    """M4: unassigned, if it is connected."""
    story = gone(told(added(), accept(TOM), leaves(TOM)), TOM)
    assert client_of(story).lists == ("all", "unassigned")


def test_who_comes_back_is_a_member_once_the_removal_is_through() -> None:
    """M4: removed counts at once and until the last old assignment has ended; so none of them can show in the time after."""
    story = told(added(), accept(TOM), leaves(TOM, 2), joins(TOM, 3))
    assert not story.world.member(TOM.id).active
    story.when(assign(TOM)).then(refused("unknown_member"))
    gone(story, TOM, 2)
    assert story.world.member(TOM.id).active
    assert client_of(story).assignees == ()
    gone(story.when(assign(TOM)), TOM, 2)  # a tick may come twice
    assert client_of(story).assignees == (TOM.id,)


def test_a_removal_heard_after_the_return_ends_what_was_before_it() -> None:
    """M1, M4: the highest sequence makes them a member; what they were assigned after the return stays."""
    story = told(added(), accept(TOM), joins(TOM, 3), added(client_id=SPAETI), assign(TOM, client_id=SPAETI))
    story.when(leaves(TOM, 2)).then(MemberKnown, LeaverFellDue)
    assert gone(story, TOM, 2).world.member(TOM.id).active
    assert client_of(story).assignees == ()
    assert client_of(story, client_id=SPAETI).assignees == (TOM.id,)


def test_whoever_moves_to_another_firm_leaves_the_first() -> None:
    """M4, section 1: a member is of one firm; in the other they are unassigned like anybody who left."""
    moved = joins(TOM, 2).model_copy(update={"firm_id": RIVAL})
    story = told(added(), accept(TOM)).when(moved)
    story.then(MemberKnown, MemberLeft(firm_id=KANZLEI, member_id=TOM.id), LeaverFellDue)
    assert client_of(gone(story, TOM, 2)).assignees == ()
    assert story.world.member(TOM.id).works_for(RIVAL)


def test_a_member_nobody_heard_of_is_nobodys() -> None:
    """M3: an unknown id works for no firm."""
    assert not Member("nobody").works_for(KANZLEI)
