"""Where clients keeps its states: what a batch touches is loaded at once, what changed is written once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pymongo import IndexModel, InsertOne, UpdateOne

from services.clients import documents as as_document
from services.clients.domain.states import STEP, Client, Company, World
from shared.contracts import clients, onboarding, pleo
from shared.contracts.base import Command, Role
from shared.handling import Change
from shared.messages import Heard
from shared.mongo import Document, Tx

FIRMS, MEMBERS, COMPANIES, ROWS, PLACES = "firms", "members", "companies", "client_rows", "client_places"
EXPENSES, GRANTS, ACCESSES, COUNTS = "expenses", "grants", "accesses", "counts"

RELIED_ON = {"$inc": {"relied_on": 1}}  # whoever changes what was relied on conflicts with this (invariant 8)
ASKS_ASSIGNEES = (clients.RemindAssignees, clients.AssignMember, clients.AssignMany, clients.AcceptInvitation)

INDEXES: Mapping[str, Sequence[IndexModel]] = {
    FIRMS: [],
    MEMBERS: [IndexModel([("firm_id", 1), ("address", 1)], name="by_address")],
    COMPANIES: [],
    ROWS: [
        IndexModel([("firm_id", 1), ("lists", 1), ("sort_key", 1), ("client_id", 1)], name="by_name"),
        IndexModel([("firm_id", 1), ("lists", 1), ("sort_key", -1), ("client_id", 1)], name="by_name_down"),
        IndexModel([("firm_id", 1), ("sort_key", 1), ("client_id", 1), ("folded", 1)], name="by_text"),
        IndexModel([("firm_id", 1), ("sort_key", -1), ("client_id", 1), ("folded", 1)], name="by_text_down"),
        IndexModel([("firm_id", 1), ("tails", 1)], name="by_tails"),
        IndexModel([("firm_id", 1), ("lists", 1), ("begins", 1), ("sort_key", 1), ("client_id", 1)], name="by_beginning"),
        IndexModel([("firm_id", 1), ("lists", 1), ("begins", 1), ("sort_key", -1), ("client_id", 1)], name="by_beginning_down"),
        IndexModel([("firm_id", 1), ("assignees", 1), ("client_id", 1)], name="by_assignee"),
    ],
    # What every fact may change is not indexed with the rest: mongod makes all keys of a document anew when one of them moves.
    PLACES: [
        IndexModel([("firm_id", 1), ("lists", 1), ("missing", 1), ("client_id", 1)], name="by_missing"),
        IndexModel([("firm_id", 1), ("lists", 1), ("missing", -1), ("client_id", 1)], name="by_missing_down"),
    ],
    EXPENSES: [IndexModel([("kept_until", 1)], name="kept", expireAfterSeconds=0, sparse=True)],
    GRANTS: [IndexModel([("kept_until", 1)], name="kept", expireAfterSeconds=0)],
    ACCESSES: [
        IndexModel([("firm_id", 1), ("client_id", 1), ("at", -1)], name="by_client"),
        IndexModel([("kept_until", 1)], name="kept", expireAfterSeconds=0),
    ],
    COUNTS: [IndexModel([("firm_id", 1), ("list", 1)], name="by_list")],
}


@dataclass(slots=True)
class _Touched:
    """The ids of what a batch touches."""

    firms: set[str] = field(default_factory=set)
    members: set[str] = field(default_factory=set)
    companies: set[str] = field(default_factory=set)
    clients: set[tuple[str, str]] = field(default_factory=set)
    expenses: set[tuple[str, str]] = field(default_factory=set)
    grants: set[str] = field(default_factory=set)
    leavers: set[tuple[str, str, str]] = field(default_factory=set)
    told_firms: set[str] = field(default_factory=set)
    asks_assignees: bool = False

    def note(self, message: Any) -> None:  # noqa: C901 - a table of what touches what
        match message:
            case pleo.ExpenseFact():
                self.companies.add(message.client_id)
                self.expenses.add((message.client_id, message.expense_id))
            case pleo.BalanceChanged() | pleo.CompanyRenamed():
                self.companies.add(message.client_id)
            case pleo.FirmRegistered():
                self.firms.add(message.firm_id)
            case pleo.MemberFact() | pleo.MemberRemoved():
                self.members.add(message.member_id)
            case pleo.AccountantAdded() | pleo.AccountantWithdrawn() | onboarding.InvitationWithdrawn():
                self.companies.add(message.client_id)
                self.clients.add((message.firm_id, message.client_id))
            case onboarding.OnboardingStarted():
                self.companies.add(message.client_id)
                self.clients.add((message.firm_id, message.client_id))
                self.members.update(message.assign)
            case onboarding.OnboardingState():
                self.companies.add(message.client_id)
            case onboarding.OnboardingSettled():
                self.clients.add((message.firm_id, message.client_id))
                self.told_firms.add(message.firm_id)
            case clients.LeaverFellDue():
                self.members.add(message.member_id)
                self.leavers.add((message.firm_id, message.member_id, message.after))
            case Command():
                self._command(message)

    def _command(self, command: Any) -> None:
        self.members.add(command.actor.member_id)
        firm = command.actor.firm_id
        match command:
            case clients.RedeemGrant():
                self.grants.add(command.token_hash)
            case clients.AssignMany():
                self.clients.update((firm, client_id) for client_id in command.client_ids)
                self.members.update(command.assign, command.unassign)
            case clients.AssignMember() | clients.UnassignMember():
                self.clients.add((firm, command.client_id))
                self.members.add(command.member_id)
            case clients.AcceptInvitation():
                self.clients.add((firm, command.client_id))
                self.members.update(command.assign)
            case _:
                self.clients.add((firm, command.client_id))
        self.asks_assignees = self.asks_assignees or isinstance(command, ASKS_ASSIGNEES)


class ClientStore:
    """Loads and saves the states of clients, for handling alone."""

    async def load(self, tx: Tx, heard: Sequence[Heard[Any]]) -> World:
        """Return every state that *heard* touches, a query a kind."""
        touched = _Touched()
        for item in heard:
            touched.note(item.message)
        world = _Loaded()
        for found in await _by_id(tx, GRANTS, touched.grants):
            grant = as_document.grant_from(found)
            world.grants[grant.token_hash] = grant
            touched.clients.add((grant.firm_id, grant.client_id))
            touched.members.add(grant.member_id)
        for found in await _by_id(tx, COMPANIES, touched.companies):
            company = as_document.company_from(found)
            world.companies[company.client_id] = company
            touched.clients.update((firm, company.client_id) for firm in company.firms)
        for found in await _by_id(tx, EXPENSES, {f"{c}.{e}" for c, e in touched.expenses}):
            expense = as_document.expense_from(found)
            world.expenses[expense.client_id, expense.expense_id] = expense
        for step in sorted(touched.leavers):
            await _leaving(tx, world, step)
        for found in await _by_id(tx, ROWS, {f"{f}.{c}" for f, c in touched.clients}, as_document.STATE_ALONE):
            client = as_document.client_from(found)
            world.clients[client.firm_id, client.client_id] = client
            if touched.asks_assignees or client.firm_id in touched.told_firms:
                touched.members.update((*client.assignees, *client.end_told))
        for found in await _by_id(tx, MEMBERS, touched.members):
            member = as_document.member_from(found)
            world.members[member.member_id] = member
        world.admins = {firm_id: await _admins(tx, firm_id) for firm_id in sorted(touched.told_firms)}
        for found in await _by_id(tx, FIRMS, touched.firms):
            world.firms[found["_id"]] = as_document.firm_from(found)
        world.remember()
        return world

    async def save(self, tx: Tx, world: World, source: str) -> Iterable[Change]:
        """Move the counts, note accesses, touch the members relied on; return the documents that changed."""
        assert isinstance(world, _Loaded)
        moved = list(world.moved_clients())
        await tx.bulk(COUNTS, _count_moves(moved, source))
        await tx.bulk(ACCESSES, [InsertOne(as_document.access(line)) for line in world.accesses])
        changed = {m.member_id for m in world.changed_members()}
        relied = sorted(m for m in world.relied_on - changed if m in world.members)
        await tx.bulk(MEMBERS, [UpdateOne({"_id": m}, RELIED_ON) for m in relied])
        still = world.clients_relied_on - {(c.firm_id, c.client_id) for _, c in moved}
        await tx.bulk(ROWS, [UpdateOne({"_id": f"{f}.{c}"}, RELIED_ON) for f, c in sorted(still)])
        return list(_changes(world, moved))


class _Loaded(World):
    """A world that remembers how it was, to tell what changed."""

    __slots__ = ("was",)

    def remember(self) -> None:
        self.was = World(
            dict(self.firms), dict(self.members), dict(self.companies), dict(self.clients), dict(self.expenses), dict(self.grants)
        )

    def moved_clients(self) -> Iterator[tuple[Client | None, Client]]:
        return ((self.was.clients.get(k), c) for k, c in self.clients.items() if self.was.clients.get(k) is not c)

    def changed_members(self) -> Iterator[Any]:
        return (m for k, m in self.members.items() if self.was.members.get(k) is not m)

    def changed_companies(self) -> Iterator[Company]:
        return (c for k, c in self.companies.items() if self.was.companies.get(k) is not c)


def _changes(world: _Loaded, moved: Iterable[tuple[Client | None, Client]]) -> Iterator[Change]:
    for before, client in moved:
        yield from _row_changes(before, client)
    for company in world.changed_companies():
        yield _company_change(world.was.companies.get(company.client_id), company)
    for member in world.changed_members():
        yield Change(MEMBERS, as_document.member(member), told=True)
    for key, firm in world.firms.items():
        if world.was.firms.get(key) is not firm:
            yield Change(FIRMS, as_document.firm(firm))
    for pair, expense in world.expenses.items():
        was = world.was.expenses.get(pair)
        if was is not expense:
            yield Change(EXPENSES, as_document.expense(expense), new=was is None)
    for key, grant in world.grants.items():
        if world.was.grants.get(key) is not grant:
            yield Change(GRANTS, as_document.grant(grant))


def _company_change(before: Company | None, after: Company) -> Change:
    if before is not None and as_document.only_moved(before, after, "ledger"):
        return Change(COMPANIES, as_document.ledger(after), only=("ledger",))
    return Change(COMPANIES, as_document.company(after))


def _row_changes(before: Client | None, after: Client) -> Iterator[Change]:
    """Yield what is written of a row, and of its place what moved with it."""
    row = _row_change(before, after)
    yield row
    only = None if row.only is None else tuple(name for name in row.only if name in as_document.PLACED_FIELDS)
    if before is not None and only == ("missing",) and before.readable.missing == after.readable.missing:
        return
    yield Change(PLACES, as_document.place(row.document), only=only)


def _row_change(before: Client | None, after: Client) -> Change:
    if before is not None and as_document.only_moved(before, after, "ledger"):
        return Change(ROWS, as_document.figures(after), told=True, only=as_document.FIGURE_FIELDS)
    if before is not None and as_document.only_moved(before, after, "assignees", "tenures"):
        return Change(ROWS, as_document.staff(after), told=True, only=as_document.STAFF_FIELDS)
    return Change(ROWS, as_document.client(after), told=True)


def _counted(client: Client | None) -> tuple[str, ...]:
    """Return what a client counts in: its lists, and those of them by missing receipts if it misses some."""
    if client is None:
        return ()
    lists = client.lists
    return (*lists, *(f"{name}+missing" for name in lists)) if client.readable.missing else lists


def _count_moves(moved: Iterable[tuple[Client | None, Client]], source: str) -> list[UpdateOne]:
    deltas: Counter[tuple[str, str]] = Counter()
    for before, after in moved:
        then, now = _counted(before), _counted(after)
        if then == now:
            continue  # as with most facts: a figure rises
        deltas.update((after.firm_id, name) for name in now)
        deltas.subtract((after.firm_id, name) for name in then)
    return [
        UpdateOne(
            {"_id": f"{firm}|{name}|{source}"}, {"$inc": {"n": n}, "$setOnInsert": {"firm_id": firm, "list": name}}, upsert=True
        )
        for (firm, name), n in sorted(deltas.items())
        if n
    ]


async def _by_id(tx: Tx, collection: str, ids: Iterable[str], projection: Document | None = None) -> list[Document]:
    wanted = sorted(ids)
    return await tx.find(collection, {"_id": {"$in": wanted}}, projection) if wanted else []


async def _admins(tx: Tx, firm_id: str) -> tuple[str, ...]:
    found = await tx.find(MEMBERS, {"firm_id": firm_id, "role": Role.ADMIN.value, "active": True}, {"_id": 1})
    return tuple(sorted(document["_id"] for document in found))


async def _leaving(tx: Tx, world: World, step: tuple[str, str, str]) -> None:
    firm, leaver, after = step
    where = {"firm_id": firm, "assignees": leaver, "client_id": {"$gt": after}}
    found = await tx.find(ROWS, where, as_document.STATE_ALONE, sort=[("client_id", 1)], limit=STEP)
    world.leaving[step] = []
    for document in found:
        client = as_document.client_from(document)
        world.clients[client.firm_id, client.client_id] = client
        world.leaving[step].append((client.firm_id, client.client_id))
