"""A reminder as sent: what its details show, how its mails fared, and when its tasks were resolved (R4, R5)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from shared.clock import rfc3339, shown, stamp_of
from shared.contracts.base import ClientId, FirmId, MemberId, Task
from shared.contracts.clients import ClientState, Figure, Figures, Person, ReminderRequested
from shared.contracts.notifier import DeliveryStatus, SkipReason


@dataclass(frozen=True, slots=True)
class ReminderTask:
    """A ticked task with its figure at that moment; *resolved_at* is a stamp, set once (R5)."""

    figure: Figure
    resolved_at: str | None = None


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who is mailed, and what became of it."""

    person: Person
    status: DeliveryStatus = DeliveryStatus.PENDING
    reason: SkipReason | None = None


@dataclass(frozen=True, slots=True)
class Reminder:
    """One reminder of one client."""

    id: str
    firm_id: FirmId
    client_id: ClientId
    sent_at: datetime
    by: Person
    tasks: tuple[ReminderTask, ...]
    comment: str | None
    recipients: tuple[Recipient, ...]

    @property
    def open(self) -> bool:
        """Whether a task of it waits to be resolved."""
        return any(task.resolved_at is None for task in self.tasks)


def reminder_of(event: ReminderRequested) -> Reminder:
    """Return the reminder that *event* asks for, every mail pending."""
    tasks = tuple(ReminderTask(figure) for figure in event.tasks)
    recipients = tuple(Recipient(person) for person in event.recipients)
    return Reminder(
        event.reminder_id, event.firm_id, event.client_id, event.requested_at, event.by, tasks, event.comment, recipients
    )


def delivered(reminder: Reminder, member_id: MemberId, status: DeliveryStatus, reason: SkipReason | None) -> Reminder:
    """Return *reminder* with what became of the mail to *member_id*."""
    recipients = tuple(replace(r, status=status, reason=reason) if r.person.id == member_id else r for r in reminder.recipients)
    return replace(reminder, recipients=recipients)


def resolved(reminder: Reminder, client: ClientState, heard_at: str) -> Reminder:
    """Return *reminder*, its tasks resolved whose figure is 0 in *client*, or was 0 after it was sent (R5).

    *heard_at* stands in for what came to be 0 before that and is so still.
    """
    sent = stamp_of(reminder.sent_at)

    def after(task: ReminderTask) -> ReminderTask:
        if task.resolved_at is not None:
            return task
        is_over, moments = _over(task.figure.task, client.figures)
        first = next((at for at in moments if at > sent), heard_at if is_over else None)
        return replace(task, resolved_at=first)

    return replace(reminder, tasks=tuple(after(task) for task in reminder.tasks))


def _over(task: Task, figures: Figures) -> tuple[bool, tuple[str, ...]]:
    """Return whether the task is over now, and when it lately came to be."""
    match task:
        case Task.MISSING_RECEIPTS:
            return figures.missing_receipts == 0, figures.missing_receipts_resolved
        case Task.EXPORT_READY:
            return figures.export_ready == 0, figures.export_ready_resolved
        case Task.LOW_BALANCE:
            return figures.balance is not None and not figures.low_balance, figures.low_balance_resolved


def details(reminder: Reminder) -> Mapping[str, Any]:
    """Return the reminder as a client's details show it (contract, section 1)."""
    return {
        "reminder_id": reminder.id,
        "sent_at": rfc3339(reminder.sent_at),
        "by": reminder.by.model_dump(),
        "tasks": [
            {
                "task": task.figure.task.value,
                "figure": task.figure.count if task.figure.balance is None else task.figure.balance.model_dump(),
                "resolved_at": shown(task.resolved_at) if task.resolved_at else None,
            }
            for task in reminder.tasks
        ],
        "comment": reminder.comment,
        "recipients": [{**r.person.model_dump(), "status": r.status.value, "reason": r.reason} for r in reminder.recipients],
    }
