"""Time as the system tells it: aware UTC datetimes, and RFC 3339 stamps that compare to the nanosecond."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import NewType

Stamp = NewType("Stamp", str)
"""An instant as ``YYYY-MM-DDTHH:MM:SS.nnnnnnnnnZ``: equal length, so stamps compare as text (contract, section 2)."""

_RFC3339 = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d):(\d\d)(?:\.(\d+))?(?:[Zz]|([+-])(\d\d):(\d\d))",
    re.ASCII,
)


def now() -> datetime:
    """Return the present moment in UTC; the one place that reads the clock."""
    return datetime.now(UTC)


def parse_stamp(text: str) -> Stamp:
    """Return the RFC 3339 time *text* as a stamp; digits beyond the nanosecond are dropped. Raises ValueError."""
    match = _RFC3339.fullmatch(text)
    if match is None:
        raise ValueError(f"not an RFC 3339 time: {text[:64]!r}")
    day, minute, second, fraction, sign, hours, minutes = match.groups()
    leap = second == "60"  # RFC 3339 allows the leap second; it is told as the one after it
    head = f"{day}T{minute}:{'59' if leap else second}"
    whole = datetime.fromisoformat(head)  # raises at a day or an hour that is none
    if leap or sign:
        head = (whole + timedelta(seconds=leap) - _offset(sign, hours, minutes)).isoformat()
    return Stamp(f"{head}.{(fraction or '')[:9].ljust(9, '0')}Z")


def _offset(sign: str | None, hours: str, minutes: str) -> timedelta:
    if sign is None:
        return timedelta()
    if int(hours) > 23 or int(minutes) > 59:
        raise ValueError(f"no such offset: {sign}{hours}:{minutes}")
    offset = timedelta(hours=int(hours), minutes=int(minutes))
    return offset if sign == "+" else -offset


def stamp_of(moment: datetime) -> Stamp:
    """Return an aware datetime as a stamp."""
    return Stamp(f"{moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='microseconds')}000Z")


def moment_of(stamp: str) -> datetime:
    """Return a stamp as a datetime; what is finer than a microsecond is dropped."""
    return datetime.fromisoformat(stamp[:26] + "+00:00")


def shown(stamp: str) -> str:
    """Return a stamp as the API shows it: to the second, the microsecond or the nanosecond, whichever says it all."""
    head, _, nanos = stamp[:-1].partition(".")
    if nanos == "0" * 9:
        return f"{head}Z"
    return f"{head}.{nanos[:6] if nanos.endswith('000') else nanos}Z"


def rfc3339(moment: datetime) -> str:
    """Return an aware datetime as RFC 3339 with ``Z``."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
