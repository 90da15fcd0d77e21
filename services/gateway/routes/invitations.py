"""Companies that added the firm, and companies that the firm invites (sections 5 and 6)."""

from __future__ import annotations

from starlette.responses import Response

from services.gateway.bodies import Acceptance, Invitation, Token
from services.gateway.endpoints import Endpoint, Who
from services.gateway.gate import Ask, Gate
from services.gateway.owners import Owner, unavailable
from services.gateway.reading import checked, parsed
from services.gateway.writing import Nothing, Wish, writes
from shared.contracts.base import ClientId, Command, MemberId
from shared.contracts.clients import AcceptInvitation, DeclineInvitation
from shared.contracts.onboarding import InviteCompany, ResendInvitation, WithdrawInvitation


async def _accept(wish: Wish[Acceptance]) -> tuple[Command, str]:
    assign = tuple(MemberId(member_id) for member_id in wish.body.assign)
    return AcceptInvitation(**wish.stamp, client_id=ClientId(wish.client.client_id), assign=assign), wish.client_key


async def _decline(wish: Wish[Nothing]) -> tuple[Command, str]:
    return DeclineInvitation(**wish.stamp, client_id=ClientId(wish.client.client_id)), wish.client_key


async def _invite(wish: Wish[Invitation]) -> tuple[Command, str]:
    """The gateway mints the id and says who of *assign* is known: onboarding has no members to look at (O1, M3)."""
    body = wish.body
    known: dict[str, bool] = {}
    if body.assign:
        said = await wish.gate.owners.caller(wish.ask.authorization, members=body.assign)
        known = said.get("members") or {}
    client_id = ClientId(f"c-{wish.command_id[:20]}")
    command = InviteCompany(
        **wish.stamp,
        client_id=client_id,
        company_name=body.company_name,
        contact_name=body.contact_name,
        contact_email=body.contact_email,
        country=body.country,
        client_number=body.client_number,
        assign=tuple(MemberId(member_id) for member_id in body.assign),
        known_members=tuple(MemberId(member_id) for member_id in body.assign if known.get(member_id) is True),
    )
    return command, client_id


async def _resend(wish: Wish[Nothing]) -> tuple[Command, str]:
    client_id = ClientId(wish.client.client_id)
    return ResendInvitation(**wish.stamp, client_id=client_id), client_id


async def _withdraw(wish: Wish[Nothing]) -> tuple[Command, str]:
    client_id = ClientId(wish.client.client_id)
    return WithdrawInvitation(**wish.stamp, client_id=client_id), client_id


async def resolve(gate: Gate, ask: Ask) -> Response:
    """Serve what a mailed link is about, to the product's sign-up; changes nothing (O1, O6)."""
    await gate.service(ask)
    body = await ask.body(required=True)
    parsed(body)
    token = checked(Token, body).token
    answer = await gate.owners.ask(Owner.ONBOARDING, "/door/links/resolve", ask.authorization, body={"token": token})
    if answer.status not in (200, 410):
        raise unavailable()
    return answer.response()


_ANSWERS = ("not_found", "invitation_withdrawn", "already_answered")

TABLE: tuple[Endpoint, ...] = (
    writes(
        "POST",
        "/v1/invitations/{client_id}/accept",
        "Accept a company's invitation and name who works on it (I2).",
        _accept,
        body=Acceptance,
        refusals=(*_ANSWERS, "unknown_member", "too_many_assignees"),
    ),
    writes(
        "POST",
        "/v1/invitations/{client_id}/decline",
        "Decline a company's invitation (I2).",
        _decline,
        body=Nothing,
        refusals=_ANSWERS,
    ),
    writes(
        "POST",
        "/v1/onboarding",
        "Invite a company to Pleo (O1).",
        _invite,
        body=Invitation,
        created=True,
        refusals=("already_invited", "unknown_member", "too_many_assignees", "too_many_invitations"),
    ),
    writes(
        "POST",
        "/v1/onboarding/{client_id}/resend",
        "Send the invitation again (O6).",
        _resend,
        body=Nothing,
        refusals=("not_found", "not_open", "too_many_invitations"),
    ),
    writes(
        "POST",
        "/v1/onboarding/{client_id}/withdraw",
        "Take an invitation back (O6).",
        _withdraw,
        body=Nothing,
        refusals=("not_found", "not_open", "too_many_invitations"),
    ),
    Endpoint(
        method="POST",
        path="/v1/onboarding-links/resolve",
        summary="What a mailed link is about.",
        who=Who.SERVICE,
        serve=resolve,
        body=Token,
        refusals={"link_invalid": 410},
    ),
)
