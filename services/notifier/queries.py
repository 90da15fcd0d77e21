"""The notifier's door: a member's own settings and deliveries, a client's reminders, and where a command stands."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from services.notifier import documents
from services.notifier.domain.mail import Line
from services.notifier.domain.preferences import Address, Preferences, shown_settings, shown_suppression
from services.notifier.domain.reminder import details
from services.notifier.domain.subscription import shown, subscription_id
from services.notifier.domain.world import client_key
from services.notifier.store import CLIENTS, LEDGER, MEMBERS, PREFERENCES, REMINDERS, SUBSCRIPTIONS
from shared.auth import Caller, Tokens
from shared.clock import rfc3339
from shared.contracts.notifier import DeliveryStatus
from shared.door import caller_of, json_response
from shared.handling import COMMANDS
from shared.mongo import Database
from shared.problems import FieldError, Problem

USUAL_PAGE, LONGEST_PAGE = 50, 200
MOST_REMINDERS = 100


class Doors:
    """Answers what members read; the gateway has asked clients' door already whether they see the client."""

    def __init__(self, database: Database, tokens: Tokens) -> None:
        self._database = database
        self._tokens = tokens

    def routes(self) -> list[Route]:
        """Return what is served here."""
        return [
            Route("/v1/clients/{client_id}/notifications", self.notifications),
            Route("/v1/me/notification-settings", self.settings),
            Route("/v1/me/deliveries", self.deliveries),
            Route("/door/suppressed", self.suppressed),
            Route("/door/clients/{client_id}/reminders", self.reminders),
            Route("/door/commands/{command_id}", self.command),
        ]

    async def notifications(self, request: Request) -> Response:
        """Return the caller's notifications of one client (N1, N5)."""
        caller, firm_id = await self._member(request)
        wanted = {"_id": subscription_id(caller.subject, request.path_params["client_id"]), "firm_id": firm_id}
        found = await self._database[SUBSCRIPTIONS].find_one(wanted)
        suppressed = shown_suppression(await self._suppression(caller.subject, firm_id))
        return json_response(shown(documents.subscription_of(found) if found else None, suppressed))

    async def settings(self, request: Request) -> Response:
        """Return the caller's default frequency and pause (N16, N17)."""
        caller, firm_id = await self._member(request)
        return json_response(shown_settings(await self._preferences(caller.subject, firm_id)))

    async def suppressed(self, request: Request) -> Response:
        """Return to whom of the caller's firm nothing goes at present, and why; the gateway joins it for admins (N14)."""
        _, firm_id = await self._member(request)
        kept = [documents.preferences_of(d) async for d in self._database[PREFERENCES].find({"firm_id": firm_id})]
        known = [preferences for preferences in kept if any(address.reason for address in preferences.addresses)]
        addresses = await self._addresses([preferences.member_id for preferences in known], firm_id)
        told = {p.member_id: shown_suppression(p.suppressed(addresses.get(p.member_id, ""))) for p in known}
        return json_response({"members": {member_id: why for member_id, why in told.items() if why}})

    async def _preferences(self, member_id: str, firm_id: str) -> Preferences | None:
        found = await self._database[PREFERENCES].find_one({"_id": member_id, "firm_id": firm_id})
        return documents.preferences_of(found) if found else None

    async def _suppression(self, member_id: str, firm_id: str) -> Address | None:
        preferences = await self._preferences(member_id, firm_id)
        if preferences is None:
            return None
        addresses = await self._addresses([member_id], firm_id)
        return preferences.suppressed(addresses.get(member_id, ""))

    async def _addresses(self, member_ids: Sequence[str], firm_id: str) -> Mapping[str, str]:
        found = self._database[MEMBERS].find({"_id": {"$in": list(member_ids)}, "firm_id": firm_id}, {"email": 1})
        return {document["_id"]: document["email"] async for document in found}

    async def deliveries(self, request: Request) -> Response:
        """Return a page of the caller's own ledger, newest first (N10)."""
        caller, firm_id = await self._member(request)
        async with in_the_language_of(self._database, caller):
            return await self._deliveries(request, caller, firm_id)

    async def _deliveries(self, request: Request, caller: Caller, firm_id: str) -> Response:
        client_id, limit = request.query_params.get("client_id"), _limit(request.query_params.get("limit"))
        where: dict[str, Any] = {"firm_id": firm_id, "member_id": caller.subject}
        if client_id is not None:
            where["client_id"] = client_id
        if (cursor := request.query_params.get("cursor")) is not None:
            due_at, last = _after(cursor, client_id)
            where["$or"] = [{"due_at": {"$lt": due_at}}, {"due_at": due_at, "_id": {"$lt": last}}]
        found = await self._database[LEDGER].find(where).sort([("due_at", -1), ("_id", -1)]).limit(limit + 1).to_list(None)
        lines = [documents.line_of(document) for document in found]
        page = lines[:limit]
        names = await self._names(firm_id, page)
        following = _cursor(page[-1], client_id) if len(lines) > limit else None
        return json_response({"items": [_item(line, names) for line in page], "next_cursor": following})

    async def reminders(self, request: Request) -> Response:
        """Return the newest reminders of one client of the caller's firm (R5)."""
        _, firm_id = await self._member(request)
        where = {"firm_id": firm_id, "client_id": request.path_params["client_id"]}
        found = await self._database[REMINDERS].find(where).sort([("sent_at", -1)]).limit(MOST_REMINDERS).to_list(None)
        return json_response({"reminders": [details(documents.reminder_of(document)) for document in found]})

    async def command(self, request: Request) -> Response:
        """Return where a command stands, to whoever issued it; to others it is not there."""
        caller = await caller_of(request, self._tokens)
        wanted = {"_id": request.path_params["command_id"], "member_id": caller.subject}
        known = await self._database[COMMANDS].find_one(wanted)
        if known is None:
            raise Problem(404, "not_found")
        pending = {"command_id": known["_id"], "member_id": known["member_id"], "status": "pending"}
        return json_response({"code": None, "detail": None, "result": None, **(known["outcome"] or pending)})

    async def _member(self, request: Request) -> tuple[Caller, str]:
        caller = await caller_of(request, self._tokens)
        if caller.firm_id is None:
            raise Problem(403, "not_a_member")
        return caller, caller.firm_id

    async def _names(self, firm_id: str, lines: Iterable[Line]) -> Mapping[str, str]:
        ids = sorted({client_key(firm_id, line.client_id) for line in lines})
        found = self._database[CLIENTS].find({"_id": {"$in": ids}, "firm_id": firm_id}, {"client_id": 1, "name": 1})
        return {document["client_id"]: document["name"] async for document in found}


