"""One's e-mail notifications: of a client, of many, of those to come, and how the next mail would look (section 8)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal
from urllib.parse import urlencode

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError
from starlette.responses import Response

from services.gateway.bodies import ClientIds, Day, Notifications
from services.gateway.endpoints import Endpoint, Query, Who
from services.gateway.gate import Ask, Gate, Viewer, seen
from services.gateway.owners import Owner, query_of, unavailable
from services.gateway.reading import wrong_field
from services.gateway.routes.members import passing
from services.gateway.writing import Nothing, Wish, writes
from shared.contracts.base import ClientId, Command, MemberId, Wire
from shared.contracts.notifier import (
    MOST_AT_ONCE,
    ClientSeen,
    Frequency,
    LiftSuppression,
    SetManyNotifications,
    SetNotifications,
    SetNotificationSettings,
)
from shared.problems import Problem

PAGE = 200
WOULD_SEND = "Portal-Would-Send"


class ManyNotifications(Notifications):
    """The e-mail notifications of many clients, by their ids or all of ``mine`` (N16)."""

    client_ids: ClientIds | None = None
    scope: Annotated[Literal["mine"] | None, Field(description="all clients assigned to the caller")] = None

    @model_validator(mode="after")
    def _one(self) -> ManyNotifications:
        if (self.client_ids is None) == (self.scope is None):
            raise PydanticCustomError("one_of", "must have either {one} or {other}", {"one": "client_ids", "other": "scope"})
        return self


class NotificationSettings(Wire):
    """What counts for all one's digests, replaced as a whole: a frequency for new clients, and a pause (N16, N17)."""

    default_frequency: Frequency | None = None
    paused_until: Day | None = None


async def setting(gate: Gate, ask: Ask) -> Response:
    """Serve the caller's setting for a client, with its next instants (N5)."""
    path = await _of_connected(gate, ask)
    return (await gate.owners.ask(Owner.NOTIFIER, path, ask.authorization)).response()


async def preview(gate: Gate, ask: Ask) -> Response:
    """Serve a part of the mail that the caller would get if only this client fell due now (N15)."""
    path = await _of_connected(gate, ask)
    query = query_of(ask.request.scope["query_string"])
    answer = await gate.owners.ask(Owner.NOTIFIER, f"{path}/preview", ask.authorization, query)
    return answer.response()


async def _of_connected(gate: Gate, ask: Ask) -> str:
    client_id = ask.request.path_params["client_id"]
    if not seen(await gate.viewer(ask, client_id)).connected:
        raise Problem(409, "not_connected")
    return f"/v1/clients/{client_id}/notifications"


async def _set(wish: Wish[Notifications]) -> tuple[Command, str]:
    command = SetNotifications(
        **wish.stamp,
        client_id=ClientId(wish.client.client_id),
        connected=wish.client.connected,
        email=wish.body.email,
        frequency=wish.body.frequency,
        even_if_nothing=wish.body.even_if_nothing,
    )
    return command, wish.viewer.member_id


async def _set_many(wish: Wish[ManyNotifications]) -> tuple[Command, str]:
    ids = wish.body.client_ids
    clients = await _seen(wish.gate, wish.viewer, ids) if ids is not None else await _mine(wish.gate, wish.ask)
    command = SetManyNotifications(
        **wish.stamp,
        clients=tuple(clients),
        email=wish.body.email,
        frequency=wish.body.frequency,
        even_if_nothing=wish.body.even_if_nothing,
    )
    return command, wish.viewer.member_id


async def _seen(gate: Gate, viewer: Viewer, ids: Sequence[str]) -> list[ClientSeen]:
    """Return for each of *ids* whether its notifications can be set: unknown, foreign and unseen ones alike (E1)."""
    body = {"pairs": [[viewer.member_id, id] for id in ids]}
    answer = await gate.owners.ask(Owner.CLIENTS, "/door/access", body=body)
    if not answer.ok:
        raise unavailable()
    codes = {pair["client_id"]: _code(viewer, pair) for pair in answer.json()["pairs"]}
    return [ClientSeen(client_id=ClientId(id), code=codes.get(id, "not_found")) for id in ids]


def _code(viewer: Viewer, pair: dict[str, object]) -> str | None:
    if not pair["version"] or not (viewer.admin or pair["assigned"]):
        return "not_found"
    return None if pair["connected"] else "not_connected"


async def _mine(gate: Gate, ask: Ask) -> list[ClientSeen]:
    """Return the clients in the caller's ``mine``, page by page; raises 422 beyond what one command can hold."""
    found: list[ClientSeen] = []
    cursor: str | None = ""
    while cursor is not None:
        query = {"tab": "mine", "limit": PAGE, **({"cursor": cursor} if cursor else {})}
        answer = await gate.owners.ask(Owner.CLIENTS, "/v1/clients", ask.authorization, urlencode(query))
        if not answer.ok:
            raise unavailable()
        page = answer.json()
        found += [ClientSeen(client_id=ClientId(row["client_id"])) for row in page["items"]]
        cursor = page["next_cursor"]
        if len(found) > MOST_AT_ONCE:
            raise wrong_field("scope", "too_many", f"more than {MOST_AT_ONCE} clients: name up to 500 of them at a time")
    return found


async def _set_settings(wish: Wish[NotificationSettings]) -> tuple[Command, str]:
    command = SetNotificationSettings(
        **wish.stamp, default_frequency=wish.body.default_frequency, paused_until=wish.body.paused_until
    )
    return command, wish.viewer.member_id


async def _lift(wish: Wish[Nothing]) -> tuple[Command, str]:
    member_id = MemberId(wish.path("member_id"))
    return LiftSuppression(**wish.stamp, member_id=member_id), member_id


_PATH = "/v1/clients/{client_id}/notifications"
_SETTINGS = "/v1/me/notification-settings"

TABLE: tuple[Endpoint, ...] = (
    Endpoint(
        method="GET",
        path=_PATH,
        summary="One's notifications of a client.",
        who=Who.MEMBER,
        serve=setting,
        refusals={"not_found": 404, "not_connected": 409},
    ),
    writes(
        "PUT",
        _PATH,
        "Set one's notifications of a client (N1–N4).",
        _set,
        body=Notifications,
        who=Who.MEMBER,
        guard=None,
        refusals=("not_found", "not_connected"),
    ),
    Endpoint(
        method="GET",
        path=f"{_PATH}/preview",
        summary="The digest one would get if only this client fell due now (N15).",
        who=Who.MEMBER,
        serve=preview,
        query=(Query("format", {"type": "string", "enum": ["html", "text"], "default": "html"}),),
        media=("text/html", "text/plain"),
        refusals={"not_found": 404, "not_connected": 409},
    ),
    writes(
        "PUT",
        "/v1/notifications",
        "Set one's notifications of many clients (N16).",
        _set_many,
        body=ManyNotifications,
        who=Who.MEMBER,
        guard=None,
    ),
    Endpoint(
        method="GET",
        path=_SETTINGS,
        summary="One's default frequency and pause.",
        who=Who.MEMBER,
        serve=passing(Owner.NOTIFIER),
    ),
    writes(
        "PUT",
        _SETTINGS,
        "Set one's default frequency and pause (N16, N17).",
        _set_settings,
        body=NotificationSettings,
        who=Who.MEMBER,
        guard=None,
    ),
    writes(
        "DELETE",
        "/v1/members/{member_id}/suppression",
        "Let mails go to a member's address again (N14).",
        _lift,
        body=Nothing,
        own={"unknown_member": 404},
    ),
)
