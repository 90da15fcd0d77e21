"""The requests that became commands: remembered before they are published, so that a retry is the same command (R3).

The first of the two exceptions of invariant 1. A key counts for 24 h; the request is kept as long as its outcome (E5).
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson
from pymongo import IndexModel

from shared.clock import now
from shared.mongo import Database, duplicate

REQUESTS = "requests"
KEY_COUNTS = timedelta(hours=24)
KEPT = timedelta(days=7)
TRIES = 5
INDEXES = {
    REQUESTS: [
        IndexModel([("scope", 1)], name="once", unique=True, partialFilterExpression={"scope": {"$exists": True}}),
        IndexModel([("expires_at", 1)], name="kept", expireAfterSeconds=0),
    ]
}


@dataclass(frozen=True, slots=True)
class Request:
    """A request that became a command; *command* is its JSON, so that it can be published again byte for byte."""

    command_id: str
    scope: str | None
    body_hash: str
    firm_id: str
    member_id: str
    kind: str
    key: str
    command: str
    issued_at: datetime


def scope_of(kind: str, firm_id: str, caller: str, method: str, path: str, key: str) -> str:
    """Return where an Idempotency-Key counts: for this caller, method and path (contract, "Commands")."""
    return hashlib.sha256(orjson.dumps([kind, firm_id, caller, method, path, key])).hexdigest()


def body_hash(body: Any) -> str:
    """Return the hash of the canonical JSON of *body*: spaces, the order of fields, escapes and ``1.0`` make no other body."""
    return hashlib.sha256(orjson.dumps(_canonical(body), option=orjson.OPT_SORT_KEYS)).hexdigest()


def _canonical(value: Any) -> Any:
    """Return *value* with each number in one form (RFC 8785); the body was read, so it is nested 100 deep at most."""
    match value:
        case dict():
            return {name: _canonical(inner) for name, inner in value.items()}
        case list():
            return [_canonical(inner) for inner in value]
        case float():
            return int(value) if value.is_integer() and abs(value) < 2**63 else value
        case _:
            return value


class RequestStore:
    """The collection ``requests``; its answers are the primary's, its writes are majority."""

    def __init__(self, database: Database) -> None:
        self._requests = database[REQUESTS]

    async def load(self, command_id: str) -> Request | None:
        """Return the request of a command, or None."""
        return _request(await self._requests.find_one({"_id": command_id}))

    async def of_scope(self, scope: str) -> Request | None:
        """Return the request that holds *scope* while its key counts, or None."""
        request = _request(await self._requests.find_one({"scope": scope}))
        return request if request is not None and _counts(request) else None

    async def remember(self, request: Request) -> Request:
        """Keep *request*; return it, or the one that was quicker with the same scope."""
        for _ in range(TRIES):
            try:
                await self._requests.insert_one(_document(request))
                return request
            except Exception as error:
                if not duplicate(error):
                    raise
            held = _request(await self._requests.find_one({"scope": request.scope}))
            if held is not None and _counts(held):
                return held
            if held is not None:  # its 24 h are over: the key is free, the request is still to be looked up by id
                await self._requests.update_one({"_id": held.command_id, "scope": held.scope}, {"$unset": {"scope": 1}})
        raise RuntimeError("a scope could be neither taken nor read")


def _counts(request: Request) -> bool:
    return now() < request.issued_at + KEY_COUNTS


def _document(request: Request) -> dict[str, Any]:
    document = asdict(request)
    document["_id"] = document.pop("command_id")
    if request.scope is None:
        del document["scope"]
    return {**document, "expires_at": request.issued_at + KEPT}


def _request(document: dict[str, Any] | None) -> Request | None:
    if document is None:
        return None
    return Request(
        command_id=document["_id"],
        scope=document.get("scope"),
        **{name: document[name] for name in ("body_hash", "firm_id", "member_id", "kind", "key", "command", "issued_at")},
    )
