"""What an endpoint is: one row of the contract's table, from which both the routes and the OpenAPI document are made."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from aiokafka.errors import KafkaError
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from services.gateway.gate import Ask, Gate
from services.gateway.owners import unavailable
from shared.mongo import transient
from shared.problems import Problem
from shared.telemetry import Log

PATIENCE_SECONDS = 4.0  # contract, "When a part is away": within five, on a busy machine, too
Serve = Callable[[Gate, Ask], Awaitable[Response]]
log = Log("endpoints")


class Who(StrEnum):
    """Who may call."""

    ANYONE = "anyone"
    MEMBER = "member"
    ADMIN = "admin"
    SERVICE = "service"


@dataclass(frozen=True, slots=True)
class Query:
    """A query parameter, as the document shows it; its owner's door checks it."""

    name: str
    schema: Mapping[str, Any]
    required: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One row of the table: what it is for, who may call it, what it takes, gives and refuses."""

    method: str
    path: str
    summary: str
    who: Who
    serve: Serve
    body: type[BaseModel] | None = None
    query: tuple[Query, ...] = ()
    success: int = 200
    media: tuple[str, ...] = ("application/json",)
    command: bool = False
    refusals: Mapping[str, int] = field(default_factory=dict)


def route_of(gate: Gate, endpoint: Endpoint) -> Route:
    """Return the route that serves *endpoint*: problems in the caller's language, and none later than five seconds."""

    async def serve(request: Request) -> Response:
        ask: Ask | None = None
        try:
            async with asyncio.timeout(PATIENCE_SECONDS) as patience:
                ask = Ask(request, patience, gate.settings.portal_body_bytes)
                return await endpoint.serve(gate, ask)
        except Problem as refusal:
            problem = refusal
        except (TimeoutError, KafkaError) as late:
            log.warning("part_away", error=repr(late)[:300])
            problem = unavailable()
        except Exception as error:
            if not transient(error):
                raise
            log.warning("part_away", error=repr(error)[:300])
            problem = unavailable()
        if ask is not None:
            problem.locale = problem.locale or ask.locale
            if ask.taken is not None:
                problem.members.setdefault("command_id", ask.taken)
        raise problem

    route = Route(endpoint.path, serve, methods=[endpoint.method])
    if "text/event-stream" in endpoint.media:  # a HEAD of what never ends would hold one of its places
        route.methods = {endpoint.method}
    return route


def routes_of(gate: Gate, table: Sequence[Endpoint]) -> list[Route]:
    """Return the routes of *table*, in its order: a fixed path stands before the one that would swallow it."""
    routes = [route_of(gate, endpoint) for endpoint in table]
    allowed: dict[str, set[str]] = {}
    for route in routes:
        allowed.setdefault(route.path, set()).update(route.methods or ())
    return [*routes, *(_refusing(path, methods) for path, methods in allowed.items())]


def _refusing(path: str, methods: set[str]) -> Route:
    """Return the route of every other method at *path*; Starlette's own answer names the methods of one route only (E1)."""

    async def refuse(_: Request) -> Response:
        raise Problem(405, "method_not_allowed", headers={"Allow": ", ".join(sorted(methods))})

    route = Route(path, refuse)
    route.methods = None  # any
    return route
