"""How the notifier's states lie in MongoDB, and are read again: one pair of functions a state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from typing import Any

from services.notifier.domain.mail import Line, Mail, MailStatus, Part, message_key
from services.notifier.domain.preferences import Address, Preferences
from services.notifier.domain.reminder import Recipient, Reminder, ReminderTask
from services.notifier.domain.subscription import Mailed, Subscription
from services.notifier.domain.world import client_key
from shared.contracts.base import State
from shared.contracts.clients import ClientState, Figure, MemberState, Person
from shared.contracts.notifier import DeliveryStatus, Frequency, MailKind, SkipReason
from shared.mongo import Document

Found = Mapping[str, Any]


def of_subscription(subscription: Subscription) -> Document:
    """Return a subscription as it is stored."""
    return {"_id": subscription.id, **asdict(subscription)}


def subscription_of(found: Found) -> Subscription:
    """Return a stored subscription."""
    return Subscription(
        firm_id=found["firm_id"],
        member_id=found["member_id"],
        client_id=found["client_id"],
        email=found["email"],
        frequency=Frequency(found["frequency"]) if found["frequency"] else None,
        even_if_nothing=found["even_if_nothing"],
        since=found["since"],
        settled_at=found["settled_at"],
        next_at=found["next_at"],
        ended=_reason(found["ended"]),
        mailed=Mailed(**found["mailed"]) if found["mailed"] else None,
        set_at=found.get("set_at"),
        ended_at=found.get("ended_at"),
        ended_by=found.get("ended_by"),
        awaits=found.get("awaits"),
    )


def of_preferences(preferences: Preferences) -> Document:
    """Return a member's preferences as they are stored; dates as text, which is all that is asked of them."""
    until = preferences.paused_until.isoformat() if preferences.paused_until else None
    return {"_id": preferences.member_id, **asdict(preferences), "paused_until": until}


def preferences_of(found: Found) -> Preferences:
    """Return stored preferences."""
    return Preferences(
        member_id=found["member_id"],
        firm_id=found["firm_id"],
        default_frequency=Frequency(found["default_frequency"]) if found["default_frequency"] else None,
        default_since=found["default_since"],
        paused_at=found["paused_at"],
        paused_until=date.fromisoformat(found["paused_until"]) if found["paused_until"] else None,
        addresses=tuple(Address(**address) for address in found["addresses"]),
    )


def of_line(line: Line) -> Document:
    """Return a line of the ledger as it is stored."""
    return {"_id": line.id, **asdict(line)}


def line_of(found: Found) -> Line:
    """Return a stored line of the ledger."""
    return Line(
        firm_id=found["firm_id"],
        member_id=found["member_id"],
        client_id=found["client_id"],
        due_at=found["due_at"],
        status=DeliveryStatus(found["status"]),
        reason=_reason(found["reason"]),
        sent_at=found["sent_at"],
        message_id=found["message_id"],
        mail_id=found["mail_id"],
    )


def of_mail(mail: Mail) -> Document:
    """Return a queued mail as it is stored, with what the mailer will change from here on."""
    return {
        "_id": mail.id,
        "kind": mail.kind.value,
        "firm_id": mail.firm_id,
        "member_id": mail.member_id,
        "due_at": mail.due_at,
        "created_at": mail.created_at,
        "parts": [asdict(part) for part in mail.parts],
        "trace": mail.trace,
        "matter": dict(mail.matter),
        "key": message_key(mail.id),
        "status": mail.status.value,
        "not_before": mail.not_before or mail.created_at,
        "attempt": 0,
        "ambiguous": False,
        "recorded": False,
        "bounced": False,
        "letter": None,
    }


def mail_of(found: Found) -> Mail:
    """Return a stored mail, without what only the mailer knows."""
    return Mail(
        id=found["_id"],
        kind=MailKind(found["kind"]),
        firm_id=found["firm_id"],
        member_id=found["member_id"],
        due_at=found["due_at"],
        created_at=found["created_at"],
        parts=tuple(Part(part["client_id"], part["give_up_at"]) for part in found["parts"]),
        trace=found["trace"],
        matter=found["matter"],
        status=MailStatus(found["status"]),
    )


def of_reminder(reminder: Reminder) -> Document:
    """Return a reminder as it is stored; *open* leads from a client's state to the reminders it may resolve."""
    waiting = {"open": client_key(reminder.firm_id, reminder.client_id)} if reminder.open else {}
    return {
        "_id": reminder.id,
        "firm_id": reminder.firm_id,
        "client_id": reminder.client_id,
        "sent_at": reminder.sent_at,
        "by": reminder.by.model_dump(),
        "tasks": [{"figure": t.figure.model_dump(mode="json"), "resolved_at": t.resolved_at} for t in reminder.tasks],
        "comment": reminder.comment,
        "recipients": [{"person": r.person.model_dump(), "status": r.status, "reason": r.reason} for r in reminder.recipients],
        **waiting,
    }


def reminder_of(found: Found) -> Reminder:
    """Return a stored reminder."""
    return Reminder(
        id=found["_id"],
        firm_id=found["firm_id"],
        client_id=found["client_id"],
        sent_at=found["sent_at"],
        by=Person.model_validate(found["by"]),
        tasks=tuple(ReminderTask(Figure.model_validate(t["figure"], strict=False), t["resolved_at"]) for t in found["tasks"]),
        comment=found["comment"],
        recipients=tuple(
            Recipient(Person.model_validate(r["person"]), DeliveryStatus(r["status"]), _reason(r["reason"]))
            for r in found["recipients"]
        ),
    )


def of_state(id: str, state: State) -> Document:
    """Return the copy of another service's state as it is stored."""
    return {"_id": id, **state.model_dump(mode="json")}


def client_of(found: Found) -> ClientState:
    """Return the copy of a client."""
    return ClientState.model_validate(found, strict=False)


def member_of(found: Found) -> MemberState:
    """Return the copy of a member."""
    return MemberState.model_validate(found, strict=False)


def _reason(text: str | None) -> SkipReason | None:
    return SkipReason(text) if text else None
