"""Instants and what becomes of them: which are answered, by which mail, and what the ledger says (N8, N10-N12, N17)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from services.notifier.domain.mail import Line, Mail, MailStatus, Part, digest_id
from services.notifier.domain.subscription import Due, Mailed, Subscription, end, settle, subscription_id
from services.notifier.domain.world import (
    LineWritten,
    MailQueued,
    MailRecorded,
    SubscriptionChanged,
    World,
    client_key,
)
from shared.contracts.base import ClientId, Command, FirmId
from shared.contracts.notifier import (
    EVENTS,
    ClientDelivery,
    DeliveryMoved,
    DeliveryStatus,
    MailKind,
    MailSettled,
    SkipReason,
)
from shared.decider import Said

A_MOMENT = timedelta(minutes=1)  # what a mail has at least: one answered at its grace's last moment has to be made first
JOINING = timedelta(seconds=5)  # how long a mail waits for the clients of the next step


def settle_due(
    due: Iterable[Subscription],
    at: datetime,
    world: World,
    now: datetime,
    trace: str | None,
    *,
    as_of: datetime | None = None,
    more: bool = False,
) -> list[Any]:
    """Let time pass for subscriptions of one member: those answered at the same instant share a mail (N8, N12).

    *as_of* is when lateness is measured, if not at *at* (N11). With *more* to come in a next step, the mail waits for it.
    """
    events: list[Any] = []
    mails: dict[str, tuple[Mail, list[Part]]] = {}
    for subscription in due:
        passed = settle(subscription, at, as_of)
        if passed is None:
            continue
        events.append(SubscriptionChanged(passed.then))
        paused = world.preferences_of(subscription.member_id).pauses
        events += [_unanswered(subscription, instant, paused(instant)) for instant in passed.missed]
        if passed.answer is not None and paused(passed.answer):
            events.append(_line(subscription, passed.answer, DeliveryStatus.SKIPPED, SkipReason.PAUSED))
        elif passed.answer is not None:
            events += _answered(subscription, passed, passed.answer, as_of or at, world, mails, now, trace)
        events.append(moved(subscription.firm_id, subscription.client_id))
    not_before = now + JOINING if more else None
    return [*events, *(MailQueued(replace(mail.about(parts), not_before=not_before)) for mail, parts in mails.values())]


def settle_before(
    command: Command, due: Iterable[Subscription], world: World, now: datetime, trace: str | None, *, more: bool = False
) -> list[Any]:
    """Settle what was due when *command* was issued (N4); after an outage it may be handled too late for a mail (N11)."""
    at = command.issued_at
    return settle_due(due, at, world, now, trace, as_of=max(at, now), more=more)


def now_settled(due: Sequence[Subscription], events: Iterable[Any]) -> list[Subscription]:
    """Return *due* as *events* left them."""
    after = {e.subscription.id: e.subscription for e in events if isinstance(e, SubscriptionChanged)}
    return [after.get(subscription.id, subscription) for subscription in due]


def _answered(
    s: Subscription,
    passed: Due,
    answer: datetime,
    as_of: datetime,
    world: World,
    mails: dict[str, tuple[Mail, list[Part]]],
    now: datetime,
    trace: str | None,
) -> list[Any]:
    mail = _mail_for(s, answer, world, now, trace)
    if mail is None:
        return []
    give_up_at = now + max(answer + passed.grace - as_of, A_MOMENT)  # what is left of the grace, on our own clock (N11)
    mails.setdefault(mail.id, (mail, []))[1].append(Part(s.client_id, give_up_at))
    return [_line(s, answer, DeliveryStatus.PENDING, mail_id=mail.id)]


def _mail_for(s: Subscription, instant: datetime, world: World, now: datetime, trace: str | None) -> Mail | None:
    """Return the mail that takes the client on: one that is not planned yet; None if the client was answered already (N12)."""
    for number in count(1):
        id = digest_id(s.member_id, instant, number)
        mail = world.mails.get(id)
        if mail is None:
            return Mail(id, MailKind.DIGEST, s.firm_id, s.member_id, instant, now, (), trace)
        if mail.holds(s.client_id):
            return None
        if mail.status is MailStatus.DUE:
            return mail
    raise AssertionError


def unanswered(s: Subscription, passed: Due, reason: SkipReason) -> list[Any]:
    """Return the lines of what passed when the newest instant is not answered for *reason*."""
    events: list[Any] = [_line(s, instant, DeliveryStatus.MISSED) for instant in passed.missed]
    if passed.answer is not None:
        events.append(_line(s, passed.answer, DeliveryStatus.SKIPPED, reason))
    return events


def _unanswered(s: Subscription, instant: datetime, paused: bool) -> LineWritten:
    if paused:
        return _line(s, instant, DeliveryStatus.SKIPPED, SkipReason.PAUSED)
    return _line(s, instant, DeliveryStatus.MISSED)


def _line(
    s: Subscription, instant: datetime, status: DeliveryStatus, reason: SkipReason | None = None, mail_id: str | None = None
) -> LineWritten:
    return LineWritten(Line(s.firm_id, s.member_id, s.client_id, instant, status, reason, mail_id=mail_id))


def moved(firm_id: FirmId, client_id: ClientId) -> Said:
    """Return the doorbell that something of a client's deliveries changed."""
    return Said(EVENTS, client_key(firm_id, client_id), DeliveryMoved(firm_id=firm_id, client_id=client_id))


def digest_settled(settled: MailSettled, at: datetime, world: World) -> list[Any]:
    """Return what a digest's end means for ledger and subscriptions (N10)."""
    came_back = settled.mail_id in world.bounced
    events: list[Any] = []
    for told in settled.deliveries:
        delivery = failed(told) if came_back else told
        events += [LineWritten(_settled_line(settled, delivery)), moved(settled.firm_id, delivery.client_id)]
        subscription = world.subscriptions.get(subscription_id(settled.member_id, delivery.client_id))
        if subscription is None:
            continue
        if delivery.status is DeliveryStatus.SENT and settled.sent_at is not None:
            events += _mailed(subscription, delivery, settled.sent_at)
        elif delivery.reason is SkipReason.ACCESS_LOST and subscription.email and _gone(subscription, world):
            events.append(SubscriptionChanged(end(subscription, at)))  # a switch-on that crossed the disconnect (N9)
    return [*events, MailRecorded(settled.mail_id)]


def failed(delivery: ClientDelivery) -> ClientDelivery:
    """Return *delivery* of a mail that came back: what was sent failed (R6)."""
    sent = delivery.status is DeliveryStatus.SENT
    return delivery.model_copy(update={"status": DeliveryStatus.FAILED}) if sent else delivery


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
