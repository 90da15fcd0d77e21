"""What clients decides, in past participles; each carries the state as it is afterwards."""

from __future__ import annotations

from services.clients.domain.figures import Expense, Ledger
from services.clients.domain.states import Access, Client, Company, Firm, Grant, Member
from shared.values import value


@value
class FirmNamed:
    """A firm registered, or changed its name."""

    firm: Firm


@value
class MemberKnown:
    """Something new is known of a member."""

    member: Member


@value
class CompanyMoved:
    """Something about a company changed: name, figures, verification, or whose client it is."""

    company: Company


@value
class ExpenseTold:
    """A fact about an expense counted."""

    expense: Expense


@value
class FiguresMoved:
    """The figures of a company changed."""

    client_id: str
    ledger: Ledger


@value
class ClientMoved:
    """A client changed; the subclasses say how."""

    client: Client


class Invited(ClientMoved):
    """A company's invitation waits for an answer."""


class InvitationTakenBack(ClientMoved):
    """A company withdrew its invitation, or one that never came."""


class InvitationOvertaken(ClientMoved):
    """A company's older word came after a newer one: it is noted."""


class InvitationAccepted(ClientMoved):
    """An admin accepted: the client is connected."""


class InvitationDeclined(ClientMoved):
    """An admin declined."""


class ClientParted(ClientMoved):
    """Firm and company are not connected any more."""


class AssigneesMoved(ClientMoved):
    """Who works on the client changed."""


class OnboardingMoved(ClientMoved):
    """The client's onboarding came a step further."""


class Reminded(ClientMoved):
    """A reminder was counted."""


@value
class AccessGranted:
    """A member may open the client's Pleo account once."""

    grant: Grant
    line: Access


@value
class GrantRedeemed:
    """The product let the member in."""

    grant: Grant
    line: Access
