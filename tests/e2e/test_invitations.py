"""Invitations from their first word to their last: answered, withdrawn, parted, begun anew (section 5 of the behaviour)."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.e2e.portal import Answer, Firm, Outside
from tests.e2e.records import news
from tests.system import eventually

WITHIN = 5.0  # I5


async def tell(outside: Outside, firm: Firm, kind: str, client_id: str, sequence: int, **more: Any) -> None:
    """Let the company say something of the firm."""
    data = {"client_id": client_id, "firm_id": firm.id, "sequence": sequence, **more}
    await outside.event("pleo.companies", f"pleo.accountant.{kind}.v1", data)


async def status_of(firm: Firm, client_id: str) -> str | None:
    """Return how the firm's admin sees a client, None if not at all."""
    answer = await firm.get(f"/v1/clients/{client_id}")
    return answer.body["status"] if answer.status == 200 else None


async def stands(firm: Firm, client_id: str, status: str) -> None:
    """Return once a client stands so."""

    async def there() -> bool:
        return await status_of(firm, client_id) == status

    await eventually(there)


async def disconnected_by(side: str, firm: Firm, outside: Outside, client_id: str) -> None:
    """Let the firm or the company end the connection."""
    if side == "firm":
        assert (await firm.post(f"/v1/clients/{client_id}/disconnect", {"confirm": True})).status == 200
    else:
        await tell(outside, firm, "withdrawn", client_id, 9)
        await stands(firm, client_id, "ended")


async def onboarding(firm: Firm, *assign: str) -> str:
    """Invite a company to Pleo; return its id."""
    contact = {"company_name": "Atelier Nordlicht", "contact_name": "Robin Sander", "country": "DE"}
    email = f"robin-{firm.new_client_id()}@nordlicht.example"
    answer = await firm.post("/v1/onboarding", {**contact, "contact_email": email, "assign": list(assign)})
    assert answer.status == 201, answer
    return str(answer.body["result"]["client_id"])


@pytest.mark.parametrize("side", ["firm", "company"])
async def test_a_disconnect_is_felt_everywhere(firm: Firm, outside: Outside, side: str) -> None:
    """I5: rows, tabs, details, grants, reminders and notifications, within 5 s; what stays is O7's record for admins."""
    client_id = await firm.client("Müller Bau", firm.tom)
    await outside.event("pleo.receipts", "pleo.receipt.missing.v1", {"client_id": client_id, "expense_id": "e1"})
    await firm.figure(client_id, "missing_receipts", 1)
    await firm.put(f"/v1/clients/{client_id}/notifications", {"email": True, "frequency": "daily"}, firm.accountant)
    granted = await firm.post(f"/v1/clients/{client_id}/access", token=firm.accountant)
    token = granted.body["result"]["url"].split("#token=")[1]

    await disconnected_by(side, firm, outside, client_id)

    assert await firm.tabs() == {"mine": 0, "all": 0}
    assert await firm.tabs(firm.accountant) == {"mine": 0}
    assert await firm.rows("all", query="&missing_receipts=true") == []
    assert (await firm.get(f"/v1/clients/{client_id}", firm.accountant)).status == 404
    product = await outside.service_token()
    redeemed = await outside.call("POST", "/v1/access-grants/redeem", product, {"token": token})
    assert (redeemed.status, redeemed.code) == (410, "grant_invalid")
    refused: tuple[tuple[str, dict[str, Any]], ...] = (
        ("access", {}),
        ("reminders", {"tasks": ["missing_receipts"]}),
        ("disconnect", {"confirm": True}),
    )
    for path, body in refused:
        assert (await firm.post(f"/v1/clients/{client_id}/{path}", body)).code == "not_connected"
    assert (await firm.get(f"/v1/clients/{client_id}/notifications")).code == "not_connected"
    kept = (await firm.get(f"/v1/clients/{client_id}")).body
    assert (kept["status"], kept["reason_code"], kept["assignees"]) == ("ended", "ended_disconnected", [])
    assert [kept[name] for name in ("missing_receipts", "export_ready", "balance")] == [None] * 3
    assert set(kept["as_of"].values()) == {None}


@pytest.mark.parametrize("side", ["firm", "company"])
async def test_a_subscription_ends_with_the_connection_and_does_not_come_back(firm: Firm, outside: Outside, side: str) -> None:
    """I5, I6: within 5 s the notifier knows; after a new acceptance nobody is mailed who did not ask again."""
    client_id = await firm.client("Weber Elektrotechnik", firm.tom)
    path = f"/v1/clients/{client_id}/notifications"
    assert (await firm.put(path, {"email": True, "frequency": "daily"}, firm.accountant)).status == 200
    await disconnected_by(side, firm, outside, client_id)
    await firm.invited_by("Weber Elektrotechnik", client_id, sequence=10)
    assert (await firm.post(f"/v1/invitations/{client_id}/accept", {"assign": [firm.tom]})).status == 200

    async def off() -> bool:
        return (await firm.get(path, firm.accountant)).body["email"] is False

    await eventually(off, WITHIN)


