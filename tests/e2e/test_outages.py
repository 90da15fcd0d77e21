"""A part away: a clear answer within five seconds, nothing lost, and everything resumes by itself (E3)."""

from __future__ import annotations

import asyncio
import uuid
from datetime import UTC, datetime, timedelta
from time import monotonic

import pytest

from tests.e2e.portal import Firm, Outside
from tests.system import Ground, eventually


@pytest.mark.parametrize("part", ["mongo", "kafka"])
async def test_a_command_while_a_part_is_away_is_repeated_with_its_key(firm: Firm, ground: Ground, part: str) -> None:
    """Contract, "When a part is away": 503 with Retry-After within 5 s; the same key afterwards is the same command."""
    client_id = await firm.invited_by("Müller Bau")
    path, key = f"/v1/invitations/{client_id}/accept", uuid.uuid4().hex
    async with ground.gone(part):
        await asyncio.sleep(1.5)
        started = monotonic()
        answer = await firm.post(path, {"assign": [firm.tom]}, Idempotency_Key=key)
        assert (answer.status, answer.code) == (503, "unavailable"), answer
        assert monotonic() - started < 5.5
        assert answer.headers["Retry-After"]

    async def accepted() -> bool:
        again = await firm.post(path, {"assign": [firm.tom]}, Idempotency_Key=key)
        return again.status == 200 and again.body.get("command_id") == answer.body.get("command_id", again.body["command_id"])

    await eventually(accepted, 60)
    assert await firm.tabs(firm.accountant) == {"mine": 1}


async def test_facts_told_while_the_database_is_away_count_afterwards(firm: Firm, outside: Outside, ground: Ground) -> None:
    """E3: the consumer waits and resumes; nothing is set aside, nothing counts twice."""
    client_id = await firm.client("Weber Bau", firm.tom)
    async with ground.gone("mongo"):
        for number in range(200):
            data = {"client_id": client_id, "expense_id": f"e{number}"}
            await outside.event("pleo.receipts", "pleo.receipt.missing.v1", data)
            await asyncio.sleep(0.02)

    async def counted() -> bool:
        return bool((await firm.get(f"/v1/clients/{client_id}")).body.get("missing_receipts") == 200)

    await eventually(counted, 60)
    assert not [record for record in await outside.dead("pleo.receipts") if record.key == client_id.encode()]


async def test_a_reminder_waits_for_the_mail_server(firm: Firm, outside: Outside, ground: Ground) -> None:
    """E3, N12: the mail server away loses no mail and doubles none."""
    client_id = await firm.client("Vogt Gastronomie", firm.tom)
    async with ground.gone("mail"):
        answer = await firm.post(f"/v1/clients/{client_id}/reminders", {"tasks": ["export_ready"]})
        assert answer.status == 201, answer
        await asyncio.sleep(2)

    async def mailed() -> bool:
        return len(await outside.mails(firm.address(firm.tom))) == 1

    await eventually(mailed, 60)


async def test_a_tick_of_onboarding_waits_for_the_mail_server(firm: Firm, outside: Outside, ground: Ground) -> None:
    """Contract, section 4: it returns once the mails are sent, as the notifier's does."""
    contact = f"robin@{firm.id.lower()}.example"
    company = {"company_name": "Vogt Bau", "contact_name": "Robin", "contact_email": contact, "country": "DE"}
    assert (await firm.post("/v1/onboarding", company)).status == 201
    await eventually(lambda: outside.mails(contact))
    async with ground.gone("mail"):
        day = datetime.now(UTC) + timedelta(days=3.1)
        tick = asyncio.create_task(outside.python("services.onboarding", "tick", "--at", day.isoformat()))
        await asyncio.sleep(6)
        assert not tick.done()
    code, out = await tick
    assert code == 0, out
    reminders = [mail["subject"].startswith("Erinnerung") for mail in await outside.mails(contact)]
    assert sorted(reminders) == [False, True]


async def test_what_waits_for_the_mail_server_ends_with_what_it_is_about(firm: Firm, outside: Outside, ground: Ground) -> None:
    """I5, O6: no invitation that was withdrawn, no reminder of one answered, no news of a client that was disconnected."""

    async def invited(name: str) -> str:
        contact = {"contact_name": "Robin", "contact_email": f"{name}@{firm.id.lower()}.example"}
        answer = await firm.post("/v1/onboarding", {"company_name": name, "country": "DE", "assign": [firm.tom], **contact})
        return str(answer.body["result"]["client_id"])

    async def verification(client_id: str, state: str) -> None:
        data = {"client_id": client_id, "sequence": 1, "state": state}
        await outside.event("pleo.verification", "pleo.verification.changed.v1", data)
        await firm.figure(client_id, "status", "connected" if state == "verified" else "accepted")

    parted, answered = [await invited(name) for name in ("parted", "answered")]
    for name in ("parted", "answered"):
        await eventually(lambda name=name: outside.mails(f"{name}@{firm.id.lower()}.example"))  # type: ignore[misc]
    async with ground.gone("mail"):
        withdrawn, _ = [await invited(name) for name in ("withdrawn", "waiting")]
        assert (await firm.post(f"/v1/onboarding/{withdrawn}/withdraw")).status == 200
        day = (datetime.now(UTC) + timedelta(days=3.1)).isoformat()
        tick = asyncio.create_task(outside.python("services.onboarding", "tick", "--at", day))
        await asyncio.sleep(2.5)
        await verification(answered, "accepted")
        await verification(parted, "verified")
        assert (await firm.post(f"/v1/clients/{parted}/disconnect", {"confirm": True})).status == 200
    code, out = await tick
    assert code == 0, out
    names = ("parted", "answered", "withdrawn", "waiting")
    mails = {name: len(await outside.mails(f"{name}@{firm.id.lower()}.example")) for name in names}
    assert mails == {"parted": 1, "answered": 1, "withdrawn": 0, "waiting": 2}
    assert await outside.mails(firm.address(firm.tom)) == []
