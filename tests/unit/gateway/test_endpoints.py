"""How endpoints become routes: which methods are allowed where (E1)."""

from __future__ import annotations

from typing import Any, cast

import orjson
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Message

from services.gateway.endpoints import routes_of
from services.gateway.gate import Gate
from services.gateway.routes import TABLE
from shared.problems import Problem


async def _problem(_: Request, error: Exception) -> Response:
    return cast("Problem", error).response()


APP = Starlette(routes=routes_of(cast("Gate", None), TABLE), exception_handlers={Problem: _problem})


async def answered(method: str, path: str) -> tuple[int, dict[str, str], Any]:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "method": method, "path": path, "headers": [], "query_string": b"", "root_path": ""}
    await APP(scope, receive, send)
    return sent[0]["status"], {k.decode(): v.decode() for k, v in sent[0]["headers"]}, orjson.loads(sent[1]["body"])


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/v1/clients/c/notifications", "GET, HEAD, PUT"),
        ("POST", "/v1/tabs", "GET, HEAD"),
        ("GET", "/v1/onboarding", "POST"),
        ("OPTIONS", "/v1/onboarding", "POST"),
        ("PATCH", "/v1/clients/export", "GET, HEAD"),
        ("HEAD", "/v1/stream", "GET"),
        ("BREW", "/v1/me", "GET, HEAD"),
    ],
)
async def test_a_method_not_allowed_is_told_which_are(method: str, path: str, allowed: str) -> None:
    """E1: 405 with every method of that path; a HEAD of the stream would hold a place for ever."""
    status, headers, body = await answered(method, path)
    assert (status, body["code"], headers["allow"]) == (405, "method_not_allowed", allowed)


def test_every_address_refuses_what_it_does_not_serve() -> None:
    """Behind the routes of each path stands one for every other method."""
    routes = [route for route in APP.routes if isinstance(route, Route)]
    assert {route.path for route in routes if route.methods is None} == {endpoint.path for endpoint in TABLE}
