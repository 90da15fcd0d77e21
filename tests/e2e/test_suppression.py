"""Addresses that turn mails away: digests stop, the member sees why, an admin lifts it (N14, R6)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.e2e.portal import Firm, Outside
from tests.e2e.refusals import is_problem
from tests.e2e.test_notifications import lines, missing, switched_on, ticked
from tests.system import eventually


async def bounce(outside: Outside, member_id: str, address: str, kind: str = "hard", **more: Any) -> None:
    """Tell of a mail that came back."""
    time = more.pop("time", None)
    data = {"member_id": member_id, "address": address, "kind": kind, **more}
    await outside.event("pleo.mail", "pleo.mail.bounced.v1", data, time=time)


async def suppressed(firm: Firm, client_id: str) -> Any:
    """Return why nothing goes to Tom, as he sees it."""
    return (await firm.get(f"/v1/clients/{client_id}/notifications", firm.accountant)).body["suppressed"]


async def lift(firm: Firm, member_id: str, token: str | None = None) -> int:
    """Let mails go to a member again."""
    path = f"/v1/members/{member_id}/suppression"
    return (await firm.outside.call("DELETE", path, token or firm.admin, headers={"Prefer": "wait=10"})).status


async def test_a_hard_bounce_stops_digests_until_an_admin_lifts_it(firm: Firm, outside: Outside) -> None:
    """N14: seen by the member and by admins; an old bounce told again does not bring it back."""
    client_id = await firm.client("Bau 1", firm.tom)
    await missing(outside, firm, client_id)
    first = await switched_on(firm, client_id)
    at = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=1)
    await bounce(outside, firm.tom, firm.address(firm.tom).upper(), time=at)
    told = await eventually(lambda: suppressed(firm, client_id))
    assert told == {"reason": "hard_bounce", "since": at.isoformat().replace("+00:00", "Z")}
    members = {member["id"]: member["suppressed"] for member in (await firm.get("/v1/members")).body["items"]}
    assert members == {firm.tom: told, firm.leyla: None}
    preview = await firm.get(f"/v1/clients/{client_id}/notifications/preview", firm.accountant)
    assert preview.headers["Portal-Would-Send"] == "no; reason=suppressed"
    await ticked(outside, first)
    assert await lines(firm) == [(client_id, "skipped", "suppressed")]
    assert await outside.mails(firm.address(firm.tom)) == []
    assert [await lift(firm, firm.tom, firm.accountant), await lift(firm, "nobody"), await lift(firm, firm.tom)] == [
        403,
        404,
        200,
    ]
    assert await suppressed(firm, client_id) is None
    await bounce(outside, firm.tom, firm.address(firm.tom), time=at)
    await bounce(outside, firm.tom, "someone@else.example")  # handled after the one before: same partition
    await ticked(outside, first + timedelta(days=7))
    assert (await lines(firm))[0] == (client_id, "sent", None)


async def test_of_whom_the_firm_has_never_heard_nothing_is_lifted(firm: Firm, outside: Outside) -> None:
    """Contract: ``unknown_member``, 404; unknown, foreign and odd ids are told alike (E1), before rights are asked of (E2)."""
    other = await outside.firm()
    for member_id in ("nobody", other.tom, "a.b", "x" * 65):
        for token in (firm.admin, firm.accountant):
            answer = await outside.call("DELETE", f"/v1/members/{member_id}/suppression", token)
            is_problem(answer, 404, "unknown_member")


async def test_a_soft_bounce_stops_nothing_and_a_complaint_stops_digests_only(firm: Firm, outside: Outside) -> None:
    """N14, R6: reminders are the admin's word."""
    client_id = await firm.client("Bau 1", firm.tom)
    await missing(outside, firm, client_id)
    first = await switched_on(firm, client_id)
    await bounce(outside, firm.tom, firm.address(firm.tom), "soft")
    await bounce(outside, firm.tom, firm.address(firm.tom), "complaint")
    assert (await eventually(lambda: suppressed(firm, client_id)))["reason"] == "complaint"
    await ticked(outside, first)
    assert await lines(firm) == [(client_id, "skipped", "suppressed")]
    assert (await firm.post(f"/v1/clients/{client_id}/reminders", {"tasks": ["missing_receipts"]})).status == 201
    await eventually(lambda: outside.mails(firm.address(firm.tom)))


