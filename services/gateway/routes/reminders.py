"""Reminding everyone assigned to a client (section 9)."""

from __future__ import annotations

from services.gateway.bodies import Reminder
from services.gateway.endpoints import Endpoint
from services.gateway.writing import Wish, writes
from shared.contracts.base import ClientId, Command
from shared.contracts.clients import RemindAssignees


async def _remind(wish: Wish[Reminder]) -> tuple[Command, str]:
    command = RemindAssignees(
        **wish.stamp,
        client_id=ClientId(wish.client.client_id),
        reminder_id=f"r-{wish.command_id}",
        tasks=wish.body.tasks,
        comment=wish.body.comment or None,
    )
    return command, wish.client_key


TABLE: tuple[Endpoint, ...] = (
    writes(
        "POST",
        "/v1/clients/{client_id}/reminders",
        "Remind everyone assigned to a client of its tasks (R1).",
        _remind,
        body=Reminder,
        created=True,
        refusals=("not_found", "no_task", "no_assignee", "not_connected", "too_many_reminders"),
    ),
)
