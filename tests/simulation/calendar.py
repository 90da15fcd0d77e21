"""A calendar of its own, to check the notifier's by: no zone data, no code of ours, only the rules as people tell them.

Central European Summer Time runs from the last Sunday of March to the last Sunday of October, since 1996.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

DAY = timedelta(days=1)


def last_sunday(year: int, month: int) -> date:
    """Return the last Sunday of a month of 31 days."""
    end = date(year, month, 31)
    return end - DAY * ((end.weekday() + 1) % 7)


def ten(day: date) -> datetime:
    """Return 10:00 in Berlin as UTC: two hours ahead in summer, one in winter; both changes are over by ten."""
    summer = last_sunday(day.year, 3) <= day < last_sunday(day.year, 10)
    return datetime(day.year, day.month, day.day, 8 if summer else 9, tzinfo=UTC)


def slots(frequency: str, after: datetime, previous: date | None) -> Iterator[date]:
    """Yield the days of *frequency* whose 10:00 lies after *after*; *previous* is the day of the instant before (N3)."""
    day = (after - DAY).date()
    while True:
        day += DAY
        if ten(day) <= after:
            continue
        monday = day.weekday() == 0
        if (
            frequency == "daily"
            or (frequency == "weekly" and monday)
            or (frequency == "monthly" and monday and day.day < 8 and (previous is None or (day - previous).days >= 14))
        ):
            yield day


@dataclass(frozen=True, slots=True)
class Wish:
    """What a member did at *at*: a frequency, or None for off."""

    at: datetime
    frequency: str | None


def instants(wishes: Sequence[Wish], until: datetime) -> list[tuple[datetime, str]]:
    """Return the instants up to *until* that *wishes*, oldest first, lead to, each with the frequency it belongs to (N2-N4)."""
    found: list[tuple[datetime, str]] = []
    frequency: str | None = None
    following: date | None = None
    begun = 0
    for wish, end in zip(wishes, [*(w.at for w in wishes[1:]), until], strict=True):
        if wish.frequency is None:
            frequency = following = None
            continue
        if frequency is None:
            begun = len(found)
            following = next(slots("weekly", wish.at, None))
        elif frequency != wish.frequency and len(found) > begun:
            last = found[-1][0]
            following = next(slots(wish.frequency, max(wish.at, last), last.date()))
        frequency = wish.frequency
        while following is not None and ten(following) <= end:
            found.append((ten(following), frequency))
            following = next(slots(frequency, ten(following), following))
    return found
