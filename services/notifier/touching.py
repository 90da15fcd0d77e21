"""Which states a message touches, as queries: the index of the notifier's world."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from services.notifier.domain.leaving import newly_shown
from services.notifier.domain.mail import (
    Line,
    end_mail_id,
    invitation_mail_id,
    mail_named,
    message_key,
    reminder_mail_id,
    undelivered_mail_id,
)
from services.notifier.domain.schedule import LONGEST_GRACE
from services.notifier.domain.setting import UNDONE_WITHIN, step_of
from services.notifier.domain.subscription import subscription_id
from services.notifier.domain.world import World, client_key
from shared.contracts.clients import AssignmentsMoved, ClientState, EndTold, MemberState, ReminderRequested
from shared.contracts.notifier import (
    AccessFellAway,
    CommandGoesOn,
    DeliveryStatus,
    DigestFellDue,
    LiftSuppression,
    MailKind,
    MailSettled,
    SetManyNotifications,
    SetNotifications,
    SetNotificationSettings,
    SkipReason,
    UndoUnsubscribe,
    Unsubscribe,
)
from shared.contracts.onboarding import InvitationMailed, UndeliveredMailed
from shared.contracts.pleo import MailBounced
from shared.mongo import Document


def told_clients(messages: Iterable[Any]) -> set[str]:
    """Return the clients whose states are told: what is new in them says which subscriptions they touch."""
    return {client_key(m.firm_id, m.client_id) for m in messages if isinstance(m, ClientState)}


def subscriptions(messages: Iterable[Any], world: World) -> list[Document]:
    """Return which subscriptions are named by their ids."""
    ids: set[str] = set()
    for message in messages:
        match message:
            case SetNotifications():
                ids.add(subscription_id(message.actor.member_id, message.client_id))
            case SetManyNotifications():
                ids |= _of_step(message, 0)
            case CommandGoesOn(many=SetManyNotifications() as many, step=step):
                ids |= _of_step(many, step)
            case MailSettled(kind=MailKind.DIGEST):
                ids |= {subscription_id(message.member_id, delivery.client_id) for delivery in message.deliveries}
            case AssignmentsMoved():
                ids |= {subscription_id(m, message.client_id) for m in (*message.assigned, *message.unassigned)}
            case ClientState(connected=True):
                known = world.clients.get(client_key(message.firm_id, message.client_id))
                ids |= {subscription_id(member_id, message.client_id) for member_id in newly_shown(message, known)}
            case _:
                pass
    return by_id(ids)


def _of_step(command: SetManyNotifications, step: int) -> set[str]:
    return {subscription_id(command.actor.member_id, seen.client_id) for seen in step_of(command, step) if seen.code is None}


def steps(messages: Iterable[Any]) -> list[Document]:
    """Return the queries of which a step is read: what a message may touch many of."""
    found = [where for message in messages for where in (_due(_command(message)), _step(_command(message)))]
    return [where for where in found if where is not None]


def _due(message: Any) -> Document | None:
    """Name what a member has due when they change something: all of it is settled first, in one mail (N4, N8)."""
    match message:
        case SetNotifications() | SetManyNotifications() | SetNotificationSettings() | Unsubscribe():
            actor, at = message.actor, message.issued_at
            return {"firm_id": actor.firm_id, "member_id": actor.member_id, "email": True, "next_at": {"$lte": at}}
        case _:
            return None


def _command(message: Any) -> Any:
    """Return the command within the next step of one."""
    if isinstance(message, CommandGoesOn):
        return message.many or message.settings or message.unsubscribe or message.undo
    return message


def _step(message: Any) -> Document | None:
    match message:
        case DigestFellDue():
            return {"member_id": message.member_id, "email": True, "next_at": {"$lte": message.at}}
        case Unsubscribe(actor=actor, issued_at=at, client_ids=clients):
            named = {} if clients is None else {"client_id": {"$in": list(clients)}}
            stood = {"email": True, "since": {"$lte": at}, **named}
            return {"firm_id": actor.firm_id, "member_id": actor.member_id, **stood}
        case UndoUnsubscribe(actor=actor, issued_at=at, click=click):
            ended = {"ended_by": click, "email": False, "ended_at": {"$gte": at - UNDONE_WITHIN}}
            return {"firm_id": actor.firm_id, "member_id": actor.member_id, **ended}
        case AccessFellAway():
            who = {"client_id": message.client_id} if message.client_id else {"member_id": message.member_id}
            stood_then = {"$or": [{"email": False}, {"since": {"$lte": message.at}}]}
            return {"firm_id": message.firm_id, **who, "ended": {"$ne": SkipReason.ACCESS_LOST.value}, **stood_then}
        case _:
            return None


def mails(messages: Iterable[Any]) -> list[Document]:
    """Return which mails may exist already: of instants that may be answered, made once by an event, or come back."""
    ids: set[str] = set()
    wanted: list[Document] = []
    keys: set[str] = set()
    for message in messages:
        match message:
            case ReminderRequested():
                ids |= {reminder_mail_id(message.reminder_id, person.id) for person in message.recipients}
            case InvitationMailed():
                ids.add(invitation_mail_id(message.client_id, message.number, message.occasion, message.reminder))
            case UndeliveredMailed():
                ids.add(undelivered_mail_id(message.client_id, message.number, message.by))
            case EndTold():
                ids |= {end_mail_id(message.client_id, message.state, to) for to in message.recipients}
            case MailSettled():
                ids.add(message.mail_id)
            case MailBounced(message_id=str() as name):
                keys.add(mail_named(name))
            case _:
                wanted += _answering(message)
    return [*by_id(ids), *wanted, *([{"key": {"$in": sorted(keys)}}] if keys else [])]


def _answering(message: Any) -> list[Document]:
    """Name the digests of a member whose instants may still be answered when *message* lets time pass."""
    match within := _command(message):
        case SetNotifications() | SetManyNotifications() | SetNotificationSettings() | Unsubscribe():
            member_id, at = within.actor.member_id, within.issued_at
        case DigestFellDue(member_id=member_id, at=at):
            pass
        case _:
            return []
    return [{"member_id": member_id, "due_at": {"$gte": at - LONGEST_GRACE, "$lte": at}, "kind": MailKind.DIGEST.value}]


def lines(messages: Iterable[Any], world: World) -> list[Document]:
    """Return which lines of the ledger tell of mails that come back."""
    named = _bounced(messages)
    parts = [(mail, part) for mail in world.mails.values() if message_key(mail.id) in named for part in mail.parts]
    found = (
        Line(mail.firm_id, mail.member_id, part.client_id, mail.due_at, DeliveryStatus.SENT).id
        for mail, part in parts
        if mail.member_id is not None
    )
    return by_id(set(found))


def _bounced(messages: Iterable[Any]) -> set[str]:
    return {mail_named(m.message_id) for m in messages if isinstance(m, MailBounced) and m.message_id}


def reminders(messages: Sequence[Any], world: World) -> list[Document]:
    """Return which reminders are told of, or may be resolved."""
    ids = {m.reminder_id for m in messages if isinstance(m, MailSettled) and m.reminder_id}
    if _bounced(messages):
        ids |= {mail.matter["reminder_id"] for mail in world.mails.values() if mail.kind is MailKind.REMINDER}
    keys = {client_key(m.firm_id, m.client_id) for m in messages if isinstance(m, ClientState)}
    return [*by_id(ids), *([{"open": {"$in": sorted(keys)}}] if keys else [])]


def clients(messages: Iterable[Any], world: World) -> set[str]:
    """Return which copies of clients are asked for."""
    ids: set[str] = set()
    for message in messages:
        match message:
            case ReminderRequested():
                ids.add(client_key(message.firm_id, message.client_id))
            case MailSettled():
                lost = (d for d in message.deliveries if d.reason is SkipReason.ACCESS_LOST)
                ids |= {client_key(message.firm_id, delivery.client_id) for delivery in lost}
            case UndoUnsubscribe() | CommandGoesOn(undo=UndoUnsubscribe()):
                ids |= {client_key(s.firm_id, s.client_id) for s in world.subscriptions.values()}
            case _:
                pass
    return ids


def members(messages: Iterable[Any], world: World) -> set[str]:
    """Return which copies of members are asked for."""
    ids: set[str] = set()
    for message in messages:
        match message:
            case MemberState():
                ids.add(message.member_id)
            case MailSettled() if message.refused_address or any(d.reason for d in message.deliveries):
                ids.add(message.member_id)
            case UndoUnsubscribe() | CommandGoesOn(undo=UndoUnsubscribe()):
                ids |= {s.member_id for s in world.subscriptions.values()}
            case MailBounced():
                ids |= _turned_away(message, world)
            case _:
                pass
    return ids


def preferences(messages: Iterable[Any], world: World) -> set[str]:
    """Return whose preferences are asked for: everybody's whose instants may be settled, and who they are set for."""
    ids: set[str] = {s.member_id for s in world.subscriptions.values()}
    for message in messages:
        match _command(message):
            case AssignmentsMoved():
                ids |= set(message.assigned)
            case ClientState():
                known = world.clients.get(client_key(message.firm_id, message.client_id))
                ids |= set(newly_shown(message, known))
            case SetNotifications(actor=actor) | SetManyNotifications(actor=actor) | SetNotificationSettings(actor=actor):
                ids.add(actor.member_id)
            case LiftSuppression(member_id=member_id) | MemberState(member_id=member_id) | MailSettled(member_id=member_id):
                ids.add(member_id)
            case MailBounced():
                ids |= _turned_away(message, world)
            case _:
                pass
    return ids


def _turned_away(bounce: MailBounced, world: World) -> set[str]:
    """Return whom a mail that came back was for."""
    named = _bounced([bounce])
    to = {mail.member_id for mail in world.mails.values() if message_key(mail.id) in named and mail.member_id}
    return {*to, *([bounce.member_id] if bounce.member_id else [])}


def by_id(ids: Iterable[Any]) -> list[Document]:
    """Return the query for *ids*, none for none."""
    wanted = sorted(ids)
    return [{"_id": {"$in": wanted}}] if wanted else []
