"""What onboarding keeps of a company: its invitation, the facts, and what follows from both (O2-O8)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from services.onboarding.domain.events import (
    ClientParted,
    CompanyInvited,
    ContactForgotten,
    ContactReminded,
    FactNoted,
    InvitationEvent,
    InvitationExpired,
    InvitationTakenBack,
    LinkRenewed,
    LinkUndelivered,
    OnboardingEvent,
)
from services.onboarding.domain.verification import FINAL, Fact, Stage, decisive, granted, path
from shared.clock import Stamp, moment_of, stamp_of
from shared.contracts.base import ClientId, FirmId, MemberId
from shared.contracts.pleo import MissingItem
from shared.names import fold, loose

BERLIN = ZoneInfo("Europe/Berlin")
REMINDERS = (timedelta(days=3), timedelta(days=6), timedelta(days=12))
OPEN_FOR = timedelta(days=30)
CONTACT_KEPT = timedelta(days=90)  # E5, from the end of the onboarding


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the timeline; *corrected* if it is a late fact's correction of a final state (O5)."""

    stage: Stage
    at: Stamp
    corrected: bool = False


@dataclass(frozen=True, slots=True)
class Invitation:
    """A firm's invitation; *by* and *reply_to* are of who sent the newest link, *number* counts the links."""

    firm_id: FirmId
    company_name: str
    contact_name: str
    contact_email: str
    country: str
    invited_at: datetime
    sent_at: datetime
    by: MemberId
    reply_to: str
    number: int = 1
    reminded: int = 0
    expired: bool = False
    withdrawn_at: datetime | None = None
    parted_at: datetime | None = None
    over_at: datetime | None = None  # when a fact's final state was heard of, which may be long after
    undelivered: bool = False
    forgotten: bool = False

    @property
    def key(self) -> str:
        """What may be open only once (O9)."""
        return invite_key(self.firm_id, self.company_name, self.contact_email)

    @property
    def expires_at(self) -> datetime:
        """When it ends unanswered (O6)."""
        return self.sent_at + OPEN_FOR

    @property
    def next_due_at(self) -> datetime:
        """When the next reminder is due, or the end."""
        return self.sent_at + REMINDERS[self.reminded] if self.reminded < len(REMINDERS) else self.expires_at


@dataclass(frozen=True, slots=True)
class Company:
    """A company with every fact about it; *stood* are the final states that were shown and then corrected, oldest first."""

    client_id: ClientId
    version: int = 0
    invitation: Invitation | None = None
    facts: tuple[Fact, ...] = ()
    stood: tuple[Step, ...] = ()

    @property
    def stage(self) -> Stage | None:
        """The state of the onboarding, None if no firm invited the company (O11).

        A withdrawal stays. Without a fact from before the expiry, facts from after it are only noted (O6): they also
        prove that it has passed, so whether they or the tick came first cannot show.
        """
        invitation = self.invitation
        if invitation is None:
            return None
        if invitation.withdrawn_at is not None:
            return Stage.WITHDRAWN
        end = stamp_of(invitation.expires_at)
        if not any(fact.at < end for fact in self.facts):
            return Stage.EXPIRED if invitation.expired or self.facts else Stage.INVITED
        fact = decisive(self.facts)
        assert fact is not None
        return fact.stage

    @property
    def open(self) -> bool:
        """Whether a firm's onboarding of this company goes on: neither final nor disconnected (O3)."""
        return self.stage is not None and self.stage not in FINAL and not self.parted

    @property
    def parted(self) -> bool:
        """Whether firm and company were disconnected (O3)."""
        return self.invitation is not None and self.invitation.parted_at is not None

    @property
    def undelivered(self) -> bool:
        """Whether the firm waits for a contact whom the newest link did not reach (O10)."""
        return self.invitation is not None and self.invitation.undelivered and self.stage is Stage.INVITED

    @property
    def connected(self) -> bool:
        """Whether the power of attorney was granted to the firm that invited; never taken back here (O3)."""
        return self.stage not in (None, Stage.EXPIRED, Stage.WITHDRAWN) and granted(self.facts)

    @property
    def missing(self) -> tuple[MissingItem, ...]:
        """What the verification waits for now (O5)."""
        fact = decisive(self.facts)
        return fact.missing if fact is not None and fact.stage is Stage.INFORMATION_REQUIRED else ()

    @property
    def due_at(self) -> datetime | None:
        """When time has something to say, None if never: a reminder, the end, the forgetting of the contact (O6, E5)."""
        invitation = self.invitation
        if invitation is None or self.open:
            return invitation.next_due_at if invitation is not None and self.stage is Stage.INVITED else None
        if invitation.forgotten:
            return None
        ended_at = invitation.parted_at or moment_of(self.timeline[-1].at)
        return max(ended_at, invitation.over_at or ended_at) + CONTACT_KEPT

    @property
    def timeline(self) -> tuple[Step, ...]:
        """Every state with its time; what was corrected stands before its correction (O5, O8)."""
        invitation = self.invitation
        if invitation is None:
            return ()
        invited = Step(Stage.INVITED, stamp_of(invitation.invited_at))
        if invitation.withdrawn_at is not None:
            return (invited, Step(Stage.WITHDRAWN, stamp_of(invitation.withdrawn_at)))
        match self.stage:
            case Stage.INVITED:
                return (invited,)
            case Stage.EXPIRED:
                return (invited, Step(Stage.EXPIRED, stamp_of(invitation.expires_at)))
        steps = _steps(self.facts)
        undone = tuple(step for step in self.stood if step.stage is Stage.EXPIRED)
        corrected = tuple(step for step in self.stood if step.stage is not Stage.EXPIRED)
        return (invited, *undone, *steps[:-1], *corrected, steps[-1])

    def fact(self, sequence: int) -> Fact | None:
        """Return the fact under *sequence*, or None."""
        return next((fact for fact in self.facts if fact.sequence == sequence), None)

    def after(self, event: OnboardingEvent) -> Company:
        """Return the company once *event* has happened, a version further."""
        return replace(_applied(self, event), version=self.version + 1)


