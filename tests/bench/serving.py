"""A page of clients over HTTP, as shipped and as FastAPI's tutorial has it: ``python -m tests.bench.serving shipped|fastapi``.

Both ask the same questions of the same database, with the service's own code; what they tell of it they make themselves.
"""

from __future__ import annotations

import os
import sys
from typing import Annotated, Any

import orjson
import uvicorn
from fastapi import FastAPI, Query, Request
from joserfc.jwk import ECKey, KeySet
from pydantic import BaseModel
from starlette.types import ASGIApp

from services.clients.queries.pages import Pages
from services.clients.queries.question import page_of
from services.clients.queries.routes import Doors
from services.clients.queries.viewer import Viewers
from shared.auth import Tokens
from shared.door import Health, build_app
from shared.mongo import Database
from shared.service import collect_seldom

ISSUER, AUDIENCE = "https://bench.example", "bench"


class Person(BaseModel):
    id: str
    name: str


class Money(BaseModel):
    amount_minor: int
    currency: str


class AsOf(BaseModel):
    missing_receipts: str | None
    export_ready: str | None
    balance: str | None


class Action(BaseModel):
    allowed: bool
    reason: str | None


class Actions(BaseModel):
    access: Action
    notify: Action
    remind: Action


class Row(BaseModel):
    client_id: str
    name: str
    client_number: str | None
    status: str
    reason: str
    reason_code: str
    verification: str | None
    assignees: list[Person]
    missing_receipts: int | None
    export_ready: int | None
    balance: Money | None
    low_balance: bool
    as_of: AsOf
    actions: Actions


class Rows(BaseModel):
    items: list[Row]
    next_cursor: str | None
    total: int | None


def _tokens() -> Tokens:
    tokens = Tokens("http://127.0.0.1:9/none", ISSUER, AUDIENCE)
    tokens._keys = KeySet([ECKey.import_key(orjson.loads(os.environ["BENCH_KEY"]))])
    return tokens


def _doors() -> tuple[Database, Doors]:
    database = Database(os.environ["BENCH_MONGODB_URL"], os.environ["BENCH_DATABASE"])
    return database, Doors(database, _tokens(), "secret", "door key")


def shipped() -> ASGIApp:
    """Return the door of clients as `services.clients.app` builds it, without what handles records."""

    async def measured() -> None:
        return

    _, doors = _doors()
    return build_app(doors.routes(), [], [], Health(lambda: (), lambda: (), measured))


def fastapi() -> ASGIApp:
    """Return the same page by a `response_model`."""
    database, doors = _doors()
    viewers, pages = Viewers(database, _tokens()), Pages(database, "secret")
    app = FastAPI()

    @app.get("/v1/clients", response_model=Rows)
    async def clients(
        request: Request, tab: str, sort: str = "name", limit: Annotated[int, Query(ge=1, le=200)] = 50, cursor: str | None = None
    ) -> Any:
        viewer = await viewers.of(request)
        asked = {"tab": tab, "sort": sort, "limit": str(limit), **({"cursor": cursor} if cursor else {})}
        found = await pages.page(page_of(asked.items(), viewer), viewer)
        rows = await doors._rows(found.clients, viewer)
        return Rows(items=[Row(**row) for row in rows], next_cursor=found.cursor, total=found.total)

    return app


if __name__ == "__main__":
    collect_seldom()
    app = {"shipped": shipped, "fastapi": fastapi}[sys.argv[1]]()
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[2]), log_config=None, access_log=False, server_header=False)
