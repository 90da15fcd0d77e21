"""Who one is, who else works here, and what one was mailed: told by the owners' doors as it is."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from services.gateway.endpoints import Endpoint, Query, Serve, Who
from services.gateway.gate import Ask, Gate
from services.gateway.owners import Answer, Owner, query_of
from shared.door import json_response
from shared.problems import Problem

SUPPRESSED_SECONDS = 2.5


def passing(owner: Owner) -> Serve:
    """Return what serves a read by *owner*'s answer at the same path and query; the door checks the caller again."""

    async def serve(gate: Gate, ask: Ask) -> Response:
        await gate.member(ask)
        scope = ask.request.scope
        answer = await gate.owners.ask(owner, scope["path"], ask.authorization, query_of(scope["query_string"]))
        return answer.response()

    return serve


async def members(gate: Gate, ask: Ask) -> Response:
    """Serve who works here, joined with whose address turned us away (N14); unknown while the notifier is away: null."""
    await gate.member(ask)
    answer: Answer
    answer, told = await asyncio.gather(
        gate.owners.ask(Owner.CLIENTS, "/v1/members", ask.authorization), _suppressed(gate, ask.authorization)
    )
    if not answer.ok:
        return answer.response()
    items = [{**member, "suppressed": told.get(member["id"])} for member in answer.json()["items"]]
    return json_response({"items": items})


async def _suppressed(gate: Gate, authorization: str) -> Mapping[str, Any]:
    try:
        answer = await gate.owners.ask(Owner.NOTIFIER, "/door/suppressed", authorization, seconds=SUPPRESSED_SECONDS)
        told: Mapping[str, Any] = answer.json()["members"] if answer.ok else {}
        return told
    except Problem:
        return {}


PAGE = (
    Query("limit", {"type": "integer", "minimum": 1, "maximum": 200, "default": 50}),
    Query("cursor", {"type": "string"}),
)

TABLE = (
    Endpoint(method="GET", path="/v1/me", summary="Who calls, and their firm.", who=Who.MEMBER, serve=passing(Owner.CLIENTS)),
    Endpoint(
        method="GET",
        path="/v1/members",
        summary="The members of the firm.",
        who=Who.ADMIN,
        serve=members,
        refusals={"admin_only": 403},
    ),
    Endpoint(
        method="GET",
        path="/v1/me/deliveries",
        summary="What became of one's notifications, newest first (N10).",
        who=Who.MEMBER,
        serve=passing(Owner.NOTIFIER),
        query=(Query("client_id", {"type": "string"}), *PAGE),
        refusals={"bad_cursor": 400},
    ),
)
