"""Digests and reminders, read in the mail catcher (sections 8 and 9 of the behaviour)."""

from __future__ import annotations

from datetime import datetime, timedelta

from tests.e2e.portal import Firm, Outside
from tests.system import eventually


async def _one_mail(outside: Outside, address: str) -> object:
    async def there() -> list[object]:
        return await outside.mails(address)

    return (await eventually(there))[0]


async def test_a_digest_comes_at_its_instant_and_only_once(firm: Firm, outside: Outside) -> None:
    """N1, N2, N5, N6, N8, N12: one mail for what falls due together, by the tick, in the member's language."""
    missing, calm = await firm.client("Müller Bau", firm.tom), await firm.client("Zoo Zentral", firm.tom)
    for expense in ("e1", "e2"):
        await outside.event("pleo.receipts", "pleo.receipt.missing.v1", {"client_id": missing, "expense_id": expense})
    await firm.figure(missing, "missing_receipts", 2)
    for client_id in (missing, calm):
        answer = await firm.put(f"/v1/clients/{client_id}/notifications", {"email": True, "frequency": "daily"}, firm.accountant)
        assert answer.status == 200, answer
    shown = (await firm.get(f"/v1/clients/{missing}/notifications", firm.accountant)).body
    assert shown["email"] is True
    first = datetime.fromisoformat(shown["next_deliveries"][0])
    assert (first.weekday(), first.hour, first.minute) == (0, 10, 0)
    early = await outside.python("services.notifier", "tick", "--at", (first - timedelta(seconds=1)).isoformat())
    assert early[0] == 0, early
    assert await outside.mails(firm.address(firm.tom)) == []
    for _ in range(2):
        code, out = await outside.python("services.notifier", "tick", "--at", first.isoformat())
        assert code == 0, out
    (mail,) = await outside.mails(firm.address(firm.tom))
    assert "Müller Bau" in mail["text"]
    assert "Zoo Zentral" not in mail["text"]
    assert "2" in mail["subject"]
    lines = (await firm.get("/v1/me/deliveries", firm.accountant)).body["items"]
    assert {(x["client_id"], x["status"], x["reason"]) for x in lines} == {
        (missing, "sent", None),
        (calm, "skipped", "nothing_outstanding"),
    }


async def test_a_reminder_reaches_every_assignee_with_the_admins_word(firm: Firm, outside: Outside) -> None:
    """R1, R2, R4: each their own mail, whatever they subscribed to; the comment literally, Reply-To the admin."""
    client_id = await firm.client("Öztürk Gastronomie", firm.tom, firm.leyla)
    await outside.event("pleo.receipts", "pleo.receipt.missing.v1", {"client_id": client_id, "expense_id": "e"})
    await firm.figure(client_id, "missing_receipts", 1)
    nothing = await firm.post(f"/v1/clients/{client_id}/reminders", {"tasks": []})
    assert (nothing.status, nothing.code) == (422, "no_task")
    body = {"tasks": ["missing_receipts"], "comment": "Bitte <b>heute</b> noch"}
    answer = await firm.post(f"/v1/clients/{client_id}/reminders", body)
    assert answer.status == 201, answer
    assert {p["id"] for p in answer.body["result"]["recipients"]} == {firm.tom, firm.leyla}
    for member in (firm.tom, firm.leyla):
        mail = await _one_mail(outside, firm.address(member))
        assert isinstance(mail, dict)
        assert "Bitte <b>heute</b> noch" in mail["text"]
        assert "Bitte &lt;b&gt;heute&lt;/b&gt; noch" in mail["html"]
        assert firm.address(firm.leyla) in str(mail["headers"].get("reply-to"))


async def test_nobody_is_reminded_where_nobody_is_assigned(firm: Firm) -> None:
    """R2: at least one assignee, and a connected client."""
    client_id = await firm.client("Yılmaz Bau")
    answer = await firm.post(f"/v1/clients/{client_id}/reminders", {"tasks": ["low_balance"]})
    assert (answer.status, answer.code) == (409, "no_assignee")


async def test_what_is_unassigned_before_its_digest_is_not_mailed(firm: Firm, outside: Outside) -> None:
    """N9: access is looked at when the mail goes, and the ledger says why nothing came (N10)."""
    client_id = await firm.client("Kühn Elektrotechnik", firm.tom)
    await outside.event("pleo.receipts", "pleo.receipt.missing.v1", {"client_id": client_id, "expense_id": "e"})
    await firm.figure(client_id, "missing_receipts", 1)
    path = f"/v1/clients/{client_id}/notifications"
    put = await firm.put(path, {"email": True, "frequency": "weekly"}, firm.accountant)
    first = put.body["result"]["next_deliveries"][0]
    gone = await outside.call(
        "DELETE", f"/v1/clients/{client_id}/assignments/{firm.tom}", firm.admin, headers={"Prefer": "wait=10"}
    )
    assert gone.status == 200
    code, out = await outside.python("services.notifier", "tick", "--at", first)
    assert code == 0, out
    assert await outside.mails(firm.address(firm.tom)) == []
    (line,) = (await firm.get("/v1/me/deliveries", firm.accountant)).body["items"]
    assert (line["status"], line["reason"]) == ("skipped", "access_lost")
