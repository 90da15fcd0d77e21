"""One's e-mail notifications of a client (section 8)."""

from __future__ import annotations

from starlette.responses import Response

from services.gateway.bodies import Notifications
from services.gateway.endpoints import Endpoint, Who
from services.gateway.gate import Ask, Gate, seen
from services.gateway.owners import Owner
from services.gateway.writing import Wish, writes
from shared.contracts.base import ClientId, Command
from shared.contracts.notifier import SetNotifications
from shared.problems import Problem


async def setting(gate: Gate, ask: Ask) -> Response:
    """Serve the caller's setting for a client, with its next instants (N5)."""
    client_id = ask.request.path_params["client_id"]
    if not seen(await gate.viewer(ask, client_id)).connected:
        raise Problem(409, "not_connected")
    return (await gate.owners.ask(Owner.NOTIFIER, f"/v1/clients/{client_id}/notifications", ask.authorization)).response()


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


_PATH = "/v1/clients/{client_id}/notifications"

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
)
