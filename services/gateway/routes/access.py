"""Into a client's Pleo account: grants for members, redeemed by the product (section 4)."""

from __future__ import annotations

import re
from uuid import uuid4

from starlette.responses import Response

from services.gateway.answering import grant_token, refusal
from services.gateway.bodies import Token
from services.gateway.endpoints import Endpoint, Who
from services.gateway.gate import Ask, Gate
from services.gateway.owners import unavailable
from services.gateway.reading import checked, key_is_good, parsed, wrong_key
from services.gateway.store import body_hash, scope_of
from services.gateway.writing import Nothing, Wish, request_of, writes
from shared.auth import token_hash
from shared.clock import now
from shared.contracts.base import Actor, ClientId, Command, CommandId, FirmId, MemberId, Role, Status
from shared.contracts.clients import GrantAccess, RedeemGrant
from shared.door import json_response
from shared.problems import Problem

PORTAL = FirmId("portal")
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")


async def _grant(wish: Wish[Nothing]) -> tuple[Command, str]:
    """Only the hash travels; the token is derived again for whoever issued the command (A3)."""
    grant_id = f"g-{wish.command_id}"
    hashed = token_hash(grant_token(wish.gate.settings.portal_secret, grant_id))
    command = GrantAccess(**wish.stamp, client_id=ClientId(wish.client.client_id), grant_id=grant_id, token_hash=hashed)
    return command, wish.client_key


async def redeem(gate: Gate, ask: Ask) -> Response:
    """Serve the product: whom a token lets in, once; the same answer to a retry with the same key (A3)."""
    caller = await gate.service(ask)
    key = ask.request.headers.get("idempotency-key")
    if key is not None and not key_is_good(key):
        raise wrong_key()
    body = await ask.body(required=True)
    canonical = parsed(body)
    token = checked(Token, body).token
    scope = None if key is None else scope_of("service", "", caller.subject, "POST", ask.request.url.path, key)
    hashed = body_hash(canonical)
    request = await gate.commands.requests.of_scope(scope) if scope is not None else None
    repeated = request is not None
    if request is None:
        if _TOKEN.fullmatch(token) is None:
            raise Problem(410, "grant_invalid")
        command = RedeemGrant(
            command_id=CommandId(uuid4().hex),
            issued_at=now(),
            actor=Actor(member_id=service_id(caller.subject), firm_id=PORTAL, role=Role.ACCOUNTANT, name="", email=""),
            token_hash=token_hash(token),
        )
        ours = request_of(command, command.token_hash, scope, hashed, PORTAL)
        request = await gate.commands.requests.remember(ours)
        repeated = request is not ours
    if request.body_hash != hashed:
        raise Problem(422, "idempotency_key_reused")
    settled = await gate.commands.carry(ask, request, repeated=repeated, wait=None)
    if settled is None:
        raise unavailable(command_id=request.command_id)
    if settled.status is Status.REFUSED:
        raise refusal(request, settled, {}, {})
    return json_response(settled.result)


def service_id(subject: str) -> MemberId:
    """Return a service's ``sub`` in the form of an id, as commands and outcomes carry it."""
    return MemberId(re.sub(r"[^A-Za-z0-9_-]", "_", subject)[:64] or "service")


TABLE: tuple[Endpoint, ...] = (
    writes(
        "POST",
        "/v1/clients/{client_id}/access",
        "Go to client: a link that works once, within 60 seconds (A2, A3).",
        _grant,
        body=Nothing,
        who=Who.MEMBER,
        guard=None,
        created=True,
        refusals=("not_found",),
        own={"not_connected": 403},
    ),
    Endpoint(
        method="POST",
        path="/v1/access-grants/redeem",
        summary="Redeem a grant: whom it lets in (A3).",
        who=Who.SERVICE,
        serve=redeem,
        body=Token,
        refusals={"grant_invalid": 410, "idempotency_key_reused": 422},
    ),
)
