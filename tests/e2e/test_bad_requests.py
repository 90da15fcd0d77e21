"""What bad requests get before anybody looks into their body: methods, addresses, queries, heads, tokens (E1, E2)."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.e2e.portal import Firm, Outside
from tests.e2e.refusals import field_of, is_problem


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("DELETE", "/v1/tabs", "GET, HEAD"),
        ("GET", "/v1/onboarding", "POST"),
        ("PATCH", "/v1/clients/x/notifications", "GET, HEAD, PUT"),
        ("PUT", "/v1/clients/x/assignments/y", "DELETE"),
        ("OPTIONS", "/v1/me", "GET, HEAD"),
        ("TRACE", "/v1/me", "GET, HEAD"),
        ("POST", "/openapi.json", "GET, HEAD"),
    ],
)
async def test_a_wrong_method_is_told_the_right_ones(firm: Firm, method: str, path: str, allow: str) -> None:
    """E1: 405 with Allow, with and without a token."""
    for token in (None, firm.admin):
        answer = await firm.outside.call(method, path, token)
        is_problem(answer, 405, "method_not_allowed")
        assert sorted(answer.headers["Allow"].split(", ")) == allow.split(", ")


@pytest.mark.parametrize(
    "path",
    [
        "/v1",
        "/v1/",
        "/v1/tabs/",
        "//v1/tabs",
        "/v2/tabs",
        "/v1/clients/",
        "/.env",
        "/door/caller",
        "/%00",
        "/\u00e9",
        "/a%0d%0ab",
    ],
)
async def test_an_unknown_address_has_no_route(firm: Firm, path: str) -> None:
    """Contract: 404 ``no_route``; our services' own doors are not public."""
    is_problem(await firm.get(path), 404, "no_route")


ODD_IDS = [
    "x" * 65,
    "a.b",
    "a b",
    "%20",
    "%00",
    "%0a",
    "$ne",
    "{}",
    "%7b%22$ne%22:1%7d",
    "..%2e",
    "é",
    "%ff",
    "a%3Cb%3E",
    "a;b",
    "a%25b",
    "*",
]


@pytest.mark.parametrize("odd", ODD_IDS)
async def test_an_odd_id_is_as_unknown_as_any_other(firm: Firm, odd: str) -> None:
    """E1: ids are at most 64 of ``A-Za-z0-9_-``; every other is 404 and looks the same."""
    asked = [("GET", "/v1/clients/{}"), ("GET", "/v1/clients/{}/notifications"), ("GET", "/v1/commands/{}")]
    asked += [("POST", "/v1/clients/{}/access"), ("POST", "/v1/invitations/{}/decline"), ("POST", "/v1/onboarding/{}/resend")]
    for method, path in asked:
        answer = await firm.outside.call(method, path.format(odd), firm.admin)
        is_problem(answer, 404, "not_found")
        absent = await firm.outside.call(method, path.format("absent"), firm.admin)
        assert {**absent.body, "trace_id": ""} == {**answer.body, "trace_id": ""}


@pytest.mark.parametrize("path", ["a%2Fb", "..%2F..%2Fmetrics", "%2e%2e", "a%5Cb"])
async def test_a_path_goes_nowhere_else(firm: Firm, path: str) -> None:
    """E1: whatever a slash or dots are written as, no other endpoint answers."""
    answer = await firm.get(f"/v1/clients/{path}")
    assert (answer.status, answer.code) in ((404, "not_found"), (404, "no_route"))


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("", "tab"), ("tab=x", "tab"), ("tab=%00", "tab"), ("tab[$ne]=all", "tab"), ("tab=all&limit=0", "limit"),
        ("tab=all&limit=201", "limit"), ("tab=all&limit=1e2", "limit"), ("tab=all&limit=%D9%A3", "limit"),
        ("tab=all&limit=", "limit"),
        ("tab=all&limit=-1", "limit"), ("tab=all&sort=x", "sort"), ("tab=all&sort=", "sort"),
        ("tab=mine&unassigned=true", "unassigned"),
        ("tab=all&missing_receipts=yes", "missing_receipts"), ("tab=all&assignee=a.b", "assignee"),
        ("tab=mine&assignee=x", "assignee"),
        ("tab=all&search=" + "x" * 101, "search"),
    ],
)  # fmt: skip
async def test_a_wrong_parameter_is_named(firm: Firm, query: str, field: str) -> None:
    """Contract: 422 with an entry per wrong parameter, for the page and for the export alike."""
    for path in ("/v1/clients", "/v1/clients/export"):
        if path.endswith("export") and field == "limit":
            continue
        answer = await firm.get(f"{path}?{query}")
        is_problem(answer, 422, "invalid")
        assert field in field_of(answer)


