"""Access that is lost a moment before an instant: a thousand tries, not one mail (N9)."""

from __future__ import annotations

import asyncio
import re
from datetime import datetime

from tests.e2e.portal import Firm, Outside
from tests.e2e.test_notifications import WEEKLY, ticked
from tests.system import eventually

CLIENTS, PEOPLE, LEAVERS = 48, 21, 7  # three instants, before each of which seven people lose 48 clients: 1,008 tries


async def staffed(firm: Firm) -> tuple[list[str], list[str]]:
    """Return *CLIENTS* connected clients and *PEOPLE* accountants who all work on each of them and want weekly mails."""
    outside = firm.outside
    people = [f"p{number}-{firm.id}" for number in range(PEOPLE)]
    for number, member_id in enumerate(people):
        await firm.member(member_id, f"Person {number}", "accountant")
    tokens = [await outside.token(member_id) for member_id in people]
    for token in tokens:
        await eventually(lambda token=token: outside._known(token))  # type: ignore[misc]
    ids = [await firm.client(f"Bau {number}", *people) for number in range(CLIENTS)]
    wanted = {"scope": "mine", **WEEKLY, "even_if_nothing": True}
    for answer in await asyncio.gather(*(firm.put("/v1/notifications", wanted, token) for token in tokens)):
        assert (answer.status, len(answer.body["result"]["items"])) == (200, CLIENTS)
    return ids, people


async def test_of_a_thousand_unassigned_right_before_an_instant_none_is_mailed(firm: Firm, outside: Outside) -> None:
    """N9: from the moment that change's command succeeded; whoever is still assigned is mailed, so mails do go."""
    ids, people = await staffed(firm)
    shown = (await firm.get(f"/v1/clients/{ids[0]}/notifications", await outside.token(people[-1]))).body
    for at, gone in zip(shown["next_deliveries"], range(0, PEOPLE, LEAVERS), strict=True):
        answer = await firm.post("/v1/assignments", {"client_ids": ids, "unassign": people[gone : gone + LEAVERS]})
        assert {item["status"] for item in answer.body["result"]["items"]} == {"succeeded"}
        await ticked(outside, datetime.fromisoformat(at))
    mails = [await outside.mails(firm.address(member_id)) for member_id in people]
    assert [len(found) for found in mails] == [number // LEAVERS for number in range(PEOPLE)]
    assert {len(re.findall(r"^Bau \d+$", mail["text"], re.MULTILINE)) for found in mails for mail in found} == {CLIENTS}
    lost = (await firm.get("/v1/me/deliveries?limit=200", await outside.token(people[0]))).body["items"]
    assert {(line["status"], line["reason"]) for line in lost} == {("skipped", "access_lost")}
