"""Finding clients on a real database: every page is what a naive reader would find, and none is scanned or sorted for (L1–L6)."""

from __future__ import annotations

import contextlib
import itertools
import random
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from typing import Any
from uuid import uuid4

import pytest
from pymongo.monitoring import CommandFailedEvent, CommandListener, CommandStartedEvent, CommandSucceededEvent

from services.clients import documents
from services.clients.domain.figures import Ledger
from services.clients.domain.states import Client, Invitation, Member
from services.clients.queries.pages import Pages
from services.clients.queries.plans import FEW
from services.clients.queries.question import SORTS, Page, Question
from services.clients.queries.viewer import Viewer
from services.clients.store import COUNTS, INDEXES, MEMBERS, ROWS
from shared.contracts.base import Role
from shared.mongo import Database
from shared.names import matches, sort_key
from tests.system import Ground

KANZLEI, RIVAL = "kanzlei", "rival"
CONNECTED, ONBOARDING, INVITED = FEW + 700, 150, 60
FAMILIES = ("Müller", "Mueller", "MULLER", "Schäfer", "Öztürk", "Großmann", "Grossmann", "Baur", "Bauer", "Yılmaz", "Ørsted")
SEARCHES = (
    "",
    "bau",  # more than are few: every connected client's
    "e",
    "mü",
    "müller",
    "er bau",
    "2017",  # a client number, and a few names
    "müller bau gmbh & co. kg 17",  # longer than a tail
    "gibt es nicht",
    "(.*|$",
)


def _viewer(member_id: str, role: Role) -> Viewer:
    return Viewer(member_id, KANZLEI, member_id, f"{member_id}@kanzlei.example", role, "de", "Kanzlei", "de")


LEYLA, TOM = _viewer("leyla", Role.ADMIN), _viewer("tom", Role.ACCOUNTANT)


PEOPLE = [
    Member(name, KANZLEI, name.title(), f"{name}@kanzlei.example", Role.ACCOUNTANT, employed=True, sequence=1)
    for name in ("leyla", "tom", "anna")
]


def _client(number: int, firm_id: str = KANZLEI) -> Client:
    """Return a client; many share a name, a number of missing receipts, or both."""
    dice = random.Random(number)
    name = f"{dice.choice(FAMILIES)} Bau GmbH & Co. KG {dice.choice(('', '0'))}{number % 97}"
    missing = dice.choice((None, 0, 0, 0, 0, 1, 2, 40))
    at = datetime(2026, 3, 12, tzinfo=UTC)
    client = Client(firm_id, f"c{number:05d}", 1, name, name, str(20_000 + number) if number % 3 else None, added_at=at)
    if number < CONNECTED:
        assignees = tuple(dice.sample(("leyla", "tom", "anna"), dice.choice((0, 1, 1, 2))))
        ledger = Ledger(missing=missing, missing_at=None if missing is None else "2026-03-12T10:00:00.000000000Z")
        client = replace(
            client, invitation=Invitation.ACCEPTED, connected=True, connected_at=at, assignees=assignees, ledger=ledger
        )
        return replace(client, onboarding="in_review" if number % 50 == 0 else None)
    if number < CONNECTED + ONBOARDING:
        return replace(client, name=f"Atelier {name}", onboarding="invited", assignees=(dice.choice(("tom", "anna")),))
    return replace(client, name=f"Café {name}", invitation=Invitation.PENDING)


class Overheard(CommandListener):
    """What the database was asked since it was last cleared."""

    def __init__(self) -> None:
        self.commands: list[dict[str, Any]] = []

    def started(self, event: CommandStartedEvent) -> None:
        kept = {k: v for k, v in event.command.items() if not k.startswith("$") and k not in ("lsid", "txnNumber")}
        self.commands.append(kept)

    def succeeded(self, event: CommandSucceededEvent) -> None:
        return

    def failed(self, event: CommandFailedEvent) -> None:
        return


