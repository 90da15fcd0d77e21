"""The links in mails: a page that ends subscriptions, by RFC 8058 too, and brings them back (N13)."""

from __future__ import annotations

import email
from email import policy
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs
from uuid import uuid4

from jinja2 import Environment, StrictUndefined, select_autoescape
from starlette.responses import HTMLResponse, Response

from services.gateway.endpoints import Endpoint, Who
from services.gateway.gate import Ask, Gate
from services.gateway.owners import Owner, unavailable
from services.gateway.reading import is_json, parsed, wrong_field
from services.gateway.store import body_hash
from services.gateway.writing import request_of
from shared.clock import now
from shared.contracts.base import Actor, ClientId, Command, CommandId, Role, Status
from shared.contracts.notifier import UndoUnsubscribe, Unsubscribe
from shared.problems import Problem, german

SCOPES = ("these", "all")
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow",
}
_pages = Environment(autoescape=select_autoescape(default=True), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
_page = _pages.from_string((Path(__file__).parents[1] / "unsubscribe.html").read_text())


async def show(gate: Gate, ask: Ask) -> Response:
    """Serve the page behind a mail's link; looking at it changes nothing, so link scanners do no harm."""
    return _shown(ask, await _about(gate, ask), "")


async def end(gate: Gate, ask: Ask) -> Response:
    """End what the link, or the page's choice, says; used again it changes nothing."""
    about = await _about(gate, ask)
    scope = _scope(await _body(ask))
    ids = None if scope == "all" else tuple(ClientId(id) for id in about["these"])
    await _carry(gate, ask, about, Unsubscribe(**_stamp(about), click=about["click"], client_ids=ids))
    return _shown(ask, await _about(gate, ask), "ended_all" if scope == "all" else "ended")


async def undo(gate: Gate, ask: Ask) -> Response:
    """Bring back what the link ended."""
    about = await _about(gate, ask)
    await _body(ask)
    if about["undoable"]:
        await _carry(gate, ask, about, UndoUnsubscribe(**_stamp(about), click=about["click"]))
    return _shown(ask, await _about(gate, ask), "restored" if about["undoable"] else "nothing_to_restore")


async def _about(gate: Gate, ask: Ask) -> dict[str, Any]:
    """Return what the notifier knows of the link; raises 404 for one that is none."""
    answer = await gate.owners.ask(Owner.NOTIFIER, "/door/link", body={"token": ask.request.path_params["token"]})
    if answer.status == 404:
        raise Problem(404, "not_found", locale=_locale(ask))
    if not answer.ok:
        raise unavailable()
    about: dict[str, Any] = answer.json()
    ask.locale = about["member"]["locale"]
    return about


async def _body(ask: Ask) -> dict[str, Any]:
    """Return the fields of a form or of JSON; a mail program's one click sends a form of either kind (RFC 8058)."""
    body, kind = await ask.body(required=False), ask.request.headers.get("content-type", "")
    if not body.strip():
        return {}
    if is_json(kind):
        value = parsed(body)
        if not isinstance(value, dict):
            raise wrong_field("body", "model_type", "must be an object")
        return value
    if kind.lower().startswith("multipart/form-data"):
        return _multipart(kind, body)
    return {name: values[-1] for name, values in parse_qs(body.decode("utf-8", "replace")).items()}


def _multipart(kind: str, body: bytes) -> dict[str, Any]:
    """Return the fields of a form in parts; raises 400 for parts that Python's own parser cannot make sense of (E1)."""
    form = email.message_from_bytes(b"Content-Type: " + kind.encode("latin-1") + b"\r\n\r\n" + body, policy=policy.HTTP)
    try:
        parts = list(form.iter_parts()) if form.is_multipart() else []
        return {str(part.get_param("name", "", "content-disposition")): str(part.get_content()).strip() for part in parts}
    except (LookupError, ValueError, AttributeError, TypeError) as odd:
        raise Problem(400, "malformed") from odd


def _scope(fields: dict[str, Any]) -> str:
    scope = fields.get("scope", SCOPES[0])
    if scope not in SCOPES:
        raise wrong_field("scope", "enum", "must be these or all")
    return str(scope)


def _stamp(about: dict[str, Any]) -> dict[str, Any]:
    member = about["member"]
    actor = Actor.model_validate({**member, "role": Role(member["role"])})
    return {"command_id": CommandId(uuid4().hex), "issued_at": now(), "actor": actor}


async def _carry(gate: Gate, ask: Ask, about: dict[str, Any], command: Command) -> None:
    """Return once the command is done; raises 503 if it could not be taken, or is not done in time: POST it again."""
    request = request_of(command, command.actor.member_id, None, body_hash(about["click"]), command.actor.firm_id)
    settled = await gate.commands.carry(ask, request, repeated=False, wait=None)
    if settled is None or settled.status is not Status.SUCCEEDED:
        raise unavailable()


def _locale(ask: Ask) -> str | None:
    """Return the language of whoever has no locale with us: what their browser wants."""
    wanted = ask.request.headers.get("accept-language", "")
    return wanted.partition(",")[0].strip() or None


def _shown(ask: Ask, about: dict[str, Any], did: str) -> Response:
    language = "de" if german(about["member"]["locale"]) else "en"

    def say(german_text: str, english_text: str) -> str:
        return german_text if language == "de" else english_text

    path = f"/u/{ask.request.path_params['token']}"
    return HTMLResponse(_page.render(about=about, did=did, say=say, language=language, path=path), headers=HEADERS)


_GONE = {"not_found": 404}

TABLE: tuple[Endpoint, ...] = (
    Endpoint(
        method="GET",
        path="/u/{token}",
        summary="The page behind a mail's link; it changes nothing (N13).",
        who=Who.ANYONE,
        serve=show,
        media=("text/html",),
        refusals=_GONE,
    ),
    Endpoint(
        method="POST",
        path="/u/{token}",
        summary="End the subscriptions of a mail's link, also by one click (N13, RFC 8058).",
        who=Who.ANYONE,
        serve=end,
        media=("text/html",),
        refusals={**_GONE, "malformed": 400, "invalid": 422, "too_large": 413},
    ),
    Endpoint(
        method="POST",
        path="/u/{token}/undo",
        summary="Bring back what the link ended (N13).",
        who=Who.ANYONE,
        serve=undo,
        media=("text/html",),
        refusals={**_GONE, "malformed": 400, "too_large": 413},
    ),
)
