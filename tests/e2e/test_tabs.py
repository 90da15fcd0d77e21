"""Tabs, invitations and figures, as the article tells them (sections 2 to 5 of the behaviour)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tests.e2e.portal import Firm, Outside
from tests.system import eventually


async def test_an_empty_firm_shows_its_two_lasting_tabs(firm: Firm) -> None:
    """T7: invitations and onboarding only while they hold something; mine and all always."""
    assert await firm.tabs() == {"mine": 0, "all": 0}
    assert await firm.tabs(firm.accountant) == {"mine": 0}


async def test_an_invitation_is_for_admins_and_waits_for_an_answer(firm: Firm) -> None:
    """T1, T2, T6, T9, I1: it is in no other tab, and an accountant has no such tab."""
    client_id = await firm.invited_by("Müller Bau GmbH", addressed_to=firm.address(firm.tom), client_number="10007")
    assert await firm.tabs() == {"invitations": 1, "mine": 0, "all": 0}
    (row,) = await firm.rows("invitations")
    assert row["status"] == "invitation"
    assert row["client_number"] == "10007"
    assert row["proposed_assignees"] == [{"id": firm.tom, "name": "Tom Brandt"}]
    assert "Tom Brandt" in row["reason"]
    assert row["missing_receipts"] is None
    assert row["actions"]["access"] == {"allowed": False, "reason": "not_connected"}
    answer = await firm.get("/v1/clients?tab=invitations", firm.accountant)
    assert (answer.status, answer.code) == (403, "tab_not_allowed")
    assert (await firm.get(f"/v1/clients/{client_id}", firm.accountant)).status == 404


async def test_accepting_connects_the_client_for_its_assignees(firm: Firm) -> None:
    """I2, I3, T4, T5, T8: it leaves the invitations, and stands in all and in its assignees' mine with exact counts."""
    client_id = await firm.invited_by("Müller Bau GmbH")
    refused = await firm.post(f"/v1/invitations/{client_id}/accept", {"assign": []}, firm.accountant)
    assert (refused.status, refused.code) == (404, "not_found")
    answer = await firm.post(f"/v1/invitations/{client_id}/accept", {"assign": [firm.tom]})
    assert (answer.status, answer.body["status"]) == (200, "succeeded")
    assert await firm.tabs() == {"mine": 0, "all": 1}
    assert await firm.tabs(firm.accountant) == {"mine": 1}
    (row,) = await firm.rows("mine", firm.accountant)
    assert row["status"] == "connected"
    assert row["assignees"] == [{"id": firm.tom, "name": "Tom Brandt"}]
    again = await firm.post(f"/v1/invitations/{client_id}/accept", {"assign": []})
    assert (again.status, again.code) == (409, "already_answered")


async def test_a_late_accept_of_a_withdrawn_invitation_is_refused(firm: Firm, outside: Outside) -> None:
    """I4: the customer may withdraw before the answer."""
    client_id = await firm.invited_by("Schäfer Gastronomie")
    withdrawn = {"client_id": client_id, "firm_id": firm.id, "sequence": 2}
    await outside.event("pleo.companies", "pleo.accountant.withdrawn.v1", withdrawn)

    async def gone() -> bool:
        return "invitations" not in await firm.tabs()

    await eventually(gone)
    answer = await firm.post(f"/v1/invitations/{client_id}/accept", {"assign": []})
    assert (answer.status, answer.code) == (409, "invitation_withdrawn")