@dataclass
class Desk:
    """A database with the rows of a firm and perhaps of others, and who listens to what it is asked."""

    database: Database
    overheard: Overheard
    clients: Sequence[Client]

    @classmethod
    @contextlib.asynccontextmanager
    async def stands(cls, ground: Ground, ours: Sequence[Client], others: Sequence[Client] = ()) -> AsyncIterator[Desk]:
        overheard = Overheard()
        database = Database(ground.mongodb, f"t{uuid4().hex[:12]}_clients", overheard)
        try:
            await database.ground(INDEXES)
            await database[MEMBERS].insert_many([documents.member(member) for member in PEOPLE])
            await stand(database, [*ours, *others])
            yield cls(database, overheard, ours)
        finally:
            await database.drop()
            database.close()

    @property
    def pages(self) -> Pages:
        return Pages(self.database, "secret")

    async def assert_planned(self) -> None:
        """Fail if anything it was asked is scanned or sorted for, or is not asked for a firm; then forget what it was asked."""
        asked = [command for command in self.overheard.commands if next(iter(command)) != "explain"]
        assert {next(iter(command)) for command in asked} <= {"find", "aggregate"}
        for command in asked:
            assert KANZLEI in str(command), command
            plan = stages(await self.database._database.command("explain", command, verbosity="queryPlanner"))
            assert not {"COLLSCAN", "SORT", "$sort"} & plan, command
            assert {"IXSCAN", "EOF"} & plan, command
        self.overheard.commands.clear()


@pytest.fixture(scope="module")
async def desk(ground: Ground) -> AsyncIterator[Desk]:
    ours = [_client(n) for n in range(CONNECTED + ONBOARDING + INVITED)]
    async with Desk.stands(ground, ours, [_client(n, RIVAL) for n in range(300)]) as desk:
        yield desk


async def stand(database: Database, clients: Sequence[Client]) -> None:
    """Let *clients* stand in *database* with their counts."""
    counts: Counter[tuple[str, str]] = Counter()
    for client in clients:
        missing = [f"{name}+missing" for name in client.lists if client.readable.missing]
        counts.update((client.firm_id, name) for name in (*client.lists, *missing))
    await database[ROWS].insert_many([documents.client(client) for client in clients])
    await database[COUNTS].insert_many([{"firm_id": f, "list": name, "n": n} for (f, name), n in counts.items()])


def naive(clients: Sequence[Client], question: Question, viewer: Viewer) -> list[str]:
    """Return the ids of what a question finds, as one would without any index."""
    found = [c for c in clients if question.list_for(viewer) in c.lists]
    found = [c for c in found if any(_found(question.search, text) for text in (c.name, c.client_number or ""))]
    if question.missing:
        found = [c for c in found if (c.readable.missing or 0) > 0]
    unknown = documents.UNKNOWN
    by_id = sorted(found, key=lambda c: c.client_id)
    if question.sort.endswith("name"):
        by_id.sort(key=lambda c: _key(c.name), reverse=question.sort.startswith("-"))
    else:
        by_id.sort(key=lambda c: unknown if c.readable.missing is None else c.readable.missing, reverse=question.sort[0] == "-")
    return [c.client_id for c in by_id]


_found, _key = cache(matches), cache(sort_key)


async def everything(pages: Pages, question: Question, viewer: Viewer, limit: int) -> tuple[list[str], int | None]:
    """Return the ids of all pages, and the total that the first one told."""
    page = Page(question, limit)
    first = found = await pages.page(page, viewer)
    ids = [c.client_id for c in found.clients]
    while found.cursor is not None:
        found = await pages.page(replace(page, cursor=found.cursor), viewer)
        assert found.total is None
        ids += [c.client_id for c in found.clients]
    return ids, first.total


