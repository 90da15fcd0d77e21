"""When a subscription is due: the calendar of N2-N4 and N11, told in Europe/Berlin and kept in UTC."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import assert_never
from zoneinfo import ZoneInfo

from shared.contracts.notifier import Frequency

BERLIN = ZoneInfo("Europe/Berlin")
TEN = time(10)
MONDAY = 0
BETWEEN_MONTHLY = timedelta(days=14)
GRACE = {Frequency.DAILY: timedelta(hours=6), Frequency.WEEKLY: timedelta(hours=48), Frequency.MONTHLY: timedelta(days=5)}
LONGEST_GRACE = max(GRACE.values())


def first_instant(switched_on: datetime) -> datetime:
    """Return the first Monday 10:00 Berlin time strictly after *switched_on*, in UTC (N2)."""
    return next(i for i in _mornings(switched_on) if _day(i).weekday() == MONDAY)


def next_instant(frequency: Frequency, previous: datetime) -> datetime:
    """Return the instant that follows *previous*, in UTC (N3)."""
    return instant_after_change(frequency, previous, previous)


def instant_after_change(frequency: Frequency, changed_at: datetime, previous: datetime) -> datetime:
    """Return the first slot of the new rule after the later of the change and the last settled instant *previous* (N4)."""
    return next(i for i in _mornings(max(changed_at, previous)) if _suits(frequency, i, previous))


def instants_until(frequency: Frequency, first: datetime, at: datetime) -> Iterator[datetime]:
    """Yield the instants from *first* on that are due by *at*, oldest first."""
    instant = first
    while instant <= at:
        yield instant
        instant = next_instant(frequency, instant)


def in_grace(frequency: Frequency, instant: datetime, at: datetime) -> bool:
    """Say whether *instant* may still be delivered at *at* (N11)."""
    return at - instant <= GRACE[frequency]


def in_berlin(instant: datetime) -> str:
    """Return *instant* as RFC 3339 with its Berlin offset, as the dialog shows it (N5)."""
    return instant.astimezone(BERLIN).isoformat()


def _suits(frequency: Frequency, instant: datetime, previous: datetime) -> bool:
    day = _day(instant)
    match frequency:
        case Frequency.DAILY:
            return True
        case Frequency.WEEKLY:
            return day.weekday() == MONDAY
        case Frequency.MONTHLY:  # 14 days keep a first Monday from following a first delivery at once
            return day.weekday() == MONDAY and day.day <= 7 and day - _day(previous) >= BETWEEN_MONTHLY
        case _:
            assert_never(frequency)


def _mornings(after: datetime) -> Iterator[datetime]:
    """Yield every 10:00 in Berlin strictly after *after*: wall time first, then UTC, so that no change of clocks moves it."""
    day = _day(after)
    while True:
        morning = datetime.combine(day, TEN, BERLIN).astimezone(UTC)
        if morning > after:
            yield morning
        day += timedelta(days=1)


def _day(instant: datetime) -> date:
    return instant.astimezone(BERLIN).date()
