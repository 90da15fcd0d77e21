"""Who works on which client (M2, M3)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from services.clients.domain.events import AssigneesMoved, ClientMoved
from services.clients.domain.states import MOST_ASSIGNEES, Client, World
from shared.contracts import clients as said
from shared.contracts import portal
from shared.contracts.base import Role
from shared.contracts.clients import AssignMany, AssignMember, UnassignMember
from shared.decider import Refused, Said, Succeeded


def assign(command: AssignMember, client: Client, world: World) -> Sequence[Any]:
    """An admin assigns a member; once more changes nothing and succeeds (M3)."""
    refusal = unknown((command.member_id,), command.actor.firm_id, world)
    if refusal is not None:
        return [refusal]
    if too_many(client, (command.member_id,)):
        return [Refused("too_many_assignees")]
    return [*with_(client, (command.member_id,), command.issued_at), Succeeded()]


def unassign(command: UnassignMember, client: Client, world: World) -> Sequence[Any]:
    """An admin, or the member, ends an assignment; a known member who is not assigned is no fault (M3)."""
    actor = command.actor
    if world.member(command.member_id).firm_id != actor.firm_id:
        return [Refused("not_found")]
    if actor.role is not Role.ADMIN and actor.member_id != command.member_id:
        return [Refused("admin_only")]
    return [*without(client, (command.member_id,), command.issued_at), Succeeded()]


def assign_many(command: AssignMany, world: World) -> Sequence[Any]:
    """Assign and unassign at many clients: an unknown member refuses the whole, a client only itself (M2, M3)."""
    firm = command.actor.firm_id
    refusal = unknown((*command.assign, *command.unassign), firm, world, active=False) or unknown(command.assign, firm, world)
    if refusal is not None:
        return [refusal]
    events: list[Any] = []
    items = []
    for client_id in dict.fromkeys(command.client_ids):
        client = world.client(firm, client_id)
        code = None
        if client is None or client.ended:
            code = "not_found"
        elif too_many(_without(client, command.unassign), command.assign):
            code = "too_many_assignees"
        else:
            kept = tuple(m for m in client.assignees if m not in command.unassign)
            events += _moved(client, tuple(dict.fromkeys((*kept, *command.assign))), command.issued_at)
        items.append({"client_id": client_id, "status": "refused" if code else "succeeded", "code": code})
    return [*events, Succeeded({"items": items})]


def unknown(members: Iterable[str], firm_id: str, world: World, *, active: bool = True) -> Refused | None:
    """Return the refusal if one of *members* is no (active) member of the firm (M3)."""
    for member_id in members:
        member = world.member(member_id)
        if member.firm_id != firm_id or (active and not member.active):
            return Refused("unknown_member")
    return None


def too_many(client: Client, members: Iterable[str]) -> bool:
    """Say whether *members* more would be too many for one client (M3)."""
    return len({*client.assignees, *members}) > MOST_ASSIGNEES


def with_(client: Client, members: Iterable[str], at: datetime) -> Sequence[Any]:
    """Return what happens when *members* are assigned, too."""
    return _moved(client, (*client.assignees, *(m for m in dict.fromkeys(members) if m not in client.assignees)), at)


def without(client: Client, members: Iterable[str], at: datetime) -> Sequence[Any]:
    """Return what happens when *members* are not assigned any longer."""
    gone = set(members)
    return _moved(client, tuple(m for m in client.assignees if m not in gone), at)


def told(before: tuple[str, ...], client: Client, at: datetime) -> Sequence[Any]:
    """Return how a change of assignees is told: inside for who must act, outside for other services."""
    assigned = tuple(m for m in client.assignees if m not in before)
    unassigned = tuple(m for m in before if m not in client.assignees)
    if not assigned and not unassigned:
        return []
    ids: dict[str, Any] = {"firm_id": client.firm_id, "client_id": client.client_id}
    moved = said.AssignmentsMoved(**ids, assigned=assigned, unassigned=unassigned, at=at)  # type: ignore[arg-type]
    news = portal.AssigneesChanged(**ids, sequence=client.version, member_ids=client.assignees)  # type: ignore[arg-type]
    return [Said(said.EVENTS, key_of(client), moved), Said(portal.CLIENTS, client.client_id, news)]


def key_of(client: Client) -> str:
    """Return the record key of what is about one client of one firm."""
    return f"{client.firm_id}.{client.client_id}"


def _moved(client: Client, assignees: tuple[str, ...], at: datetime) -> Sequence[ClientMoved | Said]:
    if assignees == client.assignees:
        return []
    after = replace(client, assignees=assignees, version=client.version + 1)
    return [AssigneesMoved(after), *told(client.assignees, after, at)]


def _without(client: Client, members: Iterable[str]) -> Client:
    gone = set(members)
    return replace(client, assignees=tuple(m for m in client.assignees if m not in gone))
