"""What onboarding decides, in past participles."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from services.onboarding.domain.verification import Fact
from shared.contracts.base import ClientId, FirmId, MemberId


@dataclass(frozen=True, slots=True)
class CompanyInvited:
    """A firm invited a company (O1)."""

    client_id: ClientId
    firm_id: FirmId
    company_name: str
    contact_name: str
    contact_email: str
    country: str
    by: MemberId
    reply_to: str
    at: datetime


@dataclass(frozen=True, slots=True)
class LinkRenewed:
    """The invitation was sent again: a new link, the older ones are void (O6)."""

    client_id: ClientId
    by: MemberId
    reply_to: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ContactReminded:
    """The contact is reminded for the *reminder*-th time of the newest link (O6)."""

    client_id: ClientId
    reminder: int


@dataclass(frozen=True, slots=True)
class InvitationExpired:
    """Nobody answered in time (O6)."""

    client_id: ClientId


@dataclass(frozen=True, slots=True)
class InvitationTakenBack:
    """The firm withdrew the invitation (O6)."""

    client_id: ClientId
    at: datetime


@dataclass(frozen=True, slots=True)
class LinkUndelivered:
    """The mail with the newest link did not reach the contact (O10)."""

    client_id: ClientId


@dataclass(frozen=True, slots=True)
class ClientParted:
    """Firm and company are connected no longer: that ends the onboarding for good (O3)."""

    client_id: ClientId
    at: datetime


@dataclass(frozen=True, slots=True)
class ContactForgotten:
    """The onboarding has been over for so long that nobody needs the contact's name and address (E5)."""

    client_id: ClientId


@dataclass(frozen=True, slots=True)
class FactNoted:
    """The source said something new about the verification (O4)."""

    client_id: ClientId
    fact: Fact
    at: datetime


InvitationEvent = (
    LinkRenewed | ContactReminded | LinkUndelivered | InvitationExpired | InvitationTakenBack | ClientParted | ContactForgotten
)
OnboardingEvent = CompanyInvited | InvitationEvent | FactNoted
