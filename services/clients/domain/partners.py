"""Firms and members, as the identity service tells them in any order (M1, M4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from services.clients.domain.assignments import without
from services.clients.domain.events import FirmNamed, MemberKnown
from services.clients.domain.states import Firm, World
from shared.contracts import clients as said
from shared.contracts.clients import LeaverFellDue
from shared.contracts.pleo import FirmRegistered, MemberFact, MemberRemoved
from shared.decider import Counted, Said
from shared.messages import Heard


def firm_registered(fact: FirmRegistered, world: World) -> Sequence[Any]:
    """A firm joins; what was kept about it and its members counts from now on."""
    firm = Firm(fact.firm_id, fact.name, fact.locale)
    return [] if world.firms.get(fact.firm_id) == firm else [FirmNamed(firm)]


def member_told(heard: Heard[MemberFact], world: World) -> Sequence[Any]:
    """A person was added or changed: the highest sequence wins, of equal ones the first."""
    fact = heard.message
    member = world.member(fact.member_id)
    content = fact.model_dump_json()
    stale = _stale(fact.sequence, content, member.sequence, member.heard)
    late = fact.sequence < member.sequence and fact.sequence > member.described
    if stale is not None and not late:
        return stale
    after = replace(
        member,
        name=fact.name,
        email=fact.email,
        role=fact.role,
        locale=fact.locale,
        described=fact.sequence,
        version=member.version + 1,
    )
    if not late:  # else they have left by now: their name is all that is new
        after = replace(after, firm_id=fact.firm_id, active=True, sequence=fact.sequence, heard=content)
    return [MemberKnown(after)]


def member_removed(heard: Heard[MemberRemoved], world: World) -> Sequence[Any]:
    """A person left: that counts at once; their assignments end in steps, by self-addressed ticks (invariant 14)."""
    fact = heard.message
    member = world.member(fact.member_id)
    content = "removed:" + fact.model_dump_json()
    stale = _stale(fact.sequence, content, member.sequence, member.heard)
    if stale is not None:
        return stale
    gone = replace(member, firm_id=fact.firm_id, active=False, sequence=fact.sequence, heard=content, version=member.version + 1)
    return [
        MemberKnown(gone),
        Said(said.EVENTS, fact.member_id, said.MemberLeft(firm_id=fact.firm_id, member_id=fact.member_id)),
        _step(fact.firm_id, fact.member_id, heard),
    ]


def leaver_fell_due(heard: Heard[LeaverFellDue], world: World) -> Sequence[Any]:
    """Unassign a leaver from the next clients, and ask to be called again while there are more."""
    tick = heard.message
    if world.member(tick.member_id).active:
        return []
    keys = world.leaving.get(tick.member_id, [])
    events: list[Any] = []
    for key in keys:
        client = world.clients[key]
        events += without(client, (tick.member_id,), heard.time)
    return [*events, _step(tick.firm_id, tick.member_id, heard)] if keys else []


def _step(firm_id: Any, member_id: Any, heard: Heard[Any]) -> Said:
    tick = LeaverFellDue(at=heard.time, firm_id=firm_id, member_id=member_id)
    return Said(said.COMMANDS, f"{firm_id}.{member_id}", tick)


def _stale(sequence: int, content: str, known: int, heard: str) -> Sequence[Any] | None:
    if sequence > known:
        return None
    return [Counted("conflict")] if sequence == known and content != heard else [Counted("stale")]
