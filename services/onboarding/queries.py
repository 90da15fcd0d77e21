"""Onboarding's door: what its services and members may read of it, from the primary (O1, O8)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from statistics import median
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from services.onboarding.domain.verification import Stage
from services.onboarding.store import COMPANIES, company_of
from shared.auth import Tokens, same, token_hash
from shared.clock import moment_of, shown, stamp_of
from shared.clock import now as clock_now
from shared.door import DOOR_KEY_HEADER, caller_of, json_response
from shared.handling import COMMANDS
from shared.mongo import Database, Document
from shared.problems import FieldError, Problem

USUAL_WITHIN = timedelta(days=90)
FEWEST_CASES = 20
DAY = timedelta(days=1)


class Queries:
    """The routes of this service's door."""

    def __init__(self, database: Database, tokens: Tokens, door_key: str, now: Callable[[], datetime] = clock_now) -> None:
        self._database = database
        self._tokens = tokens
        self._door_key = door_key
        self._now = now

    @property
    def routes(self) -> list[Route]:
        """What can be asked here."""
        return [
            Route("/door/links/resolve", self.resolve, methods=["POST"]),
            Route("/door/clients/{client_id}", self.client, methods=["GET"]),
            Route("/door/commands/{command_id}", self.command, methods=["GET"]),
        ]

    async def resolve(self, request: Request) -> Response:
        """Return whom a mailed link invites; only the newest, while neither withdrawn nor expired (O6)."""
        caller = await caller_of(request, self._tokens)
        if not caller.is_service:
            raise Problem(403, "service_only")
        token = _token_of(await request.body())
        document = await self._database[COMPANIES].find_one({"link_hash": token_hash(token)})
        if document is None or self._over(document):
            raise Problem(410, "link_invalid")
        invitation = document["invitation"]
        return json_response(
            {
                "client_id": document["_id"],
                "firm_id": invitation["firm_id"],
                "company_name": invitation["company_name"],
                "contact_email": invitation["contact_email"],
            }
        )

    async def client(self, request: Request) -> Response:
        """Return how far a company is that the caller's firm invited; any other is 404 (E1, O8)."""
        caller = await caller_of(request, self._tokens)
        where = {"_id": request.path_params["client_id"], "invitation.firm_id": caller.firm_id}
        document = await self._database[COMPANIES].find_one(where) if caller.firm_id else None
        if document is None:
            raise Problem(404, "not_found")
        company = company_of(document)
        return json_response(
            {
                "state": document["stage"],
                "timeline": [{"state": s.stage, "at": shown(s.at), "corrected": s.corrected} for s in company.timeline],
                "missing": [{"code": item.code, "text": item.text} for item in company.missing] if company.open else [],
                "usual_duration_days": await self._usual_days(),
            }
        )

    async def command(self, request: Request) -> Response:
        """Return where a command stands, to its issuer or to another of our services."""
        wanted: dict[str, Any] = {"_id": request.path_params["command_id"]}
        if not same(request.headers.get(DOOR_KEY_HEADER, ""), self._door_key):
            wanted["member_id"] = (await caller_of(request, self._tokens)).subject
        known = await self._database[COMMANDS].find_one(wanted)
        if known is None:
            raise Problem(404, "not_found")
        return json_response(_standing(known))

    def _over(self, document: Mapping[str, Any]) -> bool:
        """Whether the invitation's time is up, though no tick has said so yet."""
        invitation = company_of(document).invitation
        assert invitation is not None
        return document["stage"] == Stage.INVITED and invitation.expires_at <= self._now()

    async def _usual_days(self) -> float | None:
        """Return the median of days from invited to verified, of all firms' cases verified in the last 90 days (O8)."""
        since = stamp_of(self._now() - USUAL_WITHIN)
        where = {"stage": str(Stage.VERIFIED), "stage_at": {"$gte": since}}
        fields = {"_id": 0, "stage_at": 1, "invitation.invited_at": 1}
        cases = await self._database[COMPANIES].find(where, fields).to_list(None)
        return usual_days([(moment_of(c["invitation"]["invited_at"]), moment_of(c["stage_at"])) for c in cases])


def usual_days(cases: list[tuple[datetime, datetime]]) -> float | None:
    """Return the median duration of *cases* in days, to a tenth; None under 20 cases (O8)."""
    if len(cases) < FEWEST_CASES:
        return None
    return round(median(max(0.0, (verified - invited) / DAY) for invited, verified in cases), 1)


def _token_of(body: bytes) -> str:
    try:
        asked = orjson.loads(body)
    except orjson.JSONDecodeError as wrong:
        raise Problem(400, "malformed") from wrong
    token = asked.get("token") if isinstance(asked, dict) else None
    if not isinstance(token, str):
        raise Problem(422, "invalid", errors=[FieldError("token", "string_type", "must be a string")])
    return token


def _standing(known: Mapping[str, Any]) -> Document:
    outcome = known["outcome"] or {"status": "pending"}
    return {
        "command_id": known["_id"],
        "member_id": known["member_id"],
        "status": outcome["status"],
        **{name: outcome.get(name) for name in ("code", "detail", "result")},
    }
