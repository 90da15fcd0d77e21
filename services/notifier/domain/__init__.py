"""What the notifier decides: which instants are answered, which mails are queued, what the ledger says. No windows here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from services.notifier.domain import leaving, onboardings, setting
from services.notifier.domain import reminder as reminders
from services.notifier.domain.answering import digest_settled, failed, moved, settle_due
from services.notifier.domain.mail import Mail, about_one, reminder_mail_id
from services.notifier.domain.preferences import Suppressed
from services.notifier.domain.world import (
    MailQueued,
    MailRecorded,
    ReminderChanged,
    StateLearnt,
    World,
    client_key,
    evolve,
)
from shared.contracts.base import Command
from shared.contracts.clients import (
    AssignmentsMoved,
    ClientEnded,
    ClientState,
    EndTold,
    MemberLeft,
    MemberState,
    RemindAssignees,
    ReminderRequested,
)
from shared.contracts.notifier import (
    COMMANDS,
    STEP,
    AccessFellAway,
    CommandGoesOn,
    ContactMailSettled,
    DigestFellDue,
    LiftSuppression,
    MailKind,
    MailSettled,
    SetManyNotifications,
    SetNotifications,
    SetNotificationSettings,
    UndoUnsubscribe,
    Unsubscribe,
)
from shared.contracts.onboarding import InvitationMailed, UndeliveredMailed
from shared.contracts.pleo import MailBounced
from shared.decider import Counted, Decider, Finished, Said, Succeeded
from shared.messages import Heard


def decide(heard: Heard[Any], world: World, now: datetime) -> Sequence[Any]:
    """Return what *heard* leads to, given the states it touches."""
    match heard.message:
        case DigestFellDue() as tick:
            return _fell_due(tick, world, now, heard.trace)
        case MailSettled() as settled:
            return _settled(settled, heard, world)
        case ReminderRequested() as event:
            return _remind(event, heard, world, now)
        case InvitationMailed() | UndeliveredMailed() | EndTold() as asked:
            return _queued(onboardings.mails(asked, now, heard.trace), world)
        case ClientState() as state:
            return _client_learnt(state, world, heard)
        case MemberState() as state:
            return _member_learnt(state, world)
        case Command() | CommandGoesOn() as command:
            return _commanded(command, world, now, heard.trace)
        case _:
            return _came_or_went(heard, world)


def _came_or_went(heard: Heard[Any], world: World) -> Sequence[Any]:
    match heard.message:
        case ClientEnded() | MemberLeft() as event:
            return leaving.gone(event, heard.time)
        case AccessFellAway() as tick:
            return leaving.access_fell_away(tick, world)
        case AssignmentsMoved() as event:
            return leaving.assigned(event, world)
        case MailBounced():
            return [*leaving.bounced(heard, world), *onboardings.bounced(heard, leaving.named(heard.message, world))]
        case ContactMailSettled() as contacted:
            return onboardings.settled(contacted, heard.time)
        case _:
            return []


def _commanded(command: Any, world: World, now: datetime, trace: str | None) -> Sequence[Any]:
    match command:
        case SetNotifications():
            return setting.set_notifications(command, world, now, trace)
        case SetManyNotifications():
            return setting.set_many(command, 0, world, now, trace)
        case SetNotificationSettings():
            return setting.set_settings(command, 0, world, now, trace)
        case Unsubscribe():
            return setting.unsubscribe(command, 0, world, now, trace)
        case UndoUnsubscribe():
            return setting.undo(command, 0, world)
        case LiftSuppression():
            return setting.lift(command, world)
        case CommandGoesOn():
            return setting.goes_on(command, world, now, trace)
        case _:
            return []


def _fell_due(tick: DigestFellDue, world: World, now: datetime, trace: str | None) -> list[Any]:
    """Settle a step of what is due; the mail of an instant waits for the next step (invariant 14)."""
    due = [s for s in world.subscriptions.values() if s.member_id == tick.member_id and s.due(tick.at)]
    more = len(due) >= STEP
    events = settle_due(due, tick.at, world, now, trace, more=more)
    return [*events, Said(COMMANDS, tick.member_id, tick)] if more else events


def _settled(settled: MailSettled, heard: Heard[Any], world: World) -> list[Any]:
    events = _recorded(settled, heard.time, world)
    if settled.refused_address is not None and settled.settled_at is not None:
        address, at = settled.refused_address, settled.settled_at
        events += leaving.turned_away(settled.member_id, address, Suppressed.HARD_BOUNCE, at, world)
    return events


def _recorded(settled: MailSettled, at: datetime, world: World) -> list[Any]:
    match settled.kind:
        case MailKind.DIGEST:
            return digest_settled(settled, at, world)
        case MailKind.REMINDER:
            return _reminder_settled(settled, world)
        case _:
            return [MailRecorded(settled.mail_id)]


def _reminder_settled(settled: MailSettled, world: World) -> list[Any]:
    known = world.reminders.get(settled.reminder_id or "")
    events: list[Any] = [MailRecorded(settled.mail_id)]
    if known is not None:
        for told in settled.deliveries:
            delivery = failed(told) if settled.mail_id in world.bounced else told
            known = reminders.delivered(known, settled.member_id, delivery.status, delivery.reason)
        events += [ReminderChanged(known), moved(known.firm_id, known.client_id)]
    return events


def _remind(event: ReminderRequested, heard: Heard[Any], world: World, now: datetime) -> list[Any]:
    """Queue its mails; the client's newer state may have come first, and with it the end of a task (R5)."""
    reminder, client = reminders.reminder_of(event), world.clients.get(client_key(event.firm_id, event.client_id))
    if client is not None and client.version >= event.client_version:
        reminder = reminders.resolved(reminder, client, heard.stamp)
    ids = {person.id: reminder_mail_id(event.reminder_id, person.id) for person in event.recipients}
    mails = [about_one(id, MailKind.REMINDER, event, to, event.requested_at, now, heard.trace) for to, id in ids.items()]
    result = {"reminder_id": event.reminder_id, "recipients": [person.model_dump() for person in event.recipients]}
    finished = Finished(event.command_id, event.by.id, Succeeded(result), RemindAssignees)
    return [ReminderChanged(reminder), *_queued(mails, world), finished]


def _queued(mails: Iterable[Mail], world: World) -> list[Any]:
    """Queue what is not queued yet: the mailer may be at work on the rest."""
    return [MailQueued(mail) for mail in mails if mail.id not in world.mails]


def _client_learnt(state: ClientState, world: World, heard: Heard[Any]) -> list[Any]:
    known = world.clients.get(client_key(state.firm_id, state.client_id))
    if known is not None and known.version >= state.version:
        return [Counted("older")]
    about = [r for r in world.reminders.values() if (r.firm_id, r.client_id) == (state.firm_id, state.client_id)]
    now_resolved = [(r, reminders.resolved(r, state, heard.stamp)) for r in about]
    resolved = [ReminderChanged(after) for before, after in now_resolved if after != before]
    return [StateLearnt(state), *resolved, *leaving.by_default(state, known, heard.time, world)]


def _member_learnt(state: MemberState, world: World) -> list[Any]:
    known = world.members.get(state.member_id)
    if known and known.version >= state.version:
        return [Counted("older")]
    kept = world.preferences.get(state.member_id)
    return [StateLearnt(state), *(leaving.adopted(kept, state.firm_id) if kept else [])]


DECIDER = Decider(decide, evolve)
