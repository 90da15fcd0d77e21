"""Commands: taken, waited for, repeated, refused (contract, section 1)."""

from __future__ import annotations

import asyncio
import uuid

import pytest

from tests.e2e.portal import Firm, Outside
from tests.system import eventually


async def test_a_command_is_taken_and_its_outcome_can_be_read(firm: Firm, outside: Outside) -> None:
    """202 with a Location; only the issuing member may read the outcome."""
    client_id = await firm.invited_by("Krüger Bau")
    taken = await outside.call("POST", f"/v1/invitations/{client_id}/accept", firm.admin, {"assign": [firm.tom]})
    assert taken.status == 202
    assert taken.body["status"] == "pending"
    assert taken.headers["Location"] == f"/v1/commands/{taken.body['command_id']}"

    async def settled() -> bool:
        return bool((await firm.get(taken.headers["Location"])).body["status"] == "succeeded")

    await eventually(settled)
    assert (await firm.get(taken.headers["Location"], firm.accountant)).status == 404


async def test_after_succeeded_every_read_shows_the_change(firm: Firm) -> None:
    """Read your writes: twenty assignments, each seen by the read that follows its outcome."""
    client_id = await firm.client("Baur Gastronomie")
    for _ in range(10):
        assert (await firm.post(f"/v1/clients/{client_id}/assignments", {"member_id": firm.tom})).status == 200
        assert await firm.tabs(firm.accountant) == {"mine": 1}
        path = f"/v1/clients/{client_id}/assignments/{firm.tom}"
        gone = await firm.outside.call("DELETE", path, firm.admin, headers={"Prefer": "wait=10"})
        assert gone.status == 200
        assert await firm.tabs(firm.accountant) == {"mine": 0}


async def test_the_same_key_is_the_same_command(firm: Firm) -> None:
    """Idempotency-Key: same body, same command and outcome, also at once; another body is refused."""
    client_id = await firm.invited_by("Vogt Elektrotechnik")
    key = uuid.uuid4().hex
    path = f"/v1/invitations/{client_id}/accept"
    answers = await asyncio.gather(*(firm.post(path, {"assign": [firm.tom]}, Idempotency_Key=key) for _ in range(5)))
    assert {a.status for a in answers} == {200}
    assert len({a.body["command_id"] for a in answers}) == 1
    other = await firm.post(path, {"assign": []}, Idempotency_Key=key)
    assert (other.status, other.code) == (422, "idempotency_key_reused")


async def test_assigning_needs_a_member_of_the_firm(firm: Firm) -> None:
    """M3: unknown members refuse the whole command; twice changes nothing and succeeds."""
    client_id = await firm.client("Reuter Bau")
    unknown = await firm.post(f"/v1/clients/{client_id}/assignments", {"member_id": "nobody"})
    assert (unknown.status, unknown.code) == (422, "unknown_member")
    for _ in range(2):
        assert (await firm.post(f"/v1/clients/{client_id}/assignments", {"member_id": firm.tom})).status == 200
    mine = await firm.post(f"/v1/clients/{client_id}/assignments", {"member_id": firm.tom}, firm.accountant)
    assert (mine.status, mine.code) == (403, "admin_only")


async def test_many_clients_are_assigned_with_an_outcome_each(firm: Firm) -> None:
    """M2: one command, an item per client."""
    one, two = await firm.client("Ahrens Bau"), await firm.client("Falkner Bau")
    answer = await firm.post("/v1/assignments", {"client_ids": [one, two, "unknown"], "assign": [firm.tom], "unassign": []})
    assert answer.status == 200
    assert [(i["client_id"], i["status"], i["code"]) for i in answer.body["result"]["items"]] == [
        (one, "succeeded", None),
        (two, "succeeded", None),
        ("unknown", "refused", "not_found"),
    ]
    assert await firm.tabs(firm.accountant) == {"mine": 2}


async def test_a_grant_lets_one_member_in_once(firm: Firm, outside: Outside) -> None:
    """A1–A4: a link for this member and client, redeemed once by the product, both noted in the access log."""
    client_id = await firm.client("Lindner Elektrotechnik", firm.tom)
    granted = await firm.post(f"/v1/clients/{client_id}/access", token=firm.accountant)
    assert granted.status == 201, granted
    token = granted.body["result"]["url"].split("#token=")[1]
    member = await outside.call("POST", "/v1/access-grants/redeem", firm.admin, {"token": token})
    assert (member.status, member.code) == (403, "service_only")
    product = await outside.service_token()
    answers = await asyncio.gather(
        *(outside.call("POST", "/v1/access-grants/redeem", product, {"token": token}) for _ in range(10))
    )
    assert sorted(a.status for a in answers) == [200] + [410] * 9
    winner = next(a for a in answers if a.status == 200)
    assert winner.body == {"member_id": firm.tom, "client_id": client_id, "firm_id": firm.id, "role": "accountant"}
    log = (await firm.get(f"/v1/clients/{client_id}")).body["access_log"]
    assert sorted((line["event"], line["member"]["name"]) for line in log) == [
        ("granted", "Tom Brandt"),
        ("redeemed", "Tom Brandt"),
    ]
    again = await firm.get(f"/v1/commands/{granted.body['command_id']}", firm.accountant)
    assert again.body["result"]["url"] is None


