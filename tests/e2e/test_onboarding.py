"""From "invite a company" to "verified", by the public contract alone (section 6 of the behaviour)."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.addresses import ascii_domain
from tests.e2e.portal import Firm, Outside
from tests.system import eventually


def _body(firm: Firm, company: str = "Atelier Nordlicht", **more: Any) -> dict[str, Any]:
    contact = {"contact_name": "Robin Sander", "contact_email": f"robin@{firm.id.lower()}.example"}
    return {"company_name": company, **contact, "country": "DE", **more}


async def _invite(firm: Firm, company: str = "Atelier Nordlicht", **more: Any) -> str:
    answer = await firm.post("/v1/onboarding", _body(firm, company, **more))
    assert answer.status == 201, answer
    return str(answer.body["result"]["client_id"])


async def _fact(outside: Outside, client_id: str, state: str, sequence: int, **more: Any) -> None:
    time = more.pop("time", None)
    data = {"client_id": client_id, "sequence": sequence, "state": state, **more}
    await outside.event("pleo.verification", "pleo.verification.changed.v1", data, time=time)


async def _details(firm: Firm, client_id: str, **wanted: Any) -> Any:
    """Return the details once the onboarding's fields are as *wanted*."""

    async def there() -> Any:
        body = (await firm.get(f"/v1/clients/{client_id}")).body
        found = body.get("onboarding") or {}
        assert {name: found.get(name) for name in wanted} == wanted, body
        return body

    return await eventually(there)


async def _tabs(firm: Firm, admin: dict[str, int], accountant: dict[str, int]) -> None:
    async def shown() -> bool:
        assert (await firm.tabs(), await firm.tabs(firm.accountant)) == (admin, accountant)
        return True

    await eventually(shown)


async def _mails(outside: Outside, address: str, count: int) -> list[Any]:
    async def there() -> Any:
        found = await outside.mails(address)
        assert len(found) >= count, [mail["subject"] for mail in found]
        return found

    found: list[Any] = await eventually(there)
    assert len(found) == count, [mail["subject"] for mail in found]
    return found


def _token(mail: Any) -> str:
    found = re.search(r"/onboarding/([\w-]+)", mail["text"])
    assert found
    return found[1]


async def _resolved(outside: Outside, token: str) -> Any:
    return await outside.call("POST", "/v1/onboarding-links/resolve", await outside.service_token(), {"token": token})


async def _tick(outside: Outside, at: datetime) -> None:
    code, out = await outside.python("services.onboarding", "tick", "--at", at.isoformat())
    assert code == 0, out


async def test_a_company_goes_from_invited_to_verified(firm: Firm, outside: Outside) -> None:
    """O1, O3, O7, O8, T3–T5: the article's way, in the tabs of both roles at each step; admins and assignees hear its end."""
    client_id = await _invite(firm, assign=[firm.tom], client_number="4711")
    await _tabs(firm, {"onboarding": 1, "mine": 0, "all": 0}, {"onboarding": 1, "mine": 0})
    (row,) = await firm.rows("onboarding")
    assert (row["status"], row["verification"], row["client_number"], row["missing_receipts"]) == ("invited", None, "4711", None)
    assert row["reason"].endswith("Vollmacht fehlt")
    assert row["actions"]["access"] == {"allowed": False, "reason": "not_connected"}
    again = await firm.post("/v1/onboarding", _body(firm, "ATELIER  nordlicht"))
    assert (again.status, again.code) == (409, "already_invited")
    await _fact(outside, client_id, "accepted", 1)
    await _details(firm, client_id, state="accepted")
    await _tabs(firm, {"onboarding": 1, "mine": 0, "all": 0}, {"onboarding": 1, "mine": 0})
    missing = [{"code": "register", "text": "Bitte den Handelsregisterauszug nachreichen."}]
    await _fact(outside, client_id, "information_required", 3, missing=missing)
    await _details(firm, client_id, state="information_required", missing=missing)
    row = await firm.figure(client_id, "status", "connected")
    assert row["verification"] == "information_required"
    await _tabs(firm, {"onboarding": 1, "mine": 0, "all": 1}, {"onboarding": 1, "mine": 1})
    await _fact(outside, client_id, "verified", 5)
    body = await _details(firm, client_id, state="verified", missing=[])
    assert [(s["state"], s["corrected"]) for s in body["onboarding"]["timeline"]] == [
        ("invited", False),
        ("accepted", False),
        ("information_required", False),
        ("verified", False),
    ]
    assert "usual_duration_days" in body["onboarding"]
    await _tabs(firm, {"mine": 0, "all": 1}, {"mine": 1})
    for member in (firm.leyla, firm.tom):
        (mail,) = await _mails(outside, firm.address(member), 1)
        assert mail["subject"] == "Atelier Nordlicht ist verifiziert"