@pytest.mark.parametrize(
    "query", ["%", "%zz", "&&==", "tab=all&tab=%ff", "tab=all&x=" + "y" * 20_000, "tab=all&search=%00%0a<b>"]
)
async def test_no_query_breaks_anything(firm: Firm, query: str) -> None:
    """E1: never a 5xx."""
    answer = await firm.get(f"/v1/clients?{query}")
    assert answer.status in (200, 422), answer


@pytest.mark.parametrize("cursor", ["", "x", "%00", "e30", "W10", "A" * 5000, "é", "bnVsbA"])
async def test_an_invented_cursor_is_told_so(firm: Firm, cursor: str) -> None:
    """L5: 400 ``bad_cursor``, at every list."""
    for path in ("/v1/clients?tab=all&cursor=", "/v1/me/deliveries?cursor="):
        is_problem(await firm.get(path + cursor), 400, "bad_cursor")


async def raw(outside: Outside, request: bytes) -> bytes:
    """Return what comes back for *request*, byte for byte as written."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(outside.url.rpartition(":")[2]))
    try:
        writer.write(request)
        async with asyncio.timeout(10):
            return await reader.read(4096)
    except ConnectionError:
        return b""
    finally:
        writer.close()


async def test_a_flood_of_headers_ends_early(outside: Outside) -> None:
    """E1: a head that does not end is refused with a problem, and the next caller is served."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(outside.url.rpartition(":")[2]))
    writer.write(b"GET /v1/me HTTP/1.1\r\nHost: x\r\n")
    for number in range(2_000):
        writer.write(b"X-Flood-%d: %s\r\n" % (number, b"y" * 200))
        if number % 100 == 0:
            await writer.drain()
    async with asyncio.timeout(10):
        said = await reader.read(4096)
    writer.close()
    assert said.startswith(b"HTTP/1.1 431 "), said
    assert b"application/problem+json" in said
    at_once = await raw(outside, b"GET /%s HTTP/1.1\r\nHost: x\r\n\r\n" % (b"x" * 70_000))
    assert at_once.startswith(b"HTTP/1.1 431 "), at_once
    assert (await outside.call("GET", "/v1/me")).status == 401