async def test_nobody_enters_a_client_that_is_not_connected(firm: Firm) -> None:
    """A2: the row is seen, the account is not opened."""
    client_id = await firm.invited_by("Strauß Bau")
    refused = await firm.post(f"/v1/clients/{client_id}/access")
    assert (refused.status, refused.code) == (403, "not_connected")


async def test_disconnecting_ends_everything_about_a_client(firm: Firm) -> None:
    """I5: no figure is readable, nothing granted; what stays is the record for admins."""
    client_id = await firm.client("Petersen Bau", firm.tom)
    unsure = await firm.post(f"/v1/clients/{client_id}/disconnect", {"confirm": False})
    assert (unsure.status, unsure.code) == (422, "invalid")
    assert (await firm.post(f"/v1/clients/{client_id}/disconnect", {"confirm": True})).status == 200
    assert await firm.tabs() == {"mine": 0, "all": 0}
    assert (await firm.get(f"/v1/clients/{client_id}", firm.accountant)).status == 404
    kept = (await firm.get(f"/v1/clients/{client_id}")).body
    assert (kept["status"], kept["missing_receipts"], kept["assignees"]) == ("ended", None, [])


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 400, "malformed"),
        (b'{"assign": NaN}', 400, "malformed"),
        (b"[" * 101 + b"]" * 101, 400, "malformed"),
        (b'{"assign": "tom"}', 422, "invalid"),
        (b'{"assign": [{"$ne": 1}]}', 422, "invalid"),
        (b"[]", 422, "invalid"),
        (b'{"assign": ["' + b"x" * 70_000 + b'"]}', 413, "too_large"),
    ],
)
async def test_any_body_gets_a_coded_problem(firm: Firm, outside: Outside, body: bytes, status: int, code: str) -> None:
    """E1: never a 5xx, never an echo."""
    client_id = await firm.invited_by("Hoffmann Bau")
    answer = await outside.call("POST", f"/v1/invitations/{client_id}/accept", firm.admin, body)
    assert (answer.status, answer.code) == (status, code)
    assert answer.headers["Content-Type"].startswith("application/problem+json")


async def test_a_bad_token_is_told_so(firm: Firm, outside: Outside) -> None:
    """Contract, "Who calls": 401 with WWW-Authenticate for none, forged and expired ones; 403 for one of another firm."""
    for token in (None, "nonsense", firm.admin[:-4] + "AAAA", await outside.token(firm.leyla, exp=1)):
        answer = await outside.call("GET", "/v1/tabs", token)
        assert (answer.status, answer.code) == (401, "unauthenticated")
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    foreign = await outside.call("GET", "/v1/tabs", await outside.token(firm.leyla, firm_id="another"))
    assert (foreign.status, foreign.code) == (403, "not_a_member")


async def test_foreign_and_absent_clients_look_alike(firm: Firm, outside: Outside) -> None:
    """E1: 404, byte for byte but for the trace."""
    other = await outside.firm()
    foreign = await firm.get(f"/v1/clients/{await other.client('Kühn Bau')}")
    absent = await firm.get("/v1/clients/absent")
    odd = await firm.get("/v1/clients/a.b%00")
    for answer in (foreign, absent, odd):
        assert answer.status == 404
        answer.body.pop("trace_id")
    assert foreign.body == absent.body == odd.body


@pytest.mark.parametrize(
    "query", ["", "?tab=x", "?tab=all&limit=0", "?tab=all&limit=201", "?tab=mine&unassigned=true", "?tab=all&sort=x"]
)
async def test_a_wrong_parameter_is_named(firm: Firm, query: str) -> None:
    """Contract, section 1: 422 ``invalid`` with an entry per wrong parameter."""
    answer = await firm.get(f"/v1/clients{query}")
    assert (answer.status, answer.code) == (422, "invalid")
    assert answer.body["errors"]


async def test_a_cursor_belongs_to_its_question(firm: Firm) -> None:
    """L5: another tab's, another sort's or an invented cursor is ``bad_cursor``."""
    for name in ("Eins", "Zwei", "Drei"):
        await firm.client(name, firm.leyla)
    cursor = (await firm.get("/v1/clients?tab=all&limit=1")).body["next_cursor"]
    for path in (f"tab=mine&cursor={cursor}", f"tab=all&sort=-name&cursor={cursor}", "tab=all&cursor=abc"):
        answer = await firm.get(f"/v1/clients?{path}")
        assert (answer.status, answer.code) == (400, "bad_cursor")
