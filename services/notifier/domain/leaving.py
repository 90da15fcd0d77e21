"""Who comes and goes: lost access ends subscriptions, an assignment may begin one, a mail may come back (N9, N14, N16)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from services.notifier.domain import reminder as reminders
from services.notifier.domain import schedule
from services.notifier.domain.answering import moved, unanswered
from services.notifier.domain.mail import Mail, mail_named, message_key
from services.notifier.domain.preferences import Preferences, Suppressed
from services.notifier.domain.subscription import Subscription, end, settle, subscription_id, switched_on
from services.notifier.domain.world import (
    LineWritten,
    MailBouncedBack,
    MailsHurried,
    PreferencesChanged,
    ReminderChanged,
    SubscriptionChanged,
    World,
)
from shared.contracts.base import MemberId
from shared.contracts.clients import AssignmentsMoved, ClientEnded, ClientState, MemberLeft
from shared.contracts.notifier import COMMANDS, STEP, AccessFellAway, DeliveryStatus, Frequency, MailKind, SkipReason
from shared.contracts.pleo import BounceKind, MailBounced
from shared.decider import Counted, Said
from shared.messages import Heard

AGAINST = {BounceKind.HARD: Suppressed.HARD_BOUNCE, BounceKind.COMPLAINT: Suppressed.COMPLAINT}


def gone(event: ClientEnded | MemberLeft, at: datetime) -> list[Any]:
    """A client or a member is gone: waiting mails are looked at at once, subscriptions end step by step (I5, M4)."""
    who = {"client_id": event.client_id} if isinstance(event, ClientEnded) else {"member_id": event.member_id}
    tick = AccessFellAway(at=at, firm_id=event.firm_id, **who)
    return [MailsHurried(event.firm_id, **who), Said(COMMANDS, str(next(iter(who.values()))), tick)]


def access_fell_away(tick: AccessFellAway, world: World) -> list[Any]:
    """End a step of what stood when access was lost; what was switched on since (a new connection) stays (N9)."""
    over = [s for s in world.subscriptions.values() if _concerns(tick, s)]
    events: list[Any] = []
    for s in over:
        passed = settle(s, tick.at)
        if passed is not None:
            events += unanswered(s, passed, SkipReason.ACCESS_LOST)
        events.append(SubscriptionChanged(end(passed.then if passed else s, tick.at)))
    if len(over) >= STEP:
        events.append(Said(COMMANDS, str(tick.client_id or tick.member_id), tick))
    return events


def _concerns(tick: AccessFellAway, s: Subscription) -> bool:
    who = s.client_id == tick.client_id if tick.client_id else s.member_id == tick.member_id
    stood = s.since is None or s.since <= tick.at or not s.email
    return s.firm_id == tick.firm_id and who and stood and s.ended is not SkipReason.ACCESS_LOST


def assigned(event: AssignmentsMoved, world: World) -> list[Any]:
    """Note when members with a default were assigned; the client's state switches them on, sooner or later than this (N16)."""
    noted = [_noted(MemberId(member_id), event, world) for member_id in event.assigned]
    waiting = [world.subscriptions.get(subscription_id(member_id, event.client_id)) for member_id in event.unassigned]
    over = [replace(s, awaits=None) for s in waiting if s is not None and s.awaits is not None]
    return [SubscriptionChanged(s) for s in (*noted, *over) if s is not None]


def _noted(member_id: MemberId, event: AssignmentsMoved, world: World) -> Subscription | None:
    known = world.subscriptions.get(subscription_id(member_id, event.client_id))
    frequency = _default(member_id, event.at, world)
    if frequency is None:
        return None
    if _untouched(known):
        before = known or Subscription(event.firm_id, member_id, event.client_id)
        return replace(before, frequency=frequency, awaits=event.at)
    begun_late = known is not None and known.email and known.set_at is None and known.settled_at is None
    if known is None or not begun_late or known.since is None or known.since <= event.at:
        return None
    return switched_on(known, frequency, event.at)  # the state was quicker: N2 counts from the assignment all the same


