"""Ways into a client's Pleo account, and reminders to those who work on it (A1–A4, R1, R2)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from services.clients.domain.assignments import key_of
from services.clients.domain.events import AccessGranted, GrantRedeemed, Reminded
from services.clients.domain.states import Access, Client, Grant, World
from shared.clock import rfc3339
from shared.contracts import clients as said
from shared.contracts.base import Role, Task
from shared.contracts.clients import Figure, GrantAccess, Person, RedeemGrant, RemindAssignees, ReminderRequested
from shared.decider import Refused, Said, Succeeded
from shared.values import replace

VALID = timedelta(seconds=60)
MOST_REMINDERS = 10
REMEMBERED_DAYS = 9  # a command is handled at most the topic's seven days after it was issued, in whatever order
BERLIN = ZoneInfo("Europe/Berlin")


def grant(command: GrantAccess, client: Client, world: World, now: datetime) -> Sequence[Any]:
    """A member may open the account of a connected client: admins of every one, accountants of theirs (A2)."""
    actor = command.actor
    world.rely_on(client)
    if not client.connected or (actor.role is not Role.ADMIN and actor.member_id not in client.assignees):
        return [Refused("not_connected")]
    given = Grant(command.token_hash, command.grant_id, client.firm_id, client.client_id, actor.member_id, now + VALID)
    line = Access(client.firm_id, client.client_id, actor.member_id, actor.name, "granted", now, command.grant_id)
    return [AccessGranted(given, line), Succeeded({"grant_id": command.grant_id, "expires_at": rfc3339(given.expires_at)})]


def redeem(command: RedeemGrant, world: World, now: datetime) -> Sequence[Any]:
    """The product lets a member in, once and in time; role, assignment and connection are looked at again (A3)."""
    given = world.grants.get(command.token_hash)
    if given is None or given.redeemed_at is not None or command.issued_at > given.expires_at:
        return [Refused("grant_invalid")]
    member = world.member(given.member_id)
    client = world.client(given.firm_id, given.client_id)
    if client is None or not client.connected or not member.works_for(given.firm_id):
        return [Refused("grant_invalid")]
    world.rely_on(client)
    if member.role is not Role.ADMIN and member.member_id not in client.assignees:
        return [Refused("grant_invalid")]
    line = Access(client.firm_id, client.client_id, member.member_id, member.name, "redeemed", now, given.grant_id)
    return [
        GrantRedeemed(replace(given, redeemed_at=now), line),
        Succeeded(
            {"member_id": member.member_id, "client_id": client.client_id, "firm_id": client.firm_id, "role": member.role.value}
        ),
    ]


def remind(command: RemindAssignees, client: Client, world: World) -> Sequence[Any]:
    """An admin reminds everyone assigned at this moment; the notifier plans the mails and finishes (R1–R3)."""
    if not client.connected:
        return [Refused("not_connected")]
    if not command.tasks:
        return [Refused("no_task")]
    people = [m for m in (world.member(i) for i in client.assignees) if m.works_for(client.firm_id)]
    if not people:
        return [Refused("no_assignee")]
    days = dict(client.reminded)
    day = command.issued_at.astimezone(BERLIN).date().isoformat()
    if days.get(day, 0) >= MOST_REMINDERS:
        return [Refused("too_many_reminders")]
    days[day] = days.get(day, 0) + 1
    after = replace(client, reminded=tuple(sorted(days.items()))[-REMEMBERED_DAYS:], version=client.version + 1)
    actor = command.actor
    request = ReminderRequested.model_validate(
        {
            "command_id": command.command_id,
            "reminder_id": command.reminder_id,
            "firm_id": client.firm_id,
            "client_id": client.client_id,
            "client_version": after.version,
            "client_name": client.name,
            "requested_at": command.issued_at,
            "by": Person(id=actor.member_id, name=actor.name),
            "reply_to": actor.email,
            "tasks": tuple(figure_of(task, client) for task in dict.fromkeys(command.tasks)),
            "comment": command.comment or None,
            "recipients": tuple(Person.model_validate({"id": m.member_id, "name": m.name}) for m in people),
        }
    )
    return [Reminded(after), Said(said.EVENTS, key_of(client), request)]


def figure_of(task: Task, client: Client) -> Figure:
    """Return a task with its figure at this moment."""
    figures = client.ledger.figures
    match task:
        case Task.MISSING_RECEIPTS:
            return Figure(task=task, count=figures.missing_receipts, outstanding=bool(figures.missing_receipts))
        case Task.EXPORT_READY:
            return Figure(task=task, count=figures.export_ready, outstanding=bool(figures.export_ready))
        case Task.LOW_BALANCE:
            return Figure(task=task, balance=figures.balance, outstanding=figures.low_balance)
