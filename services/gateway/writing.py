"""From a request to its command, the same way for every write: the order of checks of E2, and retries (R3)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar
from uuid import uuid4

from pydantic import BaseModel
from starlette.responses import Response

from services.gateway.answering import answer, status_of
from services.gateway.endpoints import Endpoint, Who
from services.gateway.gate import Ask, Gate, SeenClient, Viewer, admins_only, is_id, seen
from services.gateway.reading import checked, key_is_good, loosely, parsed, preferred_wait, wrong_key
from services.gateway.store import Request, body_hash, scope_of
from shared.clock import now
from shared.contracts.base import Actor, Command, CommandId
from shared.problems import Problem

B = TypeVar("B", bound=BaseModel)


class Nothing(BaseModel):
    """The body of what needs none."""


@dataclass(frozen=True, slots=True)
class Wish(Generic[B]):
    """A checked request on its way to become a command."""

    command_id: CommandId
    issued_at: datetime
    actor: Actor
    body: B
    gate: Gate
    ask: Ask
    viewer: Viewer

    @property
    def stamp(self) -> dict[str, Any]:
        """What every command carries."""
        return {"command_id": self.command_id, "issued_at": self.issued_at, "actor": self.actor}

    @property
    def client(self) -> SeenClient:
        """The client in the path; the checks saw to it that there is one."""
        return seen(self.viewer)

    @property
    def client_key(self) -> str:
        """The record key of commands about one client of one firm."""
        return f"{self.viewer.firm_id}.{self.client.client_id}"

    def path(self, name: str) -> str:
        """Return a part of the path."""
        return str(self.ask.request.path_params[name])


Make = Callable[[Wish[B]], Awaitable[tuple[Command, str]]]
"""Returns the command and its record key; raises what else is wrong with the wish."""

Guard = Callable[[Ask, Viewer], None]


@dataclass(frozen=True, slots=True)
class Writing(Generic[B]):
    """How one endpoint's requests become commands."""

    make: Make[B]
    body: type[B]
    needs_body: bool
    guard: Guard | None
    created: bool
    refusals: Mapping[str, int] = field(default_factory=dict)

    async def serve(self, gate: Gate, ask: Ask) -> Response:
        """Serve one request: 401, not_a_member, the path's ids, admin_only, then the rest (E2)."""
        client_id, member_id = (ask.request.path_params.get(name) for name in ("client_id", "member_id"))
        viewer = await gate.viewer(ask, client_id, [member_id] if member_id is not None else ())
        key = ask.request.headers.get("idempotency-key")
        scope = _scope(ask, viewer, key)
        if scope is not None and (held := await gate.commands.requests.of_scope(scope)) is not None:
            return await self._again(gate, ask, held)  # it passed the checks then; its effect may hide the client now
        if client_id is not None:
            seen(viewer)
        if member_id is not None and (not is_id(member_id) or member_id not in viewer.members):
            raise Problem(404, next((code for code, status in self.refusals.items() if status == 404), "not_found"))
        if self.guard is not None:
            self.guard(ask, viewer)
        if key is not None and scope is None:
            raise wrong_key()
        body = await ask.body(self.needs_body)
        canonical = parsed(body) if self.needs_body else loosely(body)
        wish = Wish(
            CommandId(uuid4().hex),
            now(),
            viewer.actor(),
            checked(self.body, body if self.needs_body else b"{}"),
            gate,
            ask,
            viewer,
        )
        command, record_key = await self.make(wish)
        ours = request_of(command, record_key, scope, body_hash(canonical), viewer.firm_id)
        request = await gate.commands.requests.remember(ours)
        if request.body_hash != ours.body_hash:
            raise Problem(422, "idempotency_key_reused")
        return await self._carry(gate, ask, request, repeated=request is not ours)

    async def _again(self, gate: Gate, ask: Ask, held: Request) -> Response:
        body = await ask.body(self.needs_body)
        if body_hash(parsed(body) if self.needs_body else loosely(body)) != held.body_hash:
            raise Problem(422, "idempotency_key_reused")
        return await self._carry(gate, ask, held, repeated=True)

    async def _carry(self, gate: Gate, ask: Ask, request: Request, *, repeated: bool) -> Response:
        waited = preferred_wait(",".join(ask.request.headers.getlist("prefer")))
        settled = await gate.commands.carry(ask, request, repeated=repeated, wait=waited or 0)
        secret, product_url = gate.settings.portal_secret, gate.settings.product_url
        return answer(request, settled, secret, product_url, waited, self.created, self.refusals)


def request_of(command: Command, key: str, scope: str | None, hashed: str, firm_id: str) -> Request:
    """Return what is remembered of *command*."""
    return Request(
        command_id=command.command_id,
        scope=scope,
        body_hash=hashed,
        firm_id=firm_id,
        member_id=command.actor.member_id,
        kind=command.ce_type,
        key=key,
        command=command.model_dump_json(),
        issued_at=command.issued_at,
    )


def _scope(ask: Ask, viewer: Viewer, key: str | None) -> str | None:
    if key is None or not key_is_good(key):
        return None
    return scope_of("member", viewer.firm_id, viewer.member_id, ask.request.method, ask.request.url.path, key)


def admin_guard(_: Ask, viewer: Viewer) -> None:
    """Let admins pass."""
    admins_only(viewer)


def admin_or_oneself(ask: Ask, viewer: Viewer) -> None:
    """Let admins pass, and whoever acts on themself (M2)."""
    if ask.request.path_params["member_id"] != viewer.member_id:
        admins_only(viewer)


def writes(
    method: str,
    path: str,
    summary: str,
    make: Make[B],
    *,
    body: type[B],
    who: Who = Who.ADMIN,
    guard: Guard | None = admin_guard,
    created: bool = False,
    refusals: Sequence[str] = (),
    own: Mapping[str, int] | None = None,
) -> Endpoint:
    """Return the endpoint whose requests become commands; *own* are refusals that it tells with a status of its own."""
    told = own or {}
    writing = Writing(make, body, body is not Nothing, guard, created, told)
    return Endpoint(
        method=method,
        path=path,
        summary=summary,
        who=who,
        serve=writing.serve,
        body=None if body is Nothing else body,
        success=201 if created else 200,
        command=True,
        refusals={code: status_of(code, told) for code in (*refusals, *told)},
    )
