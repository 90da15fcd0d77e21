"""What onboarding decides, without windows: the messages it hears are the table of contents."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from services.onboarding.domain import onboarding
from services.onboarding.domain.events import OnboardingEvent
from services.onboarding.domain.states import World
from shared.contracts.clients import ClientEnded
from shared.contracts.notifier import InvitationUndelivered
from shared.contracts.onboarding import InvitationFellDue, InviteCompany, ResendInvitation, WithdrawInvitation
from shared.contracts.pleo import VerificationChanged
from shared.decider import Counted, Decider
from shared.messages import Heard


def decide(heard: Heard[Any], world: World, now: datetime) -> Sequence[Any]:
    """Return what *heard* leads to; every message carries its own time, *now* is when it is heard."""
    match heard.message:
        case InviteCompany() as command:
            return onboarding.invite(command, world)
        case ResendInvitation() as command:
            return onboarding.resend(command, world)
        case WithdrawInvitation() as command:
            return onboarding.withdraw(command, world)
        case InvitationFellDue() as tick:
            return onboarding.fell_due(tick, world)
        case VerificationChanged():
            return onboarding.fact(heard, world, now)
        case InvitationUndelivered() as news:
            return onboarding.undelivered(news, world)
        case ClientEnded():
            return onboarding.parted(heard, world)
        case _:
            return [Counted("passed")]


def evolve(world: World, event: Any) -> None:
    """Apply what was decided; what is told to others changes nothing here."""
    if isinstance(event, OnboardingEvent):
        world.apply(event)


ONBOARDING = Decider(decide, evolve)
