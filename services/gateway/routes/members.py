"""Who one is, who else works here, and what one was mailed: told by the owners' doors as it is."""

from __future__ import annotations

from starlette.responses import Response

from services.gateway.endpoints import Endpoint, Query, Serve, Who
from services.gateway.gate import Ask, Gate
from services.gateway.owners import Owner, query_of


def passing(owner: Owner) -> Serve:
    """Return what serves a read by *owner*'s answer at the same path and query; the door checks the caller again."""

    async def serve(gate: Gate, ask: Ask) -> Response:
        await gate.member(ask)
        scope = ask.request.scope
        answer = await gate.owners.ask(owner, scope["path"], ask.authorization, query_of(scope["query_string"]))
        return answer.response()

    return serve


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
        serve=passing(Owner.CLIENTS),
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
