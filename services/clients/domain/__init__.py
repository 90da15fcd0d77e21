"""What clients decides, without windows: the messages it hears are the table of contents."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from services.clients.domain import access, assignments, invitations, onboardings, partners
from services.clients.domain.events import (
    AccessGranted,
    ClientMoved,
    CompanyMoved,
    ExpenseTold,
    FiguresMoved,
    FirmNamed,
    GrantRedeemed,
    MemberKnown,
)
from services.clients.domain.figures import Expense, balanced, hear
from services.clients.domain.sequences import fault_of, noted
from services.clients.domain.states import Client, Company, World
from shared.contracts import clients, onboarding, pleo
from shared.contracts.base import Command, Role
from shared.decider import Counted, Decider, Refused
from shared.messages import Heard
from shared.values import replace

ADMINS_ONLY = (
    clients.AssignMember,
    clients.AssignMany,
    clients.AcceptInvitation,
    clients.DeclineInvitation,
    clients.DisconnectClient,
    clients.RemindAssignees,
)


def decide(heard: Heard[Any], world: World, now: datetime) -> Sequence[Any]:
    """Return what *heard* leads to."""
    if isinstance(heard.message, Command):
        return _command(heard.message, world, now)
    return _fact(heard, world, now)


def evolve(world: World, event: Any) -> None:
    """Apply what was decided to the states at hand."""
    match event:  # the most frequent first
        case ExpenseTold(expense):
            world.expenses[expense.client_id, expense.expense_id] = expense
        case FiguresMoved(client_id, ledger):
            world.ledgers[client_id] = ledger
        case ClientMoved(client):
            world.clients[client.firm_id, client.client_id] = client
        case CompanyMoved(company):
            world.companies[company.client_id] = company
            _follow(world, company)
        case MemberKnown(member):
            world.members[member.member_id] = member
        case FirmNamed(firm):
            world.firms[firm.firm_id] = firm
        case AccessGranted(grant, line) | GrantRedeemed(grant, line):
            world.grants[grant.token_hash] = grant
            world.accesses.append(line)
        case _:
            pass  # what is told to others changes nothing here


def follow(world: World) -> None:
    """Bring the figures that moved to companies and clients: once a batch, for most facts of one are about few companies."""
    for client_id, ledger in world.ledgers.items():
        evolve(world, CompanyMoved(replace(world.company(client_id), ledger=ledger)))
    world.ledgers.clear()


def _follow(world: World, company: Company) -> None:
    """Bring name and figures of a company to every firm's client."""
    for firm_id in company.firms:
        client = world.client(firm_id, company.client_id)
        if client is None:
            continue
        name = company.name or client.given_name
        if client.ledger != company.ledger or client.name != name:
            moved = replace(client, ledger=company.ledger, name=name, version=client.version + 1)
            world.clients[firm_id, company.client_id] = moved


def _command(command: Command, world: World, now: datetime) -> Sequence[Any]:
    if isinstance(command, clients.RedeemGrant):
        return access.redeem(command, world, now)
    refusal = _rights(command, world)
    if refusal is not None:
        return [refusal]
    if isinstance(command, clients.AssignMany):
        return assignments.assign_many(command, world)
    client = world.client(command.actor.firm_id, getattr(command, "client_id", ""))
    if client is None:
        return [Refused("not_found")]
    return _about_a_client(command, client, world, now)


def _about_a_client(command: Command, client: Client, world: World, now: datetime) -> Sequence[Any]:
    match command:
        case clients.AcceptInvitation():
            return invitations.accept(command, client, world)
        case clients.DeclineInvitation():
            return invitations.decline(command, client, world)
        case clients.DisconnectClient():
            return invitations.disconnect(command, client, world)
        case clients.GrantAccess():
            return access.grant(command, client, world, now)
        case clients.RemindAssignees():
            return access.remind(command, client, world)
        case clients.AssignMember() if not client.ended:
            return assignments.assign(command, client, world)
        case clients.UnassignMember() if not client.ended:
            return assignments.unassign(command, client, world)
        case _:
            return [Refused("not_found")]