async def test_a_new_invitation_starts_without_the_old_assignments(firm: Firm, outside: Outside) -> None:
    """I6: after a decline, a withdrawal and a disconnect alike."""
    client_id = await firm.client("Jäger Gastronomie", firm.tom)
    await disconnected_by("company", firm, outside, client_id)
    for sequence, end in ((10, "decline"), (12, "withdraw"), (14, "accept")):
        await firm.invited_by("Jäger Gastronomie", client_id, sequence=sequence)
        (row,) = await firm.rows("invitations")
        assert (row["status"], row["assignees"]) == ("invitation", [])
        if end == "withdraw":
            await tell(outside, firm, "withdrawn", client_id, sequence + 1)
            await stands(firm, client_id, "ended")
        else:
            body: dict[str, Any] | None = {"assign": []} if end == "accept" else None
            assert (await firm.post(f"/v1/invitations/{client_id}/{end}", body)).status == 200
    assert await firm.tabs(firm.accountant) == {"mine": 0}
    assert [r["client_id"] for r in await firm.rows("all", query="&unassigned=true")] == [client_id]


async def test_two_firms_of_one_company_part_alone(firm: Firm, outside: Outside) -> None:
    """Section 1, I5: one disconnects, the other keeps its figures, and hears the next fact."""
    other = await outside.firm()
    client_id = await firm.client("Falkner Bau", firm.tom)
    await other.invited_by("Falkner Bau", client_id)
    assert (await other.post(f"/v1/invitations/{client_id}/accept", {"assign": [other.tom]})).status == 200
    ready = {"client_id": client_id, "expense_id": "e1"}
    await outside.event("pleo.expenses", "pleo.expense.export_ready.v1", ready)
    for each in (firm, other):
        await each.figure(client_id, "export_ready", 1)
    await disconnected_by("firm", firm, outside, client_id)
    await outside.event("pleo.expenses", "pleo.expense.export_ready.v1", {**ready, "expense_id": "e2"})
    await other.figure(client_id, "export_ready", 2)
    assert (await firm.get(f"/v1/clients/{client_id}")).body["export_ready"] is None
    assert await other.tabs(other.accountant) == {"mine": 1}


async def test_a_withdrawal_that_races_an_answer_ends_one_way(firm: Firm, outside: Outside) -> None:
    """I4, I5: of ten races each is either refused as withdrawn, or connected and then parted; nothing stays half."""
    ids = [await firm.invited_by(f"Rennen {n}") for n in range(10)]

    async def race(client_id: str) -> Answer:
        late = tell(outside, firm, "withdrawn", client_id, 2)
        answer, _ = await asyncio.gather(firm.post(f"/v1/invitations/{client_id}/accept", {"assign": [firm.tom]}), late)
        return answer

    answers = await asyncio.gather(*map(race, ids))
    assert {(a.status, a.code) for a in answers} <= {(200, None), (409, "invitation_withdrawn")}
    for client_id, answer in zip(ids, answers, strict=True):
        await stands(firm, client_id, "ended")
        heard = {item.kind: item for item in await news(outside, client_id)}
        assert ("portal.client.disconnected" in heard) == (answer.status == 200)
        assert ("portal.invitation.answered" in heard) == (answer.status == 200)
    assert await firm.tabs() == {"mine": 0, "all": 0}


async def test_an_overtaken_withdrawal_does_not_take_the_newest_invitation(firm: Firm, outside: Outside) -> None:
    """I6: added 1, added 3, then withdrawn 2: the highest sequence wins, and can be accepted."""
    client_id = await firm.invited_by("Überholt Bau")
    await tell(outside, firm, "added", client_id, 3, company_name="Überholt Hochbau")

    async def renamed() -> bool:
        return [r["name"] for r in await firm.rows("invitations")] == ["Überholt Hochbau"]

    await eventually(renamed)
    await tell(outside, firm, "withdrawn", client_id, 2)
    await firm.invited_by("Danach Bau")
    assert await status_of(firm, client_id) == "invitation"
    assert (await firm.post(f"/v1/invitations/{client_id}/accept", {"assign": []})).status == 200


