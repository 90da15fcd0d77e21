"""What members set: one client or many, a default, a pause, and what a mail's link ends or brings back (N1, N4, N13-N17)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from services.notifier.domain.answering import now_settled, settle_before
from services.notifier.domain.preferences import preferred, shown_settings, shown_suppression
from services.notifier.domain.subscription import (
    Subscription,
    Wish,
    change,
    restored,
    shown,
    subscription_id,
    switched_off,
)
from services.notifier.domain.world import PreferencesChanged, SubscriptionChanged, World, client_key
from shared.contracts.base import Actor, Command, Role
from shared.contracts.notifier import (
    COMMANDS,
    STEP,
    CommandGoesOn,
    LiftSuppression,
    SetManyNotifications,
    SetNotifications,
    SetNotificationSettings,
    SkipReason,
    UndoUnsubscribe,
    Unsubscribe,
)
from shared.decider import Finished, Refused, Said, Succeeded

UNDONE_WITHIN = timedelta(days=30)  # N13


def set_notifications(command: SetNotifications, world: World, now: datetime, trace: str | None) -> list[Any]:
    """Set one client's notifications; what was due by then is settled first (N1, N4)."""
    if not command.connected:
        return [Refused("not_connected")]
    if command.email and command.frequency is None:
        return [Refused("invalid", "frequency is required when email is true")]
    before = _known(world, command.actor, command.client_id)
    events = _settled_first(command, [before], world, now, trace)
    (due,) = now_settled([before], events)
    after = change(due, Wish(command.issued_at, command.email, command.frequency, command.even_if_nothing))
    changed = [SubscriptionChanged(after)] if after != due else []
    suppressed = suppression_of(world, command.actor)
    return [*events, *changed, Succeeded(shown(after, suppressed))]


def suppression_of(world: World, actor: Actor) -> Mapping[str, Any] | None:
    """Return why nothing goes to the address of whoever acts, as the API shows it (N14)."""
    return shown_suppression(world.preferences_of(actor.member_id).suppressed(actor.email))


def set_many(command: SetManyNotifications, step: int, world: World, now: datetime, trace: str | None) -> list[Any]:
    """Set the notifications of one step's clients, each as if it were set alone (N16)."""
    clients = [seen.client_id for seen in step_of(command, step) if seen.code is None]
    known = [_known(world, command.actor, client_id) for client_id in clients]
    before = [s for s in known if s.set_at is None or s.set_at <= command.issued_at]  # set anew between two steps: that stays
    events = _settled_first(command, before, world, now, trace)
    wish = Wish(command.issued_at, command.email, command.frequency, command.even_if_nothing)
    wished = [(due, change(due, wish)) for due in now_settled(before, events)]
    events += [SubscriptionChanged(after) for due, after in wished if after != due]
    if (step + 1) * STEP < len(command.clients):
        return [*events, _goes_on(command, step + 1, many=command)]
    items = [
        {"client_id": seen.client_id, "status": "refused" if seen.code else "succeeded", "code": seen.code}
        for seen in command.clients
    ]
    return [*events, _finished(command, {"items": items})]


def step_of(command: SetManyNotifications, step: int) -> Sequence[Any]:
    """Return the clients of one step."""
    return command.clients[step * STEP : (step + 1) * STEP]


def set_settings(command: SetNotificationSettings, step: int, world: World, now: datetime, trace: str | None) -> list[Any]:
    """Set a member's default and pause; instants due by then are settled as it was before (N4, N16, N17)."""
    due = [s for s in of_member(world, command.actor) if s.due(command.issued_at)]
    more = len(due) >= STEP
    events = settle_before(command, due, world, now, trace, more=more)
    if more:
        return [*events, _goes_on(command, step + 1, settings=command)]
    before = world.preferences_of(command.actor.member_id)
    after = preferred(before, command)
    changed = [PreferencesChanged(after)] if after != before else []
    return [*events, *changed, _finished(command, shown_settings(after))]