async def test_any_order_of_facts_ends_in_the_same_state_and_a_correction_is_mailed(firm: Firm, outside: Outside) -> None:
    """O4, O5: late, twice and out of order; one mail per client, final state and member."""
    client_id = await _invite(firm, assign=[firm.tom])
    for state, sequence in (("verified", 9), ("in_review", 10), ("verified", 9), ("connected", 2)):
        await _fact(outside, client_id, state, sequence)
    await _details(firm, client_id, state="verified")
    await _mails(outside, firm.address(firm.tom), 1)
    await _fact(outside, client_id, "rejected", 5)
    body = await _details(firm, client_id, state="rejected")
    assert [(s["state"], s["corrected"]) for s in body["onboarding"]["timeline"]] == [
        ("invited", False),
        ("connected", False),
        ("verified", False),
        ("rejected", True),
    ]
    for _ in range(3):
        await _fact(outside, client_id, "rejected", 5)
    await _tabs(firm, {"mine": 0, "all": 1}, {"mine": 1})  # connected it stays (O7)
    mails = await _mails(outside, firm.address(firm.tom), 2)
    assert {mail["subject"] for mail in mails} == {
        "Atelier Nordlicht ist verifiziert",
        "Korrektur: Atelier Nordlicht wurde abgelehnt",
    }


async def test_the_contact_is_mailed_reminded_and_given_up(firm: Firm, outside: Outside) -> None:
    """O1, O6, E4: a link that carries no secret of ours, the same in every reminder; void once resent, expired or withdrawn."""
    begun = datetime.now(UTC)
    client_id = await _invite(firm)
    contact = f"robin@{firm.id.lower()}.example"
    (mail,) = await _mails(outside, contact, 1)
    assert mail["subject"] == "Sommer & Partner lädt Atelier Nordlicht zu Pleo ein"
    assert mail["headers"]["auto-submitted"] == "auto-generated"
    assert mail["replyTo"][0]["address"] == firm.address(firm.leyla)
    token = _token(mail)
    resolved = (await _resolved(outside, token)).body
    assert resolved == {
        "client_id": client_id,
        "firm_id": firm.id,
        "company_name": "Atelier Nordlicht",
        "contact_email": contact,
    }
    for days in (3.1, 6.1, 6.2, 12.1):
        await _tick(outside, begun + timedelta(days=days))
    mails = await _mails(outside, contact, 4)
    assert {_token(mail) for mail in mails} == {token}
    assert [mail["subject"].startswith("Erinnerung") for mail in mails] == [False, True, True, True]
    await _tick(outside, begun + timedelta(days=30.1))
    await _details(firm, client_id, state="expired")
    await firm.figure(client_id, "status", "ended")
    await _tabs(firm, {"mine": 0, "all": 0}, {"mine": 0})
    assert (await _resolved(outside, token)).code == "link_invalid"
    (mail,) = await _mails(outside, firm.address(firm.leyla), 1)
    assert mail["subject"] == "Atelier Nordlicht hat nicht geantwortet"
    await _fact(outside, client_id, "accepted", 1, time=begun + timedelta(minutes=1))
    body = await _details(firm, client_id, state="accepted")
    assert [(s["state"], s["corrected"]) for s in body["onboarding"]["timeline"]][-1] == ("accepted", True)
    await _tabs(firm, {"onboarding": 1, "mine": 0, "all": 0}, {"mine": 0})


async def test_a_tick_returns_once_what_it_leads_to_is_mailed(firm: Firm, outside: Outside) -> None:
    """Contract, section 4: as the notifier's does; reminders and the end are there, and the row is gone, without a wait."""
    begun, contact = datetime.now(UTC), f"robin@{firm.id.lower()}.example"
    await _invite(firm, assign=[firm.tom])
    await _mails(outside, contact, 1)
    for days, count in ((3.1, 2), (6.1, 3), (12.1, 4)):
        await _tick(outside, begun + timedelta(days=days))
        assert len(await outside.mails(contact)) == count
    await _tick(outside, begun + timedelta(days=30.1))
    for member in (firm.leyla, firm.tom):
        assert [mail["subject"] for mail in await outside.mails(firm.address(member))] == [
            "Atelier Nordlicht hat nicht geantwortet"
        ]
    assert await firm.tabs() == {"mine": 0, "all": 0}


