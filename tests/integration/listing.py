"""A firm's rows on a real database, with who listens to what it is asked for them."""

from __future__ import annotations

import contextlib
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from joserfc import jwt
from joserfc.jwk import ECKey, KeySet
from pymongo.monitoring import CommandFailedEvent, CommandListener, CommandStartedEvent, CommandSucceededEvent
from starlette.requests import Request

from services.clients import documents
from services.clients.domain.figures import Ledger
from services.clients.domain.states import Client, Firm, Invitation, Member
from services.clients.queries.pages import Pages
from services.clients.queries.plans import FEW
from services.clients.queries.routes import Doors
from services.clients.queries.viewer import Viewer
from services.clients.store import COUNTS, FIRMS, INDEXES, MEMBERS, PLACES, ROWS
from shared.auth import Tokens
from shared.contracts.base import Role
from shared.mongo import Database
from tests.system import Ground

KANZLEI, RIVAL = "kanzlei", "rival"
CONNECTED, ONBOARDING, INVITED = FEW + 700, 150, 60
FAMILIES = ("Müller", "Mueller", "MULLER", "Schäfer", "Öztürk", "Großmann", "Grossmann", "Baur", "Bauer", "Yılmaz", "Ørsted")


def viewer(member_id: str, role: Role) -> Viewer:
    return Viewer(member_id, KANZLEI, member_id, f"{member_id}@kanzlei.example", role, "de", "Kanzlei", "de")


LEYLA, TOM = viewer("leyla", Role.ADMIN), viewer("tom", Role.ACCOUNTANT)


PEOPLE = [
    Member(name, KANZLEI, name.title(), f"{name}@kanzlei.example", Role.ACCOUNTANT, employed=True, sequence=1)
    for name in ("leyla", "tom", "anna")
]


def client(number: int, firm_id: str = KANZLEI) -> Client:
    """Return a client; many share a name, a number of missing receipts, or both."""
    dice = random.Random(number)
    name = f"{dice.choice(FAMILIES)} Bau GmbH & Co. KG {dice.choice(('', '0'))}{number % 97}"
    missing = dice.choice((None, 0, 0, 0, 0, 1, 2, 40))
    at = datetime(2026, 3, 12, tzinfo=UTC)
    row = Client(firm_id, f"c{number:05d}", 1, name, name, str(20_000 + number) if number % 3 else None, added_at=at)
    if number < CONNECTED:
        assignees = tuple(dice.sample(("leyla", "tom", "anna"), dice.choice((0, 1, 1, 2))))
        ledger = Ledger(missing=missing, missing_at=None if missing is None else "2026-03-12T10:00:00.000000000Z")
        row = replace(row, invitation=Invitation.ACCEPTED, connected=True, connected_at=at, assignees=assignees, ledger=ledger)
        return replace(row, onboarding="in_review" if number % 50 == 0 else None)
    if number < CONNECTED + ONBOARDING:
        return replace(row, name=f"Atelier {name}", onboarding="invited", assignees=(dice.choice(("tom", "anna")),))
    return replace(row, name=f"Café {name}", invitation=Invitation.PENDING)


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
class Listing:
    """The rows of a firm and perhaps of others, and what the database was asked for them."""

    database: Database
    overheard: Overheard
    clients: Sequence[Client]

    @classmethod
    @contextlib.asynccontextmanager
    async def stands(cls, ground: Ground, ours: Sequence[Client], others: Sequence[Client] = ()) -> AsyncIterator[Listing]:
        overheard = Overheard()
        database = Database(ground.mongodb, f"t{uuid4().hex[:12]}_clients", overheard)
        try:
            await database.ground(INDEXES)
            await database[MEMBERS].insert_many([documents.member(member) for member in PEOPLE])
            await database[FIRMS].insert_one(documents.firm(Firm(KANZLEI, "Kanzlei")))
            await stand(database, [*ours, *others])
            yield cls(database, overheard, ours)
        finally:
            await database.drop()
            database.close()

    @classmethod
    def usual(cls, ground: Ground) -> contextlib.AbstractAsyncContextManager[Listing]:
        """Let a firm stand with clients in every tab, and another one with the same names."""
        ours = [client(n) for n in range(CONNECTED + ONBOARDING + INVITED)]
        return cls.stands(ground, ours, [client(n, RIVAL) for n in range(300)])

    @property
    def pages(self) -> Pages:
        return Pages(self.database, "secret")

    async def employs(self, member_id: str, role: Role) -> None:
        """Let somebody be a member, as from now on."""
        member = Member(member_id, KANZLEI, member_id, f"{member_id}@kanzlei.example", role, employed=True, sequence=1)
        await self.database[MEMBERS].replace_one({"_id": member_id}, documents.member(member), upsert=True)

    def asked(self, member_id: str, query: str = "", firm_id: str = KANZLEI) -> tuple[Doors, Request]:
        """Return a door, and what somebody with a good token asks there."""
        key = ECKey.generate_key("P-256", {"kid": "k"})
        tokens = Tokens("http://127.0.0.1:9/none", "https://issuer.example", "portal")
        tokens._keys = KeySet([key])
        known = {"iss": "https://issuer.example", "aud": "portal", "exp": int(time.time()) + 600}
        bearer = jwt.encode({"alg": "ES256", "kid": "k"}, {**known, "sub": member_id, "firm_id": firm_id}, key)
        headers = [(b"authorization", f"Bearer {bearer}".encode())]
        scope = {"type": "http", "method": "GET", "headers": headers, "query_string": query.encode()}
        return Doors(self.database, tokens, "secret", "door key"), Request(scope)

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


async def stand(database: Database, clients: Sequence[Client]) -> None:
    """Let *clients* stand in *database* with their counts."""
    counts: Counter[tuple[str, str]] = Counter()
    for client in clients:
        missing = [f"{name}+missing" for name in client.lists if client.readable.missing]
        counts.update((client.firm_id, name) for name in (*client.lists, *missing))
    rows = [documents.client(client) for client in clients]
    await database[ROWS].insert_many(rows)
    await database[PLACES].insert_many([documents.place(row) for row in rows])
    await database[COUNTS].insert_many([{"firm_id": f, "list": name, "n": n} for (f, name), n in counts.items()])


def stages(plan: Any) -> set[str]:
    """Return every stage that a plan won with."""
    if isinstance(plan, list):
        return set().union(*map(stages, plan))
    if not isinstance(plan, dict):
        return set()
    own = {plan["stage"]} if "stage" in plan else set()
    inner = (stages(value) for name, value in plan.items() if name not in ("rejectedPlans", "command"))
    return own.union({name for name in plan if name.startswith("$")}, *inner)
