"""Stamps compare as the instants they tell (contract, section 2)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.clock import moment_of, parse_stamp, rfc3339, shown, stamp_of

INSTANTS = st.datetimes(datetime(1000, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001 - the zone is given


@pytest.mark.parametrize(
    ("text", "stamp"),
    [
        ("2026-11-30T10:00:00Z", "2026-11-30T10:00:00.000000000Z"),
        ("2026-11-30t10:00:00z", "2026-11-30T10:00:00.000000000Z"),
        ("2026-11-30T10:00:00.1Z", "2026-11-30T10:00:00.100000000Z"),
        ("2026-11-30T10:00:00.123456789Z", "2026-11-30T10:00:00.123456789Z"),
        ("2026-11-30T10:00:00.1234567891Z", "2026-11-30T10:00:00.123456789Z"),
        ("2026-11-30T10:00:00+01:00", "2026-11-30T09:00:00.000000000Z"),
        ("2026-11-30T23:30:00-05:30", "2026-12-01T05:00:00.000000000Z"),
        ("2026-11-30T10:00:00-00:00", "2026-11-30T10:00:00.000000000Z"),
        ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00.000000000Z"),
        ("2017-01-01T00:59:60.5+01:00", "2017-01-01T00:00:00.500000000Z"),
        ("2024-02-29T00:00:00Z", "2024-02-29T00:00:00.000000000Z"),
        ("0999-01-01T00:00:00Z", "0999-01-01T00:00:00.000000000Z"),
    ],
)
def test_every_rfc_3339_time_is_told_in_utc_to_the_nanosecond(text: str, stamp: str) -> None:
    """Contract, section 2: whatever offset, case or number of digits; a leap second is the one after it."""
    assert parse_stamp(text) == stamp


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-11-30",
        "2026-11-30T10:00:00",
        "2026-11-30 10:00:00Z",
        "2026-11-30T10:00Z",
        "2026-11-30T10:00:00.Z",
        "2026-02-30T10:00:00Z",
        "2026-11-30T24:00:00Z",
        "2026-11-30T10:00:61Z",
        "2026-11-30T10:00:00+24:00",
        "2026-11-30T10:00:00+01:60",
        "2026-11-30T10:00:00+0100",
        "2026-11-30T10:00:00Z ",
        "٢٠٢٦-11-30T10:00:00Z",
        "0001-01-01T00:00:00+01:00",
        "9999-12-31T23:59:60Z",
    ],
)
def test_what_is_no_time_is_refused(text: str) -> None:
    """A time without an offset says nothing, one that is none is not guessed at."""
    with pytest.raises((ValueError, OverflowError)):
        parse_stamp(text)


@given(INSTANTS, INSTANTS)
def test_stamps_compare_as_their_instants(one: datetime, other: datetime) -> None:
    """Newest wins by comparing text."""
    assert (stamp_of(one) < stamp_of(other)) == (one < other)


@given(INSTANTS, st.integers(-23 * 60, 23 * 60))
def test_no_offset_changes_the_instant(instant: datetime, minutes: int) -> None:
    """The same instant has one stamp, whoever tells it."""
    elsewhere = instant.astimezone(timezone(timedelta(minutes=minutes)))
    assert parse_stamp(elsewhere.isoformat()) == parse_stamp(rfc3339(instant)) == stamp_of(instant)


@given(INSTANTS)
def test_a_stamp_is_shown_and_read_back_unchanged(instant: datetime) -> None:
    """The API shows what the database keeps."""
    stamp = stamp_of(instant)
    assert len(stamp) == 30
    assert moment_of(stamp) == instant
    assert parse_stamp(shown(stamp)) == stamp


def test_what_is_finer_than_a_microsecond_still_orders() -> None:
    """Contract, section 2: times are compared to the nanosecond."""
    assert parse_stamp("2026-11-30T10:00:00.000000001Z") < parse_stamp("2026-11-30T10:00:00.000000002Z")
    assert shown(parse_stamp("2026-11-30T10:00:00.000000010Z")) == "2026-11-30T10:00:00.000000010Z"