def newly_shown(state: ClientState, before: ClientState | None) -> list[MemberId]:
    """Return the members to whom *state* may show the client as connected and theirs for the first time."""
    if not state.connected:
        return []
    held = before.assignees if before is not None and before.connected else ()
    return [member_id for member_id in state.assignees if member_id not in held]


def by_default(state: ClientState, before: ClientState | None, at: datetime, world: World) -> list[Any]:
    """Switch on, with their default, those to whom a connected client was assigned; what they set by hand stays (N16)."""
    changed: list[Subscription] = []
    for member_id in newly_shown(state, before):
        known = world.subscriptions.get(subscription_id(member_id, state.client_id))
        is_new = before is None or member_id not in before.assignees
        frequency = _default(member_id, at, world)
        if not _untouched(known) or frequency is None or not (is_new or (known and known.awaits)):
            continue
        subscription = known or Subscription(state.firm_id, member_id, state.client_id)
        begun = subscription.awaits if is_new and subscription.awaits else _counted_from(subscription.awaits, at)
        changed.append(switched_on(subscription, frequency, begun))
    return [SubscriptionChanged(s) for s in changed]


def _counted_from(assigned_at: datetime | None, connected_at: datetime) -> datetime:
    """N2 counts from the assignment, unless the client was connected only after that instant."""
    if assigned_at is None or schedule.first_instant(assigned_at) <= connected_at:
        return connected_at
    return assigned_at


def _default(member_id: MemberId, at: datetime, world: World) -> Frequency | None:
    preferences = world.preferences_of(member_id)
    return preferences.default_frequency if preferences.default_since and preferences.default_since <= at else None


def _untouched(known: Subscription | None) -> bool:
    """Nobody set it by hand, or it ended with the client: a new connection starts afresh (I6)."""
    if known is None or known.ended is SkipReason.ACCESS_LOST:
        return True
    return not known.email and known.set_at is None and known.ended is None


def bounced(heard: Heard[MailBounced], world: World) -> list[Any]:
    """A mail came back, or somebody complained: nothing goes to that address any more (N14, R6)."""
    bounce = heard.message
    if bounce.kind is BounceKind.SOFT:
        return [Counted("soft")]
    mail = named(bounce, world)
    member_id = bounce.member_id or (mail.member_id if mail else None)
    if member_id is None:
        return [] if bounce.client_id or mail is not None else [Counted("nobody")]
    events = turned_away(member_id, bounce.address, AGAINST[bounce.kind], heard.time, world)
    if bounce.kind is BounceKind.HARD and mail is not None and mail.member_id == member_id:
        events += _came_back(mail, world)
    return events


def turned_away(member_id: MemberId, address: str, reason: Suppressed, at: datetime, world: World) -> list[Any]:
    """Return what it means that *address* turned us away at *at*."""
    before = world.preferences_of(member_id)
    member = world.members.get(member_id)
    after = replace(before.turned_away(address, reason, at), firm_id=before.firm_id or (member.firm_id if member else None))
    return [PreferencesChanged(after)] if after != before else []


def adopted(preferences: Preferences, firm_id: Any) -> list[Any]:
    """Give what was heard of a member before they were known to their firm (M1)."""
    return [PreferencesChanged(replace(preferences, firm_id=firm_id))] if preferences.firm_id is None else []


def named(bounce: MailBounced, world: World) -> Mail | None:
    """Return the mail of ours that *bounce* names, or None."""
    key = mail_named(bounce.message_id or "")
    return next((mail for mail in world.mails.values() if message_key(mail.id) == key), None)


def _came_back(mail: Mail, world: World) -> list[Any]:
    events: list[Any] = [MailBouncedBack(mail.id)]
    for line in world.lines.values():
        if line.mail_id == mail.id and line.status is DeliveryStatus.SENT:
            after_all = replace(line, status=DeliveryStatus.FAILED, sent_at=None)
            events += [LineWritten(after_all), moved(line.firm_id, line.client_id)]
    reminder = world.reminders.get(mail.matter.get("reminder_id") or "")
    if mail.kind is MailKind.REMINDER and mail.member_id is not None and reminder is not None:
        after = reminders.delivered(reminder, mail.member_id, DeliveryStatus.FAILED, None)
        events += [ReminderChanged(after), moved(reminder.firm_id, reminder.client_id)]
    return events