@asynccontextmanager
async def in_the_language_of(database: Database, caller: Caller) -> AsyncIterator[None]:
    """Let what is refused within be told in the member's language (G1)."""
    try:
        yield
    except Problem as problem:
        member = await database[MEMBERS].find_one({"_id": caller.subject, "firm_id": caller.firm_id}, {"locale": 1})
        problem.locale = member["locale"] if member else None
        raise


def _item(line: Line, names: Mapping[str, str]) -> Mapping[str, Any]:
    return {
        "client_id": line.client_id,
        "client_name": names.get(line.client_id),
        "due_at": rfc3339(line.due_at),
        "status": line.status.value,
        "reason": line.reason.value if line.reason else None,
        "sent_at": rfc3339(line.sent_at) if line.sent_at else None,
        "message_id": line.message_id if line.status is DeliveryStatus.SENT else None,
    }


def _limit(text: str | None) -> int:
    """Return how long a page is to be; raises the 422 problem."""
    if text is None:
        return USUAL_PAGE
    if not (text.isascii() and text.isdigit() and len(text) < 4 and 1 <= int(text) <= LONGEST_PAGE):
        raise Problem(422, "invalid", errors=[FieldError("limit", "out_of_range", f"must be a number from 1 to {LONGEST_PAGE}")])
    return int(text)


def _cursor(line: Line, client_id: str | None) -> str:
    return urlsafe_b64encode(orjson.dumps([line.due_at.isoformat(), line.id, client_id])).rstrip(b"=").decode()


def _after(cursor: str, client_id: str | None) -> tuple[datetime, str]:
    """Return the place a cursor points to; raises ``bad_cursor`` for one that is none, or of another question."""
    try:
        due_at, last, of = orjson.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if of != client_id or not isinstance(last, str):
            raise Problem(400, "bad_cursor")
        return datetime.fromisoformat(due_at).astimezone(UTC), last
    except (ValueError, TypeError, OverflowError) as wrong:
        raise Problem(400, "bad_cursor") from wrong
