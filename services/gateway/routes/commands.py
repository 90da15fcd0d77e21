"""What became of a command: for the member who issued it, on every replica and after every restart."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from services.gateway.answering import shown
from services.gateway.endpoints import Endpoint, Who
from services.gateway.gate import Ask, Gate
from shared.contracts.base import Status
from shared.door import json_response
from shared.problems import Problem, text_of


async def status(gate: Gate, ask: Ask) -> Response:
    """Serve a command's status; to anybody else there is no such command (E1)."""
    viewer = await gate.viewer(ask)
    request = await gate.commands.requests.load(ask.request.path_params["command_id"])
    if request is None or (request.firm_id, request.member_id) != (viewer.firm_id, viewer.member_id):
        raise Problem(404, "not_found")
    settled = await gate.commands.look(ask, request)
    body: dict[str, Any] = {"command_id": request.command_id, "status": Status.PENDING}
    body |= dict.fromkeys(("code", "detail", "result"))
    if settled is not None and settled.status is Status.REFUSED:
        code = settled.code or "internal_error"
        body |= {"status": settled.status, "code": code, "detail": text_of(code, viewer.locale)}
    elif settled is not None:
        result = shown(request, settled, gate.settings.portal_secret, gate.settings.product_url)
        body |= {"status": settled.status, "result": result}
    return json_response(body)


TABLE = (
    Endpoint(
        method="GET",
        path="/v1/commands/{command_id}",
        summary="What became of a command.",
        who=Who.MEMBER,
        serve=status,
        refusals={"not_found": 404},
    ),
)
