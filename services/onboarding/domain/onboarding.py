"""What a firm may do with an invitation, what time does to it, and what the source's facts mean (O1-O6, O9, O11, E4)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from services.onboarding.domain.events import (
    ClientParted,
    CompanyInvited,
    ContactForgotten,
    ContactReminded,
    FactNoted,
    InvitationExpired,
    InvitationTakenBack,
    LinkRenewed,
    LinkUndelivered,
    OnboardingEvent,
)
from services.onboarding.domain.states import REMINDERS, Company, Invitation, World, invitation_day, invite_key
from services.onboarding.domain.verification import FINAL, Stage, fact_of
from shared.addresses import mailbox
from shared.clock import moment_of
from shared.contracts import portal
from shared.contracts.clients import MOST_ASSIGNEES, ClientEnded
from shared.contracts.notifier import InvitationUndelivered
from shared.contracts.onboarding import (
    EVENTS,
    InvitationFellDue,
    InvitationMailed,
    InvitationWithdrawn,
    InviteCompany,
    OnboardingSettled,
    OnboardingStarted,
    ResendInvitation,
    UndeliveredMailed,
    WithdrawInvitation,
)
from shared.contracts.pleo import VerificationChanged
from shared.decider import Counted, Refused, Said, Succeeded
from shared.messages import Heard


def invite(command: InviteCompany, world: World) -> Sequence[Any]:
    """Begin an onboarding; clients makes the row and finishes the command (O1)."""
    firm_id, company = command.actor.firm_id, world.company(command.client_id)
    if not set(command.assign) <= set(command.known_members):
        return [Refused("unknown_member")]
    if len(set(command.assign)) > MOST_ASSIGNEES:
        return [Refused("too_many_assignees")]
    key = invite_key(firm_id, command.company_name, command.contact_email)
    if company.invitation is not None or world.holders.get(key) is not None:
        return [Refused("already_invited")]
    if world.days.get(invitation_day(firm_id, command.issued_at), 0) >= world.limits.invitations_per_day:
        return [Refused("too_many_invitations")]
    invited = CompanyInvited(
        client_id=command.client_id,
        firm_id=firm_id,
        company_name=command.company_name,
        contact_name=command.contact_name,
        contact_email=command.contact_email,
        country=command.country,
        by=command.actor.member_id,
        reply_to=command.actor.email,
        at=command.issued_at,
    )
    after = company.after(invited)
    return [invited, _started(command), _mailed(after, "invite", command.issued_at), _news(after, command)]


def resend(command: ResendInvitation, world: World) -> Sequence[Any]:
    """Send a new link, which voids the older ones: so many times at most, one so long after the other (O6, E4)."""
    company, invitation = world.company(command.client_id), _invitation_of(command, world)
    if invitation is None:
        return [Refused("not_found")]
    if company.stage is not Stage.INVITED or command.issued_at >= invitation.expires_at:
        return [Refused("not_open")]
    limits, resends = world.limits, invitation.number - 1
    if resends >= limits.resends or (resends and command.issued_at - invitation.sent_at < limits.resends_apart):
        return [Refused("too_many_invitations")]
    renewed = LinkRenewed(command.client_id, command.actor.member_id, command.actor.email, command.issued_at)
    return [renewed, _mailed(company.after(renewed), "resend", command.issued_at), Succeeded()]


def withdraw(command: WithdrawInvitation, world: World) -> Sequence[Any]:
    """Take an unanswered invitation back; clients takes the row away and finishes the command (O6)."""
    company, invitation = world.company(command.client_id), _invitation_of(command, world)
    if invitation is None:
        return [Refused("not_found")]
    if company.stage is not Stage.INVITED:
        return [Refused("not_open")]
    told = InvitationWithdrawn(
        command_id=command.command_id,
        member_id=command.actor.member_id,
        firm_id=command.actor.firm_id,
        client_id=command.client_id,
    )
    taken_back = InvitationTakenBack(command.client_id, command.issued_at)
    return [*_with_its_end(company, taken_back), Said(EVENTS, command.client_id, told)]


def fell_due(tick: InvitationFellDue, world: World) -> Sequence[Any]:
    """Remind, end or forget what is due by the tick's instant. One reminder stands for all that an outage missed (O6, E5)."""
    company = world.company(tick.client_id)
    invitation = company.invitation
    if invitation is None or company.due_at is None or company.due_at > tick.at:
        return []
    if not company.open:
        return [ContactForgotten(tick.client_id)]
    if invitation.expires_at <= tick.at:
        return _with_its_end(company, InvitationExpired(tick.client_id))
    reminder = sum(invitation.sent_at + wait <= tick.at for wait in REMINDERS)
    reminded = ContactReminded(tick.client_id, reminder)
    return [reminded, _mailed(company.after(reminded), "reminder", tick.at)]


