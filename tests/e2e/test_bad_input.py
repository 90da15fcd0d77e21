"""What bad input gets: its problem at every endpoint, never a 5xx, never an echo (E1, E2, E4)."""

from __future__ import annotations

import asyncio
import json
import uuid
from typing import Any

import pytest

from tests.e2e.portal import Answer, Firm, Outside
from tests.e2e.refusals import field_of, is_problem

MARKUP = "<script>alert(1)</script>"
GOOD: dict[str, dict[str, Any]] = {
    "POST /v1/clients/{client}/assignments": {"member_id": "{tom}"},
    "POST /v1/assignments": {"client_ids": ["{client}"], "assign": ["{tom}"], "unassign": []},
    "POST /v1/invitations/{invitation}/accept": {"assign": ["{tom}"]},
    "POST /v1/clients/{client}/disconnect": {"confirm": True},
    "POST /v1/onboarding": {
        "company_name": "Atelier Nordlicht", "contact_name": "Robin Sander", "contact_email": "robin@nordlicht.example",
        "country": "DE", "client_number": "10007", "assign": ["{tom}"],
    },
    "PUT /v1/clients/{client}/notifications": {"email": True, "frequency": "daily", "even_if_nothing": False},
    "POST /v1/clients/{client}/reminders": {"tasks": ["missing_receipts"], "comment": "Bitte"},
}  # fmt: skip
"""A good body of each endpoint that takes one from a member."""

REQUIRED = {
    "POST /v1/clients/{client}/assignments": ["member_id"],
    "POST /v1/assignments": ["client_ids"],
    "POST /v1/clients/{client}/disconnect": ["confirm"],
    "POST /v1/onboarding": ["company_name", "contact_name", "contact_email", "country"],
    "PUT /v1/clients/{client}/notifications": ["email", "frequency"],
    "POST /v1/clients/{client}/reminders": ["tasks"],
}
NULLABLE = {"client_number", "comment"}
ODD: list[Any] = [
    5, -1.5, {"$ne": 1}, {"a.b": {"$where": "1"}}, [[]], [None], [5], [{"$ne": 1}], [["x"]], "\u0000", "a\u0007b",
    "a\r\nBcc: x@y.example", "\u2028", "", " ", "x" * 5000, ["x"] * 501, ["x" * 65], ["../x"], ["a b"], ["\u0000"],
    MARKUP + "\u0000",
]  # fmt: skip
"""What is right for no field of any body."""
RIGHT = {"comment": {"a\r\nBcc: x@y.example", "\u2028", "", " "}, "client_number": {" "}}
"""But these are right here: a comment may say nothing, and say it on many lines (R2)."""


class Place:
    """A firm with a client and an invitation, for the paths of the table."""

    def __init__(self, firm: Firm, client: str, invitation: str) -> None:
        self._firm = firm
        self._names = {"{client}": client, "{invitation}": invitation, "{tom}": firm.tom}

    def filled(self, text: str) -> str:
        """Return *text* with the ids of this firm in it."""
        for name, value in self._names.items():
            text = text.replace(name, value)
        return text

    async def send(self, name: str, body: Any, **headers: str) -> Answer:
        """Send *body* to an endpoint of the table; bytes go as they are."""
        method, path = self.filled(name).split(" ")
        sent = body if isinstance(body, bytes) else self.filled(json.dumps(body)).encode()
        told = {name.replace("_", "-"): value for name, value in headers.items()}
        while True:
            answer = await self._firm.outside.call(method, path, self._firm.admin, sent, told)
            if answer.code != "too_many_requests":
                return answer
            await asyncio.sleep(int(answer.headers["Retry-After"]))  # E4: these tests ask a lot


@pytest.fixture
async def place(firm: Firm) -> Place:
    """Somewhere to send things to."""
    return Place(firm, await firm.client("Müller Bau", firm.tom), await firm.invited_by("Kommt Noch"))


@pytest.mark.parametrize("name", GOOD)
async def test_no_field_of_any_body_takes_what_is_wrong(place: Place, name: str) -> None:
    """E1: wrong types, operators, control characters, lengths: 422, and the field is named."""
    for field in GOOD[name]:
        for odd in ODD if field not in NULLABLE else [*ODD, False]:
            if isinstance(odd, str) and odd in RIGHT.get(field, ()):
                continue
            answer = await place.send(name, {**GOOD[name], field: odd})
            is_problem(answer, 422, "invalid")
            assert field_of(answer) == {field}, (field, odd)


@pytest.mark.parametrize("name", REQUIRED)
async def test_no_required_field_may_be_missing_or_null(place: Place, name: str) -> None:
    """E1: absent and null are both named, all of them in one answer."""
    for field in REQUIRED[name]:
        without = {key: value for key, value in GOOD[name].items() if key != field}
        for body in (without, {**without, field: None}):
            answer = await place.send(name, body)
            is_problem(answer, 422, "invalid")
            assert field_of(answer) == {field}
    every = await place.send(name, {})
    is_problem(every, 422, "invalid")
    assert set(REQUIRED[name]) - {"frequency"} <= field_of(every)


@pytest.mark.parametrize("name", GOOD)
async def test_an_unknown_field_is_passed_over(place: Place, name: str) -> None:
    """Additions are welcome on both sides: what nobody knows is ignored, whatever its name, and counts for the key (contract)."""
    more = {
        "$where": "1",
        "a.b": 1,
        "__proto__": {"admin": True},
        "role": "admin",
        "firm_id": "another",
        "actor": {},
        "x" * 3000: 1,
    }
    key = uuid.uuid4().hex
    first = await place.send(name, {**GOOD[name], **more}, Idempotency_Key=key, Prefer="wait=10")
    assert first.status in (200, 201), first
    other = await place.send(name, GOOD[name], Idempotency_Key=key)
    is_problem(other, 422, "idempotency_key_reused")


