"""Tabs, rows, the export, and a client's details joined from three doors (section 3)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping
from typing import Any

from starlette.responses import Response

from services.gateway.bodies import Disconnection
from services.gateway.endpoints import Endpoint, Query, Who
from services.gateway.gate import Ask, Gate, seen
from services.gateway.owners import Answer, Owner, query_of
from services.gateway.routes.members import PAGE, passing
from services.gateway.writing import Wish, writes
from shared.contracts.base import ClientId, Command
from shared.contracts.clients import DisconnectClient
from shared.door import json_response
from shared.problems import Problem

PART_SECONDS = 2.5


async def export(gate: Gate, ask: Ask) -> Response:
    """Serve the rows of a tab as CSV, streamed (L9)."""
    await gate.member(ask)
    return await gate.owners.stream(
        Owner.CLIENTS, "/v1/clients/export", ask.authorization, query_of(ask.request.scope["query_string"])
    )


async def details(gate: Gate, ask: Ask) -> Response:
    """Serve a client's row with what the other owners know of it; a part that is away is null and named."""
    client_id = ask.request.path_params["client_id"]
    viewer = await gate.viewer(ask, client_id)
    client = seen(viewer)
    notified = client.connected and (viewer.admin or client.assigned)  # N1
    path = f"/clients/{client_id}"

    async def part(owner: Owner, at: str, there: bool = True) -> Mapping[str, Any] | Problem | None:
        return await _told(gate.owners.ask(owner, at, ask.authorization, seconds=PART_SECONDS)) if there else None

    row: Answer
    row, onboarding, reminders, notifications = await asyncio.gather(
        gate.owners.ask(Owner.CLIENTS, f"/v1{path}", ask.authorization),
        part(Owner.ONBOARDING, f"/door{path}"),
        part(Owner.NOTIFIER, f"/door{path}/reminders", client.connected),
        part(Owner.NOTIFIER, f"/v1{path}/notifications", notified),
    )
    if not row.ok:
        return row.response()
    parts = {"onboarding": onboarding, "reminders": reminders, "notifications": notifications}
    body = {
        **row.json(),
        "onboarding": _value(onboarding),
        "reminders": (_value(reminders) or {}).get("reminders", []) if not isinstance(reminders, Problem) else None,
        "notifications": _value(notifications),
        "unavailable": [name for name, value in parts.items() if isinstance(value, Problem)],
    }
    return json_response(body)


async def _told(asked: Awaitable[Answer]) -> Mapping[str, Any] | Problem | None:
    """Return what a door said, None if it knows nothing, or the problem if it is away."""
    try:
        answer = await asked
        if answer.ok:
            told: Mapping[str, Any] = answer.json()
            return told
    except Problem as away:
        return away
    return None if answer.status in (403, 404, 409) else Problem(503, "unavailable")


def _value(told: Mapping[str, Any] | Problem | None) -> Mapping[str, Any] | None:
    return None if isinstance(told, Problem) else told


async def _disconnect(wish: Wish[Disconnection]) -> tuple[Command, str]:
    return DisconnectClient(**wish.stamp, client_id=ClientId(wish.client.client_id)), wish.client_key


_LIST = (
    Query("tab", {"type": "string", "enum": ["invitations", "onboarding", "mine", "all"]}, required=True),
    Query("search", {"type": "string", "maxLength": 100}),
    Query("missing_receipts", {"type": "string", "enum": ["true"]}),
    Query("unassigned", {"type": "string", "enum": ["true"]}),
    Query("assignee", {"type": "string"}),
    Query("sort", {"type": "string", "enum": ["name", "-name", "missing_receipts", "-missing_receipts"], "default": "name"}),
)

TABLE = (
    Endpoint(
        method="GET",
        path="/v1/tabs",
        summary="The tabs that the caller sees, with their counts (T1, T7, T8).",
        who=Who.MEMBER,
        serve=passing(Owner.CLIENTS),
    ),
    Endpoint(
        method="GET",
        path="/v1/clients",
        summary="A page of a tab (L1–L8, L10).",
        who=Who.MEMBER,
        serve=passing(Owner.CLIENTS),
        query=(*_LIST, *PAGE),
        refusals={"tab_not_allowed": 403, "bad_cursor": 400},
    ),
    Endpoint(
        method="GET",
        path="/v1/clients/export",
        summary="A whole tab as CSV (L9).",
        who=Who.MEMBER,
        serve=export,
        query=_LIST,
        media=("text/csv",),
        refusals={"tab_not_allowed": 403},
    ),
    Endpoint(
        method="GET",
        path="/v1/clients/{client_id}",
        summary="A client's details.",
        who=Who.MEMBER,
        serve=details,
        refusals={"not_found": 404},
    ),
    writes(
        "POST",
        "/v1/clients/{client_id}/disconnect",
        "End the connection with a client (I5).",
        _disconnect,
        body=Disconnection,
        refusals=("not_found", "not_connected"),
    ),
)