async def test_figures_follow_the_newest_fact_whatever_the_order(firm: Firm, outside: Outside) -> None:
    """Contract, section 2: by ce_time, then ce_id; a deletion is for good; unknown is not zero (L7)."""
    client_id = await firm.client("Weber Elektrotechnik", firm.tom)
    (row,) = await firm.rows("all")
    assert (row["missing_receipts"], row["export_ready"], row["balance"], row["low_balance"]) == (None, None, None, False)
    start = datetime.now(UTC) - timedelta(hours=2)

    async def tell(topic: str, kind: str, expense: str, minute: int) -> None:
        data = {"client_id": client_id, "expense_id": expense}
        await outside.event(f"pleo.{topic}", kind, data, time=start + timedelta(minutes=minute))

    await tell("receipts", "pleo.receipt.attached.v1", "e1", 5)
    await tell("receipts", "pleo.receipt.missing.v1", "e1", 1)  # late, and old: e1 stays attached
    await tell("receipts", "pleo.receipt.missing.v1", "e2", 2)
    await tell("receipts", "pleo.receipt.missing.v1", "e2", 2)
    await tell("expenses", "pleo.expense.export_ready.v1", "e1", 3)
    await tell("receipts", "pleo.receipt.missing.v1", "e3", 2)
    await tell("expenses", "pleo.expense.deleted.v1", "e3", 6)
    balance = {"balance": {"amount_minor": 4_200, "currency": "EUR"}, "low": True}
    await outside.event("pleo.balances", "pleo.balance.changed.v1", {"client_id": client_id, **balance}, time=start)
    await firm.figure(client_id, "low_balance", True)
    await firm.figure(client_id, "export_ready", 1)

    async def settled() -> bool:
        row = (await firm.get(f"/v1/clients/{client_id}")).body
        newest = (start + timedelta(minutes=6)).isoformat().replace("+00:00", "Z")
        return bool(row["missing_receipts"] == 1 and row["as_of"]["missing_receipts"] == newest)

    await eventually(settled)
    assert [r["client_id"] for r in await firm.rows("all", query="&missing_receipts=true")] == [client_id]


async def test_a_removed_member_loses_the_view_with_the_next_request(firm: Firm, outside: Outside) -> None:
    """T10, M4: the token still counts, the membership does not; no row shows an inactive assignee."""
    client_id = await firm.client("Jäger Gastronomie", firm.tom)
    removed = {"firm_id": firm.id, "member_id": firm.tom, "sequence": 2}
    await outside.event("pleo.partners", "pleo.member.removed.v1", removed)

    async def out() -> bool:
        return (await firm.get("/v1/tabs", firm.accountant)).code == "not_a_member"

    await eventually(out)
    assert (await firm.get(f"/v1/clients/{client_id}")).body["assignees"] == []

    async def orphaned() -> bool:
        return [r["client_id"] for r in await firm.rows("all", query="&unassigned=true")] == [client_id]

    await eventually(orphaned)


async def test_a_row_is_found_in_every_spelling(firm: Firm) -> None:
    """L1: case, diacritics and umlauts in every spelling find the same rows; the client number is searched, too."""
    names = {await firm.client(n): n for n in ("Müller Bau", "Mueller Bau", "Muller Bau", "Straße 9", "Straße 10")}
    for search in ("mueller", "MÜLLER", "muller", "Müller"):
        found = [names[r["client_id"]] for r in await firm.rows("all", query=f"&search={search}")]
        assert sorted(found) == ["Mueller Bau", "Muller Bau", "Müller Bau"]
    assert [r["name"] for r in await firm.rows("all", query="&search=strasse")] == ["Straße 9", "Straße 10"]
    assert [r["name"] for r in await firm.rows("all", query="&limit=2&sort=-name")][:2] == ["Straße 10", "Straße 9"]


async def test_a_withdrawal_before_its_invitation_leaves_nothing(firm: Firm, outside: Outside) -> None:
    """Contract, section 2: with a higher sequence than the ``added`` it answers, in whatever order they arrive."""
    client_id = firm.new_client_id()
    ids = {"client_id": client_id, "firm_id": firm.id}
    await outside.event("pleo.companies", "pleo.accountant.withdrawn.v1", {**ids, "sequence": 2})
    assert (await firm.get(f"/v1/clients/{client_id}")).status == 404
    await outside.event("pleo.companies", "pleo.accountant.added.v1", {**ids, "sequence": 1, "company_name": "Nie Da"})
    await firm.invited_by("Später Da")
    assert await firm.tabs() == {"invitations": 1, "mine": 0, "all": 0}
    assert (await firm.get(f"/v1/clients/{client_id}")).status == 404
