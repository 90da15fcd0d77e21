"""Everything at once on one firm; afterwards every count is what paging shows, and what was sent adds up to."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.e2e.portal import Firm, Outside
from tests.system import eventually

CLIENTS, PENDING, FACTS = 160, 40, 2400
BEGIN = datetime(2026, 3, 11, 10, tzinfo=UTC)
AT_ONCE = 40  # requests in the air


@dataclass
class Storm:
    """What is sent to one firm, and what it must lead to: counted here, apart from everything the system does."""

    firm: Firm
    outside: Outside
    dice: random.Random
    admins: list[str] = field(default_factory=list)  # tokens
    members: dict[str, str] = field(default_factory=dict)  # tokens of accountants
    connected: set[str] = field(default_factory=set)
    pending: set[str] = field(default_factory=set)
    assigned: dict[str, set[str]] = field(default_factory=dict)
    newest: dict[tuple[str, str], tuple[datetime, str]] = field(default_factory=dict)
    air: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))

    async def join(self) -> None:
        """Let three more admins and six accountants join."""
        names = [f"{role}-{n}-{self.firm.id}" for role, count in (("admin", 3), ("accountant", 6)) for n in range(count)]
        for name in names:
            await self.firm.member(name, f"Mitglied {name}", name.partition("-")[0])
        tokens = {name: await self.outside.token(name) for name in names}
        self.admins = [self.firm.admin, *(token for name, token in tokens.items() if name.startswith("admin"))]
        self.members = {name: token for name, token in tokens.items() if name.startswith("accountant")}
        for token in tokens.values():
            await eventually(lambda token=token: self._known(token))  # type: ignore[misc]

    async def _known(self, token: str) -> bool:
        return (await self.firm.get("/v1/me", token)).status == 200

    async def company(self, kind: str, client_id: str, sequence: int) -> None:
        """Let a company add the firm, or withdraw."""
        data = {"client_id": client_id, "firm_id": self.firm.id, "company_name": f"Sturm {client_id}", "sequence": sequence}
        await self.outside.event("pleo.companies", f"pleo.accountant.{kind}.v1", data)

    async def command(self, path: str, body: Any) -> Any:
        """Issue a command as any of the admins; return its answer."""
        async with self.air:
            return await self.firm.post(path, body, self.dice.choice(self.admins))

    async def accept(self, client_id: str) -> None:
        """Accept an invitation for nobody."""
        answer = await self.command(f"/v1/invitations/{client_id}/accept", {"assign": []})
        assert answer.status == 200, answer

    async def staff(self, member: str) -> None:
        """Assign *member* to many clients, then take them from some again."""
        ids = self.dice.sample(sorted(self.connected), 60)
        for verb, some in (("assign", ids), ("unassign", ids[:20])):
            answer = await self.command("/v1/assignments", {"client_ids": some, verb: [member]})
            assert answer.status == 200, answer
        self.assigned[member] = set(ids[20:])

    async def fact(self, number: int, client_id: str) -> None:
        """Tell a fact about one of a few expenses, at any of many moments; every tenth twice."""
        expense, at = f"e{number % 7}", BEGIN + timedelta(seconds=self.dice.randrange(10_000), microseconds=number)
        kind = self.dice.choice(("missing", "attached", "waived"))
        data = {"client_id": client_id, "expense_id": expense}
        before = self.newest.get((client_id, expense))
        self.newest[client_id, expense] = max(before or (at, kind), (at, kind))
        for _ in range(2 if number % 10 == 0 else 1):
            await self.outside.event("pleo.receipts", f"pleo.receipt.{kind}.v1", data, time=at, id=f"{number}-{client_id}")

    async def part(self, client_id: str, side: str) -> None:
        """End a connection, from either side."""
        if side == "company":
            await self.company("withdrawn", client_id, 2)
        else:
            assert (await self.command(f"/v1/clients/{client_id}/disconnect", {"confirm": True})).status == 200

    async def leave(self, member: str, *, returns: bool) -> None:
        """Remove a member; who returns begins without assignments."""
        ids = {"firm_id": self.firm.id, "member_id": member, "sequence": 2}
        await self.outside.event("pleo.partners", "pleo.member.removed.v1", ids)
        if returns:
            await self.firm.member(member, "Zurück", "accountant", sequence=3)

    def missing(self, client_id: str) -> int | None:
        """Return how many receipts a client misses, from what was sent."""
        kinds = [kind for (client, _), (_, kind) in self.newest.items() if client == client_id]
        return sum(kind == "missing" for kind in kinds) if kinds else None

    def mine(self, member: str) -> set[str]:
        """Return what a member works on, from what was sent."""
        return self.assigned[member] & self.connected


async def together(*doings: Iterable[Awaitable[None]]) -> None:
    """Do everything at once."""
    await asyncio.gather(*(one for some in doings for one in some))


async def test_after_a_storm_every_count_is_exact(firm: Firm, outside: Outside) -> None:
    """T8, M4, I5, L2: facts, bulk assignments, leavers, invitations and disconnects at once on one firm."""
    storm = Storm(firm, outside, random.Random(7))
    await storm.join()
    first, late = [firm.new_client_id() for _ in range(CLIENTS)], [firm.new_client_id() for _ in range(PENDING)]
    await together(storm.company("added", client_id, 1) for client_id in first)

    async def invited() -> bool:
        return (await firm.tabs()).get("invitations") == CLIENTS

    await eventually(invited)
    await together((storm.accept(client_id) for client_id in first), (storm.fact(n, first[n]) for n in range(CLIENTS)))
    storm.connected, storm.pending = set(first), set(late)
    by_firm, by_company, taken_back = first[:20], first[20:35], late[:15]
    gone, back, *staying = storm.members
    await together(storm.staff(member) for member in (gone, back))

    await together(
        (storm.staff(member) for member in staying),
        (storm.fact(n, storm.dice.choice(first)) for n in range(CLIENTS, FACTS)),
        (storm.company("added", client_id, 1) for client_id in late),
        (storm.company("withdrawn", client_id, 2) for client_id in taken_back),
        (storm.part(client_id, "firm") for client_id in by_firm),
        (storm.part(client_id, "company") for client_id in by_company),
        [storm.leave(gone, returns=False), storm.leave(back, returns=True)],
    )
    storm.connected -= {*by_firm, *by_company}
    storm.pending -= set(taken_back)
    storm.assigned |= {gone: set(), back: set()}
    await eventually(lambda: _as_sent(storm), 30)


async def _as_sent(storm: Storm) -> bool:
    firm = storm.firm
    rows = {row["client_id"]: row for row in await firm.rows("all", query="&limit=200")}
    assert rows.keys() == storm.connected
    assert {i: row["missing_receipts"] for i, row in rows.items()} == {i: storm.missing(i) for i in rows}
    assert await firm.tabs() == {"invitations": len(storm.pending), "mine": 0, "all": len(rows)}
    assert {row["client_id"] for row in await firm.rows("invitations", query="&limit=200")} == storm.pending
    await _filtered(firm, "missing_receipts=true", {i for i in rows if storm.missing(i)})
    await _filtered(firm, "unassigned=true", storm.connected - set().union(*storm.assigned.values()))
    gone, *staying = storm.members
    assert (await firm.get("/v1/tabs", storm.members[gone])).code == "not_a_member"
    for member in staying:
        found = await firm.rows("mine", storm.members[member], "&limit=200")
        assert {row["client_id"] for row in found} == storm.mine(member)
        assert await firm.tabs(storm.members[member]) == {"mine": len(found)}
    return True


async def _filtered(firm: Firm, query: str, wanted: set[str]) -> None:
    found = await firm.rows("all", query=f"&limit=200&{query}")
    assert {row["client_id"] for row in found} == wanted
    assert (await firm.get(f"/v1/clients?tab=all&limit=1&{query}")).body["total"] == len(found) == len(wanted)
