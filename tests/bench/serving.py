"""A page of clients over HTTP, as shipped and as FastAPI's tutorial has it: ``python -m tests.bench.serving shipped|fastapi``.

Both ask the same of the same database, and borrow the service's own token check, look-up of the viewer and making of a row;
when they ask, and how they tell it, is their own.
"""

from __future__ import annotations

import os
import sys
from typing import Annotated

import orjson
import uvicorn
from fastapi import FastAPI, Query, Request
from joserfc.jwk import ECKey, KeySet
from pydantic import BaseModel
from starlette.types import ASGIApp

from services.clients.documents import row_from
from services.clients.queries.pages import Pages
from services.clients.queries.plans import ORDERS, SHOWN
from services.clients.queries.routes import Doors
from services.clients.queries.rows import row
from services.clients.queries.viewer import Viewers
from services.clients.store import MEMBERS, ROWS
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
    """Return the same page as one writes it at first.

    Who asks, their rows, how many there are, and the names of who works on them are asked for one after the other; each row
    is a pydantic model of what the service's own `row` makes of it, and all go through a `response_model`.
    """
    database, _ = _doors()
    viewers, pages, members = Viewers(database, _tokens()), Pages(database, "secret"), database[MEMBERS]
    app = FastAPI()

    @app.get("/v1/clients", response_model=Rows)
    async def clients(request: Request, tab: str, limit: Annotated[int, Query(ge=1, le=200)] = 50) -> Rows:
        viewer = await viewers.of(request)
        name, order = viewer.list_of(tab), ORDERS["name"]
        found = database[ROWS].find({"firm_id": viewer.firm_id, "lists": name}, SHOWN).sort(order.keys).hint(order.index)
        documents = await found.limit(limit + 1).to_list(None)
        total = (await pages.counts(viewer.firm_id, [name]))[name]
        assigned = sorted({m for document in documents for m in document["assignees"]})
        names = await members.find({"_id": {"$in": assigned}, "firm_id": viewer.firm_id, "active": True}, {"name": 1}).to_list(
            None
        )
        known = {member["_id"]: member for member in names}
        rows = [Row(**row(row_from(document), viewer, known, {})) for document in documents[:limit]]
        return Rows(items=rows, next_cursor="x" if len(documents) > limit else None, total=total)

    return app


if __name__ == "__main__":
    collect_seldom()
    app = {"shipped": shipped, "fastapi": fastapi}[sys.argv[1]]()
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[2]), log_config=None, access_log=False, server_header=False)