LISTS = (
    (LEYLA, Question("all")),
    (LEYLA, Question("mine")),
    (TOM, Question("mine")),
    (TOM, Question("onboarding")),
    (LEYLA, Question("onboarding")),
    (LEYLA, Question("invitations")),
    (LEYLA, Question("all", unassigned=True)),
    (LEYLA, Question("all", assignee="tom")),
    (LEYLA, Question("onboarding", assignee="tom")),
    (LEYLA, Question("all", assignee="nobody")),
    (LEYLA, Question("all", assignee="tom", unassigned=True)),
)


@pytest.mark.parametrize(("viewer", "question"), LISTS, ids=lambda part: str(getattr(part, "member_id", None) or part))
@pytest.mark.parametrize("search", SEARCHES)
async def test_every_question_gets_what_a_naive_reader_would_find(
    desk: Desk, viewer: Viewer, question: Question, search: str
) -> None:
    """L1–L5, L10, T8: tab, filters and search combined with AND, in order, each row once, with an exact total if any."""
    for sort, missing in itertools.product(SORTS, (False, True)):
        asked = replace(question, search=search, sort=sort, missing=missing)
        wanted = naive(desk.clients, asked, viewer)
        found, total = await everything(desk.pages, asked, viewer, 200)
        assert found == wanted, asked
        assert total == len(wanted) or (total is None and len(wanted) > FEW), asked


@pytest.mark.parametrize("search", SEARCHES)
async def test_no_page_is_scanned_or_sorted_for(desk: Desk, search: str) -> None:
    """L6, invariants 7 and 11: every command goes by a forced index that has the order, on every page, and names the firm."""
    desk.overheard.commands.clear()
    for (viewer, question), sort, missing in itertools.product(LISTS, SORTS, (False, True)):
        asked = Page(replace(question, search=search, sort=sort, missing=missing), 7)
        first = await desk.pages.page(asked, viewer)
        if first.cursor is not None:
            await desk.pages.page(replace(asked, cursor=first.cursor), viewer)
        await desk.assert_planned()


def stages(plan: Any) -> set[str]:
    """Return every stage that a plan won with."""
    if isinstance(plan, list):
        return set().union(*map(stages, plan))
    if not isinstance(plan, dict):
        return set()
    own = {plan["stage"]} if "stage" in plan else set()
    inner = (stages(value) for name, value in plan.items() if name not in ("rejectedPlans", "command"))
    return own.union({name for name in plan if name.startswith("$")}, *inner)


async def test_a_search_whose_rows_stand_far_away_is_found_all_the_same(ground: Ground) -> None:
    """L1, L6: many rows, but none among those that a walk passes by at first; and a last page whose walk ends with its list."""
    names = ("Apfel KG", "Süd AG", "Zander UG")
    ours = [replace(_client(n), client_id=f"{name[:3]}{n}", name=f"{name} {n}") for name in names for n in range(FEW + 100)]
    ours += [replace(_client(n), client_id=f"x{n}", name=f"Hotel Zander {n}", client_number="sued") for n in range(20)]
    async with Desk.stands(ground, ours) as desk:
        for sort, search in itertools.product(SORTS, ("zander", "apf", "ug", "kg", "sued")):
            asked = Question("all", search=search, sort=sort)
            desk.overheard.commands.clear()
            found = await desk.pages.page(Page(asked, 5), LEYLA)
            await desk.assert_planned()
            wanted = naive(ours, asked, LEYLA)
            assert [c.client_id for c in found.clients] == wanted[:5]
            assert found.total in (len(wanted), None)
            ids, _ = await everything(desk.pages, asked, LEYLA, 200)
            assert ids == wanted


async def test_counts_are_what_paging_yields(desk: Desk) -> None:
    """T8: each tab's count is exact; another firm's rows are nobody's here."""
    for viewer in (LEYLA, TOM):
        lists = {tab: viewer.list_of(tab) for tab in viewer.tabs}
        counts = await desk.pages.counts(KANZLEI, lists.values())
        for tab, name in lists.items():
            ids, total = await everything(desk.pages, Question(tab), viewer, 200)
            assert counts[name] == total == len(ids) > 0
