"""What onboarding hears, says and shows: invited companies and how far their verification is."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import AwareDatetime, Field, StringConstraints

from shared.contracts.base import (
    DAY,
    AClientId,
    AFirmId,
    AMemberId,
    Cleanup,
    Command,
    CommandId,
    Event,
    Name,
    ShortText,
    State,
    Tick,
    Topic,
)
from shared.contracts.clients import Members
from shared.contracts.pleo import MissingItem

Country = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]


class InviteCompany(Command):
    """An admin invites a company to Pleo; *known_members* are those of *assign* that clients' door knew as active (O1)."""

    ce_type: ClassVar[str] = "portal.onboarding.invite_company.v1"

    client_id: AClientId
    company_name: Name
    contact_name: Name
    contact_email: str
    country: Country
    client_number: ShortText | None = None
    assign: Members = ()
    known_members: Members = ()


class ResendInvitation(Command):
    """An admin sends the invitation again; only the newest link is valid then (O6)."""

    ce_type: ClassVar[str] = "portal.onboarding.resend_invitation.v1"

    client_id: AClientId


class WithdrawInvitation(Command):
    """An admin takes an unanswered invitation back (O6)."""

    ce_type: ClassVar[str] = "portal.onboarding.withdraw_invitation.v1"

    client_id: AClientId


class InvitationFellDue(Tick):
    """An invitation may be due for a reminder or for its end (O6)."""

    ce_type: ClassVar[str] = "portal.onboarding.invitation_fell_due.v1"

    client_id: AClientId


class OnboardingStarted(Event):
    """A company was invited: clients makes its row and finishes the command (O1)."""

    ce_type: ClassVar[str] = "portal.onboarding.started.v1"

    command_id: CommandId
    member_id: AMemberId
    firm_id: AFirmId
    client_id: AClientId
    company_name: Name
    client_number: ShortText | None
    country: Country
    assign: Members
    at: AwareDatetime


class InvitationWithdrawn(Event):
    """An invitation was taken back: clients takes the row away and finishes the command."""

    ce_type: ClassVar[str] = "portal.onboarding.withdrawn.v1"

    command_id: CommandId
    member_id: AMemberId
    firm_id: AFirmId
    client_id: AClientId


class InvitationMailed(Event):
    """The contact is to be mailed the link of *number*; the notifier derives it (O1).

    *occasion* is ``invite``, ``resend`` or ``reminder``; *reminder* is 1 to 3 for the reminders of one link, else 0 (O6).
    """

    ce_type: ClassVar[str] = "portal.onboarding.invitation_mailed.v1"

    firm_id: AFirmId
    client_id: AClientId
    company_name: str
    contact_name: str
    contact_email: str
    number: Annotated[int, Field(ge=1)]
    occasion: str
    reminder: Annotated[int, Field(ge=0)] = 0
    by: AMemberId
    reply_to: str
    at: AwareDatetime


class UndeliveredMailed(Event):
    """The inviting admin is to be mailed that the newest link did not reach the contact (O10)."""

    ce_type: ClassVar[str] = "portal.onboarding.undelivered_mailed.v1"

    firm_id: AFirmId
    client_id: AClientId
    company_name: str
    contact_name: str
    contact_email: str
    number: Annotated[int, Field(ge=1)]
    by: AMemberId
    at: AwareDatetime


class OnboardingSettled(Event):
    """An onboarding came to a final state, or a late fact corrected one: admins and assignees are told (O5, O7)."""

    ce_type: ClassVar[str] = "portal.onboarding.settled.v1"

    firm_id: AFirmId
    client_id: AClientId
    company_name: str
    state: str
    corrects: str | None
    at: AwareDatetime


class OnboardingState(State):
    """What verification says of one company; *firm_id* is set if a firm invited it through the portal. Key ``client_id``.

    *undelivered*: the mail with the newest link did not reach the contact (O10).
    """

    ce_type: ClassVar[str] = "portal.onboarding.state.v1"

    client_id: AClientId
    firm_id: AFirmId | None
    state: str | None
    final: bool
    connected: bool
    verification: str | None
    missing: tuple[MissingItem, ...]
    invited_at: AwareDatetime | None
    state_at: str | None
    undelivered: bool = False


COMMANDS = Topic(name="onboarding.commands", carries=(InviteCompany, ResendInvitation, WithdrawInvitation, InvitationFellDue))
EVENTS = Topic(
    name="onboarding.events",
    retention=30 * DAY,
    carries=(OnboardingStarted, InvitationWithdrawn, InvitationMailed, UndeliveredMailed, OnboardingSettled),
)
STATE = Topic(name="onboarding.state", cleanup=Cleanup.COMPACT, retention=None, carries=(OnboardingState,))

TOPICS = (COMMANDS, EVENTS, STATE)
