"""What is measured with: receipt facts of the companies of one firm, the same at every run but for their times."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import orjson
from aiokafka import AIOKafkaProducer

from services.clients import documents as as_document
from services.clients.domain.states import Client, Company, Invitation, Member
from services.clients.store import COMPANIES, COUNTS, MEMBERS, PLACES, ROWS
from shared.clock import now, rfc3339
from shared.contracts.base import Role
from shared.contracts.pleo import RECEIPTS, ReceiptAttached, ReceiptMissing
from shared.mongo import Database

FIRM, FIRMS_CLIENTS = "bench", 2000
ASSIGNEES = tuple(f"bench-{n}" for n in range(20))
AT_ONCE = 5000


def company_id(number: int) -> str:
    """Return the id of a company."""
    return f"company-{number:05d}"


async def stand(database: Database) -> None:
    """Let the firm's clients stand in *database* as if they had been accepted long ago: connected, each with an assignee."""
    members = [Member(m, FIRM, m, f"{m}@bench.example", Role.ADMIN, employed=True, sequence=1) for m in ASSIGNEES]
    companies = [Company(company_id(n), (FIRM,)) for n in range(FIRMS_CLIENTS)]
    rows = [_client(n) for n in range(FIRMS_CLIENTS)]
    lists = Counter(name for row in rows for name in row.lists)
    await database[MEMBERS].insert_many([as_document.member(member) for member in members])
    await database[COMPANIES].insert_many([as_document.company(company) for company in companies])
    documents = [as_document.client(row) for row in rows]
    await database[ROWS].insert_many(documents)
    await database[PLACES].insert_many([as_document.place(document) for document in documents])
    await database[COUNTS].insert_many(
        [{"_id": f"{FIRM}|{name}|stood", "firm_id": FIRM, "list": name, "n": n} for name, n in lists.items()]
    )


def _client(number: int) -> Client:
    name = f"Company {number} GmbH"
    return Client(
        FIRM,
        company_id(number),
        version=1,
        given_name=name,
        name=name,
        client_number=str(number),
        invitation=Invitation.ACCEPTED,
        sequence=1,
        connected=True,
        connected_at=now(),
        assignees=(ASSIGNEES[number % len(ASSIGNEES)],),
        tenures=(1,),
    )


class Facts:
    """Receipts that go missing and turn up; knows how many are missing of each company at the end."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._open: list[list[int]] = [[] for _ in range(FIRMS_CLIENTS)]

    @property
    def missing(self) -> dict[str, int]:
        """How many receipts each company misses after everything that was told."""
        return {company_id(n): len(some) for n, some in enumerate(self._open)}

    def told(self) -> Iterator[tuple[str, str, dict[str, Any]]]:
        """Yield key, type and data: half of the facts open an expense, half of them close one."""
        dice = random.Random(3)
        for n in range(self._count):
            company = dice.randrange(FIRMS_CLIENTS)
            waiting = self._open[company]
            if waiting and dice.random() < 0.5:
                kind, expense = ReceiptAttached.ce_type, waiting.pop(dice.randrange(len(waiting)))
            else:
                kind, expense = ReceiptMissing.ce_type, n
                waiting.append(n)
            key = company_id(company)
            amount = {"amount_minor": 100 + n % 90_000, "currency": "EUR"}
            yield key, kind, {"client_id": key, "expense_id": f"e{expense}", "amount": amount, "merchant": "Café Kranich"}

    async def send(self, bootstrap: str) -> None:
        """Send every fact, in order, and return when the broker has them all."""
        producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", enable_idempotence=True, linger_ms=5)
        await producer.start()
        begin = now() - timedelta(minutes=30)
        sent: list[Any] = []
        try:
            for n, (key, kind, data) in enumerate(self.told()):
                headers = [
                    ("ce_specversion", b"1.0"),
                    ("ce_id", b"bench-%d" % n),
                    ("ce_source", b"bench"),
                    ("ce_type", kind.encode()),
                    ("ce_time", rfc3339(begin + timedelta(milliseconds=n)).encode()),
                    ("content-type", b"application/json"),
                ]
                sent.append(await producer.send(RECEIPTS.name, orjson.dumps(data), key.encode(), headers=headers))
                if len(sent) == AT_ONCE:
                    await asyncio.gather(*sent)
                    sent.clear()
            await asyncio.gather(*sent)
        finally:
            await producer.stop()

    async def assert_counted(self, database: Database) -> None:
        """Raise AssertionError unless rows and counts of *database* are exact: what is fast but wrong is no figure."""
        wanted = self.missing
        rows = await database[ROWS].find({}, {"client_id": 1, "missing": 1}).to_list(None)
        found = {row["client_id"]: max(row["missing"], 0) for row in rows}
        assert found == wanted, "the rows do not show what was told"
        counts = await database[COUNTS].find({"list": "all+missing"}).to_list(None)
        assert sum(count["n"] for count in counts) == sum(1 for n in wanted.values() if n), "the counts are not exact"