MALFORMED = {
    "nothing": b"",
    "a brace": b"{",
    "two values": b"{} {}",
    "NaN": b'{"email": NaN}',
    "Infinity": b'{"email": Infinity}',
    "too large a number": b'{"email": 1e999}',
    "half a surrogate pair": b'{"comment": "\\ud800"}',
    "half of one, in a key": b'{"\\udc00": 1}',
    "101 arrays": b"[" * 101 + b"]" * 101,
    "101 objects": b'{"a":' * 101 + b"1" + b"}" * 101,
    "20,000 arrays": b"[" * 20_000 + b"]" * 20_000,
    "arrays without an end": b"[" * 60_000,
    "a byte order mark": b"\xef\xbb\xbf{}",
    "UTF-16": "{}".encode("utf-16"),
    "Latin-1": '{"comment": "ü"}'.encode("latin-1"),
    "an overlong form": b'{"comment": "\xc0\xaf"}',
    "a bare control character": b'{"comment": "a\nb"}',
    "single quotes": b"{'email': true}",
    "a comma too many": b'{"email": true,}',
    "a form": b"email=true&frequency=daily",
}


@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED)
async def test_what_is_no_json_is_malformed_everywhere(place: Place, body: bytes) -> None:
    """Contract: JSON that is none, and deeper nesting than 100: 400."""
    for name in GOOD:
        is_problem(await place.send(name, body), 400, "malformed")


@pytest.mark.parametrize("body", [b"[]", b"null", b"5", b'"x"', b"true", b"[" * 100 + b"]" * 100, b'[{"member_id": "x"}]'])
async def test_json_that_is_no_object_is_invalid(place: Place, body: bytes) -> None:
    """E1: it was JSON, a hundred levels are read, but nothing of that is a body."""
    for name in GOOD:
        is_problem(await place.send(name, body), 422, "invalid")


@pytest.mark.parametrize("levels", [101, 300, 1000, 30_000])
async def test_a_body_that_nobody_reads_harms_nobody(firm: Firm, outside: Outside, levels: int) -> None:
    """E1: where no body belongs, what comes all the same is passed over, however it is nested."""
    client_id = await firm.client("Tief Bau")
    nested = b"[" * levels + b"]" * levels
    key = {"Prefer": "wait=10", "Idempotency-Key": f"deep-{levels}"}
    answers = [await outside.call("POST", f"/v1/clients/{client_id}/access", firm.admin, nested, key) for _ in range(2)]
    assert [answer.status for answer in answers] == [201, 201]
    assert answers[0].body["command_id"] == answers[1].body["command_id"]


async def test_of_a_field_told_twice_the_last_counts(firm: Firm, place: Place) -> None:
    """Decided once: RFC 8259 leaves it open; checks and effect see the same one."""
    body = b'{"member_id": {"$ne": 1}, "member_id": "%s"}' % firm.tom.encode()
    assert (await place.send("POST /v1/clients/{client}/assignments", body)).status == 202
    body = b'{"member_id": "%s", "member_id": 5}' % firm.tom.encode()
    is_problem(await place.send("POST /v1/clients/{client}/assignments", body), 422, "invalid")


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "x", "*/*"]
)
async def test_a_body_of_another_type_is_refused(place: Place, kind: str) -> None:
    """Contract: 415, whatever is in it."""
    for name, body in GOOD.items():
        is_problem(await place.send(name, body, Content_Type=kind), 415, "unsupported_media_type")


async def test_json_is_json_by_every_name(place: Place) -> None:
    """A charset says nothing (RFC 8259), nor does the case."""
    for kind in ("application/json; charset=utf-8", "Application/JSON", 'application/json;charset="UTF-8"'):
        assert (await place.send("PUT /v1/clients/{client}/notifications", {"email": False}, Content_Type=kind)).status == 202


async def test_a_service_endpoint_is_as_strict(outside: Outside) -> None:
    """E1: the product's calls are checked like a member's; a token of odd form is a grant that does not count."""
    product = await outside.service_token()
    for path, code in (("/v1/access-grants/redeem", "grant_invalid"), ("/v1/onboarding-links/resolve", "link_invalid")):
        for odd in ("", "x", "x" * 5000, "\u0000", MARKUP, "../..", "é" * 43):
            is_problem(await outside.call("POST", path, product, {"token": odd}), 410, code)
        for wrong in (5, None, {"$ne": 1}, ["x"]):
            is_problem(await outside.call("POST", path, product, {"token": wrong}), 422, "invalid")
        is_problem(await outside.call("POST", path, product, {}), 422, "invalid")
        is_problem(await outside.call("POST", path, product, b"{"), 400, "malformed")
        is_problem(
            await outside.call("POST", path, product, b"{}", {"Content-Type": "text/plain"}), 415, "unsupported_media_type"
        )
        is_problem(await outside.call("POST", path, product, b" " * 65_537), 413, "too_large")


async def test_a_developers_login_is_as_strict(outside: Outside) -> None:
    """Contract: an unknown member is 404; claims that nobody can sign are 422."""
    for wrong in ({}, {"member_id": 5}, {"member_id": "x", "service": "y"}, {"service": "x", "claims": 5}):
        is_problem(await outside.call("POST", "/dev/login", body=wrong), 422, "invalid")
    for unknown in ("nobody", "a.b", "", "\u0000"):
        is_problem(await outside.call("POST", "/dev/login", body={"member_id": unknown}), 404, "not_found")
