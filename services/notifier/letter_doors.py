"""The notifier's door to what mails say: the preview of a digest, and what a mail's link is about (N13, N15)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from services.notifier import documents
from services.notifier.access import Access, DoorAway
from services.notifier.domain.mail import Knowledge, Mail, Part, digest_id, digest_of
from services.notifier.domain.setting import UNDONE_WITHIN
from services.notifier.domain.subscription import Subscription, subscription_id
from services.notifier.letters import Letter, digest_letter
from services.notifier.links import Click, Links
from services.notifier.queries import in_the_language_of
from services.notifier.scheduler import on_their_way
from services.notifier.store import CLIENTS, LEDGER, MEMBERS, SUBSCRIPTIONS
from shared.auth import Caller, Tokens
from shared.clock import now
from shared.contracts.base import ClientId, FirmId, MemberId
from shared.contracts.clients import MemberState
from shared.contracts.notifier import DeliveryStatus, MailKind, SkipReason
from shared.door import RETRY_AFTER, caller_of, json_response, ours_only
from shared.mongo import Database
from shared.problems import FieldError, Problem

MEDIA = {"html": "text/html", "text": "text/plain"}
WOULD_SEND = "Portal-Would-Send"
ANSWERED = [DeliveryStatus.PENDING, DeliveryStatus.SENT, DeliveryStatus.FAILED, DeliveryStatus.OUTCOME_UNKNOWN]
MOST_SHOWN = 500
ABOUT_ONBOARDING = (MailKind.INVITATION, MailKind.END, MailKind.UNDELIVERED)


class LetterDoors:
    """Answers what needs a mail's own words, or its links; a member's own, or asked by the gateway."""

    def __init__(self, database: Database, tokens: Tokens, access: Access, links: Links, door_key: str) -> None:
        self._database = database
        self._tokens = tokens
        self._access = access
        self._links = links
        self._door_key = door_key

    def routes(self) -> list[Route]:
        """Return what is served here."""
        return [
            Route("/v1/clients/{client_id}/notifications/preview", self.preview),
            Route("/door/link", self.link, methods=["POST"]),
            Route("/door/on-their-way", self.on_their_way, methods=["POST"]),
        ]

    async def preview(self, request: Request) -> Response:
        """Return the part of the digest that the caller would get if only this client fell due now (N15)."""
        caller = await caller_of(request, self._tokens)
        format = request.query_params.get("format", "html")
        if caller.firm_id is None:
            raise Problem(403, "not_a_member")
        async with in_the_language_of(self._database, caller):
            return await self._preview(caller, caller.firm_id, request.path_params["client_id"], format)

    async def _preview(self, caller: Caller, firm_id: str, client_id: str, format: str) -> Response:
        if format not in MEDIA:
            raise Problem(422, "invalid", errors=[FieldError("format", "enum", "must be html or text")])
        mail = _imagined(FirmId(firm_id), MemberId(caller.subject), ClientId(client_id))
        letter, reason = await self._letter(mail)
        headers = {WOULD_SEND: f"no; reason={reason}" if reason else "yes", "Cache-Control": "no-store"}
        if format == "html":
            headers["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'; form-action 'none'"
        return Response(letter.html if format == "html" else letter.text, 200, headers, f"{MEDIA[format]}; charset=utf-8")

    async def _letter(self, mail: Mail) -> tuple[Letter, SkipReason | None]:
        """Return the letter as sending makes it, and why it would not go; raises 404, or 503 while clients' door is away."""
        try:
            view = await self._access.view([mail])
        except DoorAway as away:
            raise Problem(503, "unavailable", headers=RETRY_AFTER) from away
        (known,) = view.known(mail).values()
        recipient = view.recipient(mail)
        if recipient is None or known.client is None or not known.allowed:
            raise Problem(404, "not_found")
        subscription = known.subscription or Subscription(mail.firm_id, recipient_id(mail), known.client.client_id)
        digest = digest_of([(known.client, subscription)])
        letter = digest_letter(digest, recipient["name"], recipient["locale"], self._links.portal_url, self._links.inert)
        return letter, _why_not(known, mail)

    async def link(self, request: Request) -> Response:
        """Return what a mail's link is about, for the gateway; a link that is none is 404 (N13)."""
        ours_only(request, self._door_key)
        click = self._links.read(str(orjson.loads(await request.body())["token"]))
        found = await self._database[MEMBERS].find_one({"_id": click.member_id}) if click else None
        if click is None or found is None:
            raise Problem(404, "not_found")
        member = documents.member_of(found)
        answered = await self._answered(member, click)
        if not answered:
            raise Problem(404, "not_found")
        whole = replace(click, client_id=None)
        mine = {"firm_id": member.firm_id, "member_id": member.member_id}
        undoable = {**mine, "ended_by": click.id, "email": False, "ended_at": {"$gte": now() - UNDONE_WITHIN}}
        return json_response(
            {
                "click": click.id,
                "member": {name: getattr(member, name) for name in ("member_id", "firm_id", "name", "email", "role", "locale")},
                "these": [click.client_id] if click.client_id else answered,
                "whole_mail": self._links.token(whole),
                "of_client": click.client_id is not None,
                "clients": await self._clients(member, click, answered[:MOST_SHOWN]),
                "on": await self._database[SUBSCRIPTIONS].count_documents({**mine, "email": True}),
                "undoable": await self._database[SUBSCRIPTIONS].count_documents(undoable),
            }
        )

    async def on_their_way(self, request: Request) -> Response:
        """Return whether a mail of an onboarding that is due by an instant is still on its way, to who lets time speak."""
        ours_only(request, self._door_key)
        at = datetime.fromisoformat(orjson.loads(await request.body())["at"])
        return json_response({"waiting": await on_their_way(self._database, at, *ABOUT_ONBOARDING)})

    async def _answered(self, member: MemberState, click: Click) -> list[str]:
        """Return the clients whose subscriptions the mail answered, by the ledger (kept 24 months)."""
        where = {"firm_id": member.firm_id, "member_id": member.member_id, "due_at": click.due_at, "mail_id": click.mail_id}
        where["status"] = {"$in": [status.value for status in ANSWERED]}
        found = [d["client_id"] async for d in self._database[LEDGER].find(where, {"client_id": 1}).sort("client_id", 1)]
        return found if click.client_id is None or click.client_id in found else []

    async def _clients(self, member: MemberState, click: Click, ids: Sequence[str]) -> list[Mapping[str, Any]]:
        """Return the mail's clients with their names, whether they are on, and each one's own link."""
        keys = {f"{member.firm_id}.{id}": id for id in ids}
        wanted = {"_id": {"$in": list(keys)}, "firm_id": member.firm_id}
        names = {d["client_id"]: d["name"] async for d in self._database[CLIENTS].find(wanted, {"client_id": 1, "name": 1})}
        subscriptions = {"_id": {"$in": [subscription_id(member.member_id, id) for id in ids]}, "firm_id": member.firm_id}
        on = {
            d["client_id"] async for d in self._database[SUBSCRIPTIONS].find({**subscriptions, "email": True}, {"client_id": 1})
        }
        return [
            {
                "client_id": id,
                "name": names.get(id, id),
                "on": id in on,
                "token": self._links.token(replace(click, client_id=ClientId(id))),
            }
            for id in ids
        ]


def recipient_id(mail: Mail) -> MemberId:
    """Return whom a digest is for."""
    assert mail.member_id is not None
    return mail.member_id


def _imagined(firm_id: FirmId, member_id: MemberId, client_id: ClientId) -> Mail:
    moment = now()
    id = digest_id(member_id, moment)
    return Mail(id, MailKind.DIGEST, firm_id, member_id, moment, moment, (Part(client_id, moment),), None)


def _why_not(known: Knowledge, mail: Mail) -> SkipReason | None:
    if known.subscription is None or not known.subscription.email:
        return SkipReason.SWITCHED_OFF
    return known.withheld(mail.due_at) or (None if known.tells else SkipReason.NOTHING_OUTSTANDING)
