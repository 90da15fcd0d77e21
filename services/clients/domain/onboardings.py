"""What onboarding tells clients: a company was invited, its state moved, its invitation was taken back (T3, O3, O11)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from services.clients.domain.assignments import key_of, told
from services.clients.domain.events import CompanyMoved, OnboardingMoved
from services.clients.domain.states import FINAL, Client, Company, World
from shared.clock import moment_of, stamp_of
from shared.contracts.clients import EVENTS, EndTold
from shared.contracts.onboarding import InvitationWithdrawn, OnboardingSettled, OnboardingStarted, OnboardingState
from shared.decider import Finished, Said, Succeeded
from shared.messages import Heard


def started(heard: Heard[OnboardingStarted], world: World) -> Sequence[Any]:
    """A firm invited a company: its row stands from here on, and the command is done (O1)."""
    event = heard.message
    done = Finished(event.command_id, event.member_id, Succeeded({"client_id": event.client_id}))
    if world.client(event.firm_id, event.client_id) is not None:
        return [done]
    company = world.company(event.client_id)
    company = replace(company, firms=tuple(dict.fromkeys((*company.firms, event.firm_id))))
    assignees = tuple(m for m in dict.fromkeys(event.assign) if world.member(m).works_for(event.firm_id))
    client = Client(
        event.firm_id,
        event.client_id,
        version=1,
        given_name=event.company_name,
        name=company.name or event.company_name,
        client_number=event.client_number,
        invited_at=event.at,
        onboarding="invited",
        onboarding_at=stamp_of(event.at),
        assignees=assignees,
        ledger=company.ledger,
    )
    after = _followed(client, company, event.at)
    return [CompanyMoved(company), OnboardingMoved(after), *told((), after, event.at), done]


def withdrawn(heard: Heard[InvitationWithdrawn], world: World) -> Sequence[Any]:
    """An unanswered invitation was taken back: the row leaves its tab, and the command is done (O6)."""
    event = heard.message
    done = Finished(event.command_id, event.member_id, Succeeded())
    client = world.client(event.firm_id, event.client_id)
    if client is None or client.onboarding == "withdrawn":
        return [done]
    after = replace(client, onboarding="withdrawn", ended_at=heard.time, version=client.version + 1)
    return [OnboardingMoved(after), done]


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
    events: list[Any] = [CompanyMoved(company)]
    for firm_id in company.firms:
        client = world.client(firm_id, state.client_id)
        if client is None:
            continue
        after = _followed(client, company, heard.time)
        if after != client:
            events.append(OnboardingMoved(replace(after, version=client.version + 1)))
    return events


def settled(heard: Heard[OnboardingSettled], world: World) -> Sequence[Any]:
    """An onboarding ended: admins, assignees, and who was told of an end that this corrects, are to be mailed (O5, O7)."""
    event = heard.message
    client = world.client(event.firm_id, event.client_id)
    if client is None:
        return []
    told_before = tuple(m for m in client.end_told if world.member(m).works_for(event.firm_id))
    assigned = tuple(m for m in client.assignees if world.member(m).works_for(event.firm_id))
    recipients = tuple(dict.fromkeys((*world.admins.get(event.firm_id, ()), *assigned, *told_before)))
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
    if company.onboarding_version < 0:
        return client
    if company.onboarding_firm != client.firm_id or client.onboarding is None:
        return replace(client, verification=company.verification)
    if client.onboarding == "withdrawn":  # a withdrawal stays, also before an older state that comes late (O6)
        return client
    connects = company.onboarding_connected and not client.connected and not client.disconnected
    after = replace(
        client,
        onboarding=company.onboarding_state,
        onboarding_at=company.onboarding_at,
        undelivered=company.onboarding_undelivered,
        connected=client.connected or connects,
        connected_at=(moment_of(company.onboarding_at) if company.onboarding_at else at) if connects else client.connected_at,
    )
    after = replace(after, verification=company.verification if after.connected else None)
    if after.ended and not client.ended and company.onboarding_state in FINAL:
        after = replace(after, ended_at=at)
    return after