async def test_a_company_in_onboarding_that_adds_the_firm_can_be_accepted(firm: Firm, outside: Outside) -> None:
    """I1, T6: its invitation waits beside the onboarding; the answer connects it, and the onboarding goes on."""
    client_id = await onboarding(firm, firm.tom)
    await firm.invited_by("Atelier Nordlicht", client_id)
    assert await firm.tabs() == {"invitations": 1, "onboarding": 1, "mine": 0, "all": 0}
    assert (await firm.get(f"/v1/clients/{client_id}", firm.accountant)).status == 200
    assert (await firm.post(f"/v1/invitations/{client_id}/accept", {"assign": []})).status == 200
    assert await firm.tabs() == {"onboarding": 1, "mine": 0, "all": 1}
    assert await firm.tabs(firm.accountant) == {"onboarding": 1, "mine": 1}


async def test_a_company_that_parts_before_its_power_of_attorney_is_heard_of_stays_parted(firm: Firm, outside: Outside) -> None:
    """I5, O3: whatever topic is quicker; only a new invitation begins again."""
    client_id = await onboarding(firm, firm.tom)
    await tell(outside, firm, "withdrawn", client_id, 2)
    await stands(firm, client_id, "ended")
    fact = {"client_id": client_id, "sequence": 1, "state": "in_review"}
    await outside.event("pleo.verification", "pleo.verification.changed.v1", fact)
    other = await onboarding(firm)
    await outside.event("pleo.verification", "pleo.verification.changed.v1", {**fact, "client_id": other})
    await stands(firm, other, "connected")
    assert await status_of(firm, client_id) == "ended"
    assert await firm.tabs(firm.accountant) == {"mine": 0}


async def test_other_services_are_told_of_everything_once_and_in_order(firm: Firm, outside: Outside) -> None:
    """Contract, section 2: portal.clients as binary CloudEvents, key and sequence; nothing when nothing changed."""
    client_id = await firm.client("Reuter Bau", firm.tom)
    for _ in range(2):
        await firm.post(f"/v1/clients/{client_id}/assignments", {"member_id": firm.leyla})
    await firm.post("/v1/assignments", {"client_ids": [client_id], "assign": [firm.tom], "unassign": [firm.leyla]})
    await firm.post(f"/v1/clients/{client_id}/disconnect", {"confirm": True})
    await firm.invited_by("Reuter Bau", client_id, sequence=2)
    await firm.post(f"/v1/invitations/{client_id}/decline")
    wanted: list[tuple[str, dict[str, Any]]] = [
        ("portal.invitation.answered", {"accepted": True}),
        ("portal.assignees.changed", {"member_ids": [firm.tom]}),
        ("portal.assignees.changed", {"member_ids": [firm.tom, firm.leyla]}),
        ("portal.assignees.changed", {"member_ids": [firm.tom]}),
        ("portal.client.disconnected", {}),
        ("portal.assignees.changed", {"member_ids": []}),
        ("portal.invitation.answered", {"accepted": False}),
    ]

    async def told() -> Any:
        found = await news(outside, client_id)
        return found if len(found) >= len(wanted) else None

    found = await eventually(told)
    assert [(item.kind, item.data) for item in found] == [
        (kind, {"client_id": client_id, "firm_id": firm.id, "sequence": item.data["sequence"], **data})
        for (kind, data), item in zip(wanted, found, strict=True)
    ]
    assert [item.data["sequence"] for item in found] == sorted({item.data["sequence"] for item in found})
    assert len({item.attributes["ce_id"] for item in found}) == len(found)
    for item in found:
        assert item.attributes.keys() >= {"ce_specversion", "ce_id", "ce_source", "ce_type", "ce_time", "content-type"}
        assert item.attributes["content-type"] == "application/json"


async def test_verification_of_an_invited_company_rings_for_every_firm(firm: Firm, outside: Outside) -> None:
    """O11, W3: the row's verification moves in each firm that has the company; nobody is connected by it."""
    other = await outside.firm()
    client_id = await firm.client("Krüger Bau", firm.tom)
    await other.invited_by("Krüger Bau", client_id)
    headers = {"Authorization": f"Bearer {firm.accountant}"}
    async with outside.http.get(outside.url + "/v1/stream", headers=headers) as stream:
        await asyncio.wait_for(_rung(stream, "reset"), 10)
        fact = {"client_id": client_id, "sequence": 1, "state": "information_required"}
        await outside.event("pleo.verification", "pleo.verification.changed.v1", fact)
        await asyncio.wait_for(_rung(stream, client_id), 10)
    for each in (firm, other):
        await each.figure(client_id, "verification", "information_required")
    assert await status_of(other, client_id) == "invitation"


async def _rung(stream: Any, word: str) -> None:
    async for line in stream.content:
        if word in line.decode():
            return
