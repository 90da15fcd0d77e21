"""The door itself: commands and their keys, limits, languages, what is told to whom (contract, section 1)."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.e2e.portal import Answer, Firm, Outside
from tests.system import eventually


def bare(answer: Answer) -> tuple[int, dict[str, Any], dict[str, str]]:
    """Return an answer without what belongs to this one request alone."""
    body = {name: value for name, value in answer.body.items() if name != "trace_id"}
    return answer.status, body, {k: v for k, v in answer.headers.items() if k not in ("Date", "Content-Length")}


@pytest.mark.parametrize(
    ("prefer", "applied"),
    [
        ("wait=99", "wait=10"),
        ("wait=10", "wait=10"),
        ("WAIT=7", "wait=7"),
        ("respond-async, wait=5", "wait=5"),
        ('wait="4"; strict=1', "wait=4"),
        ("wait=0", "wait=0"),
        ("wait=-1", None),
        ("wait=x", None),
        ("wait", None),
        ("return=minimal", None),
    ],
)
async def test_a_caller_says_how_long_to_wait(firm: Firm, prefer: str, applied: str | None) -> None:
    """Contract: N seconds, at most 10, answered by Preference-Applied; what is no wait is not waited for (RFC 7240)."""
    client_id = await firm.client("Krüger Bau")
    path = f"/v1/clients/{client_id}/assignments"
    answer = await firm.outside.call("POST", path, firm.admin, {"member_id": firm.tom}, {"Prefer": prefer})
    assert answer.headers.get("Preference-Applied") == applied
    assert answer.headers["Location"] == f"/v1/commands/{answer.body['command_id']}"
    if applied in (None, "wait=0"):
        assert (answer.status, answer.body) == (202, {"command_id": answer.body["command_id"], "status": "pending"})
    else:
        assert (answer.status, answer.body["status"], answer.body["result"]) == (200, "succeeded", {})


async def test_a_status_tells_what_became_of_a_command(firm: Firm) -> None:
    """Contract: pending, succeeded, or refused with code and a sentence in the member's language; all fields, always."""
    client_id = await firm.invited_by("Vogt Bau")
    path = f"/v1/invitations/{client_id}/accept"
    first = await firm.outside.call("POST", path, firm.admin, {"assign": []})
    second = await firm.post(path, {"assign": []})
    assert (second.status, second.code) == (409, "already_answered")
    done = await firm.get(first.headers["Location"])
    refused = await firm.get(second.headers["Location"])
    assert {**done.body, "result": None} == {
        "command_id": first.body["command_id"], "status": "succeeded", "code": None, "detail": None, "result": None,
    }  # fmt: skip
    assert refused.body == {
        "command_id": second.body["command_id"], "status": "refused", "code": "already_answered",
        "detail": "Diese Einladung ist schon beantwortet.", "result": None,
    }  # fmt: skip


async def test_a_foreign_command_looks_like_none(firm: Firm, outside: Outside) -> None:
    """E1: of a colleague, of another firm, never issued, of odd form: byte for byte alike but for the trace."""
    other = await outside.firm()
    command_id = (await other.post(f"/v1/clients/{await other.client('Kühn Bau')}/access")).body["command_id"]
    ours = (await firm.post(f"/v1/clients/{await firm.client('Kühn Bau')}/access")).body["command_id"]
    paths = [command_id, uuid.uuid4().hex, "x" * 65, "a.b", "%00", "é"]
    answers = [await firm.get(f"/v1/commands/{path}") for path in paths]
    answers.append(await firm.get(f"/v1/commands/{ours}", firm.accountant))
    assert [answer.status for answer in answers] == [404] * 7
    assert all(bare(answer) == bare(answers[0]) for answer in answers)


@pytest.mark.parametrize("key", ["", " " * 0 + "k" * 129, "schlüssel", "a\tb", "\u00a0"])
async def test_a_key_of_another_form_is_named(firm: Firm, key: str) -> None:
    """Contract: 1–128 printable ASCII characters; else 422 with the header as its field, and no command."""
    client_id = await firm.client("Weber Bau")
    answer = await firm.post(f"/v1/clients/{client_id}/access", Idempotency_Key=key)
    assert (answer.status, answer.code) == (422, "invalid")
    assert [error["field"] for error in answer.body["errors"]] == ["Idempotency-Key"]
    assert "command_id" not in answer.body


async def test_a_refusal_before_publishing_is_not_remembered(firm: Firm) -> None:
    """Contract: without a command_id it was no command; the same key may go on with a body that is right."""
    client_id = await firm.client("Kühn Bau")
    path, key = f"/v1/clients/{client_id}/assignments", uuid.uuid4().hex
    wrong = await firm.post(path, {"member_id": 5}, Idempotency_Key=key)
    assert (wrong.status, "command_id" in wrong.body) == (422, False)
    right = await firm.post(path, {"member_id": firm.tom}, Idempotency_Key=key)
    assert right.status == 200
    assert (await firm.post(path, {"member_id": firm.tom}, Idempotency_Key=key)).body == right.body