def undelivered(news: InvitationUndelivered, world: World) -> Sequence[Any]:
    """Note that the newest link did not reach the contact, and have the inviting admin mailed, once a link (O10)."""
    company = world.company(news.client_id)
    invitation = company.invitation
    if invitation is None or company.stage is not Stage.INVITED or invitation.undelivered:
        return []
    if mailbox(news.address) != mailbox(invitation.contact_email) or news.number not in (None, invitation.number):
        return []
    mailed = UndeliveredMailed(
        firm_id=invitation.firm_id,
        client_id=company.client_id,
        company_name=invitation.company_name,
        contact_name=invitation.contact_name,
        contact_email=invitation.contact_email,
        number=invitation.number,
        by=invitation.by,
        at=news.at,
    )
    return [LinkUndelivered(company.client_id), Said(EVENTS, company.client_id, mailed)]


def parted(heard: Heard[ClientEnded], world: World) -> Sequence[Any]:
    """A disconnect ends the onboarding for good: whatever is heard later is only noted (O3)."""
    over = heard.message
    company = world.company(over.client_id)
    if company.invitation is None or company.invitation.firm_id != over.firm_id or company.parted:
        return []
    return [ClientParted(over.client_id, heard.time)]


def fact(heard: Heard[VerificationChanged], world: World, now: datetime) -> Sequence[Any]:
    """Note a fact; under one sequence the first seen stays (O4; contract, section 2)."""
    said, company = heard.message, world.company(heard.message.client_id)
    noted, known = fact_of(said, heard.stamp), company.fact(said.sequence)
    if known is not None:
        return [] if known.digest == noted.digest else [Counted("conflict")]
    return _with_its_end(company, FactNoted(said.client_id, noted, now))


def _invitation_of(command: ResendInvitation | WithdrawInvitation, world: World) -> Invitation | None:
    """Another firm's company looks like none (E1)."""
    invitation = world.company(command.client_id).invitation
    return invitation if invitation is not None and invitation.firm_id == command.actor.firm_id else None


def _with_its_end(company: Company, event: OnboardingEvent) -> list[Any]:
    """Return *event* and, if it brings the onboarding to another final state, the news of it (O5, O7)."""
    after = company.after(event)
    if after.invitation is None or after.parted or after.stage == company.stage or after.stage not in FINAL:
        return [event]
    ended = portal.OnboardingEnded(
        client_id=after.client_id, firm_id=after.invitation.firm_id, sequence=after.version, reason=str(after.stage)
    )
    return [event, Said(portal.CLIENTS, after.client_id, ended), *_told(after)]


def _told(company: Company) -> Sequence[Said]:
    """Return what lets admins and assignees be mailed of a final state, but for a withdrawal: once a state (O5, O7)."""
    invitation, stage = company.invitation, company.stage
    assert invitation is not None
    if stage is Stage.WITHDRAWN or stage in {step.stage for step in company.stood}:
        return []
    settled = OnboardingSettled(
        firm_id=invitation.firm_id,
        client_id=company.client_id,
        company_name=invitation.company_name,
        state=str(stage),
        corrects=str(company.stood[-1].stage) if company.stood else None,
        at=moment_of(company.timeline[-1].at),
    )
    return [Said(EVENTS, company.client_id, settled)]


def _started(command: InviteCompany) -> Said:
    started = OnboardingStarted(
        command_id=command.command_id,
        member_id=command.actor.member_id,
        firm_id=command.actor.firm_id,
        client_id=command.client_id,
        company_name=command.company_name,
        client_number=command.client_number,
        country=command.country,
        assign=command.assign,
        at=command.issued_at,
    )
    return Said(EVENTS, command.client_id, started)


def _mailed(company: Company, occasion: str, at: datetime) -> Said:
    invitation = company.invitation
    assert invitation is not None
    mailed = InvitationMailed(
        firm_id=invitation.firm_id,
        client_id=company.client_id,
        company_name=invitation.company_name,
        contact_name=invitation.contact_name,
        contact_email=invitation.contact_email,
        number=invitation.number,
        occasion=occasion,
        reminder=invitation.reminded,
        by=invitation.by,
        reply_to=invitation.reply_to,
        at=at,
    )
    return Said(EVENTS, company.client_id, mailed)


def _news(company: Company, command: InviteCompany) -> Said:
    invited = portal.CompanyInvited(
        client_id=company.client_id,
        firm_id=command.actor.firm_id,
        sequence=company.version,
        company_name=command.company_name,
        country=command.country,
    )
    return Said(portal.CLIENTS, company.client_id, invited)
