"""Who works on which client (M2, M3)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from services.clients.domain.events import AssigneesMoved
from services.clients.domain.states import Client, World
from shared.contracts import clients as said
from shared.contracts import portal
from shared.contracts.base import Role
from shared.contracts.clients import MOST_ASSIGNEES, AssignMany, AssignMember, UnassignMember
from shared.decider import Refused, Said, Succeeded
from shared.values import replace


def assign(command: AssignMember, client: Client, world: World) -> Sequence[Any]:
    """An admin assigns a member; once more changes nothing and succeeds (M3)."""
    refusal = unknown((command.member_id,), command.actor.firm_id, world)
    if refusal is not None:
        return [refusal]
    if too_many(client.assignees, (command.member_id,), world):
        return [Refused("too_many_assignees")]
    return [*moved(client, (*client.assignees, command.member_id), command.issued_at, world), Succeeded()]


def unassign(command: UnassignMember, client: Client, world: World) -> Sequence[Any]:
    """An admin, or the member, ends an assignment; a known member who is not assigned is no fault (M3)."""
    actor = command.actor
    if world.member(command.member_id).firm_id != actor.firm_id:
        return [Refused("not_found")]
    if actor.role is not Role.ADMIN and actor.member_id != command.member_id:
        return [Refused("admin_only")]
    kept = _without(client, (command.member_id,))
    return [*moved(client, kept, command.issued_at, world), Succeeded()]


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
        code, happened = _assign_one(command, client, world)
        events += happened
        items.append({"client_id": client_id, "status": "refused" if code else "succeeded", "code": code})
    return [*events, Succeeded({"items": items})]


def _assign_one(command: AssignMany, client: Client | None, world: World) -> tuple[str | None, Sequence[Any]]:
    if client is None or client.ended:
        return "not_found", []
    kept = _without(client, command.unassign)
    if too_many(kept, command.assign, world):
        return "too_many_assignees", []
    return None, moved(client, (*kept, *command.assign), command.issued_at, world)


def unknown(members: Iterable[str], firm_id: str, world: World, *, active: bool = True) -> Refused | None:
    """Return the refusal if one of *members* is no (active) member of the firm (M3)."""
    for member_id in members:
        member = world.member(member_id)
        if member.firm_id != firm_id or (active and not member.active):
            return Refused("unknown_member")
    return None


def too_many(assigned: Iterable[str], members: Iterable[str], world: World) -> bool:
    """Say whether *members* more would be too many for one client; who left counts no more (M3, M4)."""
    left = {m for m in assigned if m in world.members and not world.members[m].active}
    return len({*assigned, *members} - left) > MOST_ASSIGNEES


def moved(client: Client, members: Iterable[str], at: datetime, world: World) -> Sequence[Any]:
    """Return what happens when *members* and nobody else are assigned: nothing if they were."""
    after = staffed(client, members, world)
    if after.assignees == client.assignees:
        return []
    after = replace(after, version=client.version + 1)
    return [AssigneesMoved(after), *told(client.assignees, after, at)]


def staffed(client: Client, members: Iterable[str], world: World) -> Client:
    """Return *client* with *members* assigned; each is noted with the newest fact about them, so a removal ends what is older."""
    noted = dict(zip(client.assignees, client.tenures, strict=True))
    now = tuple(dict.fromkeys(members))
    return replace(client, assignees=now, tenures=tuple(noted[m] if m in noted else world.member(m).sequence for m in now))


def told(before: tuple[str, ...], client: Client, at: datetime) -> Sequence[Any]:
    """Return how a change of assignees is told: inside for who must act, outside for other services."""
    assigned = tuple(m for m in client.assignees if m not in before)
    unassigned = tuple(m for m in before if m not in client.assignees)
    if not assigned and not unassigned:
        return []
    ids: dict[str, Any] = {"firm_id": client.firm_id, "client_id": client.client_id}
    happened = said.AssignmentsMoved(**ids, assigned=assigned, unassigned=unassigned, at=at)  # type: ignore[arg-type]
    return [Said(said.EVENTS, key_of(client), happened), news(client)]


def news(client: Client) -> Said:
    """Return how other services are told who works on a client now."""
    changed = portal.AssigneesChanged.model_validate(
        {
            "firm_id": client.firm_id,
            "client_id": client.client_id,
            "sequence": client.version,
            "member_ids": client.assignees,
        }
    )
    return Said(portal.CLIENTS, client.client_id, changed)


def key_of(client: Client) -> str:
    """Return the record key of what is about one client of one firm."""
    return f"{client.firm_id}.{client.client_id}"


def _without(client: Client, members: Iterable[str]) -> tuple[str, ...]:
    gone = set(members)
    return tuple(m for m in client.assignees if m not in gone)
