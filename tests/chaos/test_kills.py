"""The system under load while its parts are killed: afterwards everything is exact, as if nothing had happened.

``make test`` runs it for some seconds, ``make chaos`` for five minutes (PORTAL_CHAOS_SECONDS).
"""

from __future__ import annotations

import asyncio
import os
import random
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from time import monotonic
from typing import Any

import aiohttp
import pytest
from aiokafka.errors import KafkaError

from tests.e2e.portal import Answer, Firm, Outside
from tests.system import Ground, eventually

SECONDS = float(os.environ.get("PORTAL_CHAOS_SECONDS", "20"))
SETTLED_WITHIN = 90.0
CLIENTS, ASKERS = 12, 4
KILLED = ("clients", "gateway", "notifier", "kafka", "clients", "onboarding", "mongo")
PAUSE = (1.5, 4.0)  # between two kills: some hit a part that has not come back yet
REMINDERS_A_CLIENT = 8  # ten a day are allowed (R3)


@dataclass
class Told:
    """What was told and asked, and what must be there for it at the end."""

    open: dict[str, set[str]]
    assigned: dict[str, bool]
    reminders: Counter[str] = field(default_factory=Counter)
    facts: int = 0
    commands: int = 0
    kills: Counter[str] = field(default_factory=Counter)


@pytest.mark.timeout(SECONDS + 3 * SETTLED_WITHIN)
async def test_kills_under_load_lose_and_double_nothing(
    firm: Firm, outside: Outside, ground: Ground, record_property: Callable[[str, object], None]
) -> None:
    """E3, N12, R3, T8, contract section 2: facts, commands and mails are exact after kills of every part."""
    ids = [await firm.client(f"Mandant {n}", firm.leyla) for n in range(CLIENTS)]
    told = Told({i: set() for i in ids}, dict.fromkeys(ids, False))
    until = monotonic() + SECONDS
    async with asyncio.TaskGroup() as everybody:
        everybody.create_task(_kill(ground, told, until))
        everybody.create_task(_tell(outside, told, ids, until))
        for number in range(ASKERS):
            everybody.create_task(_ask(firm, told, ids[number::ASKERS], until))
    for part in dict.fromkeys(KILLED):
        await ground.there(part)
    for client_id in ids:
        await _exact(firm, told, client_id)
    await _counted(firm, told)
    await _mailed(firm, outside, told)
    dead = [record for topic in ("pleo.receipts", "clients.commands") for record in await outside.dead(topic)]
    assert not [record for record in dead if record.key and record.key.decode().split(".")[-1] in ids]
    figures = {"facts": told.facts, "commands": told.commands, "mails": sum(told.reminders.values()), **told.kills}
    record_property("chaos", figures)
    print(figures)


async def _kill(ground: Ground, told: Told, until: float) -> None:
    dice = random.Random(7)
    for part in (part for _ in iter(int, 1) for part in KILLED):
        await asyncio.sleep(dice.uniform(*PAUSE))
        if monotonic() > until:
            return
        await ground.struck(part)
        told.kills[part] += 1


async def _tell(outside: Outside, told: Told, ids: list[str], until: float) -> None:
    """Tell of receipts, some twice; what the broker did not acknowledge is told again under the same id."""
    dice = random.Random(3)
    while monotonic() < until:
        client_id = dice.choice(ids)
        waiting = told.open[client_id]
        closing = bool(waiting) and dice.random() < 0.45
        expense = dice.choice(sorted(waiting)) if closing else f"e{told.facts}"
        kind = "pleo.receipt.attached.v1" if closing else "pleo.receipt.missing.v1"
        id, time = uuid.uuid4().hex, datetime.now(UTC)
        data = {"client_id": client_id, "expense_id": expense}
        for _ in range(2 if dice.random() < 0.1 else 1):
            await _until_done(partial(outside.event, "pleo.receipts", kind, data, id=id, time=time))
        waiting.symmetric_difference_update({expense})
        told.facts += 1
        await asyncio.sleep(0.005)


async def _ask(firm: Firm, told: Told, ids: list[str], until: float) -> None:
    """Assign, unassign and remind; whatever has no outcome is repeated with its key."""
    dice = random.Random(ids[0])
    while monotonic() < until:
        client_id = dice.choice(ids)
        if dice.random() < 0.3 and told.reminders[client_id] < REMINDERS_A_CLIENT:
            await _command(firm, "POST", f"/v1/clients/{client_id}/reminders", {"tasks": ["missing_receipts"]})
            told.reminders[client_id] += 1
        elif told.assigned[client_id]:
            await _command(firm, "DELETE", f"/v1/clients/{client_id}/assignments/{firm.tom}")
            told.assigned[client_id] = False
        else:
            await _command(firm, "POST", f"/v1/clients/{client_id}/assignments", {"member_id": firm.tom})
            told.assigned[client_id] = True
        told.commands += 1


async def _command(firm: Firm, method: str, path: str, body: Mapping[str, Any] | None = None) -> None:
    headers = {"Prefer": "wait=5", "Idempotency-Key": uuid.uuid4().hex}

    async def done() -> bool:
        answer: Answer = await firm.outside.call(method, path, firm.admin, body, headers)
        assert answer.status in (200, 201, 202, 429, 503), answer
        return answer.status in (200, 201)

    await _until_done(done)


async def _until_done(work: Callable[[], Awaitable[Any]]) -> None:
    deadline = monotonic() + SETTLED_WITHIN
    while monotonic() < deadline:
        try:
            if await work():
                return
        except (aiohttp.ClientError, OSError, TimeoutError, KafkaError):
            pass
        await asyncio.sleep(0.2)
    raise AssertionError(f"not done within {SETTLED_WITHIN} s")


async def _exact(firm: Firm, told: Told, client_id: str) -> None:
    wanted = len(told.open[client_id])
    people = {firm.leyla, *([firm.tom] if told.assigned[client_id] else [])}

    async def there() -> bool:
        row = (await firm.get(f"/v1/clients/{client_id}")).body
        assert (row["missing_receipts"] or 0) == wanted, (client_id, row["missing_receipts"], wanted)
        assert {a["id"] for a in row["assignees"]} == people
        return True

    await eventually(there, SETTLED_WITHIN)


async def _counted(firm: Firm, told: Told) -> None:
    """T8: the counts agree with the rows, and so does the filter's."""
    assert await firm.tabs() == {"mine": CLIENTS, "all": CLIENTS}
    assert (await firm.tabs(firm.accountant))["mine"] == sum(told.assigned.values())
    missing = (await firm.get("/v1/clients?tab=all&missing_receipts=true")).body
    assert missing["total"] == len(missing["items"]) == sum(1 for some in told.open.values() if some)


async def _mailed(firm: Firm, outside: Outside, told: Told) -> None:
    """R1, N12: every reminder reached Leyla; one that came twice has one Message-ID, and a kill to answer for it."""
    wanted = sum(told.reminders.values())

    async def there() -> Counter[str]:
        found = Counter(mail["messageId"] for mail in await outside.mails(firm.address(firm.leyla)))
        assert len(found) == wanted, (len(found), wanted)
        return found

    found = await eventually(there, SETTLED_WITHIN) if wanted else Counter()
    assert found.total() - len(found) <= told.kills["notifier"] + told.kills["mongo"]