async def test_two_spellings_of_a_body_are_the_same_retry(firm: Firm, outside: Outside) -> None:
    """Contract, canonical JSON: order, spaces, escapes and forms of numbers make no other body; a value does."""
    client_id = await firm.client("Jäger Bau", firm.tom)
    path, key = f"/v1/clients/{client_id}/reminders", uuid.uuid4().hex
    headers = {"Idempotency-Key": key, "Prefer": "wait=10"}
    spellings = [
        '{"tasks": ["export_ready"], "comment": "für dich", "ignored": 1}',
        '{ "ignored":1.0,"comment":"f\\u00fcr dich","tasks":["export_ready"] }',
        '{"tasks":["export_ready"],"comment":"f\\u00FCr dich","ignored":1e0}',
    ]
    answers = [await outside.call("POST", path, firm.admin, spelling.encode(), headers) for spelling in spellings]
    assert [answer.status for answer in answers] == [201] * 3
    assert len({answer.body["command_id"] for answer in answers}) == 1
    other = await outside.call("POST", path, firm.admin, {"tasks": ["export_ready"], "comment": "für Sie"}, headers)
    assert (other.status, other.code) == (422, "idempotency_key_reused")


async def test_a_key_belongs_to_its_member_method_and_path(firm: Firm) -> None:
    """Contract: the same key of another member, or at another path, is another command."""
    one, two = await firm.client("Eins Bau", firm.tom), await firm.client("Zwei Bau", firm.tom)
    key = uuid.uuid4().hex
    paths = [(f"/v1/clients/{one}/access", firm.admin), (f"/v1/clients/{two}/access", firm.admin)]
    paths.append((f"/v1/clients/{one}/access", firm.accountant))
    answers = [await firm.post(path, None, token, Idempotency_Key=key) for path, token in paths]
    assert [answer.status for answer in answers] == [201] * 3
    assert len({answer.body["command_id"] for answer in answers}) == 3


async def test_a_services_key_belongs_to_its_sub(firm: Firm, outside: Outside) -> None:
    """A3, contract: the winner's retry gets the same answer; another service's same key is another wish, and too late."""
    client_id = await firm.client("Lindner Bau", firm.tom)
    granted = await firm.post(f"/v1/clients/{client_id}/access", token=firm.accountant)
    body = {"token": granted.body["result"]["url"].split("#token=")[1]}
    product = await outside.service_token()
    other = (await outside.call("POST", "/dev/login", body={"service": "another"})).body["access_token"]
    headers = {"Idempotency-Key": uuid.uuid4().hex}
    path = "/v1/access-grants/redeem"
    answers = await asyncio.gather(*(outside.call("POST", path, product, body, headers) for _ in range(8)))
    assert {answer.status for answer in answers} == {200}
    assert all(answer.body == answers[0].body for answer in answers)
    again = await outside.call("POST", path, await outside.service_token(), body, headers)
    assert (again.status, again.body) == (200, answers[0].body)
    late = await outside.call("POST", path, other, body, headers)
    assert (late.status, late.code) == (410, "grant_invalid")
    reused = await outside.call("POST", path, product, {"token": "x" * 43}, headers)
    assert (reused.status, reused.code) == (422, "idempotency_key_reused")


async def test_a_members_token_and_a_services_are_not_exchanged(firm: Firm, outside: Outside) -> None:
    """Contract, "Who calls": a service is no member, a member no service, whatever else their tokens say."""
    product = await outside.service_token()
    for method, path in (("GET", "/v1/tabs"), ("GET", "/v1/stream"), ("POST", "/v1/clients/x/access"), ("GET", "/v1/commands/x")):
        answer = await outside.call(method, path, product)
        assert (answer.status, answer.code) == (403, "not_a_member"), path
    scoped = await outside.token(firm.tom, scope="portal:service")
    unscoped = await outside.token(firm.tom, firm_id=None)
    for token in (firm.admin, scoped, unscoped):
        for path in ("/v1/access-grants/redeem", "/v1/onboarding-links/resolve"):
            answer = await outside.call("POST", path, token, {"token": "x"})
            assert (answer.status, answer.code) == (403, "service_only")
    assert (await outside.call("GET", "/v1/me", scoped)).status == 200
    assert (await outside.call("GET", "/v1/me", unscoped)).code == "not_a_member"


async def test_a_token_of_another_firm_opens_nothing(firm: Firm, outside: Outside) -> None:
    """T10: the member is looked up at the firm that the token names."""
    other = await outside.firm()
    token = await outside.token(firm.leyla, firm_id=other.id)
    for path in ("/v1/me", "/v1/tabs", "/v1/stream", "/v1/clients?tab=all", "/v1/clients/x", "/v1/commands/x"):
        answer = await outside.call("GET", path, token)
        assert (answer.status, answer.code) == (403, "not_a_member"), path