def unsubscribe(command: Unsubscribe, step: int, world: World, now: datetime, trace: str | None) -> list[Any]:
    """End what a mail's link ends; used again it finds nothing left to end (N13)."""
    named = None if command.client_ids is None else set(command.client_ids)
    ended = [
        s
        for s in of_member(world, command.actor)
        if s.email and (named is None or s.client_id in named) and (s.since is None or s.since <= command.issued_at)
    ]
    more = len(ended) >= STEP
    events = _settled_first(command, ended, world, now, trace)
    off = [switched_off(s, command.issued_at, command.click) for s in now_settled(ended, events)]
    events += [SubscriptionChanged(s) for s in off]
    return [*events, _goes_on(command, step + 1, unsubscribe=command) if more else _finished(command, {})]


def undo(command: UndoUnsubscribe, step: int, world: World) -> list[Any]:
    """Bring back exactly what the link ended in the last 30 days, except what access was lost to (N13)."""
    by_link = [s for s in of_member(world, command.actor) if s.ended_by == command.click and _undoable(s, command.issued_at)]
    events = [
        SubscriptionChanged(restored(s, command.issued_at) if _has_access(s, world) else replace(s, ended_by=None))
        for s in by_link
    ]
    return [*events, _goes_on(command, step + 1, undo=command) if len(by_link) >= STEP else _finished(command, {})]


def lift(command: LiftSuppression, world: World) -> list[Any]:
    """Let mails go to a member's address again (N14)."""
    before = world.preferences_of(command.member_id)
    after = before.lifted(command.issued_at)
    return [*([PreferencesChanged(after)] if after != before else []), Succeeded({})]


def goes_on(tick: CommandGoesOn, world: World, now: datetime, trace: str | None) -> list[Any]:
    """Take the next step of a command (invariant 14)."""
    if tick.many is not None:
        return set_many(tick.many, tick.step, world, now, trace)
    if tick.settings is not None:
        return set_settings(tick.settings, tick.step, world, now, trace)
    if tick.unsubscribe is not None:
        return unsubscribe(tick.unsubscribe, tick.step, world, now, trace)
    return undo(tick.undo, tick.step, world) if tick.undo is not None else []


def of_member(world: World, actor: Actor) -> list[Subscription]:
    """Return what is at hand of a member's subscriptions."""
    return [s for s in world.subscriptions.values() if (s.firm_id, s.member_id) == (actor.firm_id, actor.member_id)]


def _known(world: World, actor: Actor, client_id: Any) -> Subscription:
    known = world.subscriptions.get(subscription_id(actor.member_id, client_id))
    return known or Subscription(actor.firm_id, actor.member_id, client_id)


def _settled_first(command: Command, some: Sequence[Subscription], world: World, now: datetime, trace: str | None) -> list[Any]:
    """Settle what is due of *some*, and with it all that the member has due: one instant, one mail (N8, N12)."""
    due = {s.id: s for s in (*some, *of_member(world, command.actor)) if s.due(command.issued_at)}
    return settle_before(command, due.values(), world, now, trace)


def _undoable(s: Subscription, at: datetime) -> bool:
    recent = s.ended_at is not None and at - s.ended_at <= UNDONE_WITHIN
    return recent and not s.email and s.ended is SkipReason.SWITCHED_OFF


def _has_access(s: Subscription, world: World) -> bool:
    client, member = world.clients.get(client_key(s.firm_id, s.client_id)), world.members.get(s.member_id)
    if client is None or member is None or not member.active or not client.connected:
        return False
    return member.role is Role.ADMIN or s.member_id in client.assignees


def _goes_on(command: Command, step: int, **of: Any) -> Said:
    tick = CommandGoesOn(at=command.issued_at, step=step, **of)
    return Said(COMMANDS, command.actor.member_id, tick)


def _finished(command: Command, result: Mapping[str, Any]) -> Finished:
    return Finished(command.command_id, command.actor.member_id, Succeeded(result), type(command))
