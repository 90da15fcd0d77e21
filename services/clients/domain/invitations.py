"""Invitations by companies: added, answered, withdrawn, and the end of a connection (section 5 of the behaviour)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from services.clients.domain.assignments import key_of, staffed, told, too_many, unknown
from services.clients.domain.events import (
    ClientParted,
    CompanyMoved,
    InvitationAccepted,
    InvitationDeclined,
    InvitationOvertaken,
    InvitationTakenBack,
    Invited,
)
from services.clients.domain.sequences import fault_of, noted
from services.clients.domain.states import Client, Company, Invitation, World
from shared.contracts import clients as said
from shared.contracts import portal
from shared.contracts.clients import AcceptInvitation, DeclineInvitation, DisconnectClient
from shared.contracts.pleo import AccountantAdded, AccountantWithdrawn
from shared.decider import Counted, Refused, Said, Succeeded
from shared.messages import Heard
from shared.values import replace


def added(heard: Heard[AccountantAdded], world: World) -> Sequence[Any]:
    """A company added the firm: an invitation waits (I1), also beside an open onboarding (T6); after an end it starts afresh.

    What is connected has nothing left to answer: only name and number are taken.
    """
    fact = heard.message
    company = world.company(fact.client_id)
    client = world.client(fact.firm_id, fact.client_id) or Client(fact.firm_id, fact.client_id)
    if (fault := fault_of(client.seen, fact.sequence, fact)) is not None:
        return [fault]
    after = _heard(client, fact)
    if fact.sequence < client.sequence:
        return [InvitationOvertaken(after), Counted("stale")]
    after = replace(
        after,
        given_name=fact.company_name,
        name=company.name or fact.company_name,
        client_number=fact.client_number if fact.client_number is not None or not client.connected else client.client_number,
        addressed_to=fact.addressed_to,
        added_at=heard.time,
        sequence=fact.sequence,
        ledger=company.ledger,
    )
    if not client.connected:
        after = _waiting(afresh(after, company) if client.ended else after)
    return [*joined(company, fact.firm_id), Invited(after), *told(client.assignees, after, heard.time)]


def withdrawn(heard: Heard[AccountantWithdrawn], world: World, now: datetime) -> Sequence[Any]:
    """A company takes its invitation back (I4), or parts from the firm (I5); before its ``added`` it leaves nothing.

    An open onboarding ends with it, too, even before the power of attorney is heard of: whoever parts from the firm
    does not mean to be connected by a fact that is still on its way. Only a new ``added`` begins again (O3, I6).
    """
    fact = heard.message
    client = world.client(fact.firm_id, fact.client_id) or Client(fact.firm_id, fact.client_id)
    if (fault := fault_of(client.seen, fact.sequence, fact)) is not None:
        return [fault]
    after = replace(_heard(client, fact), withdrew=True, left_at=client.left_at if client.ended else now)
    if fact.sequence < client.sequence:
        return _overtaken(client, after, heard, world)
    after = replace(after, sequence=fact.sequence)
    if client.connected or client.onboards:
        return parted(client, after, heard.time)
    if client.invites or client.invitation is None:
        after = replace(after, invitation=Invitation.WITHDRAWN)
    if client.invites:
        after = _freed(after)
    return [InvitationTakenBack(at_its_end(client, after, heard.time)), *told(client.assignees, after, heard.time)]


def _overtaken(client: Client, after: Client, heard: Heard[AccountantWithdrawn], world: World) -> Sequence[Any]:
    """A withdrawal that a newer invitation overtook: what stood before it has ended all the same, the newer one waits (I6)."""
    if not (client.connected or client.onboards) or heard.message.sequence < client.accepted:
        return [InvitationOvertaken(after), Counted("stale")]
    company = world.company(after.client_id)
    ends = parted(client, after, heard.time)
    waiting = _waiting(afresh(replace(after, version=after.version + 2), company))
    return [*ends, *joined(company, after.firm_id), Invited(waiting)]


def accept(command: AcceptInvitation, client: Client, world: World) -> Sequence[Any]:
    """An admin accepts and names who works on it (I2, I3)."""
    if (refusal := _answerable(client)) is not None:
        return [refusal]
    if (refusal := unknown(command.assign, command.actor.firm_id, world)) is not None:
        return [refusal]
    if too_many(client.assignees, command.assign, world):
        return [Refused("too_many_assignees")]
    after = replace(
        staffed(client, (*client.assignees, *command.assign), world),
        invitation=Invitation.ACCEPTED,
        accepted=client.sequence,
        connected=True,
        connected_at=command.issued_at,
        version=client.version + 2,
    )
    return [
        InvitationAccepted(after),
        _answered(after, accepted=True),
        *told(client.assignees, after, command.issued_at),
        Succeeded(),
    ]


def decline(command: DeclineInvitation, client: Client, world: World) -> Sequence[Any]:
    """An admin declines (I2). An open onboarding of the same company goes on: that is the firm's own invitation."""
    if (refusal := _answerable(client)) is not None:
        return [refusal]
    after = _freed(replace(client, invitation=Invitation.DECLINED, version=client.version + 2))
    after = at_its_end(client, after, command.issued_at)
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
    gone = replace(after, connected=False, disconnected=True, assignees=(), tenures=(), version=after.version + 1)
    if gone.invitation is Invitation.PENDING:  # whoever parts does not wait for an answer
        gone = replace(gone, invitation=Invitation.WITHDRAWN)
    gone = at_its_end(before, gone, at)
    ids: dict[str, Any] = {"firm_id": gone.firm_id, "client_id": gone.client_id}
    return [
        ClientParted(gone),
        Said(said.EVENTS, key_of(gone), said.ClientEnded(**ids)),
        Said(portal.CLIENTS, gone.client_id, portal.ClientDisconnected(**ids, sequence=_first_of_two(gone))),
        *told(before.assignees, gone, at),
    ]


def afresh(client: Client, company: Company) -> Client:
    """Return *client* as it begins again after an end: without the old assignments (I6).

    An onboarding that was parted from is over for good (O3); one that only ran out may still be undone (O6).
    """
    return replace(
        client,
        connected=False,
        connected_at=None,
        disconnected=False,
        ended_at=None,
        onboarding=None if client.disconnected or client.connected or client.onboards else client.onboarding,
        assignees=(),
        tenures=(),
        verified=company.verification,
    )


def at_its_end(before: Client, after: Client, at: datetime) -> Client:
    """Return *after* with the moment at which it left its last tab: that of the first end (O7)."""
    first = before.ended_at if before.ended else None
    return replace(after, ended_at=(first or at) if after.ended else None)


def joined(company: Company, firm_id: str) -> Sequence[Any]:
    """Return that the company is a client of the firm, too: its figures count there."""
    if firm_id in company.firms:
        return [CompanyMoved(company)]  # written all the same: a fact at this moment must see the new client
    return [CompanyMoved(replace(company, firms=(*company.firms, firm_id)))]


def _heard(client: Client, fact: AccountantAdded | AccountantWithdrawn) -> Client:
    return replace(client, seen=noted(client.seen, fact.sequence, fact), version=client.version + 1)


def _waiting(client: Client) -> Client:
    return replace(client, invitation=Invitation.PENDING)


def _freed(client: Client) -> Client:
    """Return *client*, whose invitation is over, without those who were to work on it, unless something else goes on."""
    return replace(client, assignees=(), tenures=()) if client.ended else client


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
