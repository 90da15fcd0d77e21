"""How an onboarding is told: given what was heard, when something is heard, then this was decided."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from services.onboarding.domain import decide, evolve
from services.onboarding.domain.states import Company, Limits, World
from shared.clock import Stamp, stamp_of
from shared.contracts.base import Actor, ClientId, CommandId, FirmId, MemberId, Message, Role
from shared.contracts.clients import ClientEnded
from shared.contracts.notifier import InvitationUndelivered
from shared.contracts.onboarding import InvitationFellDue, InviteCompany, ResendInvitation, WithdrawInvitation
from shared.contracts.pleo import MissingItem, VerificationChanged, VerificationState
from shared.decider import Refused, Said
from shared.messages import Heard

MUELLER_BAU, SPAETI = ClientId("mueller-bau"), ClientId("spaeti")
KANZLEI, OTHER_FIRM = FirmId("kanzlei"), FirmId("other-firm")
LEYLA, TOM = MemberId("leyla"), MemberId("tom")
MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)
LIMITS = Limits(invitations_per_day=3)


def actor(firm_id: FirmId = KANZLEI) -> Actor:
    return Actor(member_id=LEYLA, firm_id=firm_id, role=Role.ADMIN, name="Leyla", email="leyla@kanzlei.example")


def after(**span: float) -> datetime:
    """Return the moment that long after the invitation."""
    return MONDAY + timedelta(**span)


def invite(
    client_id: ClientId = MUELLER_BAU,
    *,
    company: str = "Müller Bau GmbH",
    email: str = "chef@mueller.example",
    firm_id: FirmId = KANZLEI,
    at: datetime = MONDAY,
    assign: tuple[MemberId, ...] = (),
    known: tuple[MemberId, ...] = (),
) -> InviteCompany:
    return InviteCompany(
        command_id=CommandId(f"invite-{client_id}"),
        issued_at=at,
        actor=actor(firm_id),
        client_id=client_id,
        company_name=company,
        contact_name="Max Müller",
        contact_email=email,
        country="DE",
        assign=assign,
        known_members=known,
    )


def resend(at: datetime, client_id: ClientId = MUELLER_BAU, firm_id: FirmId = KANZLEI) -> ResendInvitation:
    return ResendInvitation(command_id=CommandId("resend"), issued_at=at, actor=actor(firm_id), client_id=client_id)


def withdraw(at: datetime, client_id: ClientId = MUELLER_BAU, firm_id: FirmId = KANZLEI) -> WithdrawInvitation:
    return WithdrawInvitation(command_id=CommandId("withdraw"), issued_at=at, actor=actor(firm_id), client_id=client_id)


def parted(firm_id: FirmId = KANZLEI) -> ClientEnded:
    return ClientEnded(firm_id=firm_id, client_id=MUELLER_BAU)


def lost(number: int | None = 1, address: str = "Chef@mueller.example") -> InvitationUndelivered:
    return InvitationUndelivered(client_id=MUELLER_BAU, address=address, number=number, at=MONDAY)


def tick(at: datetime, client_id: ClientId = MUELLER_BAU) -> InvitationFellDue:
    return InvitationFellDue(client_id=client_id, at=at)


def fact(
    state: str, sequence: int, at: datetime = MONDAY + timedelta(hours=1), *missing: str, client_id: ClientId = MUELLER_BAU
) -> Heard[VerificationChanged]:
    items = tuple(MissingItem(code=code, text=f"Bitte {code} nachreichen.") for code in missing)
    said = VerificationChanged(client_id=client_id, sequence=sequence, state=VerificationState(state), missing=items or None)
    return Heard(said, f"{state}-{sequence}", "pleo.verification", stamp_of(at))


def heard(message: Message | Heard[Any]) -> Heard[Any]:
    return message if isinstance(message, Heard) else Heard(message, "id", "test", Stamp("2026-03-02T09:00:00.000000000Z"))


@dataclass
class Story:
    """A world and what the last message led to."""

    world: World
    decided: list[Any]

    def when(self, *messages: Message | Heard[Any]) -> Story:
        """Hear *messages*, each decided on what those before it led to."""
        for message in messages:
            self.decided = list(decide(heard(message), self.world, MONDAY))
            for event in self.decided:
                evolve(self.world, event)
        return self

    def company(self, client_id: ClientId = MUELLER_BAU) -> Company:
        return self.world.company(client_id)

    @property
    def refusal(self) -> str | None:
        return next((event.code for event in self.decided if isinstance(event, Refused)), None)

    def said(self, kind: type[Any]) -> list[Any]:
        return [event.message for event in self.decided if isinstance(event, Said) and isinstance(event.message, kind)]

    @property
    def timeline(self) -> list[tuple[str, bool]]:
        return [(str(step.stage), step.corrected) for step in self.company().timeline]


def given(*messages: Message | Heard[Any], limits: Limits = LIMITS) -> Story:
    return Story(World(limits), []).when(*messages)
