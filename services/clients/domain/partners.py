"""Firms and members, as the identity service tells them in any order (M1, M4)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from services.clients.domain.assignments import news, staffed
from services.clients.domain.events import AssigneesMoved, FirmNamed, MemberKnown
from services.clients.domain.sequences import fault_of, noted
from services.clients.domain.states import STEP, Client, Firm, Member, World
from shared.contracts import clients as said
from shared.contracts.clients import LeaverFellDue
from shared.contracts.pleo import FirmRegistered, MemberFact, MemberRemoved
from shared.decider import Counted, Said
from shared.messages import Heard
from shared.values import replace


def firm_registered(heard: Heard[FirmRegistered], world: World) -> Sequence[Any]:
    """A firm joins; what was kept about it and its members counts from now on. The newest fact names it."""
    fact, told = heard.message, (str(heard.stamp), heard.id)
    known = world.firms.get(fact.firm_id)
    if known is not None and told <= known.told:
        return [Counted("stale")]
    return [FirmNamed(Firm(fact.firm_id, fact.name, fact.locale, told))]


def member_told(heard: Heard[MemberFact], world: World) -> Sequence[Any]:
    """A person was added or changed: the highest sequence wins, of equal ones the first."""
    fact = heard.message
    member = world.member(fact.member_id)
    if (fault := fault_of(member.seen, fact.sequence, fact)) is not None:
        return [fault]
    after = _heard(member, fact)
    if fact.sequence > member.described:
        after = replace(after, name=fact.name, email=fact.email, role=fact.role, locale=fact.locale, described=fact.sequence)
    if fact.sequence < member.sequence:  # they have left by now, or more was said of them: their name may be new, no more
        return [MemberKnown(after)]
    after = replace(after, firm_id=fact.firm_id, employed=True, sequence=fact.sequence)
    moves = member.employed and member.firm_id is not None and member.firm_id != fact.firm_id
    return [MemberKnown(after), *(_farewell(str(member.firm_id), fact.member_id, heard) if moves else ())]


def member_removed(heard: Heard[MemberRemoved], world: World) -> Sequence[Any]:
    """A person left: that counts at once; their assignments end in steps, by self-addressed ticks (M4, invariant 14).

    Of somebody who is a member again when it is heard, it ends the assignments from before it.
    """
    fact = heard.message
    member = world.member(fact.member_id)
    if (fault := fault_of(member.seen, fact.sequence, fact)) is not None:
        return [fault]
    gone = _heard(member, fact)
    if fact.sequence < member.sequence:
        return [MemberKnown(gone), _step(fact.firm_id, fact.member_id, heard)]
    gone = replace(gone, firm_id=fact.firm_id, employed=False, sequence=fact.sequence, leaving=fact.sequence)
    firms = dict.fromkeys((str(fact.firm_id), member.firm_id or str(fact.firm_id)))
    return [MemberKnown(gone), *(event for firm_id in firms for event in _farewell(firm_id, fact.member_id, heard))]


def leaver_fell_due(heard: Heard[LeaverFellDue], world: World) -> Sequence[Any]:
    """End what a removal ends at the next clients, and ask to be called again while there are more (M4)."""
    tick = heard.message
    keys = world.leaving.get((tick.firm_id, tick.member_id, tick.after), [])
    events = [e for key in keys for e in _ended(world.clients[key], tick, world)]
    if len(keys) >= STEP:
        return [_step(tick.firm_id, tick.member_id, heard, keys[-1][1]), *events]  # first, so that it does not wait for the news
    member = world.member(tick.member_id)
    if member.leaving != tick.sequence:
        return events
    return [*events, MemberKnown(replace(member, leaving=-1, version=member.version + 1))]


def _ended(client: Client, tick: LeaverFellDue, world: World) -> Sequence[Any]:
    """Other services are told client by client; inside, that the member left has said it for all of them."""
    tenures = zip(client.assignees, client.tenures, strict=True)
    kept = [member for member, tenure in tenures if member != tick.member_id or tenure >= tick.sequence]
    if len(kept) == len(client.assignees):
        return []
    after = replace(staffed(client, kept, world), version=client.version + 1)
    return [AssigneesMoved(after), news(after)]


def _heard(member: Member, fact: MemberFact | MemberRemoved) -> Member:
    return replace(member, seen=noted(member.seen, fact.sequence, fact), version=member.version + 1)


def _farewell(firm_id: Any, member_id: Any, heard: Heard[Any]) -> Iterator[Said]:
    yield Said(said.EVENTS, member_id, said.MemberLeft(firm_id=firm_id, member_id=member_id))
    yield _step(firm_id, member_id, heard)


def _step(firm_id: Any, member_id: Any, heard: Heard[Any], after: str = "") -> Said:
    tick = LeaverFellDue(at=heard.time, firm_id=firm_id, member_id=member_id, sequence=heard.message.sequence, after=after)
    return Said(said.COMMANDS, f"{firm_id}.{member_id}", tick)
