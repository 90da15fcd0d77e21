"""What bad input gets: its problem, never a 5xx (E1)."""

from __future__ import annotations

import pytest
from starlette.requests import Request

from services.gateway.reading import deeper, is_json, key_is_good, loosely, parsed, preferred_wait, read_body
from services.gateway.routes.unsubscribe import _multipart
from services.gateway.store import body_hash
from shared.problems import Problem


def nested(depth: int) -> bytes:
    return b"[" * depth + b"]" * depth


NONE = [
    b"",
    b"{",
    b"NaN",
    b'{"a": NaN}',
    b'{"a": 1e999}',
    b'{"a": -Infinity}',
    b'{"a": 1' + b"0" * 400 + b"}",
    b"\xff\xfe",
    b'"\\ud800"',
    b"\xef\xbb\xbf{}",
    nested(101),
    nested(50_000),
]


@pytest.mark.parametrize("body", NONE)
def test_what_is_no_json_is_malformed(body: bytes) -> None:
    """Section 1: JSON that is none, and nesting deeper than 100, are 400."""
    with pytest.raises(Problem) as refused:
        parsed(body)
    assert (refused.value.status, refused.value.code) == (400, "malformed")


def test_a_hundred_levels_are_still_read() -> None:
    """The limit itself is allowed, whatever the levels are made of."""
    assert not deeper(parsed(nested(100)), 100)
    mixed = parsed(b'{"a":[' * 50 + b"1" + b"]}" * 50)
    assert not deeper(mixed, 100)
    assert deeper([mixed], 100)


@pytest.mark.parametrize(
    ("prefer", "seconds"),
    [
        (None, None),
        ("wait=5", 5),
        ("respond-async, wait=3", 3),
        ('Wait = "7"', 7),
        ("wait=0", 0),
        ("wait=11", 10),
        ("wait=" + "9" * 5000, 10),
        ("wait=0007", 7),
        ("wait=-1", None),
        ("wait=x", None),
        ("wait=٣", None),
        ("await=5", None),
    ],
)
def test_a_wait_is_read_as_rfc_7240_writes_it(prefer: str | None, seconds: int | None) -> None:
    """More than 10 counts as 10; what is no wait is not asked for."""
    assert preferred_wait(prefer) == seconds


def test_an_idempotency_key_is_short_and_printable() -> None:
    """1–128 printable ASCII characters."""
    assert key_is_good("a")
    assert key_is_good("~" * 128)
    assert not any(map(key_is_good, ["", "a" * 129, "ä", "a\tb", "a\n"]))


def test_json_is_said_in_more_ways_than_one() -> None:
    """A charset or a suffix changes nothing."""
    assert all(map(is_json, ["application/json", "Application/JSON; charset=utf-8", "application/merge-patch+json"]))
    assert not any(map(is_json, ["", "text/plain", "application/x-www-form-urlencoded", "text/json+x"]))


def test_a_body_nobody_reads_compares_by_what_it_says() -> None:
    """An empty body, null and {} are the same retry."""
    assert loosely(b"") is None
    assert loosely(b"{}") is loosely(b"null") is None
    assert loosely(b'{"a":1}') != loosely(b"\xff")


@pytest.mark.parametrize("levels", [101, 254, 300, 1000, 1024, 5000])
def test_a_body_nobody_reads_may_be_nested_as_deep_as_it_likes(levels: int) -> None:
    """E1: it compares byte by byte then; nothing walks into it."""
    deep = b"[" * levels + b"]" * levels
    assert body_hash(loosely(deep)) == body_hash(loosely(deep)) != body_hash(loosely(b"[" + deep + b"]"))


def asked(chunks: list[bytes], headers: dict[str, str]) -> Request:
    messages = [{"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks]
    messages.append({"type": "http.request", "body": b"", "more_body": False})

    async def receive() -> dict[str, object]:
        return messages.pop(0)

    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "method": "POST", "path": "/", "headers": raw}, receive)


@pytest.mark.parametrize("headers", [{}, {"content-length": "70000"}, {"content-length": "9" * 400}])
async def test_a_body_of_more_than_64_kib_is_refused_while_it_is_read(headers: dict[str, str]) -> None:
    """E4: whatever its length says, or does not say."""
    with pytest.raises(Problem) as refused:
        await read_body(asked([b"x" * 60_000, b"x" * 6_000], {"content-type": "application/json", **headers}), True, 65_536)
    assert refused.value.status == 413


PART = b'--x\r\nContent-Disposition: form-data; name="scope"\r\n%s\r\nall\r\n--x--\r\n'
ODD_PARTS = [
    PART % b"Content-Type: text/plain; charset=nonsense\r\n",
    PART % b"Content-Type: multipart/mixed; boundary=y\r\n",
    PART % b"Content-Type: message/rfc822\r\n",
    PART % b"Content-Transfer-Encoding: base64\r\n",
    PART % b"Content-Type: application/octet-stream\r\n",
    b"--x\r\n\xff\xfe: \x00\r\n\r\n--x--",
    b"no boundary at all",
    b"--x\r\n" * 5_000,
]


def _code_of(kind: str, body: bytes) -> str | None:
    """Return the code of the refusal, None if the form was read; anything else is raised."""
    try:
        _multipart(kind, body)
    except Problem as refused:
        return refused.code
    return None


@pytest.mark.parametrize("body", ODD_PARTS)
def test_a_form_in_odd_parts_is_read_or_malformed(body: bytes) -> None:
    """E1: a mail program's one click may be anybody's; nothing in it is a fault of ours."""
    for kind in ("multipart/form-data; boundary=x", "multipart/form-data", "multipart/form-data; boundary=\xff"):
        assert _code_of(kind, body) in (None, "malformed")


def test_a_form_in_parts_is_read() -> None:
    """RFC 8058: a form of either kind."""
    assert _multipart("multipart/form-data; boundary=x", PART % b"") == {"scope": "all"}


async def test_64_kib_are_read() -> None:
    """The limit itself is allowed."""
    body = await read_body(asked([b"x" * 65_536], {"content-type": "application/json"}), True, 65_536)
    assert len(body) == 65_536


async def test_a_required_body_must_be_said_to_be_json() -> None:
    """415; where none is required nobody asks."""
    with pytest.raises(Problem) as refused:
        await read_body(asked([b"{}"], {"content-type": "text/plain"}), True, 65_536)
    assert refused.value.status == 415
    assert await read_body(asked([], {}), False, 65_536) == b""
