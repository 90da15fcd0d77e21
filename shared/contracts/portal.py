"""What the portal says to everybody: command outcomes to its gateways, and news of clients to other Pleo services."""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar

from shared.contracts.base import AClientId, AFirmId, AMemberId, Event, Outcome, Sequence, Topic


class ClientNews(Event):
    """News of one client of one firm; *sequence* rises per client, firm and source and tells old from new."""

    client_id: AClientId
    firm_id: AFirmId
    sequence: Sequence


class CompanyInvited(ClientNews):
    """A firm invited a company to Pleo; the product may let it sign up under this id (O1)."""

    ce_type: ClassVar[str] = "portal.company.invited.v1"

    company_name: str
    country: str


class OnboardingEnded(ClientNews):
    """An onboarding came to a final state."""

    ce_type: ClassVar[str] = "portal.onboarding.ended.v1"

    reason: str


class InvitationAnswered(ClientNews):
    """A firm accepted or declined a company's invitation (I2)."""

    ce_type: ClassVar[str] = "portal.invitation.answered.v1"

    accepted: bool


class ClientDisconnected(ClientNews):
    """A firm and a company parted (I5)."""

    ce_type: ClassVar[str] = "portal.client.disconnected.v1"


class AssigneesChanged(ClientNews):
    """Who of the firm works on the client now."""

    ce_type: ClassVar[str] = "portal.assignees.changed.v1"

    member_ids: tuple[AMemberId, ...]


OUTCOMES = Topic(name="portal.outcomes", retention=timedelta(hours=24), carries=(Outcome,), dead=False)
CLIENTS = Topic(
    name="portal.clients",
    retention=timedelta(days=30),
    carries=(CompanyInvited, OnboardingEnded, InvitationAnswered, ClientDisconnected, AssigneesChanged),
    dead=False,
)

TOPICS = (OUTCOMES, CLIENTS)
