"""Invitations by companies: added, answered, withdrawn, and the end of a connection (section 5 of the behaviour)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from services.clients.domain.assignments import key_of, told, too_many, unknown
from services.clients.domain.events import (
    ClientParted,
    CompanyMoved,
    InvitationAccepted,
    InvitationDeclined,
    InvitationTakenBack,
    Invited,
)
from services.clients.domain.states import Client, Company, Invitation, World
from shared.contracts import clients as said
from shared.contracts import portal
from shared.contracts.clients import AcceptInvitation, DeclineInvitation, DisconnectClient
from shared.contracts.pleo import AccountantAdded, AccountantWithdrawn
from shared.decider import Counted, Refused, Said, Succeeded
from shared.messages import Heard


def added(heard: Heard[AccountantAdded], world: World) -> Sequence[Any]:
    """A company added the firm (I1); after an end this starts afresh, without the old assignments (I6)."""
    fact = heard.message
    company = world.company(fact.client_id)
    client = world.client(fact.firm_id, fact.client_id) or Client(fact.firm_id, fact.client_id)
    content = fact.model_dump_json()
    if (stale := _stale(fact.sequence, content, client)) is not None:
        return stale
    anew = client.ended or client.invites
    after = replace(
        client,
        given_name=fact.company_name,
        name=company.name or fact.company_name,
        client_number=fact.client_number if fact.client_number is not None or anew else client.client_number,
        sequence=fact.sequence,
        heard=content,
        ledger=company.ledger,
        version=client.version + 1,
    )
    if anew:
        after = replace(
            after,
            invitation=Invitation.PENDING,
            addressed_to=fact.addressed_to,
            invited_at=heard.time,
            disconnected=False,
            ended_at=None,
            onboarding=None,
            assignees=() if client.ended else client.assignees,
            verification=company.verification,
        )
    return [*_joined(company, fact.firm_id), Invited(after), *told(client.assignees, after, heard.time)]


def withdrawn(heard: Heard[AccountantWithdrawn], world: World) -> Sequence[Any]:
    """A company takes its invitation back (I4), or parts from the firm (I5); before its ``added`` it leaves nothing."""
    fact = heard.message
    client = world.client(fact.firm_id, fact.client_id) or Client(fact.firm_id, fact.client_id)
    content = "withdrawn:" + fact.model_dump_json()
    if (stale := _stale(fact.sequence, content, client)) is not None:
        return stale
    noted = replace(client, sequence=fact.sequence, heard=content, version=client.version + 1)
    if client.connected:
        return parted(client, noted, heard.time)
    if client.invites or client.invitation is None:
        back = replace(noted, invitation=Invitation.WITHDRAWN, ended_at=client.ended_at or heard.time)
        return [InvitationTakenBack(back)]
    return [InvitationTakenBack(noted)]


def accept(command: AcceptInvitation, client: Client, world: World) -> Sequence[Any]:
    """An admin accepts and names who works on it (I2, I3)."""
    if (refusal := _answerable(client)) is not None:
        return [refusal]
    if (refusal := unknown(command.assign, command.actor.firm_id, world)) is not None:
        return [refusal]
    if too_many(client, command.assign):
        return [Refused("too_many_assignees")]
    after = replace(
        client,
        invitation=Invitation.ACCEPTED,
        connected=True,
        connected_at=command.issued_at,
        assignees=tuple(dict.fromkeys((*client.assignees, *command.assign))),
        version=client.version + 2,
    )
    return [
        InvitationAccepted(after),
        _answered(after, accepted=True),
        *told(client.assignees, after, command.issued_at),
        Succeeded(),
    ]


def decline(command: DeclineInvitation, client: Client, world: World) -> Sequence[Any]:
    """An admin declines (I2)."""
    if (refusal := _answerable(client)) is not None:
        return [refusal]
    after = replace(client, invitation=Invitation.DECLINED, ended_at=command.issued_at, assignees=(), version=client.version + 2)
    return [
        InvitationDeclined(after),
        _answered(after, accepted=False),
        *told(client.assignees, after, command.issued_at),
        Succeeded(),
    ]


def disconnect(command: DisconnectClient, client: Client, world: World) -> Sequence[Any]:
    """An admin ends the connection (I5)."""
    if not client.connected:
        return [Refused("not_connected")]
    return [*parted(client, replace(client, version=client.version + 1), command.issued_at), Succeeded()]


def parted(before: Client, after: Client, at: datetime) -> Sequence[Any]:
    """Return what the end of a connection leads to: assignments, subscriptions and waiting mails about it end (I5)."""
    after = replace(after, connected=False, disconnected=True, ended_at=at, assignees=(), version=after.version + 1)
    ids: dict[str, Any] = {"firm_id": after.firm_id, "client_id": after.client_id}
    return [
        ClientParted(after),
        Said(said.EVENTS, key_of(after), said.ClientEnded(**ids)),
        Said(portal.CLIENTS, after.client_id, portal.ClientDisconnected(**ids, sequence=_first_of_two(after))),
        *told(before.assignees, after, at),
    ]


def _answerable(client: Client) -> Refused | None:
    if client.invites:
        return None
    if client.invitation is None:
        return Refused("not_found")
    if client.invitation is Invitation.WITHDRAWN:
        return Refused("invitation_withdrawn")
    return Refused("already_answered")


def _answered(client: Client, *, accepted: bool) -> Said:
    news = portal.InvitationAnswered.model_validate(
        {"client_id": client.client_id, "firm_id": client.firm_id, "sequence": _first_of_two(client), "accepted": accepted}
    )
    return Said(portal.CLIENTS, client.client_id, news)


def _first_of_two(client: Client) -> int:
    """Return the sequence of news that those of the assignees may follow: no two share one (contract, section 2)."""
    return client.version - 1


def _joined(company: Company, firm_id: str) -> Sequence[Any]:
    if firm_id in company.firms:
        return [CompanyMoved(company)]  # written all the same: a fact at this moment must see the new client
    return [CompanyMoved(replace(company, firms=(*company.firms, firm_id)))]


def _stale(sequence: int, content: str, client: Client) -> Sequence[Any] | None:
    if sequence > client.sequence:
        return None
    return [Counted("conflict")] if sequence == client.sequence and content != client.heard else [Counted("stale")]
