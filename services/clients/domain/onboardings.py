"""What onboarding tells clients: a company was invited, its state moved, its invitation was taken back (T3, O3, O11)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from services.clients.domain.assignments import key_of, staffed, told
from services.clients.domain.events import CompanyMoved, OnboardingMoved
from services.clients.domain.invitations import at_its_end, joined
from services.clients.domain.states import Client, Company, Invitation, World
from shared.clock import moment_of, stamp_of
from shared.contracts.clients import EVENTS, EndTold
from shared.contracts.onboarding import (
    InvitationWithdrawn,
    InviteCompany,
    OnboardingSettled,
    OnboardingStarted,
    OnboardingState,
    WithdrawInvitation,
)
from shared.decider import Finished, Said, Succeeded
from shared.messages import Heard
from shared.values import replace


def started(heard: Heard[OnboardingStarted], world: World) -> Sequence[Any]:
    """A firm invited a company: its row stands from here on, and the command is done (O1).

    What the company said of the firm may have come first: an invitation waits beside the onboarding, and after a
    withdrawal there is none.
    """
    event = heard.message
    done = Finished(event.command_id, event.member_id, Succeeded({"client_id": event.client_id}), InviteCompany)
    known = world.client(event.firm_id, event.client_id)
    if known is not None and known.begun_at is not None:
        return [done]
    before = known or Client(event.firm_id, event.client_id)
    company = world.company(event.client_id)
    after = _followed(_begun(before, event, world, company), company, event.at)
    after = at_its_end(before, after, event.at)
    return [*joined(company, event.firm_id), OnboardingMoved(after), *told(before.assignees, after, event.at), done]


def _begun(client: Client, event: OnboardingStarted, world: World, company: Company) -> Client:
    over = client.withdrew
    named = (m for m in event.assign if not over and world.member(m).works_for(event.firm_id))
    given = client.given_name or event.company_name
    return replace(
        staffed(client, (*client.assignees, *named), world),
        given_name=given,
        name=company.name or given,
        client_number=client.client_number or event.client_number,
        begun_at=event.at,
        onboarding=None if over else "invited",
        onboarding_at=None if over else stamp_of(event.at),
        disconnected=client.disconnected or (over and client.ended),
        ledger=company.ledger,
        version=client.version + 1,
    )


def withdrawn(heard: Heard[InvitationWithdrawn], world: World) -> Sequence[Any]:
    """An unanswered invitation was taken back: the row leaves its tab, and the command is done (O6)."""
    event = heard.message
    done = Finished(event.command_id, event.member_id, Succeeded(), WithdrawInvitation)
    client = world.client(event.firm_id, event.client_id)
    if client is None or client.onboarding in (None, "withdrawn"):
        return [done]
    after = replace(client, onboarding="withdrawn", version=client.version + 1)
    return [OnboardingMoved(at_its_end(client, after, heard.time)), done]


def stated(heard: Heard[OnboardingState], world: World) -> Sequence[Any]:
    """The newest state of a company's onboarding or verification; an older one changes nothing (invariant 6)."""
    state = heard.message
    company = world.company(state.client_id)
    if state.version <= company.onboarding_version:
        return []
    company = replace(
        company,
        verification=state.verification,
        onboarding_firm=state.firm_id,
        onboarding_state=state.state,
        onboarding_at=state.state_at,
        onboarding_connected=state.connected,
        onboarding_undelivered=state.undelivered,
        onboarding_version=state.version,
    )
    clients = [c for c in (world.client(firm_id, state.client_id) for firm_id in company.firms) if c is not None]
    followed = [(c, at_its_end(c, _followed(c, company, heard.time), heard.time)) for c in clients]
    moved = [OnboardingMoved(replace(after, version=c.version + 1)) for c, after in followed if after != c]
    return [CompanyMoved(company), *moved]


def settled(heard: Heard[OnboardingSettled], world: World) -> Sequence[Any]:
    """An onboarding ended: admins, assignees, and who was told of an end that this corrects, are to be mailed (O5, O7)."""
    event = heard.message
    client = world.client(event.firm_id, event.client_id)
    if client is None:
        return []
    concerned = (m for m in (*client.assignees, *client.end_told) if world.member(m).works_for(event.firm_id))
    recipients = tuple(dict.fromkeys((*world.admins.get(event.firm_id, ()), *concerned)))
    after = replace(client, end_told=recipients, version=client.version + 1)
    mailed = EndTold.model_validate(
        {
            "firm_id": event.firm_id,
            "client_id": event.client_id,
            "client_name": client.name,
            "state": event.state,
            "corrects": event.corrects,
            "at": event.at,
            "recipients": recipients,
        }
    )
    return [OnboardingMoved(after), Said(EVENTS, key_of(client), mailed)]


def _followed(client: Client, company: Company, at: datetime) -> Client:
    """Return *client* as its company's onboarding says: connected once, disconnected for good (O3)."""
    over = client.disconnected or (client.onboarding is None and client.ended)
    if company.onboarding_version < 0 or over:  # whoever parted is followed no longer (I5)
        return client
    after = replace(client, verified=company.verification)
    if company.onboarding_firm != client.firm_id or client.onboarding is None:
        return after
    if client.onboarding == "withdrawn":  # a withdrawal stays, also before an older state that comes late (O6)
        return client
    after = replace(
        after,
        onboarding=company.onboarding_state,
        onboarding_at=company.onboarding_at,
        undelivered=company.onboarding_undelivered,
    )
    return _connected(after, moment_of(company.onboarding_at or stamp_of(at))) if company.onboarding_connected else after


def _connected(client: Client, at: datetime) -> Client:
    """Return *client* with the power of attorney, which answers an invitation of the company, too (O3)."""
    if client.connected:
        return client
    pending = client.invitation is Invitation.PENDING
    invitation = Invitation.ACCEPTED if pending else client.invitation
    return replace(client, connected=True, connected_at=at, invitation=invitation)
