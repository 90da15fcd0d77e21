"""The HTTP side every service has: health, metrics, problems, traces, and who is calling."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

import orjson
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared import telemetry
from shared.auth import Caller, KeysAway, Tokens, Unauthenticated, same
from shared.mongo import transient
from shared.problems import Problem

DOOR_KEY_HEADER = "portal-door-key"
MEASURE_SECONDS = 1.0
RETRY_AFTER = {"Retry-After": "2"}
log = telemetry.Log("door")


def json_response(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Return *body* as JSON that nobody caches."""
    return Response(orjson.dumps(body), status, {"Cache-Control": "no-store", **(headers or {})}, "application/json")


@dataclass(slots=True)
class Health:
    """What the two health pages ask: *trouble* says why the service cannot serve, *stuck* why it should be restarted."""

    trouble: Callable[[], Sequence[str]]
    stuck: Callable[[], Sequence[str]]
    measure: Callable[[], Awaitable[None]]
    started: bool = field(default=False)


def build_app(
    routes: Sequence[BaseRoute],
    parts: Sequence[Callable[[], Awaitable[None]]],
    stops: Sequence[Callable[[], Awaitable[None]]],
    health: Health,
) -> ASGIApp:
    """Return the ASGI app of a service: *parts* are started in order, *stops* run in order at the end."""

    async def live(_: Request) -> Response:
        stuck = list(health.stuck())
        return json_response({"status": "stuck" if stuck else "live", "why": stuck}, 503 if stuck else 200)

    async def ready(_: Request) -> Response:
        why = list(health.trouble()) if health.started else ["starting"]
        return json_response({"status": "not_ready" if why else "ready", "why": why}, 503 if why else 200)

    async def metrics(_: Request) -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        for start in parts:
            await start()
        health.started = True
        measuring = asyncio.create_task(_measure(health))
        try:
            yield
        finally:
            health.started = False
            measuring.cancel()
            await asyncio.gather(measuring, return_exceptions=True)
            for stop in stops:
                await stop()

    app = Starlette(
        routes=[Route("/health/live", live), Route("/health/ready", ready), Route("/metrics", metrics), *routes],
        lifespan=lifespan,
        exception_handlers={Problem: _problem, HTTPException: _http, Exception: _fault},
    )
    app.router.redirect_slashes = False
    return Traced(app)


async def _measure(health: Health) -> None:
    while True:
        with contextlib.suppress(Exception):  # a gauge that cannot be read now is read a second later
            await health.measure()
        await asyncio.sleep(MEASURE_SECONDS)


async def _problem(_: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    return error.response()


async def _http(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code = {404: "no_route", 405: "method_not_allowed"}.get(error.status_code, "invalid")
    return Problem(error.status_code, code, headers=dict(error.headers or {})).response()


async def _fault(_: Request, error: Exception) -> Response:
    if transient(error) or isinstance(error, KeysAway):
        log.warning("part_away", error=repr(error)[:300])
        return Problem(503, "unavailable", headers=RETRY_AFTER).response()
    log.error("request_failed", error)
    return Problem(500, "internal_error").response()


class Traced:
    """Gives every request its trace, and counts and times it by its route's template."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given = next((v.decode("latin-1") for k, v in scope["headers"] if k == b"traceparent"), None)
        token = telemetry.trace.set(telemetry.continued(given))
        started, status = perf_counter(), 500

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = _guarded(message.get("headers", ()))
            await send(message)

        try:
            await self.app(scope, receive, sending)
        except Exception:
            if status < 500:  # Starlette answers, then raises again for its server to log; we have logged
                raise
        finally:
            route = getattr(scope.get("route"), "path", "none")
            method = scope["method"] if scope["method"] in _METHODS else "other"
            telemetry.REQUESTS.labels(route, method, str(status)).inc()
            telemetry.REQUEST.labels(route, method).observe(perf_counter() - started)
            telemetry.trace.reset(token)


_GUARDS = ((b"x-content-type-options", b"nosniff"), (b"x-frame-options", b"DENY"), (b"referrer-policy", b"no-referrer"))


def _guarded(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Return *headers* with those by which a browser neither guesses a type, nor frames a page, nor tells where one came from."""
    given = list(headers)
    named = {name.lower() for name, _ in given}
    return given + [guard for guard in _GUARDS if guard[0] not in named]


_METHODS = frozenset({"GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH"})


async def caller_of(request: Request, tokens: Tokens) -> Caller:
    """Return who calls; raises the 401 problem, or 503 while the issuer's keys are away."""
    try:
        return await tokens.caller(request.headers.get("authorization"))
    except Unauthenticated as wrong:
        challenge = 'Bearer error="invalid_token"' if request.headers.get("authorization") else "Bearer"
        raise Problem(401, "unauthenticated", headers={"WWW-Authenticate": challenge}) from wrong
    except KeysAway as away:
        raise Problem(503, "unavailable", headers=RETRY_AFTER) from away


def ours_only(request: Request, door_key: str) -> None:
    """Raise 404 unless another of our services calls, by the shared key: to anyone else there is nothing here."""
    if not same(request.headers.get(DOOR_KEY_HEADER, ""), door_key):
        raise Problem(404, "no_route")
