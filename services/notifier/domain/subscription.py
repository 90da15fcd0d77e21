"""One member's wish to be mailed about one client: how it changes, falls due and ends (N1-N5, N11)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from services.notifier.domain import schedule
from shared.contracts.base import ClientId, FirmId, MemberId
from shared.contracts.notifier import Frequency, SetNotifications, SkipReason

SHOWN = 3  # instants in the dialog (N5)


@dataclass(frozen=True, slots=True)
class Mailed:
    """The figures of the last digest about a client, for the change since (N6)."""

    at: datetime
    missing_receipts: int | None
    export_ready: int | None
    balance_minor: int | None
    currency: str | None


@dataclass(frozen=True, slots=True)
class Subscription:
    """What a member set for a client. *next_at* is set while *email* is; *settled_at* is the last instant the ledger knows."""

    firm_id: FirmId
    member_id: MemberId
    client_id: ClientId
    email: bool = False
    frequency: Frequency | None = None
    even_if_nothing: bool = False
    since: datetime | None = None
    settled_at: datetime | None = None
    next_at: datetime | None = None
    ended: SkipReason | None = None
    mailed: Mailed | None = None

    @property
    def id(self) -> str:
        """What makes it unique: a member is of one firm."""
        return subscription_id(self.member_id, self.client_id)

    def due(self, at: datetime) -> bool:
        """Say whether an instant is due by *at*."""
        return self.next_at is not None and self.next_at <= at

    def silent_for(self, due_at: datetime) -> SkipReason | None:
        """Return why the instant *due_at* is not answered any more, or None: it ended, or began anew since (N10)."""
        if not self.email:
            return self.ended or SkipReason.SWITCHED_OFF
        return SkipReason.SWITCHED_OFF if self.since is not None and self.since > due_at else None


@dataclass(frozen=True, slots=True)
class Due:
    """What a tick means for a subscription: *missed* instants, perhaps one to *answer*, and how it goes on."""

    then: Subscription
    missed: tuple[datetime, ...]
    answer: datetime | None
    grace: timedelta


def subscription_id(member_id: str, client_id: str) -> str:
    """Return the id of a subscription; ids hold no dot."""
    return f"{member_id}.{client_id}"


def settle(subscription: Subscription, at: datetime) -> Due | None:
    """Return what *at* means for *subscription*, None if nothing: only the newest instant is answered, within its grace (N11)."""
    frequency, first = subscription.frequency, subscription.next_at
    if frequency is None or first is None or first > at:
        return None
    *older, newest = schedule.instants_until(frequency, first, at)
    then = replace(subscription, settled_at=newest, next_at=schedule.next_instant(frequency, newest))
    if schedule.in_grace(frequency, newest, at):
        return Due(then, tuple(older), newest, schedule.GRACE[frequency])
    return Due(then, (*older, newest), None, schedule.GRACE[frequency])


def change(subscription: Subscription, command: SetNotifications) -> Subscription:
    """Return *subscription* as *command* wants it; what was due by then is settled already (N2, N4)."""
    frequency = command.frequency or subscription.frequency
    wanted = replace(subscription, email=command.email, even_if_nothing=command.even_if_nothing)
    if not command.email or frequency is None:
        ended = SkipReason.SWITCHED_OFF if subscription.email else subscription.ended
        return replace(wanted, frequency=frequency, next_at=None, ended=ended)
    if not subscription.email:
        first = schedule.first_instant(command.issued_at)
        return replace(wanted, frequency=frequency, since=command.issued_at, settled_at=None, next_at=first, ended=None)
    return refrequented(wanted, frequency, command.issued_at)


def refrequented(subscription: Subscription, frequency: Frequency, at: datetime) -> Subscription:
    """Return *subscription*, settled up to *at*, with another frequency; before its first delivery the instant stays (N4)."""
    if frequency is subscription.frequency or subscription.settled_at is None:
        return replace(subscription, frequency=frequency)
    next_at = schedule.instant_after_change(frequency, at, subscription.settled_at)
    return replace(subscription, frequency=frequency, next_at=next_at)


def end(subscription: Subscription) -> Subscription:
    """Return *subscription* ended because access was lost: the member left, or the client (N9)."""
    return replace(subscription, email=False, next_at=None, ended=SkipReason.ACCESS_LOST)


def upcoming(subscription: Subscription, count: int = SHOWN) -> list[datetime]:
    """Return the next *count* instants, none while it is off: what the scheduler itself will do (N5)."""
    frequency, first = subscription.frequency, subscription.next_at
    if frequency is None or first is None:
        return []
    endless = schedule.instants_until(frequency, first, first + timedelta(days=62 * count))
    return list(islice(endless, count))


def shown(subscription: Subscription | None) -> Mapping[str, Any]:
    """Return the notifications of a client as the API shows them (contract, section 1)."""
    if subscription is None:
        return {"email": False, "frequency": None, "even_if_nothing": False, "next_deliveries": [], "suppressed": None}
    return {
        "email": subscription.email,
        "frequency": subscription.frequency.value if subscription.frequency else None,
        "even_if_nothing": subscription.even_if_nothing,
        "next_deliveries": [schedule.in_berlin(instant) for instant in upcoming(subscription)],
        "suppressed": None,
    }
