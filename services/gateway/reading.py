"""Reading what was sent: sizes, types, JSON and its depth, headers; whatever is wrong gets its problem, never a 5xx (E1)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, TypeVar

import orjson
from pydantic import BaseModel, ValidationError
from starlette.requests import ClientDisconnect, Request

from shared.problems import FieldError, Problem, field_errors

MAX_DEPTH = 100
MAX_WAIT = 10
_WAIT = re.compile(r'\s*wait\s*=\s*"?(\d+)"?\s*(?:;.*)?', re.IGNORECASE | re.ASCII)
_KEY = re.compile(r"[\x20-\x7e]{1,128}")

B = TypeVar("B", bound=BaseModel)


async def read_body(request: Request, required: bool, most: int) -> bytes:
    """Return the body, *most* bytes at most; raises 413, and 415 where a body is *required* and is not said to be JSON (E4)."""
    if required and not is_json(request.headers.get("content-type", "")):
        raise Problem(415, "unsupported_media_type")
    length = request.headers.get("content-length", "0")
    if length.isascii() and length.isdigit() and (len(length) > 12 or int(length) > most):
        raise Problem(413, "too_large")
    read = bytearray()
    try:
        async for chunk in request.stream():
            read += chunk
            if len(read) > most:
                raise Problem(413, "too_large")
    except ClientDisconnect as gone:
        raise Problem(400, "malformed") from gone
    return bytes(read)


def is_json(content_type: str) -> bool:
    """Say whether a content type is JSON's."""
    kind = content_type.partition(";")[0].strip().lower()
    return kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))


def parsed(body: bytes) -> Any:
    """Return *body* as JSON; raises 400 ``malformed`` for what is none and for what is nested deeper than 100."""
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as wrong:
        raise Problem(400, "malformed") from wrong
    if deeper(value, MAX_DEPTH):
        raise Problem(400, "malformed")
    return value


def loosely(body: bytes) -> Any:
    """Return a body that nothing is read from, for comparing it with a retry's: nothing, ``null`` and ``{}`` are the same.

    What is no JSON, or nested too deeply to be worth a look, compares byte by byte.
    """
    try:
        return parsed(body) or None
    except Problem:
        return body.decode("latin-1") or None


def deeper(value: Any, depth: int) -> bool:
    """Say whether arrays and objects are nested deeper than *depth* in *value*; without recursion, as it is hostile."""
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(depth):
        level = [inner for outer in level for inner in _within(outer) if isinstance(inner, dict | list)]
        if not level:
            return False
    return True


def _within(value: dict[str, Any] | list[Any]) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value


def checked(model: type[B], body: bytes) -> B:
    """Return *body* as *model*; raises 422 with one entry per wrong field."""
    try:
        return model.model_validate_json(body)
    except ValidationError as wrong:
        raise Problem(422, "invalid", errors=field_errors(wrong)) from wrong
    except (ValueError, RecursionError) as wrong:
        raise Problem(400, "malformed") from wrong


def preferred_wait(prefer: str | None) -> int | None:
    """Return the seconds of ``Prefer: wait=N``, at most 10; None if it is not asked for (RFC 7240)."""
    for preference in (prefer or "").split(","):
        match = _WAIT.fullmatch(preference)
        if match:
            return MAX_WAIT if len(match[1].lstrip("0")) > 2 else min(MAX_WAIT, int(match[1][-3:]))
    return None


def key_is_good(key: str) -> bool:
    """Say whether *key* has the form of an Idempotency-Key: 1–128 printable ASCII characters."""
    return _KEY.fullmatch(key) is not None


def wrong_key() -> Problem:
    """Return the 422 for an Idempotency-Key of another form."""
    said = "must be 1 to 128 printable ASCII characters"
    return wrong_field("Idempotency-Key", "invalid", said, "muss aus 1 bis 128 druckbaren ASCII-Zeichen bestehen")


def wrong_field(field: str, code: str, detail: str, german: str | None = None) -> Problem:
    """Return the 422 for one wrong field."""
    return Problem(422, "invalid", errors=[FieldError(field, code, detail, german)])