async def test_a_resent_link_voids_the_one_before_and_resends_are_apart(firm: Firm, outside: Outside) -> None:
    """O6, E4: an admin whose contact has not got the mail sends it again at once; from there on it is five minutes."""
    client_id = await _invite(firm)
    contact = f"robin@{firm.id.lower()}.example"
    (first,) = await _mails(outside, contact, 1)
    assert (await firm.post(f"/v1/onboarding/{client_id}/resend")).status == 200
    _, newest = await _mails(outside, contact, 2)
    assert (await _resolved(outside, _token(first))).code == "link_invalid"
    assert (await _resolved(outside, _token(newest))).body["client_id"] == client_id
    too_early = await firm.post(f"/v1/onboarding/{client_id}/resend")
    assert (too_early.status, too_early.code) == (429, "too_many_invitations")


async def test_a_withdrawn_invitation_stays_withdrawn(firm: Firm, outside: Outside) -> None:
    """O6: only while the state is invited; a fact that crosses it is only noted."""
    client_id = await _invite(firm, assign=[firm.tom])
    (mail,) = await _mails(outside, f"robin@{firm.id.lower()}.example", 1)
    assert (await firm.post(f"/v1/onboarding/{client_id}/withdraw", token=firm.accountant)).code == "admin_only"
    assert (await firm.post(f"/v1/onboarding/{client_id}/withdraw")).status == 200
    assert await firm.tabs() == {"mine": 0, "all": 0}
    assert (await _resolved(outside, _token(mail))).status == 410
    again = await firm.post(f"/v1/onboarding/{client_id}/withdraw")
    assert (again.status, again.code) == (409, "not_open")
    await _fact(outside, client_id, "verified", 1)
    other = await _invite(firm)  # the key is free again (O9)
    await _fact(outside, other, "accepted", 1)
    await _details(firm, other, state="accepted")
    assert (await _details(firm, client_id, state="withdrawn"))["status"] == "ended"
    assert (await firm.get(f"/v1/clients/{client_id}", firm.accountant)).status == 404
    assert (await firm.post(f"/v1/onboarding/{other}/withdraw")).code == "not_open"


async def test_a_disconnect_ends_the_onboarding_for_good(firm: Firm, outside: Outside) -> None:
    """O3, I5: it leaves its tab, later facts connect nobody, nobody is mailed, and the company may be invited anew."""
    client_id = await _invite(firm, assign=[firm.tom])
    await _fact(outside, client_id, "in_review", 1)
    await _tabs(firm, {"onboarding": 1, "mine": 0, "all": 1}, {"onboarding": 1, "mine": 1})
    assert (await firm.post(f"/v1/clients/{client_id}/disconnect", {"confirm": True})).status == 200
    assert await firm.tabs() == {"mine": 0, "all": 0}
    await _fact(outside, client_id, "verified", 2)

    async def invited_anew() -> Any:
        answer = await firm.post("/v1/onboarding", _body(firm))
        return answer.status == 201 and answer.body["result"]["client_id"]

    other = await eventually(invited_anew)
    assert other != client_id
    await _details(firm, client_id, state="verified")
    await _tabs(firm, {"onboarding": 1, "mine": 0, "all": 0}, {"mine": 0})
    assert await outside.mails(firm.address(firm.tom)) == []


async def test_an_invitation_that_reaches_nobody_is_told(firm: Firm, outside: Outside) -> None:
    """O10: in the row, and by mail to the admin who invited; a resend is a new start."""
    client_id = await _invite(firm)
    await _mails(outside, f"robin@{firm.id.lower()}.example", 1)
    bounce = {"client_id": client_id, "address": f"robin@{firm.id.lower()}.example", "kind": "hard"}
    for _ in range(2):
        await outside.event("pleo.mail", "pleo.mail.bounced.v1", bounce)
    (mail,) = await _mails(outside, firm.address(firm.leyla), 1)
    assert mail["subject"] == "Einladung an Atelier Nordlicht nicht zustellbar"

    async def shown() -> bool:
        (row,) = await firm.rows("onboarding")
        return bool(row["reason_code"] == "onboarding_undelivered" and "nicht zustellbar" in row["reason"])

    await eventually(shown)


