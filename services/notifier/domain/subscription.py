"""One member's wish to be mailed about one client: how it changes, falls due and ends (N1-N5, N11)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from services.notifier.domain import schedule
from shared.contracts.base import ClientId, FirmId, MemberId
from shared.contracts.notifier import Frequency, SkipReason

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
    """What a member set for a client. *next_at* is set while *email* is; *settled_at* is the last instant the ledger knows.

    *set_at* is when the member last set it by hand, *ended_at* when it last ended, *ended_by* the mail's link that ended it;
    *awaits* is the assignment that switches it on once the client is connected (N16).
    """

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
    set_at: datetime | None = None
    ended_at: datetime | None = None
    ended_by: str | None = None
    awaits: datetime | None = None

    @property
    def id(self) -> str:
        """What makes it unique: a member is of one firm."""
        return subscription_id(self.member_id, self.client_id)

    def due(self, at: datetime) -> bool:
        """Say whether an instant is due by *at*."""
        return self.next_at is not None and self.next_at <= at

    def silent_for(self, due_at: datetime) -> SkipReason | None:
        """Return why the instant *due_at* is not answered any more, or None.

        An instant that was due before the member switched off is answered all the same (N4); lost access ends all (N9).
        """
        if not self.email and self.ended is SkipReason.ACCESS_LOST:
            return SkipReason.ACCESS_LOST
        if self.email and self.since is not None and self.since < due_at:
            return None
        return None if self.ended_at is not None and due_at <= self.ended_at else SkipReason.SWITCHED_OFF


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


def settle(subscription: Subscription, at: datetime, as_of: datetime | None = None) -> Due | None:
    """Return what *at* means for *subscription*, None if nothing: only the newest instant is answered, within its grace (N11).

    How late that is, is measured at *as_of*, which is *at* unless a command of then is handled only now.
    """
    frequency, first = subscription.frequency, subscription.next_at
    if frequency is None or first is None or first > at:
        return None
    *older, newest = schedule.instants_until(frequency, first, at)
    then = replace(subscription, settled_at=newest, next_at=schedule.next_instant(frequency, newest))
    if schedule.in_grace(frequency, newest, as_of or at):
        return Due(then, tuple(older), newest, schedule.GRACE[frequency])
    return Due(then, (*older, newest), None, schedule.GRACE[frequency])


@dataclass(frozen=True, slots=True)
class Wish:
    """How a member wants a subscription to be, from *at* on; a full replacement (N1)."""

    at: datetime
    email: bool
    frequency: Frequency | None
    even_if_nothing: bool = False


def change(subscription: Subscription, wish: Wish) -> Subscription:
    """Return *subscription* as *wish* wants it; what was due by then is settled already (N2, N4)."""
    wanted = replace(subscription, even_if_nothing=wish.even_if_nothing, set_at=wish.at, ended_by=None, awaits=None)
    if not wish.email or wish.frequency is None:
        after = replace(switched_off(wanted, wish.at), frequency=wish.frequency)
    elif not subscription.email:
        after = switched_on(wanted, wish.frequency, wish.at)
    else:
        after = refrequented(wanted, wish.frequency, wish.at)
    return subscription if subscription.set_at and replace(after, set_at=subscription.set_at) == subscription else after


def switched_on(subscription: Subscription, frequency: Frequency, at: datetime) -> Subscription:
    """Return *subscription* begun anew at *at* (N2)."""
    first = schedule.first_instant(at)
    anew = replace(subscription, email=True, frequency=frequency, since=at, settled_at=None, next_at=first)
    return replace(anew, ended=None, ended_by=None, awaits=None)


def switched_off(subscription: Subscription, at: datetime, by: str | None = None) -> Subscription:
    """Return *subscription* without instants from *at* on, ended by the member, or by a mail's link (N13)."""
    if not subscription.email:
        return subscription
    return replace(subscription, email=False, next_at=None, ended=SkipReason.SWITCHED_OFF, ended_at=at, ended_by=by)


def restored(subscription: Subscription, at: datetime) -> Subscription:
    """Return *subscription* as it was before a mail's link ended it; it goes on with its own next instant (N13)."""
    frequency, settled = subscription.frequency, subscription.settled_at
    if frequency is None:
        return replace(subscription, ended_by=None)
    if settled is not None:
        next_at = schedule.instant_after_change(frequency, at, settled)
    else:  # before its first delivery: on the first Monday, or the next one if that is over
        next_at = max(schedule.first_instant(subscription.since or at), schedule.first_instant(at))
    return replace(subscription, email=True, next_at=next_at, ended=None, ended_by=None)


def refrequented(subscription: Subscription, frequency: Frequency, at: datetime) -> Subscription:
    """Return *subscription*, settled up to *at*, with another frequency; before its first delivery the instant stays (N4)."""
    if frequency is subscription.frequency or subscription.settled_at is None:
        return replace(subscription, frequency=frequency)
    next_at = schedule.instant_after_change(frequency, at, subscription.settled_at)
    return replace(subscription, frequency=frequency, next_at=next_at)


def end(subscription: Subscription, at: datetime) -> Subscription:
    """Return *subscription* ended because access was lost: the member left, or the client (N9). Nothing undoes it."""
    gone = replace(subscription, email=False, next_at=None, awaits=None)
    return replace(gone, ended=SkipReason.ACCESS_LOST, ended_at=at, ended_by=None)


def upcoming(subscription: Subscription, count: int = SHOWN) -> list[datetime]:
    """Return the next *count* instants, none while it is off: what the scheduler itself will do (N5)."""
    frequency, first = subscription.frequency, subscription.next_at
    if frequency is None or first is None:
        return []
    endless = schedule.instants_until(frequency, first, first + timedelta(days=62 * count))
    return list(islice(endless, count))


def shown(subscription: Subscription | None, suppressed: Mapping[str, Any] | None = None) -> Mapping[str, Any]:
    """Return the notifications of a client as the API shows them (contract, section 1); *suppressed* says why none come."""
    s = subscription
    return {
        "email": bool(s and s.email),
        "frequency": s.frequency.value if s and s.frequency else None,
        "even_if_nothing": bool(s and s.even_if_nothing),
        "next_deliveries": [schedule.in_berlin(instant) for instant in upcoming(s)] if s else [],
        "suppressed": suppressed,
    }
