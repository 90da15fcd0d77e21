"""The notifier's documents: subscriptions, ledger, mails, reminders, and copies of clients and members."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from pymongo import DESCENDING, IndexModel, UpdateMany, UpdateOne

from services.notifier import documents
from services.notifier.domain.mail import WAITING, end_mail_id, invitation_mail_id, reminder_mail_id, undelivered_mail_id
from services.notifier.domain.schedule import LONGEST_GRACE
from services.notifier.domain.subscription import subscription_id
from services.notifier.domain.world import World, client_key
from shared.contracts.clients import ClientEnded, ClientState, EndTold, MemberLeft, MemberState, ReminderRequested
from shared.contracts.notifier import DigestFellDue, MailKind, MailSettled, SetNotifications, SkipReason
from shared.contracts.onboarding import InvitationMailed, UndeliveredMailed
from shared.handling import Change
from shared.messages import Heard
from shared.mongo import Document, Tx

SUBSCRIPTIONS, LEDGER, MAILS, REMINDERS, CLIENTS, MEMBERS = "subscriptions", "ledger", "mails", "reminders", "clients", "members"
LEDGER_KEPT = timedelta(days=731)  # E5: 24 months
INDEXES: Mapping[str, Sequence[IndexModel]] = {
    SUBSCRIPTIONS: [
        IndexModel([("next_at", 1)], name="due", partialFilterExpression={"email": True}),
        IndexModel([("member_id", 1), ("next_at", 1)], name="of_member"),
        IndexModel([("firm_id", 1), ("client_id", 1)], name="of_client"),
    ],
    LEDGER: [
        IndexModel([("firm_id", 1), ("member_id", 1), ("due_at", DESCENDING), ("_id", DESCENDING)], name="newest"),
        IndexModel(
            [("firm_id", 1), ("member_id", 1), ("client_id", 1), ("due_at", DESCENDING), ("_id", DESCENDING)],
            name="newest_of_client",
        ),
        IndexModel([("due_at", 1)], name="kept", expireAfterSeconds=int(LEDGER_KEPT.total_seconds())),
    ],
    MAILS: [
        IndexModel([("status", 1), ("not_before", 1)], name="waiting"),
        IndexModel([("member_id", 1), ("due_at", 1)], name="of_member"),
        IndexModel([("firm_id", 1), ("parts.client_id", 1), ("status", 1)], name="of_client"),
        IndexModel([("due_at", 1)], name="unrecorded", partialFilterExpression={"recorded": False}),
        IndexModel([("expires_at", 1)], name="kept", expireAfterSeconds=0),
    ],
    REMINDERS: [
        IndexModel([("firm_id", 1), ("client_id", 1), ("sent_at", DESCENDING)], name="newest"),
        IndexModel([("open", 1)], name="open", partialFilterExpression={"open": {"$exists": True}}),
    ],
    CLIENTS: [],
    MEMBERS: [],
}


class NotifierStore:
    """Loads what a batch touches with a query a collection, and writes each document once."""

    async def load(self, tx: Tx, heard: Sequence[Heard[Any]]) -> World:
        """Return every state that *heard* touches."""
        messages = [item.message for item in heard]
        world = World()
        for found in await _found(tx, SUBSCRIPTIONS, _subscriptions(messages)):
            subscription = documents.subscription_of(found)
            world.subscriptions[subscription.id] = subscription
        for found in await _found(tx, MAILS, _mails(messages), {"letter": 0}):
            world.mails[found["_id"]] = documents.mail_of(found)
        for found in await _found(tx, REMINDERS, _reminders(messages)):
            world.reminders[found["_id"]] = documents.reminder_of(found)
        for found in await _found(tx, CLIENTS, _by_id(_clients(messages))):
            world.clients[found["_id"]] = documents.client_of(found)
        for found in await _found(tx, MEMBERS, _by_id(_members(messages))):
            world.members[found["_id"]] = documents.member_of(found)
        return world

    async def save(self, tx: Tx, world: World, source: str) -> Iterable[Change]:
        """Mark mails recorded and hurried, and return the documents that changed."""
        await tx.bulk(MAILS, [UpdateOne({"_id": id}, {"$set": {"recorded": True}}) for id in sorted(world.recorded)])
        await tx.bulk(MAILS, _hurries(world))
        return [_change(world, kind, id) for kind, id in sorted(world.written)]


async def _found(tx: Tx, collection: str, wanted: list[Document], projection: Document | None = None) -> list[Document]:
    return await tx.find(collection, {"$or": wanted}, projection) if wanted else []


def _by_id(ids: set[str]) -> list[Document]:
    return [{"_id": {"$in": sorted(ids)}}] if ids else []


def _hurries(world: World) -> list[UpdateMany]:
    operations = []
    for hurried in world.hurried:
        who = {"member_id": hurried.member_id} if hurried.member_id else {"parts.client_id": hurried.client_id}
        where = {"firm_id": hurried.firm_id, **who, "status": {"$in": [status.value for status in WAITING]}}
        operations.append(UpdateMany(where, {"$currentDate": {"not_before": True}}))
    return operations


def _change(world: World, kind: str, id: str) -> Change:
    match kind:
        case "subscriptions":
            return Change(SUBSCRIPTIONS, documents.of_subscription(world.subscriptions[id]))
        case "lines":
            return Change(LEDGER, documents.of_line(world.lines[id]))
        case "mails":
            return Change(MAILS, documents.of_mail(world.mails[id]))
        case "reminders":
            return Change(REMINDERS, documents.of_reminder(world.reminders[id]))
        case "clients":
            return Change(CLIENTS, documents.of_state(id, world.clients[id]))
        case _:
            return Change(MEMBERS, documents.of_state(id, world.members[id]))


def _subscriptions(messages: Iterable[Any]) -> list[Document]:
    ids: set[str] = set()
    wanted: list[Document] = []
    for message in messages:
        match message:
            case SetNotifications():
                ids.add(subscription_id(message.actor.member_id, message.client_id))
            case MailSettled(kind=MailKind.DIGEST):
                ids |= {subscription_id(message.member_id, delivery.client_id) for delivery in message.deliveries}
            case DigestFellDue():
                wanted.append({"member_id": message.member_id, "next_at": {"$lte": message.at}})
            case MemberLeft():
                wanted.append({"member_id": message.member_id, "email": True})
            case ClientEnded():
                wanted.append({"firm_id": message.firm_id, "client_id": message.client_id, "email": True})
            case _:
                pass
    return [*_by_id(ids), *wanted]


def _mails(messages: Iterable[Any]) -> list[Document]:
    """Name the mails that may exist already: those of the instants that a tick may answer, and those made once by an event."""
    ids: set[str] = set()
    wanted: list[Document] = []
    for message in messages:
        match message:
            case SetNotifications(actor=actor, issued_at=at):
                wanted.append(
                    {"member_id": actor.member_id, "due_at": {"$gte": at - LONGEST_GRACE, "$lte": at}, "kind": "digest"}
                )
            case DigestFellDue(member_id=member_id, at=at):
                wanted.append({"member_id": member_id, "due_at": {"$gte": at - LONGEST_GRACE, "$lte": at}, "kind": "digest"})
            case ReminderRequested():
                ids |= {reminder_mail_id(message.reminder_id, person.id) for person in message.recipients}
            case InvitationMailed():
                ids.add(invitation_mail_id(message.client_id, message.number, message.occasion, message.reminder))
            case UndeliveredMailed():
                ids.add(undelivered_mail_id(message.client_id, message.number, message.by))
            case EndTold():
                ids |= {end_mail_id(message.client_id, message.state, to) for to in message.recipients}
            case _:
                pass
    return [*_by_id(ids), *wanted]


def _reminders(messages: Iterable[Any]) -> list[Document]:
    ids = {m.reminder_id for m in messages if isinstance(m, MailSettled) and m.reminder_id}
    keys = {client_key(m.firm_id, m.client_id) for m in messages if isinstance(m, ClientState)}
    return [*_by_id(ids), {"open": {"$in": sorted(keys)}}] if keys else _by_id(ids)


def _clients(messages: Iterable[Any]) -> set[str]:
    ids = {client_key(m.firm_id, m.client_id) for m in messages if isinstance(m, ClientState)}
    for m in messages:
        if isinstance(m, MailSettled):
            ids |= {client_key(m.firm_id, d.client_id) for d in m.deliveries if d.reason is SkipReason.ACCESS_LOST}
    return ids


def _members(messages: Iterable[Any]) -> set[str]:
    ids: set[str] = {m.member_id for m in messages if isinstance(m, MemberState)}
    ids |= {m.member_id for m in messages if isinstance(m, MailSettled) and any(d.reason for d in m.deliveries)}
    return ids