@pytest.mark.parametrize("spelled", ["as written", "as sent"])
async def test_a_contact_is_the_same_in_either_alphabet(firm: Firm, outside: Outside, spelled: str) -> None:
    """O1, O9, O10: the address is told as the admin wrote it, compared as in L1, and known however a bounce spells it."""
    written = f"robin@müller-{firm.id}.example"
    sent = f"robin@{ascii_domain(written.partition('@')[2])}"
    client_id = await _invite(firm, contact_email=written)
    (mail,) = await _mails(outside, sent, 1)
    assert (await _resolved(outside, _token(mail))).body["contact_email"] == written
    again = await firm.post("/v1/onboarding", _body(firm, contact_email=written.replace("ü", "ue")))
    assert again.code == "already_invited"
    bounce = {"client_id": client_id, "address": written if spelled == "as written" else sent, "kind": "hard"}
    await outside.event("pleo.mail", "pleo.mail.bounced.v1", bounce)
    await _mails(outside, firm.address(firm.leyla), 1)


async def test_other_services_hear_of_invitations_and_their_ends(firm: Firm, outside: Outside) -> None:
    """O1; contract, section 2: on portal.clients, with a sequence that rises."""
    client_id = await _invite(firm)
    await _fact(outside, client_id, "rejected", 1)

    async def told() -> Any:
        found = [r async for r in outside.records("portal.clients") if r.key == client_id.encode()]
        return found if len(found) == 2 else None

    invited, ended = await eventually(told)
    assert dict(invited.headers)["ce_type"] == b"portal.company.invited.v1"
    assert dict(ended.headers)["ce_type"] == b"portal.onboarding.ended.v1"
    bodies = [outside.data(record) for record in (invited, ended)]
    assert bodies[0] == {
        "client_id": client_id,
        "firm_id": firm.id,
        "sequence": bodies[0]["sequence"],
        "company_name": "Atelier Nordlicht",
        "country": "DE",
    }
    assert bodies[1]["reason"] == "rejected"
    assert bodies[0]["sequence"] < bodies[1]["sequence"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"state": "unknown"},
        {"sequence": "1"},
        {"sequence": -1},
        {"sequence": None},
        {"missing": "all"},
        {"missing": [{"code": "a"}]},
    ],
    ids=["state", "sequence as text", "negative", "no sequence", "missing", "item"],
)
async def test_a_fact_that_is_none_is_set_aside_and_the_next_counts(firm: Firm, outside: Outside, wrong: dict[str, Any]) -> None:
    """E3: with its reason, and nothing waits behind it."""
    client_id = await _invite(firm)
    await outside.event(
        "pleo.verification",
        "pleo.verification.changed.v1",
        {"client_id": client_id, "sequence": 1, "state": "verified", **wrong},
    )
    await _fact(outside, client_id, "in_review", 2)
    await _details(firm, client_id, state="in_review")

    async def aside() -> Any:
        return [r for r in await outside.dead("pleo.verification") if r.key == client_id.encode()]

    (record,) = await eventually(aside)
    assert dict(record.headers)["dead_reason"] == b"invalid"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("company_name", "Besuchen Sie https://evil.example"),
        ("company_name", "Bau\u0000"),
        ("company_name", "x" * 201),
        ("company_name", ""),
        ("contact_name", "www.evil.example"),
        ("contact_name", "Max\r\nBcc: all@example.com"),
        ("contact_email", "nobody"),
        ("contact_email", "a@b"),
        ("contact_email", "a b@example.com"),
        ("contact_email", "a@example.com\nBcc: b@example.com"),
        ("contact_email", ["a@example.com"]),
        ("country", "XX"),
        ("country", "Germany"),
        ("country", "de"),
        ("client_number", 7),
        ("assign", "tom"),
    ],
)
async def test_what_would_make_a_bad_mail_is_refused(firm: Firm, field: str, value: Any) -> None:
    """E4: 422 with the field, and nobody is mailed."""
    answer = await firm.post("/v1/onboarding", _body(firm) | {field: value})
    assert (answer.status, answer.code) == (422, "invalid"), answer
    assert [error["field"] for error in answer.body["errors"]] == [field]


async def test_the_same_invitation_at_once_is_one(firm: Firm) -> None:
    """O9: uniqueness holds under concurrency."""
    answers = await asyncio.gather(*(firm.post("/v1/onboarding", _body(firm)) for _ in range(8)))
    assert sorted(answer.status for answer in answers) == [201] + [409] * 7
    assert await firm.tabs() == {"onboarding": 1, "mine": 0, "all": 0}
