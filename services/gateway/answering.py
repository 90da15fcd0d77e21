"""How a settled command is told: 201, 200 or 202, or the problem of its refusal (contract, "Commands")."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

from starlette.responses import Response

from services.gateway.commands import Settled
from services.gateway.store import Request
from shared.auth import derive
from shared.clock import now
from shared.contracts.base import Status
from shared.contracts.clients import GrantAccess
from shared.door import json_response
from shared.problems import Problem

STATUSES: Mapping[str, int] = MappingProxyType(
    {
        "not_a_member": 403,
        "admin_only": 403,
        "not_found": 404,
        "invalid": 422,
        "unknown_member": 422,
        "too_many_assignees": 422,
        "no_task": 422,
        "invitation_withdrawn": 409,
        "already_answered": 409,
        "already_invited": 409,
        "not_connected": 409,
        "not_open": 409,
        "no_assignee": 409,
        "grant_invalid": 410,
        "too_many_invitations": 429,
        "too_many_reminders": 429,
        "internal_error": 500,
    }
)
UNLISTED = 409


def status_of(code: str, own: Mapping[str, int]) -> int:
    """Return the HTTP status of a refusal; *own* are those that an endpoint tells otherwise."""
    return own.get(code, STATUSES.get(code, UNLISTED))


def location(command_id: str) -> str:
    """Return where a command's status is read."""
    return f"/v1/commands/{command_id}"


def answer(
    request: Request,
    settled: Settled | None,
    secret: str,
    product_url: str,
    waited: int | None,
    created: bool,
    own: Mapping[str, int],
) -> Response:
    """Return the answer to a command's request."""
    headers = {"Location": location(request.command_id)}
    if waited is not None:
        headers["Preference-Applied"] = f"wait={waited}"
    if settled is None:
        return json_response({"command_id": request.command_id, "status": Status.PENDING}, 202, headers)
    if settled.status is Status.REFUSED:
        raise refusal(request, settled, own, headers)
    result = shown(request, settled, secret, product_url)
    body = {"command_id": request.command_id, "status": settled.status, "result": result}
    return json_response(body, 201 if created else 200, headers)


def refusal(request: Request, settled: Settled, own: Mapping[str, int], headers: Mapping[str, str]) -> Problem:
    """Return the problem of a refused command."""
    code = settled.code or "internal_error"
    return Problem(status_of(code, own), code, headers=headers, command_id=request.command_id)


def shown(request: Request, settled: Settled, secret: str, product_url: str) -> Mapping[str, Any]:
    """Return a command's result as its issuer sees it: a grant's link is derived anew, never stored (invariant 12)."""
    result = settled.result or {}
    if request.kind != GrantAccess.ce_type:
        return result
    expires_at = result["expires_at"]
    open_still = settled.grant_open is not False and now() < datetime.fromisoformat(expires_at)
    url = f"{product_url}#token={grant_token(secret, result['grant_id'])}" if open_still else None
    return {"url": url, "expires_at": expires_at}


def grant_token(secret: str, grant_id: str) -> str:
    """Return a grant's token: 256 bits that only a gateway can derive (A3)."""
    return derive(secret, "grant", grant_id)