async def test_the_order_of_checks(firm: Firm, outside: Outside) -> None:
    """E2: 401, then not_a_member, then the path's id, then admin_only, then the body."""
    client_id = await firm.client("Reuter Bau", firm.tom)
    hidden = await firm.client("Ahrens Bau")
    foreign = await outside.token(firm.tom, firm_id="another")
    bad = b"{"
    asked = [
        ("none", "absent", 401, "unauthenticated"),
        (foreign, "absent", 403, "not_a_member"),
        (firm.accountant, "absent", 404, "not_found"),
        (firm.accountant, "no.id", 404, "not_found"),
        (firm.accountant, hidden, 404, "not_found"),
        (firm.accountant, client_id, 403, "admin_only"),
        (firm.admin, "absent", 404, "not_found"),
        (firm.admin, client_id, 400, "malformed"),
    ]
    for token, subject, status, code in asked:
        for path in (
            f"/v1/clients/{subject}/assignments",
            f"/v1/clients/{subject}/disconnect",
            f"/v1/clients/{subject}/reminders",
        ):
            answer = await outside.call("POST", path, token, bad)
            assert (answer.status, answer.code) == (status, code), (path, code)


async def test_a_member_asks_so_often_and_no_more(firm: Firm, beside: Outside) -> None:
    """E4: a setting, here 20 a second; then 429 with Retry-After in the member's language, and others are served."""
    english = await beside.firm(locale="en-GB")
    assert (await beside.call("GET", "/v1/commands/x", english.admin)).code == "not_found"
    answers = await asyncio.gather(*(beside.call("GET", "/v1/me", english.admin) for _ in range(80)))
    refused = [answer for answer in answers if answer.status == 429]
    assert len(refused) >= 20
    assert {answer.status for answer in answers} == {200, 429}
    assert {answer.code for answer in refused} == {"too_many_requests"}
    assert all(int(answer.headers["Retry-After"]) >= 1 for answer in refused)
    assert {answer.body["detail"] for answer in refused} == {"Too many requests. Please wait a moment."}
    assert (await beside.call("GET", "/v1/me", firm.accountant)).status == 200

    async def served() -> bool:
        return (await beside.call("GET", "/v1/me", english.admin)).status == 200

    await eventually(served)


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_body_of_64_kib_passes_and_one_byte_more_does_not(firm: Firm, outside: Outside, chunked: bool) -> None:
    """E4: whether its length is told or not; a body that nothing is read from counts as well."""
    client_id = await firm.client("Petersen Bau")

    async def ask(path: str, size: int) -> int:
        body = b'{"member_id": "' + firm.tom.encode() + b'"}'
        body += b" " * (size - len(body))

        async def pieces() -> AsyncIterator[bytes]:
            for start in range(0, size, 9_000):
                yield body[start : start + 9_000]

        headers = {"Authorization": f"Bearer {firm.admin}", "Content-Type": "application/json", "Prefer": "wait=10"}
        data = pieces() if chunked else body
        async with outside.http.post(outside.url + path, data=data, headers=headers) as answer:
            return answer.status

    for path, good in ((f"/v1/clients/{client_id}/assignments", 200), (f"/v1/clients/{client_id}/access", 201)):
        assert await ask(path, 65_536) == good
        assert await ask(path, 65_537) == 413


async def test_a_problem_is_told_in_the_members_language(outside: Outside) -> None:
    """G1, E1: German and English by locale, the same codes; with its media type, its status and a trace."""
    told = {}
    for locale in ("de-AT", "en", None):
        firm = await outside.firm(locale=locale)
        client_id = await firm.client("Strauß Bau")
        answers = [
            await firm.get("/v1/clients/absent"),
            await firm.post(f"/v1/clients/{client_id}/assignments", {"member_id": 5}),
            await firm.post(f"/v1/clients/{client_id}/assignments", b"{"),
            await firm.post(f"/v1/clients/{client_id}/assignments", {"member_id": "nobody"}),
            await firm.post(f"/v1/clients/{client_id}/reminders", {"tasks": []}),
            await firm.get("/v1/clients?tab=all", firm.accountant),
        ]
        for answer in answers:
            assert answer.headers["Content-Type"] == "application/problem+json"
            assert answer.headers["Cache-Control"] == "no-store"
            assert answer.body["status"] == answer.status
            assert len(answer.body["trace_id"]) == 32
            assert answer.body["type"] == f"urn:portal:problem:{answer.code}"
        told[locale] = [(answer.code, answer.body["detail"]) for answer in answers]
        assert [code for code, _ in told[locale]] == [
            "not_found", "invalid", "malformed", "unknown_member", "no_task", "tab_not_allowed",
        ]  # fmt: skip
    assert told["de-AT"] == told[None]
    assert all(german != english for (_, german), (_, english) in zip(told[None], told["en"], strict=True))
