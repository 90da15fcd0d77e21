"""What the notifier decides: which instants are answered, which mails are queued, what the ledger says. No windows here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from services.notifier.domain import onboardings
from services.notifier.domain import reminder as reminders
from services.notifier.domain.mail import Line, Mail, MailStatus, Part, digest_id, reminder_mail_id
from services.notifier.domain.subscription import Mailed, Subscription, change, end, settle, shown, subscription_id
from services.notifier.domain.world import (
    LineWritten,
    MailQueued,
    MailRecorded,
    MailsHurried,
    ReminderChanged,
    StateLearnt,
    SubscriptionChanged,
    World,
    client_key,
    evolve,
)
from shared.contracts.base import ClientId, FirmId
from shared.contracts.clients import ClientEnded, ClientState, EndTold, MemberLeft, MemberState, ReminderRequested
from shared.contracts.notifier import (
    EVENTS,
    ClientDelivery,
    ContactMailSettled,
    DeliveryMoved,
    DeliveryStatus,
    DigestFellDue,
    MailKind,
    MailSettled,
    SetNotifications,
    SkipReason,
)
from shared.contracts.onboarding import InvitationMailed, UndeliveredMailed
from shared.contracts.pleo import MailBounced
from shared.decider import Counted, Decider, Finished, Refused, Said, Succeeded
from shared.messages import Heard

PATIENCE = timedelta(days=5)  # how long a reminder waits for the mail server; digests have N11


def decide(heard: Heard[Any], world: World, now: datetime) -> Sequence[Any]:  # noqa: C901 - a table of contents
    """Return what *heard* leads to, given the states it touches."""
    match heard.message:
        case SetNotifications() as command:
            return _set_notifications(command, world, now, heard.trace)
        case DigestFellDue() as tick:
            due = [s for s in world.subscriptions.values() if s.member_id == tick.member_id and s.due(tick.at)]
            return _settle(due, tick.at, world, now, heard.trace)
        case MailSettled() as settled:
            return _mail_settled(settled, world)
        case ReminderRequested() as event:
            return _remind(event, world, now, heard.trace)
        case InvitationMailed() as asked:
            return _queued(onboardings.invitation(asked, now, heard.trace), world)
        case UndeliveredMailed() as asked:
            return _queued(onboardings.undelivered(asked, now, heard.trace), world)
        case EndTold() as told:
            return _queued(onboardings.ended(told, now, heard.trace), world)
        case ContactMailSettled() as contacted:
            return onboardings.settled(contacted, heard.time)
        case MailBounced() as bounced:
            return onboardings.bounced(bounced, heard.time)
        case ClientEnded() as over:
            hurried = MailsHurried(over.firm_id, client_id=over.client_id)
            return [hurried, *_ended(world, heard.time, lambda s: (s.firm_id, s.client_id) == (over.firm_id, over.client_id))]
        case MemberLeft() as left:
            hurried = MailsHurried(left.firm_id, member_id=left.member_id)
            return [hurried, *_ended(world, heard.time, lambda s: s.member_id == left.member_id)]
        case ClientState() as state:
            return _client_learnt(state, world, heard)
        case MemberState() as state:
            known = world.members.get(state.member_id)
            return [Counted("older")] if known and known.version >= state.version else [StateLearnt(state)]
        case _:
            return []


def _set_notifications(command: SetNotifications, world: World, now: datetime, trace: str | None) -> Sequence[Any]:
    if not command.connected:
        return [Refused("not_connected")]
    actor = command.actor
    known = world.subscriptions.get(subscription_id(actor.member_id, command.client_id))
    before = known or Subscription(actor.firm_id, actor.member_id, command.client_id)
    if command.email and command.frequency is None:
        return [Refused("invalid", "frequency is required when email is true")]
    settled = _settle([before], command.issued_at, world, now, trace)  # N4: what was due is not swallowed
    for event in settled:
        before = event.subscription if isinstance(event, SubscriptionChanged) else before
    after = change(before, command)
    changed = [SubscriptionChanged(after)] if after != before else []
    return [*settled, *changed, Succeeded(shown(after))]


def _settle(due: Iterable[Subscription], at: datetime, world: World, now: datetime, trace: str | None) -> list[Any]:
    """Let time pass for subscriptions of one member: those answered at the same instant share a mail (N8, N12)."""
    events: list[Any] = []
    mails: dict[str, tuple[Mail, list[Part]]] = {}
    for subscription in due:
        passed = settle(subscription, at)
        if passed is None:
            continue
        events.append(SubscriptionChanged(passed.then))
        events += [_line(subscription, instant, DeliveryStatus.MISSED) for instant in passed.missed]
        if passed.answer is not None:
            mail = _mail_of(subscription, passed.answer, world, now, trace)
            if mail.status is MailStatus.DUE:
                give_up_at = now + (passed.answer + passed.grace - at)  # what is left of the grace, on our own clock (N11)
                mails.setdefault(mail.id, (mail, []))[1].append(Part(subscription.client_id, give_up_at))
                events.append(_line(subscription, passed.answer, DeliveryStatus.PENDING, mail.id))
            elif not mail.holds(subscription.client_id):  # N12: the one mail of this instant is on its way without it, or was
                events.append(_line(subscription, passed.answer, DeliveryStatus.MISSED))
        events.append(_moved(subscription.firm_id, subscription.client_id))
    return [*events, *(MailQueued(mail.about(parts)) for mail, parts in mails.values())]


def _mail_of(subscription: Subscription, instant: datetime, world: World, now: datetime, trace: str | None) -> Mail:
    s, id = subscription, digest_id(subscription.member_id, instant)
    return world.mails.get(id) or Mail(id, MailKind.DIGEST, s.firm_id, s.member_id, instant, now, (), trace)


def _line(subscription: Subscription, instant: datetime, status: DeliveryStatus, mail_id: str | None = None) -> LineWritten:
    s = subscription
    return LineWritten(Line(s.firm_id, s.member_id, s.client_id, instant, status, mail_id=mail_id))


def _moved(firm_id: FirmId, client_id: ClientId) -> Said:
    return Said(EVENTS, client_key(firm_id, client_id), DeliveryMoved(firm_id=firm_id, client_id=client_id))


def _mail_settled(settled: MailSettled, world: World) -> list[Any]:
    match settled.kind:
        case MailKind.DIGEST:
            return _digest_settled(settled, world)
        case MailKind.REMINDER:
            return _reminder_settled(settled, world)
        case _:
            return [MailRecorded(settled.mail_id)]


def _digest_settled(settled: MailSettled, world: World) -> list[Any]:
    events: list[Any] = []
    for delivery in settled.deliveries:
        events += [LineWritten(_settled_line(settled, delivery)), _moved(settled.firm_id, delivery.client_id)]
        subscription = world.subscriptions.get(subscription_id(settled.member_id, delivery.client_id))
        if subscription is None:
            continue
        if delivery.status is DeliveryStatus.SENT and settled.sent_at is not None:
            events += _mailed(subscription, delivery, settled.sent_at)
        elif delivery.reason is SkipReason.ACCESS_LOST and subscription.email and _gone(subscription, world):
            events.append(SubscriptionChanged(end(subscription)))  # a switch-on that crossed the disconnect (N9)
    return [*events, MailRecorded(settled.mail_id)]


def _settled_line(settled: MailSettled, delivery: ClientDelivery) -> Line:
    sent = delivery.status is DeliveryStatus.SENT
    told = delivery.status is not DeliveryStatus.SKIPPED and delivery.status is not DeliveryStatus.MISSED
    return Line(
        settled.firm_id,
        settled.member_id,
        delivery.client_id,
        settled.due_at,
        delivery.status,
        delivery.reason,
        settled.sent_at if sent else None,
        settled.message_id if told else None,
        settled.mail_id,
    )


def _mailed(subscription: Subscription, delivery: ClientDelivery, sent_at: datetime) -> list[Any]:
    if subscription.mailed is not None and subscription.mailed.at >= sent_at:
        return []
    d = delivery
    figures = Mailed(sent_at, d.missing_receipts, d.export_ready, d.balance_minor, d.currency)
    return [SubscriptionChanged(replace(subscription, mailed=figures))]


def _gone(subscription: Subscription, world: World) -> bool:
    client = world.clients.get(client_key(subscription.firm_id, subscription.client_id))
    member = world.members.get(subscription.member_id)
    return (client is not None and not client.connected) or (member is not None and not member.active)


def _reminder_settled(settled: MailSettled, world: World) -> list[Any]:
    known = world.reminders.get(settled.reminder_id or "")
    events: list[Any] = [MailRecorded(settled.mail_id)]
    if known is not None:
        for delivery in settled.deliveries:
            known = reminders.delivered(known, settled.member_id, delivery.status, delivery.reason)
        events += [ReminderChanged(known), _moved(known.firm_id, known.client_id)]
    return events


def _remind(event: ReminderRequested, world: World, now: datetime, trace: str | None) -> list[Any]:
    part = Part(event.client_id, now + PATIENCE)
    matter = event.model_dump(mode="json", exclude={"recipients"})
    mails = [
        Mail(id, MailKind.REMINDER, event.firm_id, person.id, event.requested_at, now, (part,), trace, matter)
        for person in event.recipients
        for id in [reminder_mail_id(event.reminder_id, person.id)]
    ]
    result = {"reminder_id": event.reminder_id, "recipients": [person.model_dump() for person in event.recipients]}
    finished = Finished(event.command_id, event.by.id, Succeeded(result))
    return [ReminderChanged(reminders.reminder_of(event)), *_queued(mails, world), finished]


def _queued(mails: Iterable[Mail], world: World) -> list[Any]:
    """Queue what is not queued yet: the mailer may be at work on the rest."""
    return [MailQueued(mail) for mail in mails if mail.id not in world.mails]


def _ended(world: World, at: datetime, concerned: Callable[[Subscription], bool]) -> list[Any]:
    """End what stood when access was lost; what was switched on since (a new connection) stays."""
    over = [s for s in world.subscriptions.values() if concerned(s) and s.email and (s.since is None or s.since <= at)]
    return [SubscriptionChanged(end(s)) for s in over]


def _client_learnt(state: ClientState, world: World, heard: Heard[Any]) -> list[Any]:
    known = world.clients.get(client_key(state.firm_id, state.client_id))
    if known is not None and known.version >= state.version:
        return [Counted("older")]
    about = [r for r in world.reminders.values() if (r.firm_id, r.client_id) == (state.firm_id, state.client_id)]
    now_resolved = [(r, reminders.resolved(r, state, heard.stamp)) for r in about]
    return [StateLearnt(state), *(ReminderChanged(after) for before, after in now_resolved if after != before)]


DECIDER = Decider(decide, evolve)