def _applied(company: Company, event: OnboardingEvent) -> Company:
    if isinstance(event, FactNoted):
        return _over(company, _noted(company, event.fact), event.at)
    if isinstance(event, CompanyInvited):
        e = event
        invitation = Invitation(
            e.firm_id, e.company_name, e.contact_name, e.contact_email, e.country, e.at, e.at, e.by, e.reply_to
        )
        return replace(company, invitation=invitation)
    assert company.invitation is not None
    return replace(company, invitation=_invitation_after(company.invitation, event))


def _invitation_after(invitation: Invitation, event: InvitationEvent) -> Invitation:
    match event:
        case LinkRenewed(by=by, reply_to=reply_to, at=at):
            number = invitation.number + 1
            return replace(invitation, number=number, sent_at=at, reminded=0, undelivered=False, by=by, reply_to=reply_to)
        case LinkUndelivered():
            return replace(invitation, undelivered=True)
        case ClientParted():
            return replace(invitation, parted_at=event.at)
        case ContactForgotten():
            return replace(invitation, contact_name="", contact_email="", forgotten=True)
        case ContactReminded():
            return replace(invitation, reminded=event.reminder)
        case InvitationExpired():
            return replace(invitation, expired=True)
        case InvitationTakenBack():
            return replace(invitation, withdrawn_at=event.at)


def _over(before: Company, after: Company, at: datetime) -> Company:
    """Return *after* with the moment at which a fact brought it to its first end (E5)."""
    if after.invitation is None or after.open or not before.open:
        return after
    return replace(after, invitation=replace(after.invitation, over_at=at))


def _noted(company: Company, fact: Fact) -> Company:
    facts = sorted((*company.facts, fact), key=lambda one: one.sequence)
    deciding = decisive(facts)
    after = replace(company, facts=tuple(one if one is deciding else replace(one, missing=()) for one in facts))
    left = company.stage in FINAL and after.stage != company.stage
    if left:
        after = replace(after, stood=(*company.stood, company.timeline[-1]))
    if not left and (not after.stood or any(one.corrects for one in path(after.facts))):
        return after
    # else a fact that corrected does not count any more: the one that does now corrects in its place
    return replace(after, facts=tuple(replace(one, corrects=True) if one == deciding else one for one in after.facts))


def _steps(facts: tuple[Fact, ...]) -> tuple[Step, ...]:
    """Return the facts that count as steps; a state said again goes on since its first time."""
    steps: list[Step] = []
    for fact in path(facts):
        if steps and steps[-1].stage is fact.stage:
            steps[-1] = replace(steps[-1], corrected=steps[-1].corrected or fact.corrects)
        else:
            steps.append(Step(fact.stage, fact.at, fact.corrects))
    return tuple(steps)


def invite_key(firm_id: str, company_name: str, contact_email: str) -> str:
    """Return what makes an invitation the same as another, in whatever spelling a search would find it (O9, L1)."""
    return f"{firm_id}|{loose(fold(company_name))}\n{loose(fold(contact_email))}"  # a fold holds no line break


def invitation_day(firm_id: str, at: datetime) -> str:
    """Return the name of a firm's calendar day in Berlin (E4)."""
    return f"{firm_id}|{at.astimezone(BERLIN).date().isoformat()}"


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a firm may have contacts mailed (E4): a run's own, by its settings."""

    invitations_per_day: int = 200
    resends: int = 5
    resends_apart: timedelta = timedelta(minutes=5)


@dataclass(slots=True)
class World:
    """What one batch touches: companies, who holds an invitation's key, how many a firm invited on a day."""

    limits: Limits = field(default_factory=Limits)
    companies: dict[ClientId, Company] = field(default_factory=dict)
    holders: dict[str, ClientId | None] = field(default_factory=dict)
    days: dict[str, int] = field(default_factory=dict)
    changed: set[ClientId] = field(default_factory=set)
    moved: set[str] = field(default_factory=set)
    counted: set[str] = field(default_factory=set)

    def company(self, client_id: ClientId) -> Company:
        """Return the company, a blank one if nothing is known of it."""
        return self.companies.get(client_id) or Company(client_id)

    def apply(self, event: OnboardingEvent) -> None:
        """Let *event* have happened; the key follows: held while open, free at any final state (invariant 8)."""
        company = self.companies[event.client_id] = self.company(event.client_id).after(event)
        self.changed.add(company.client_id)
        if isinstance(event, CompanyInvited):
            day = invitation_day(event.firm_id, event.at)
            self.days[day] = self.days.get(day, 0) + 1
            self.counted.add(day)
        if company.invitation is not None and not company.invitation.forgotten:
            self._keep(company.invitation.key, company)

    def _keep(self, key: str, company: Company) -> None:
        holder = self.holders.get(key)
        if company.open and holder is None:
            self.holders[key] = company.client_id
            self.moved.add(key)
        elif not company.open and holder == company.client_id:
            self.holders[key] = None
            self.moved.add(key)
