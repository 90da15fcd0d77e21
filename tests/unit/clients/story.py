"""Who and what the stories of clients are about, and how they speak."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from hypothesis import settings

from services.clients.domain import CLIENTS
from services.clients.domain.states import STEP, Client, World
from services.clients.queries.rows import row
from services.clients.queries.viewer import Viewer
from shared.clock import Stamp, stamp_of
from shared.contracts import clients, onboarding, pleo
from shared.contracts.base import Actor, ClientId, CommandId, FirmId, MemberId, Message, Money, Role, Task
from shared.decider import Refused, Said
from shared.messages import Heard
from tests.spec import NOW, Story, given

KANZLEI, RIVAL = FirmId("kanzlei"), FirmId("rival")
MUELLER_BAU, SPAETI = ClientId("mueller-bau"), ClientId("spaeti")

thorough = settings(max_examples=100, deadline=None, database=None)


@dataclass(frozen=True)
class Somebody:
    """A person of a firm."""

    id: MemberId
    name: str
    role: Role
    firm: FirmId = KANZLEI

    @property
    def email(self) -> str:
        return f"{self.id}@{self.firm}.example"

    @property
    def actor(self) -> Actor:
        return Actor(member_id=self.id, firm_id=self.firm, role=self.role, name=self.name, email=self.email)

    def viewer(self, locale: str | None = "de-DE") -> Viewer:
        return Viewer(self.id, self.firm, self.name, self.email, self.role, locale, "Kanzlei", None)

    def document(self) -> dict[str, Any]:
        return {"_id": self.id, "name": self.name}


LEYLA = Somebody(MemberId("leyla"), "Leyla Özdemir", Role.ADMIN)
TOM = Somebody(MemberId("tom"), "Tom Weber", Role.ACCOUNTANT)
ANNA = Somebody(MemberId("anna"), "Anna Groß", Role.ACCOUNTANT)
RITA = Somebody(MemberId("rita"), "Rita Rivale", Role.ADMIN, RIVAL)
PEOPLE = (LEYLA, TOM, ANNA, RITA)


def after(**span: float) -> datetime:
    """Return the moment that long after now."""
    return NOW + timedelta(**span)


def joins(who: Somebody, sequence: int = 1) -> pleo.MemberAdded:
    return pleo.MemberAdded(
        firm_id=who.firm, member_id=who.id, name=who.name, email=who.email, role=who.role, locale=None, sequence=sequence
    )


def leaves(who: Somebody, sequence: int = 9) -> pleo.MemberRemoved:
    return pleo.MemberRemoved(firm_id=who.firm, member_id=who.id, sequence=sequence)


def step(story: Story[World], who: Somebody, sequence: int = 9, after: str = "") -> clients.LeaverFellDue:
    """Return the tick of a removal, with the clients the store finds for it in the world of *story*."""
    assigned = sorted(key for key, c in story.world.clients.items() if key[0] == who.firm and who.id in c.assignees)
    story.world.leaving[who.firm, who.id, after] = [key for key in assigned if key[1] > after][:STEP]
    return clients.LeaverFellDue(at=NOW, firm_id=who.firm, member_id=who.id, sequence=sequence, after=after)


def gone(story: Story[World], who: Somebody, sequence: int = 9) -> Story[World]:
    """Carry out a removal, step by step, to its end."""
    story.when(step(story, who, sequence))
    while ticks := said(story, clients.LeaverFellDue):
        story.when(step(story, who, sequence, ticks[0].after))
    return story


def colleague(number: int) -> Somebody:
    return Somebody(MemberId(f"colleague-{number}"), f"Colleague {number}", Role.ACCOUNTANT)


def told(*history: Message | Heard[Any], people: Iterable[Somebody] = PEOPLE) -> Story[World]:
    """Begin a story in which both firms and their people are known."""
    firms = [pleo.FirmRegistered(firm_id=firm, name=firm.title()) for firm in (KANZLEI, RIVAL)]
    return given(CLIENTS, World(), *firms, *map(joins, people), *history)


def client_of(story: Story[World], firm: FirmId = KANZLEI, client_id: ClientId = MUELLER_BAU) -> Client:
    client = story.world.client(firm, client_id)
    assert client is not None
    return client


def refused(code: str) -> Refused:
    return Refused(code)


def said(story: Story[World], kind: type[Any]) -> list[Any]:
    """Return what the last message made clients say, of one kind."""
    return [e.message for e in story.decided if isinstance(e, Said) and isinstance(e.message, kind)]


def shown(client: Client, who: Somebody = LEYLA, locale: str | None = "de-DE", people: Sequence[Somebody] = PEOPLE) -> Any:
    """Return the row as *who* gets it, with *people* as the active members."""
    by_id = {str(p.id): p.document() for p in people}
    by_address = {p.email.casefold(): p.document() for p in people}
    return row(client, who.viewer(locale), by_id, by_address)


def added(
    sequence: int = 1,
    *,
    firm: FirmId = KANZLEI,
    name: str = "Müller Bau",
    number: str | None = None,
    to: str | None = None,
    client_id: ClientId = MUELLER_BAU,
) -> pleo.AccountantAdded:
    return pleo.AccountantAdded(
        client_id=client_id, firm_id=firm, company_name=name, client_number=number, addressed_to=to, sequence=sequence
    )


def withdrawn(sequence: int = 2, firm: FirmId = KANZLEI) -> pleo.AccountantWithdrawn:
    return pleo.AccountantWithdrawn(client_id=MUELLER_BAU, firm_id=firm, sequence=sequence)


def renamed(name: str, sequence: int = 1) -> pleo.CompanyRenamed:
    return pleo.CompanyRenamed(client_id=MUELLER_BAU, company_name=name, sequence=sequence)


def _by(who: Somebody, at: datetime) -> dict[str, Any]:
    return {"command_id": CommandId("command"), "issued_at": at, "actor": who.actor}


def accept(*assign: Somebody, by: Somebody = LEYLA, client_id: ClientId = MUELLER_BAU) -> clients.AcceptInvitation:
    return clients.AcceptInvitation(**_by(by, NOW), client_id=client_id, assign=tuple(m.id for m in assign))


def decline(by: Somebody = LEYLA) -> clients.DeclineInvitation:
    return clients.DeclineInvitation(**_by(by, NOW), client_id=MUELLER_BAU)


def disconnect(by: Somebody = LEYLA) -> clients.DisconnectClient:
    return clients.DisconnectClient(**_by(by, NOW), client_id=MUELLER_BAU)


def assign(who: Somebody, by: Somebody = LEYLA, client_id: ClientId = MUELLER_BAU) -> clients.AssignMember:
    return clients.AssignMember(**_by(by, NOW), client_id=client_id, member_id=who.id)


def unassign(who: Somebody, by: Somebody = LEYLA) -> clients.UnassignMember:
    return clients.UnassignMember(**_by(by, NOW), client_id=MUELLER_BAU, member_id=who.id)


def assign_many(
    *client_ids: ClientId, assign: Sequence[Somebody] = (), unassign: Sequence[Somebody] = (), by: Somebody = LEYLA
) -> clients.AssignMany:
    return clients.AssignMany(
        **_by(by, NOW), client_ids=client_ids, assign=tuple(m.id for m in assign), unassign=tuple(m.id for m in unassign)
    )


def grant(by: Somebody = LEYLA, token: str = "a") -> clients.GrantAccess:
    return clients.GrantAccess(**_by(by, NOW), client_id=MUELLER_BAU, grant_id=f"grant-{token}", token_hash=token * 64)


def redeem(at: datetime, token: str = "a") -> clients.RedeemGrant:
    product = Somebody(MemberId("product"), "Product", Role.ACCOUNTANT, FirmId("none"))
    return clients.RedeemGrant(**_by(product, at), token_hash=token * 64)


def remind(*tasks: Task, by: Somebody = LEYLA, at: datetime = NOW, comment: str | None = None) -> clients.RemindAssignees:
    return clients.RemindAssignees(**_by(by, at), client_id=MUELLER_BAU, reminder_id="reminder", tasks=tasks, comment=comment)


def invited(*assign: Somebody, name: str = "Müller Bau", number: str | None = None) -> onboarding.OnboardingStarted:
    return onboarding.OnboardingStarted(
        command_id=CommandId("invite"),
        member_id=LEYLA.id,
        firm_id=KANZLEI,
        client_id=MUELLER_BAU,
        company_name=name,
        client_number=number,
        country="DE",
        assign=tuple(m.id for m in assign),
        at=NOW,
    )


def taken_back() -> onboarding.InvitationWithdrawn:
    return onboarding.InvitationWithdrawn(
        command_id=CommandId("withdraw"), member_id=LEYLA.id, firm_id=KANZLEI, client_id=MUELLER_BAU
    )


def stated(
    state: str | None,
    version: int = 1,
    *,
    connected: bool = False,
    verification: str | None = None,
    firm: FirmId | None = KANZLEI,
    at: datetime = NOW,
) -> onboarding.OnboardingState:
    """Return what onboarding says of Müller Bau; without *firm* no firm invited it through the portal."""
    return onboarding.OnboardingState(
        version=version,
        client_id=MUELLER_BAU,
        firm_id=firm,
        state=state,
        final=state in {"verified", "rejected", "expired", "withdrawn"},
        connected=connected,
        verification=verification,
        missing=(),
        invited_at=NOW if firm else None,
        state_at=stamp_of(at),
    )


def about(kind: type[pleo.ExpenseFact], expense: str, stamp: str, id: str = "1") -> Heard[pleo.ExpenseFact]:
    """Return a fact about an expense of Müller Bau."""
    return Heard(kind(client_id=MUELLER_BAU, expense_id=expense), id, "pleo", Stamp(stamp))


def balance(minor: int, stamp: str, id: str = "1", *, low: bool = False) -> Heard[pleo.BalanceChanged]:
    fact = pleo.BalanceChanged(client_id=MUELLER_BAU, balance=Money(amount_minor=minor, currency="EUR"), low=low)
    return Heard(fact, id, "pleo", Stamp(stamp))


def clock(second: int, nano: int = 0) -> Stamp:
    return Stamp(f"2026-03-11T10:00:{second:02d}.{nano:09d}Z")


CONNECTED: tuple[Message, ...] = (added(), accept())
