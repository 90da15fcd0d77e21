"""The instants of an imagined subscription, computed as the scheduler computes them (N5; contract, section 4)."""

from __future__ import annotations

from datetime import UTC, datetime

from services.notifier.domain import schedule
from services.notifier.domain.subscription import Subscription, refrequented, settle, upcoming
from shared.contracts.base import ClientId, FirmId, MemberId
from shared.contracts.notifier import Frequency


def instants(switched_on: datetime, frequency: Frequency, changed: tuple[datetime, Frequency] | None, count: int) -> list[str]:
    """Return *count* instants with Berlin offset: from the switch-on, or the first ones after a change of frequency (N4)."""
    first = schedule.first_instant(switched_on.astimezone(UTC))
    subscription = Subscription(
        FirmId("firm"), MemberId("member"), ClientId("client"), True, frequency, since=switched_on, next_at=first
    )
    if changed is not None:
        at, then = changed[0].astimezone(UTC), changed[1]
        settled = settle(subscription, at)
        subscription = refrequented(settled.then if settled else subscription, then, at)
    return [schedule.in_berlin(instant) for instant in upcoming(subscription, count)]