@pytest.mark.parametrize(
    "request_line",
    [
        b"GET",
        b"\x00\x01\x02",
        b"GET /v1/me HTTP/9.9",
        b"GET /\xff HTTP/1.1",
        b"GET http:// HTTP/1.1",
        b"OPTIONS * HTTP/1.1",
        b"<b>",
    ],
)
async def test_what_is_no_http_gets_an_answer_in_kind(outside: Outside, request_line: bytes) -> None:
    """E1: a 4xx problem, and nothing of it repeated."""
    said = await raw(outside, request_line + b"\r\nHost: x\r\n\r\n")
    assert said[9:10] == b"4", said
    assert b"application/problem+json" in said
    assert b"<b>" not in said


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Bearer",
        "Bearer ",
        "Basic bGV5bGE6eA==",
        "Bearer a.b.c",
        "Bearer x y",
        "bearer",
        "Bearer " + "a" * 10_000,
        "Bearer \u00e4",
        "Digest x",
    ],
)
async def test_an_odd_authorization_is_unauthenticated(outside: Outside, authorization: str) -> None:
    """Contract, "Who calls": 401 with WWW-Authenticate at every kind of endpoint, before anything else is looked at."""
    for method, path in (
        ("GET", "/v1/me"),
        ("POST", "/v1/clients/a.b/access"),
        ("POST", "/v1/access-grants/redeem"),
        ("GET", "/v1/stream"),
    ):
        answer = await outside.call(method, path, body=b"{", headers={"Authorization": authorization})
        is_problem(answer, 401, "unauthenticated")
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": 1}, {"exp": None}, {"exp": "x"}, {"exp": True}, {"exp": 1e18}, {"nbf": 4_000_000_000}, {"nbf": "x"}, {"iss": "x"},
        {"iss": None},
        {"iss": ["x"]}, {"aud": "x"}, {"aud": None}, {"aud": {}}, {"aud": 5}, {"sub": None}, {"sub": 5}, {"sub": ["x"]},
        {"sub": ""}, {"firm_id": 5}, {"firm_id": {"$ne": 1}}, {"iat": 4_000_000_000},
    ],
)  # fmt: skip
async def test_a_token_with_odd_claims_does_not_count(firm: Firm, outside: Outside, claims: dict[str, Any]) -> None:
    """Contract: `iss`, `aud`, `exp`, `nbf` are checked, types too: 401."""
    is_problem(await outside.call("GET", "/v1/me", await outside.token(firm.leyla, **claims)), 401, "unauthenticated")


@pytest.mark.parametrize("claims", [{"sub": "$ne"}, {"sub": "\u0000"}, {"firm_id": ""}, {"firm_id": "a.b"}, {"sub": "x" * 3000}])
async def test_a_token_of_nobody_is_no_members(firm: Firm, outside: Outside, claims: dict[str, Any]) -> None:
    """Contract: a good token whose member is unknown is 403, whatever the id looks like."""
    is_problem(await outside.call("GET", "/v1/me", await outside.token(firm.leyla, **claims)), 403, "not_a_member")


async def test_claims_of_more_than_one_kind_count_by_the_contract(firm: Firm, outside: Outside) -> None:
    """An audience may be a list; a scope of another type is none; fractions of a second are seconds."""
    for claims in (
        {"aud": ["x", "partner-portal"]},
        {"scope": 5},
        {"scope": ["portal:service"]},
        {"nbf": 1.5},
        {"locale": "<b>"},
    ):
        assert (await outside.call("GET", "/v1/me", await outside.token(firm.leyla, **claims))).status == 200, claims


async def test_a_caller_who_hangs_up_midway_harms_nobody(firm: Firm, outside: Outside) -> None:
    """E1: half a body is no body."""
    client_id = await firm.client("Halb Bau")
    head = f"POST /v1/clients/{client_id}/assignments HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {firm.admin}\r\n"
    head += "Content-Type: application/json\r\nContent-Length: 500\r\n\r\n{"
    _, writer = await asyncio.open_connection("127.0.0.1", int(outside.url.rpartition(":")[2]))
    writer.write(head.encode())
    await writer.drain()
    writer.close()
    lying = head.replace("Content-Length: 500", "Content-Length: -5").encode()
    assert (await raw(outside, lying))[9:12] in (b"400", b"413")
    both = head.replace("Content-Length: 500", "Content-Length: 5\r\nTransfer-Encoding: chunked").encode()
    assert (await raw(outside, both))[9:10] in (b"4", b"")
    assert (await firm.get(f"/v1/clients/{client_id}")).body["assignees"] == []


async def test_no_bad_input_left_a_fault_behind(outside: Outside) -> None:
    """E1: after all of the above no service has counted a 5xx but for parts that were taken away on purpose."""
    lines = (await outside.metrics("gateway")).splitlines()
    assert not [line for line in lines if line.startswith("portal_http_requests_total") and 'status="500"' in line]
