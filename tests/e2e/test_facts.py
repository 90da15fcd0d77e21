"""Figures from facts of other services, in the orders and at the times they really come (contract, section 2; L7)."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest

from tests.e2e.portal import Firm, Outside
from tests.system import eventually

TOPICS = {"receipt": "pleo.receipts", "expense": "pleo.expenses"}


async def tell(outside: Outside, client_id: str, kind: str, expense: str, time: str, id: str | None = None) -> None:
    """Tell a fact about an expense."""
    data = {"client_id": client_id, "expense_id": expense}
    await outside.event(TOPICS[kind.partition(".")[0]], f"pleo.{kind}.v1", data, time=time, id=id)


async def balance(outside: Outside, client_id: str, minor: int, time: str, id: str | None = None, *, low: bool = False) -> None:
    """Tell a balance."""
    data = {"client_id": client_id, "balance": {"amount_minor": minor, "currency": "EUR"}, "low": low}
    await outside.event("pleo.balances", "pleo.balance.changed.v1", data, time=time, id=id)


async def settled(firm: Firm, client_id: str, **figures: Any) -> dict[str, Any]:
    """Return the row once it shows *figures*."""

    async def so() -> dict[str, Any]:
        row: dict[str, Any] = (await firm.get(f"/v1/clients/{client_id}")).body
        assert {name: row[name] for name in figures} == figures
        return row

    return await eventually(so)


@pytest.mark.parametrize("seed", range(3))
async def test_no_order_and_no_repeat_changes_a_figure(firm: Firm, outside: Outside, seed: int) -> None:
    """Contract 2: waived, attached, deleted across topics, exported; the newest by time, then id; deletion is for good."""
    client_id = await firm.client("Permutation Bau")
    day = "2026-03-11T10:00:0"
    facts = [
        ("receipt.missing", "open", day + "1Z", "1"),
        ("receipt.attached", "open", day + "0Z", "2"),
        ("receipt.missing", "waived", day + "1Z", "3"),
        ("receipt.waived", "waived", day + "2Z", "4"),
        ("receipt.missing", "gone", day + "9Z", "5"),
        ("expense.export_ready", "gone", day + "9Z", "6"),
        ("expense.deleted", "gone", day + "1Z", "7"),
        ("expense.export_ready", "sent", day + "1Z", "8"),
        ("expense.exported", "sent", day + "2Z", "9"),
        ("expense.exported", "ready", day + "1Z", "a"),
        ("expense.export_ready", "ready", day + "1Z", "b"),
        ("receipt.missing", "tied", day + "1Z", "d"),
        ("receipt.attached", "tied", day + "1Z", "c"),
        ("receipt.missing", "missing again", day + "2Z", "e"),
        ("receipt.attached", "missing again", day + "1Z", "f"),
    ]
    told = [(kind, expense.replace(" ", "-"), at, id) for kind, expense, at, id in facts * 2]
    random.Random(seed).shuffle(told)
    await asyncio.gather(*(tell(outside, client_id, kind, e, at, f"{id}-{client_id}") for kind, e, at, id in told))
    row = await settled(firm, client_id, missing_receipts=3, export_ready=1)
    assert row["as_of"]["missing_receipts"] == row["as_of"]["export_ready"] == "2026-03-11T10:00:09Z"
    assert [r["client_id"] for r in await firm.rows("all", query="&missing_receipts=true")] == [client_id]


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ("2026-03-11T10:00:00.000000001Z", "2026-03-11T10:00:00.000000002Z"),
        ("2026-03-11T15:29:59+05:30", "2026-03-11T10:00:00Z"),
        ("2026-03-11T10:00:00Z", "2026-03-11T04:30:01-05:30"),
        ("2016-12-31T23:59:59.999Z", "2016-12-31T23:59:60Z"),
        ("2026-03-11t10:00:00z", "2026-03-11T10:00:00.1z"),
    ],
)
async def test_times_are_instants_to_the_nanosecond(firm: Firm, outside: Outside, older: str, newer: str) -> None:
    """Contract 2: whatever offset, case or number of digits, and in a leap second, too."""
    client_id = await firm.client("Uhren Bau")
    for first, second in ((older, newer), (newer, older)):
        await balance(outside, client_id, 1 if first == older else 2, first, f"z{first}" if first == older else "a")
        await balance(outside, client_id, 1 if second == older else 2, second, f"z{second}" if second == older else "a")
        await settled(firm, client_id, balance={"amount_minor": 2, "currency": "EUR"})


async def test_equal_times_are_told_apart_by_id(firm: Firm, outside: Outside) -> None:
    """Contract 2: by ce_time, then ce_id; whichever comes first."""
    client_id = await firm.client("Gleich Bau")
    at = "2026-03-11T10:00:00Z"
    for minor, id in ((2, "b"), (1, "a"), (3, "c"), (2, "b")):
        await balance(outside, client_id, minor, at, id, low=minor == 3)
    row = await settled(firm, client_id, low_balance=True)
    assert row["balance"]["amount_minor"] == 3


async def test_a_clock_ahead_is_believed_for_an_hour(firm: Firm, outside: Outside) -> None:
    """Contract 2: more than one hour ahead of its record a fact is set aside; those behind it go on."""
    client_id = await firm.client("Voraus Bau")
    await balance(outside, client_id, 9, "2999-01-01T00:00:00Z")
    await balance(outside, client_id, 1, "2026-03-11T10:00:00Z")
    await settled(firm, client_id, balance={"amount_minor": 1, "currency": "EUR"})


async def test_facts_come_before_their_client(firm: Firm, outside: Outside) -> None:
    """Contract 2: kept, and they count as soon as the company becomes a client, of each firm that has it."""
    other, client_id = await outside.firm(), firm.new_client_id()
    for kind, expense in (("receipt.missing", "e1"), ("receipt.missing", "e2"), ("expense.export_ready", "e1")):
        await tell(outside, client_id, kind, expense, "2019-01-01T00:00:00Z")
    await balance(outside, client_id, -5, "2026-03-11T10:00:00Z", low=True)
    for each in (firm, other):
        await each.invited_by("Vorher Bau", client_id)
        (row,) = await each.rows("invitations")
        assert (row["missing_receipts"], row["low_balance"]) == (None, False)
        await each.post(f"/v1/invitations/{client_id}/accept", {"assign": []})
    await tell(outside, client_id, "receipt.attached", "e2", "2019-01-02T00:00:00Z")
    for each in (firm, other):
        await settled(each, client_id, missing_receipts=1, export_ready=1, low_balance=True)


async def test_a_new_name_beats_the_given_one(firm: Firm, outside: Outside) -> None:
    """Contract 2: renamed beats added, by a sequence of its own, whatever comes first; the row is found by it."""
    client_id = firm.new_client_id()
    for name, sequence in (("Zweiter Name", 2), ("Erster Name", 1)):
        data = {"client_id": client_id, "company_name": name, "sequence": sequence}
        await outside.event("pleo.companies", "pleo.company.renamed.v1", data)
    await firm.invited_by("Gegebener Name", client_id, sequence=40)
    (row,) = await firm.rows("invitations", query="&search=zweiter")
    assert (row["client_id"], row["name"]) == (client_id, "Zweiter Name")
    assert await firm.rows("invitations", query="&search=gegebener") == []
