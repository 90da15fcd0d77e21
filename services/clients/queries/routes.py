"""The doors of clients: public reads that the gateway passes on, and questions of our own services."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from services.clients.documents import client_from
from services.clients.domain.states import Client
from services.clients.queries import export
from services.clients.queries.pages import Found, Pages
from services.clients.queries.question import Page, Question, page_of, question_of
from services.clients.queries.rows import row
from services.clients.queries.viewer import Viewer, Viewers
from services.clients.store import ACCESSES, FIRMS, GRANTS, MEMBERS, ROWS
from shared.auth import Tokens
from shared.clock import now, rfc3339
from shared.door import caller_of, json_response, ours_only
from shared.handling import COMMANDS
from shared.mongo import Database, Document
from shared.problems import Problem, german

LABELS = {
    "invitations": ("Einladungen", "Invitations"),
    "onboarding": ("Onboarding", "Onboarding"),
    "mine": ("Meine Mandanten", "My clients"),
    "all": ("Alle", "All"),
}
MOST_ACCESSES = 1_000
EXPORTED_AT_ONCE = 200


class Doors:
    """Answers for one database; every answer is for one viewer, or for one of our services."""

    def __init__(self, database: Database, tokens: Tokens, secret: str, door_key: str) -> None:
        self._database = database
        self._tokens = tokens
        self._door_key = door_key
        self._viewers = Viewers(database, tokens)
        self._pages = Pages(database, secret)

    def routes(self) -> list[Route]:
        """Return the routes of this door."""
        return [
            Route("/v1/me", self.me),
            Route("/v1/tabs", self.tabs),
            Route("/v1/clients", self.clients),
            Route("/v1/clients/export", self.export),
            Route("/v1/clients/{client_id}", self.client),
            Route("/v1/members", self.members),
            Route("/door/caller", self.caller),
            Route("/door/commands/{command_id}", self.command),
            Route("/door/members/{member_id}", self.member),
            Route("/door/access", self.access, methods=["POST"]),
        ]

    async def me(self, request: Request) -> Response:
        """Who the caller is, and of which firm."""
        viewer = await self._viewers.of(request)
        return json_response({"member": _member(viewer), "firm": {"id": viewer.firm_id, "name": viewer.firm_name}})

    async def tabs(self, request: Request) -> Response:
        """The visible tabs with their exact counts (T7, T8)."""
        viewer = await self._viewers.of(request)
        lists = {tab: viewer.list_of(tab) for tab in viewer.tabs}
        counts = await self._pages.counts(viewer.firm_id, list(lists.values()))
        language = 0 if german(viewer.locale) else 1
        shown = [
            {"id": tab, "label": LABELS[tab][language], "count": counts[name]}
            for tab, name in lists.items()
            if counts[name] or tab in ("mine", "all")
        ]
        return json_response({"tabs": shown})

    async def clients(self, request: Request) -> Response:
        """A page of a tab."""
        asked, page, viewer = await self._read_ahead(request) or await self._read(request)
        items = await self._rows(page.clients, page.members, viewer, asked.question.tab)
        return json_response({"items": items, "next_cursor": page.cursor, "total": page.total})

    async def _read(self, request: Request) -> tuple[Page, Found, Viewer]:
        """Look up who asks, then read what they may see, or raise what they are refused."""
        viewer = await self._viewers.of(request)
        asked = page_of(request.query_params.multi_items(), viewer)
        return asked, await self._pages.page(asked, viewer), viewer

    async def _read_ahead(self, request: Request) -> tuple[Page, Found, Viewer] | None:
        """Read as if an admin asked while it is looked up who does; None if that was wrong: nothing is refused here (T10)."""
        presumed = await self._viewers.presumed(request)
        query = request.query_params.multi_items()
        try:
            asked = page_of(query, presumed)
            if asked.question.tab == "onboarding":
                return None  # whose rows these are depends on the role
            if asked.question.of_whole_tab:
                page, viewer = await self._pages.page_and_viewer(asked, presumed)
            else:
                page, viewer = await asyncio.gather(self._pages.page(asked, presumed), self._viewers.of(request))
            theirs = asked if viewer.admin else page_of(query, viewer)
        except Problem:
            return None
        return (asked, page, viewer) if theirs.question.list_for(viewer) == asked.question.list_for(presumed) else None

    async def export(self, request: Request) -> Response:
        """Everything a tab, search, filter and sort show, as CSV (L9)."""
        viewer = await self._viewers.of(request)
        question = question_of(request.query_params.multi_items(), viewer)
        headers = {"Content-Disposition": f'attachment; filename="{export.filename(viewer.locale)}"', "Cache-Control": "no-store"}
        return StreamingResponse(self._csv(request, question, viewer), 200, headers, "text/csv; charset=utf-8")

    async def _csv(self, request: Request, question: Question, viewer: Viewer) -> AsyncIterator[bytes]:
        """Yield the file page by page; it breaks off when its reader is no longer allowed to see it (T10)."""
        yield export.head(viewer.locale)
        page: Page | None = Page(question, EXPORTED_AT_ONCE)
        while page is not None:
            found = await self._pages.page(page, viewer)
            rows = await self._rows(found.clients, found.members, viewer, question.tab)
            yield export.lines(rows, viewer.locale)
            page = replace(page, cursor=found.cursor) if found.cursor else None
            again = await self._viewers.of(request)
            if question.list_for(again) != question.list_for(viewer) or question.tab not in again.tabs:
                raise Problem(403, "tab_not_allowed")

    async def client(self, request: Request) -> Response:
        """One client's row with its access log; unknown, foreign and unseen ones look alike (E1)."""
        viewer = await self._viewers.of(request)
        client = await self._viewers.client(viewer, request.path_params["client_id"])
        if client is None:
            raise Problem(404, "not_found", locale=viewer.locale)
        members = await self._viewers.members(viewer.firm_id, client.assignees)
        (shown,) = await self._rows([client], members, viewer)
        return json_response({**shown, "access_log": await self._access_log(client)})

    async def _access_log(self, client: Client) -> list[dict[str, Any]]:
        where = {"firm_id": client.firm_id, "client_id": client.client_id}
        lines = await self._database[ACCESSES].find(where).sort("at", -1).limit(MOST_ACCESSES).to_list(None)
        return [
            {"at": rfc3339(x["at"]), "member": {"id": x["member_id"], "name": x.get("name")}, "event": x["event"]} for x in lines
        ]

    async def members(self, request: Request) -> Response:
        """Everybody of the firm, for admins."""
        viewer = await self._viewers.of(request)
        if not viewer.admin:
            raise Problem(403, "admin_only", locale=viewer.locale)
        where = {"firm_id": viewer.firm_id, "described": {"$gte": 0}}  # of some, only that they left was heard
        found = await self._database[MEMBERS].find(where).sort("_id", 1).to_list(None)
        items = [
            {"id": m["_id"], "name": m["name"], "email": m["email"], "role": m["role"], "active": m["active"], "suppressed": None}
            for m in found
        ]
        return json_response({"items": items})

    async def caller(self, request: Request) -> Response:
        """What the gateway must know before it takes a command: who, of which firm, and what they see of a client."""
        viewer = await self._viewers.of(request)
        client_id = request.query_params.get("client_id")
        client = await self._viewers.client(viewer, client_id) if client_id else None
        named = [m for m in request.query_params.get("members", "").split(",") if m]
        known = await self._viewers.known(viewer.firm_id, named)
        return json_response(
            {
                "member": _member(viewer),
                "firm": {"id": viewer.firm_id, "name": viewer.firm_name, "locale": viewer.firm_locale},
                "client": client
                and {
                    "client_id": client.client_id,
                    "name": client.name,
                    "connected": client.connected,
                    "assigned": viewer.member_id in client.assignees,
                    "status": client.status,
                },
                "members": {m: known[m]["active"] for m in named if m in known},
            }
        )

    async def command(self, request: Request) -> Response:
        """Where a command stands, for whoever issued it; of a grant also whether it still opens."""
        caller = await caller_of(request, self._tokens)
        known = await self._database[COMMANDS].find_one({"_id": request.path_params["command_id"]})
        if known is None or known["member_id"] != caller.subject:
            raise Problem(404, "not_found")
        outcome = known["outcome"] or {"command_id": known["_id"], "member_id": known["member_id"], "status": "pending"}
        result = outcome.get("result") or {}
        opens = None
        if "grant_id" in result:
            open_grant = {"grant_id": result["grant_id"], "redeemed_at": None, "expires_at": {"$gt": now()}}
            opens = await self._database[GRANTS].find_one({**open_grant, "member_id": caller.subject}) is not None
        return json_response({"code": None, "detail": None, "result": None, **outcome, "grant_open": opens})

    async def member(self, request: Request) -> Response:
        """A member by id, for the developer login alone."""
        ours_only(request, self._door_key)
        found = await self._database[MEMBERS].find_one({"_id": request.path_params["member_id"]})
        if found is None:
            raise Problem(404, "not_found")
        return json_response({"id": found["_id"], "firm_id": found["firm_id"], "active": found["active"], "name": found["name"]})

    async def access(self, request: Request) -> Response:
        """Who may be mailed about what, asked by the mailer in bulk (N9)."""
        ours_only(request, self._door_key)
        pairs = [(str(m), str(c)) for m, c in orjson.loads(await request.body())["pairs"]]
        members = {m["_id"]: m async for m in self._database[MEMBERS].find({"_id": {"$in": sorted({m for m, _ in pairs})}})}
        firms = {
            f["_id"]: f
            async for f in self._database[FIRMS].find({"_id": {"$in": sorted({m["firm_id"] for m in members.values()})}})
        }
        keys = {(m, c): f"{members[m]['firm_id']}.{c}" for m, c in pairs if m in members}
        rows = {d["_id"]: client_from(d) async for d in self._database[ROWS].find({"_id": {"$in": sorted(set(keys.values()))}})}
        return json_response(
            {
                "members": {i: _mailed(m, firms.get(m["firm_id"], {})) for i, m in members.items()},
                "pairs": [_pair(m, c, members.get(m), rows.get(keys.get((m, c), ""))) for m, c in pairs],
            }
        )

    async def _rows(
        self, found: list[Client], members: Mapping[str, Document], viewer: Viewer, tab: str | None = None
    ) -> list[dict[str, Any]]:
        addresses = (c.addressed_to for c in found if c.invites and c.addressed_to)
        addressed = await self._viewers.addressed(viewer.firm_id, addresses)
        return [row(client, viewer, members, addressed, tab) for client in found]


def _member(viewer: Viewer) -> dict[str, Any]:
    return {
        "id": viewer.member_id,
        "name": viewer.name,
        "email": viewer.email,
        "role": viewer.role.value,
        "locale": viewer.locale,
    }


def _mailed(member: dict[str, Any], firm: dict[str, Any]) -> dict[str, Any]:
    wanted = {k: member[k] for k in ("firm_id", "name", "email", "locale", "role", "active")}
    return {**wanted, "firm_name": firm.get("name"), "firm_locale": firm.get("locale")}


def _pair(member_id: str, client_id: str, member: dict[str, Any] | None, client: Client | None) -> dict[str, Any]:
    connected = client is not None and client.connected
    assigned = client is not None and member_id in client.assignees
    active = member is not None and member["active"]
    allowed = active and connected and (assigned or (member is not None and member["role"] == "admin"))
    return {
        "member_id": member_id,
        "client_id": client_id,
        "allowed": allowed,
        "connected": connected,
        "assigned": assigned,
        "version": client.version if client else 0,
    }
