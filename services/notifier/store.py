"""The notifier's documents: subscriptions, ledger, mails, reminders, and copies of clients and members."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from pymongo import DESCENDING, IndexModel, UpdateMany, UpdateOne

from services.notifier import documents, touching
from services.notifier.domain.mail import WAITING
from services.notifier.domain.world import MailsHurried, World
from shared.contracts.notifier import STEP
from shared.handling import Change
from shared.messages import Heard
from shared.mongo import Document, Tx

SUBSCRIPTIONS, LEDGER, MAILS, REMINDERS, CLIENTS, MEMBERS = "subscriptions", "ledger", "mails", "reminders", "clients", "members"
PREFERENCES = "preferences"
LEDGER_KEPT = timedelta(days=731)  # E5: 24 months, for reminders, too
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
    MAILS: [  # a mail changes its status thrice: what is only asked of some of them has no keys of the others
        IndexModel([("status", 1), ("not_before", 1)], name="waiting"),
        IndexModel([("member_id", 1), ("due_at", 1)], name="of_member"),
        IndexModel(
            [("firm_id", 1), ("parts.client_id", 1)],
            name="waiting_of_client",
            partialFilterExpression={"status": {"$in": [status.value for status in WAITING]}},
        ),
        IndexModel([("key", 1)], name="named"),
        IndexModel(
            [("report_after", 1)],
            name="settled_unrecorded",
            partialFilterExpression={"recorded": False, "report_after": {"$exists": True}},
        ),
        IndexModel([("expires_at", 1)], name="kept", expireAfterSeconds=0),
    ],
    REMINDERS: [
        IndexModel([("firm_id", 1), ("client_id", 1), ("sent_at", DESCENDING)], name="newest"),
        IndexModel([("open", 1)], name="open", partialFilterExpression={"open": {"$exists": True}}),
        IndexModel([("sent_at", 1)], name="kept", expireAfterSeconds=int(LEDGER_KEPT.total_seconds())),
    ],
    CLIENTS: [],
    MEMBERS: [],
    PREFERENCES: [IndexModel([("firm_id", 1)], name="of_firm")],
}


class NotifierStore:
    """Loads what a batch touches with a query a collection, and writes each document once."""

    async def load(self, tx: Tx, heard: Sequence[Heard[Any]]) -> World:
        """Return every state that *heard* touches."""
        messages = [item.message for item in heard]
        world = World()
        await _clients(tx, touching.told_clients(messages), world)
        await _subscriptions(tx, messages, world)
        await _mails(tx, messages, world)
        for found in await _found(tx, LEDGER, touching.lines(messages, world)):
            line = documents.line_of(found)
            world.lines[line.id] = line
        for found in await _found(tx, REMINDERS, touching.reminders(messages, world)):
            world.reminders[found["_id"]] = documents.reminder_of(found)
        await _clients(tx, touching.clients(messages, world), world)
        for found in await _found(tx, MEMBERS, touching.by_id(touching.members(messages, world))):
            world.members[found["_id"]] = documents.member_of(found)
        for found in await _found(tx, PREFERENCES, touching.by_id(touching.preferences(messages, world))):
            world.preferences[found["_id"]] = documents.preferences_of(found)
        return world

    async def save(self, tx: Tx, world: World, source: str) -> Iterable[Change]:
        """Mark mails recorded, bounced and hurried, and return the documents that changed."""
        await tx.bulk(MAILS, [UpdateOne({"_id": id}, {"$set": {"recorded": True}}) for id in sorted(world.recorded)])
        await tx.bulk(MAILS, [UpdateOne({"_id": id}, {"$set": {"bounced": True}}) for id in sorted(world.came_back)])
        await tx.bulk(MAILS, [UpdateMany(hurried(mails), {"$currentDate": {"not_before": True}}) for mails in world.hurried])
        return [_change(world, kind, id) for kind, id in sorted(world.written)]


async def _clients(tx: Tx, keys: set[str], world: World) -> None:
    for found in await _found(tx, CLIENTS, touching.by_id(keys - set(world.clients))):
        world.clients[found["_id"]] = documents.client_of(found)


async def _subscriptions(tx: Tx, messages: Sequence[Any], world: World) -> None:
    """Read the subscriptions named by id, and a step of those that a message may touch many of (invariant 14)."""
    found = await _found(tx, SUBSCRIPTIONS, touching.subscriptions(messages, world))
    for where in touching.steps(messages):
        found += await tx.find(SUBSCRIPTIONS, where, limit=STEP)
    for document in found:
        subscription = documents.subscription_of(document)
        world.subscriptions[subscription.id] = subscription


async def _mails(tx: Tx, messages: Sequence[Any], world: World) -> None:
    for found in await _found(tx, MAILS, touching.mails(messages), {"letter": 0}):
        world.mails[found["_id"]] = documents.mail_of(found)
        if found.get("bounced"):
            world.bounced.add(found["_id"])


async def _found(tx: Tx, collection: str, wanted: list[Document], projection: Document | None = None) -> list[Document]:
    return await tx.find(collection, {"$or": wanted}, projection) if wanted else []


def hurried(mails: MailsHurried) -> Document:
    """Return the query for the waiting mails of a member, or about a client."""
    who = {"member_id": mails.member_id} if mails.member_id else {"parts.client_id": mails.client_id}
    return {"firm_id": mails.firm_id, **who, "status": {"$in": [status.value for status in WAITING]}}


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
        case "preferences":
            return Change(PREFERENCES, documents.of_preferences(world.preferences[id]))
        case "clients":
            return Change(CLIENTS, documents.of_state(id, world.clients[id]))
        case _:
            return Change(MEMBERS, documents.of_state(id, world.members[id]))