def _rights(command: Command, world: World) -> Refused | None:
    """Rights are looked at again here: the gateway's stamp may be older than a demotion (T10)."""
    actor = world.member(command.actor.member_id)
    if not actor.works_for(command.actor.firm_id):
        return Refused("not_a_member")
    if actor.role is not Role.ADMIN and (isinstance(command, ADMINS_ONLY) or command.actor.role is Role.ADMIN):
        return Refused("admin_only")
    return None


def _fact(heard: Heard[Any], world: World, now: datetime) -> Sequence[Any]:  # noqa: C901 - a table of contents, one line a message
    match heard.message:
        case pleo.ExpenseFact():
            return _expense(heard, world, now)
        case pleo.BalanceChanged() as fact:
            ledger = world.ledger(fact.client_id)
            after = balanced(ledger, fact, heard.stamp, heard.id)
            return [] if after is ledger else [FiguresMoved(fact.client_id, after)]
        case pleo.FirmRegistered():
            return partners.firm_registered(heard, world)
        case pleo.MemberFact():
            return partners.member_told(heard, world)
        case pleo.MemberRemoved():
            return partners.member_removed(heard, world)
        case pleo.AccountantAdded():
            return invitations.added(heard, world)
        case pleo.AccountantWithdrawn():
            return invitations.withdrawn(heard, world, now)
        case pleo.CompanyRenamed():
            return _renamed(heard, world)
        case onboarding.OnboardingStarted():
            return onboardings.started(heard, world)
        case onboarding.InvitationWithdrawn():
            return onboardings.withdrawn(heard, world)
        case onboarding.OnboardingSettled():
            return onboardings.settled(heard, world)
        case onboarding.OnboardingState():
            return onboardings.stated(heard, world)
        case clients.LeaverFellDue():
            return partners.leaver_fell_due(heard, world)
        case _:
            return [Counted("passed")]


def _expense(heard: Heard[Any], world: World, now: datetime) -> Sequence[Any]:
    fact = heard.message
    company, known = world.company(fact.client_id), world.expenses.get((fact.client_id, fact.expense_id))
    if known is None and _forgotten(heard, company, now):
        return [Counted("forgotten")]
    expense, before = known or Expense(fact.client_id, fact.expense_id), world.ledger(fact.client_id)
    after, ledger = hear(expense, before, fact, heard.stamp, heard.id, now)
    if after is expense:
        return [Counted("stale")]
    events: list[Any] = [ExpenseTold(after)]
    if company.facts_since is None:
        events.append(CompanyMoved(replace(company, facts_since=now)))
    return events if ledger is before else [*events, FiguresMoved(fact.client_id, ledger)]


def _forgotten(heard: Heard[Any], company: Company, now: datetime) -> bool:
    """Say whether a fact of an unknown expense is so old that what was known of it may have been forgotten (E5).

    Nothing is forgotten within 400 days of being heard; so of a company heard of since, every fact is new.
    """
    horizon = now - pleo.KEPT
    return company.facts_since is not None and company.facts_since < horizon and heard.time < horizon


def _renamed(heard: Heard[pleo.CompanyRenamed], world: World) -> Sequence[Any]:
    fact = heard.message
    company = world.company(fact.client_id)
    if (fault := fault_of(company.names_seen, fact.sequence, fact)) is not None:
        return [fault]
    company = replace(company, names_seen=noted(company.names_seen, fact.sequence, fact))
    if fact.sequence < company.name_sequence:
        return [CompanyMoved(company), Counted("stale")]
    return [CompanyMoved(replace(company, name=fact.company_name, name_sequence=fact.sequence))]


CLIENTS = Decider(decide, evolve, follow)
