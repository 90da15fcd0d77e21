"""The calendar of subscriptions, by its vectors and for every moment there is (N2-N4, N11)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifier.domain.schedule import BERLIN, first_instant, in_grace, instants_until, next_instant
from services.notifier.instants import instants
from shared.contracts.notifier import Frequency

MOMENTS = st.datetimes(min_value=datetime(2020, 1, 1), max_value=datetime(2040, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
FREQUENCIES = st.sampled_from(list(Frequency))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def listed(switched_on: str, frequency: Frequency, count: int) -> list[datetime]:
    first = first_instant(at(switched_on))
    return list(islice(instants_until(frequency, first, first + timedelta(days=365)), count))


@pytest.mark.parametrize(
    ("switched_on", "first"),
    [
        ("2026-11-23T09:59:59.999+01:00", "2026-11-23T10:00:00+01:00"),
        ("2026-11-23T10:00:00.000+01:00", "2026-11-30T10:00:00+01:00"),
        ("2026-03-24T00:00:00Z", "2026-03-30T08:00:00Z"),
        ("2026-10-23T12:00:00Z", "2026-10-26T09:00:00Z"),
    ],
)
def test_the_first_delivery_is_the_first_monday_at_ten_strictly_after(switched_on: str, first: str) -> None:
    """N2: one millisecond earlier goes out the same morning, ten sharp waits a week."""
    assert first_instant(at(switched_on)) == at(first)


@pytest.mark.parametrize(
    ("switched_on", "frequency", "expected"),
    [
        ("2026-03-20T12:00:00Z", Frequency.WEEKLY, ["2026-03-23T09:00Z", "2026-03-30T08:00Z"]),
        ("2026-10-16T12:00:00Z", Frequency.WEEKLY, ["2026-10-19T08:00Z", "2026-10-26T09:00Z"]),
        ("2026-03-24T12:00:00Z", Frequency.MONTHLY, ["2026-03-30T08:00Z", "2026-05-04T08:00Z", "2026-06-01T08:00Z"]),
        ("2026-03-27T12:00:00Z", Frequency.DAILY, ["2026-03-30T08:00Z", "2026-03-31T08:00Z", "2026-04-01T08:00Z"]),
    ],
)
def test_the_instants_follow_their_rule_over_the_change_of_clocks(
    switched_on: str, frequency: Frequency, expected: list[str]
) -> None:
    """N3: the vectors of the rule."""
    assert listed(switched_on, frequency, len(expected)) == [at(text) for text in expected]


@pytest.mark.parametrize(
    ("frequency", "expected"),
    [(Frequency.MONTHLY, "2026-05-04T10:00:00+02:00"), (Frequency.WEEKLY, "2026-04-06T10:00:00+02:00")],
)
def test_a_change_leaves_exactly_one_next_instant(frequency: Frequency, expected: str) -> None:
    """N3: daily since 2026-03-23, changed on 2026-04-01T12:00Z."""
    changed = (at("2026-04-01T12:00:00Z"), frequency)
    assert instants(at("2026-03-20T12:00:00Z"), Frequency.DAILY, changed, 1) == [expected]


def test_a_change_before_the_first_delivery_keeps_the_first_monday() -> None:
    """N4: whatever the new frequency, and from there on by the new rule."""
    changed = (at("2026-03-25T12:00:00Z"), Frequency.MONTHLY)
    found = instants(at("2026-03-24T12:00:00Z"), Frequency.DAILY, changed, 2)
    assert found == ["2026-03-30T10:00:00+02:00", "2026-05-04T10:00:00+02:00"]


@pytest.mark.parametrize(
    ("frequency", "grace"),
    [(Frequency.DAILY, timedelta(hours=6)), (Frequency.WEEKLY, timedelta(hours=48)), (Frequency.MONTHLY, timedelta(days=5))],
)
def test_lateness_ends_with_the_grace(frequency: Frequency, grace: timedelta) -> None:
    """N11: at most 6 h, 48 h, 5 days."""
    due = at("2026-11-30T09:00:00Z")
    assert in_grace(frequency, due, due + grace)
    assert not in_grace(frequency, due, due + grace + timedelta(microseconds=1))


@given(MOMENTS)
def test_no_switch_on_waits_longer_than_a_week(switched_on: datetime) -> None:
    """N2: always a Monday, always ten in Berlin, always after, within a week (of wall clock)."""
    first = first_instant(switched_on)
    there = first.astimezone(BERLIN)
    assert (there.weekday(), there.hour, there.minute, there.second) == (0, 10, 0, 0)
    assert timedelta() < first - switched_on <= timedelta(days=7, hours=1)


@given(MOMENTS, FREQUENCIES)
def test_no_instant_is_met_twice_and_none_leaves_ten_o_clock(switched_on: datetime, frequency: Frequency) -> None:
    """N3: strictly rising, at ten in Berlin; monthly is a first Monday at least 14 days on."""
    first = first_instant(switched_on)
    found = list(islice(instants_until(frequency, first, first + timedelta(days=400)), 8))
    for before, after in pairwise(found):
        there, days = after.astimezone(BERLIN), (after.astimezone(BERLIN).date() - before.astimezone(BERLIN).date()).days
        assert (there.hour, there.minute) == (10, 0)
        assert after == next_instant(frequency, before)
        match frequency:
            case Frequency.DAILY:
                assert days == 1
            case Frequency.WEEKLY:
                assert (there.weekday(), days) == (0, 7)
            case Frequency.MONTHLY:
                assert (there.weekday(), there.day <= 7, days >= 14) == (0, True, True)
