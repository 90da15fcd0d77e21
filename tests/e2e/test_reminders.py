"""Reminders: an admin's word to everyone assigned, and what became of it (section 9)."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.e2e.portal import Firm, Outside
from tests.e2e.test_notifications import missing
from tests.system import eventually

MISSING = {"tasks": ["missing_receipts"]}


async def reminders(firm: Firm, client_id: str) -> Any:
    """Return a client's reminders as its details show them."""
    return (await firm.get(f"/v1/clients/{client_id}")).body["reminders"]


async def test_the_same_key_reminds_once(firm: Firm, outside: Outside) -> None:
    """R3: a retry is the same command."""
    client_id = await firm.client("Bau 1", firm.tom)
    path = f"/v1/clients/{client_id}/reminders"
    answers = [await firm.post(path, MISSING, Idempotency_Key="once") for _ in range(3)]
    assert len({answer.body["result"]["reminder_id"] for answer in answers}) == 1
    assert (await firm.post(path, {"tasks": ["low_balance"]}, Idempotency_Key="once")).code == "idempotency_key_reused"
    assert (await firm.post(path, MISSING, Idempotency_Key="twice")).status == 201

    async def both() -> bool:
        return len(await outside.mails(firm.address(firm.tom))) == 2

    await eventually(both)
    assert len(await reminders(firm, client_id)) == 2


async def test_details_show_each_delivery_and_when_a_task_was_over(firm: Firm, outside: Outside) -> None:
    """R5: resolved_at is the first moment after the reminder at which the figure was 0, and it stays."""
    client_id = await firm.client("Bau 1", firm.tom, firm.leyla)
    await missing(outside, firm, client_id)
    body = {"tasks": ["missing_receipts", "export_ready"], "comment": "Bitte"}
    assert (await firm.post(f"/v1/clients/{client_id}/reminders", body)).status == 201

    async def sent() -> bool:
        (reminder,) = await reminders(firm, client_id)
        return {person["status"] for person in reminder["recipients"]} == {"sent"}

    await eventually(sent)
    moment = datetime.now(UTC)
    fact = {"client_id": client_id, "expense_id": "e0"}
    await outside.event("pleo.receipts", "pleo.receipt.attached.v1", fact, time=moment)

    async def over() -> Any:
        (reminder,) = await reminders(firm, client_id)
        return reminder["tasks"][0]["resolved_at"] and reminder

    reminder = await eventually(over)
    assert reminder["tasks"][0]["resolved_at"] == moment.isoformat().replace("+00:00", "Z")
    assert [(task["task"], task["figure"]) for task in reminder["tasks"]] == [("missing_receipts", 1), ("export_ready", None)]
    assert reminder["tasks"][1]["resolved_at"] is None
    assert reminder["comment"] == "Bitte"
    assert reminder["by"]["id"] == firm.leyla
    assert {person["id"] for person in reminder["recipients"]} == {firm.tom, firm.leyla}
    await outside.event("pleo.receipts", "pleo.receipt.missing.v1", {"client_id": client_id, "expense_id": "e9"})
    await firm.figure(client_id, "missing_receipts", 1)
    assert (await reminders(firm, client_id))[0]["tasks"] == reminder["tasks"]


async def test_a_task_is_resolved_by_a_moment_at_which_its_figure_was_nil(firm: Firm, outside: Outside) -> None:
    """R5: the first moment at which it was 0 counts, also if receipts are missing and attached again milliseconds later."""
    client_id = await firm.client("Bau 1", firm.tom)
    await missing(outside, firm, client_id)
    assert (await firm.post(f"/v1/clients/{client_id}/reminders", MISSING)).status == 201
    moment = datetime.now(UTC)
    words = ("attached", "missing", "attached", "missing", "missing")
    facts = [(word, f"e{max(0, n - 2)}", moment + timedelta(milliseconds=n)) for n, word in enumerate(words)]
    await asyncio.gather(
        *(
            outside.event("pleo.receipts", f"pleo.receipt.{word}.v1", {"client_id": client_id, "expense_id": expense}, time=time)
            for word, expense, time in facts
        )
    )
    await firm.figure(client_id, "missing_receipts", 2)

    async def resolved() -> Any:
        return (await reminders(firm, client_id))[0]["tasks"][0]["resolved_at"]

    assert await eventually(resolved) == moment.isoformat().replace("+00:00", "Z")


async def test_the_eleventh_reminder_of_a_day_is_refused(firm: Firm) -> None:
    """R3: per client; refused ones do not count."""
    client_id = await firm.client("Bau 1", firm.tom)
    path = f"/v1/clients/{client_id}/reminders"
    for _ in range(3):
        assert (await firm.post(path, {"tasks": []})).status == 422
    statuses = [(await firm.post(path, MISSING)).status for _ in range(11)]
    assert statuses == [201] * 10 + [429]


@pytest.mark.parametrize(
    ("comment", "status"),
    [
        ("x" * 2000, 201),
        ("x" * 2001, 422),
        ("a\x00b", 422),
        ("a\x1bb", 422),
        ("Zeile\r\nBcc: x@y.example", 201),
        ("\u202eהפוך\u2028und <script>alert(1)</script> {{ 7*7 }}", 201),
    ],
)
async def test_a_comment_is_shown_literally_or_refused(firm: Firm, outside: Outside, comment: str, status: int) -> None:
    """R2: plain text of at most 2,000 characters, never markup, never in a header."""
    client_id = await firm.client("Bau 1", firm.tom)
    answer = await firm.post(f"/v1/clients/{client_id}/reminders", {**MISSING, "comment": comment})
    assert answer.status == status, answer
    if status == 201:
        (mail,) = await eventually(lambda: outside.mails(firm.address(firm.tom)))
        assert "".join(comment.split()) in "".join(mail["text"].split())
        assert "<script>" not in mail["html"]
        assert {"bcc", "cc"}.isdisjoint(mail["headers"])
        assert "Bcc" not in mail["subject"]


async def test_who_is_unassigned_afterwards_is_reminded_and_a_leaver_is_not(firm: Firm, outside: Outside) -> None:
    """R1: what counts is who was assigned at that moment, and that they still belong to the firm."""
    client_id = await firm.client("Bau 1", firm.tom)
    mila = f"mila-{firm.id}"
    await firm.member(mila, "Mila", "accountant")
    token = await outside.token(mila)
    await eventually(lambda: outside._known(token))
    await firm.post(f"/v1/clients/{client_id}/assignments", {"member_id": mila})
    await outside.event("pleo.partners", "pleo.member.removed.v1", {"firm_id": firm.id, "member_id": mila, "sequence": 2})

    async def gone() -> bool:
        return not await outside._known(token)

    await eventually(gone)
    answer = await firm.post(f"/v1/clients/{client_id}/reminders", MISSING)
    assert [person["id"] for person in answer.body["result"]["recipients"]] == [firm.tom]
    await outside.call("DELETE", f"/v1/clients/{client_id}/assignments/{firm.tom}", firm.admin, headers={"Prefer": "wait=10"})
    await eventually(lambda: outside.mails(firm.address(firm.tom)))
    assert await outside.mails(firm.address(mila)) == []