async def test_a_new_address_starts_clean(firm: Firm, outside: Outside) -> None:
    """N14: suppression is of a member and an address."""
    client_id = await firm.client("Bau 1", firm.tom)
    await missing(outside, firm, client_id)
    first = await switched_on(firm, client_id)
    await bounce(outside, firm.tom, firm.address(firm.tom))
    await eventually(lambda: suppressed(firm, client_id))
    about = {"firm_id": firm.id, "member_id": firm.tom, "name": "Tom Brandt", "email": f"new-{firm.tom}@sommer.example"}
    await outside.event("pleo.partners", "pleo.member.changed.v1", {**about, "role": "accountant", "sequence": 2})

    async def clean() -> bool:
        return await suppressed(firm, client_id) is None

    await eventually(clean)
    await ticked(outside, first)
    assert await lines(firm) == [(client_id, "sent", None)]


async def test_a_bounce_may_spell_the_address_as_it_was_sent(firm: Firm, outside: Outside) -> None:
    """N14: an international domain travels in ASCII; the address is the same."""
    client_id = await firm.client("Bau 1", firm.tom)
    about = {"firm_id": firm.id, "member_id": firm.tom, "name": "Tom Brandt", "email": "tom@bücher.example"}
    await outside.event("pleo.partners", "pleo.member.changed.v1", {**about, "role": "accountant", "sequence": 2})
    await bounce(outside, firm.tom, "tom@xn--bcher-kva.example")
    assert (await eventually(lambda: suppressed(firm, client_id)))["reason"] == "hard_bounce"


async def test_a_reminder_that_bounces_failed_and_the_next_is_not_sent(firm: Firm, outside: Outside) -> None:
    """R6: the admin sees both."""
    client_id = await firm.client("Bau 1", firm.tom)
    path = f"/v1/clients/{client_id}"
    assert (await firm.post(f"{path}/reminders", {"tasks": ["low_balance"]})).status == 201
    (mail,) = await eventually(lambda: outside.mails(firm.address(firm.tom)))
    await bounce(outside, firm.tom, firm.address(firm.tom), message_id=mail["headers"]["message-id"])

    async def deliveries() -> list[tuple[str, str | None]]:
        reminders = (await firm.get(path)).body["reminders"]
        return [(person["status"], person["reason"]) for reminder in reminders for person in reminder["recipients"]]

    async def came_back() -> bool:
        return await deliveries() == [("failed", None)]

    await eventually(came_back)
    assert (await firm.post(f"{path}/reminders", {"tasks": ["low_balance"]})).status == 201

    async def not_sent() -> bool:
        return await deliveries() == [("skipped", "suppressed"), ("failed", None)]

    await eventually(not_sent)
    assert len(await outside.mails(firm.address(firm.tom))) == 1


async def test_a_digest_that_bounces_failed_in_the_ledger(firm: Firm, outside: Outside) -> None:
    """N10, N14: what the mail server took and gave back was not delivered."""
    client_id = await firm.client("Bau 1", firm.tom)
    await missing(outside, firm, client_id)
    await ticked(outside, await switched_on(firm, client_id))
    (item,) = (await firm.get("/v1/me/deliveries", firm.accountant)).body["items"]
    await bounce(outside, firm.tom, firm.address(firm.tom), message_id=item["message_id"])

    async def failed() -> bool:
        return await lines(firm) == [(client_id, "failed", None)]

    await eventually(failed)
