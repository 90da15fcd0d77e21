"""Records to messages and back: CloudEvents 1.0 on Kafka, binary and structured, checked against the contracts."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Generic, Protocol, TypeVar

import orjson
from pydantic import ValidationError

from shared.clock import Stamp, moment_of, parse_stamp, rfc3339, stamp_of
from shared.contracts.base import Message, Topic
from shared.values import value

JSON = "application/json"
STRUCTURED = b"application/cloudevents+json"
FUTURE_TOLERANCE = timedelta(hours=1)

M_co = TypeVar("M_co", bound=Message, covariant=True)
Content = bytes | dict[str, Any]
"""An event's data: the record's value, or the structured event that holds it."""


class Record(Protocol):
    """A Kafka record as aiokafka hands it over; the one typed view of it."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]
    timestamp: int


@value
class Heard(Generic[M_co]):
    """A message with what its envelope says: unique id, time of the fact, and the trace it belongs to."""

    message: M_co
    id: str
    source: str
    stamp: Stamp
    trace: str | None = None
    replayed: bool = False

    @property
    def time(self) -> datetime:
        """The fact's time, to the microsecond."""
        return moment_of(self.stamp)


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A record that cannot become a message: a stable *reason* and a *detail* for people (E3)."""

    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class Passed:
    """A record that is no fault and no message: a tombstone, or a type this reader does not know."""

    outcome: str


def read(record: Record, types: Mapping[str, type[Message]]) -> Heard[Message] | Unreadable | Passed:
    """Return what *record* says to a reader of *types*; never raises for anything a record may hold."""
    if record.value is None:
        return Passed("tombstone")
    headers = _headers(record.headers)
    content: Content = record.value
    try:
        if headers.get("content-type", b"").lower().startswith(STRUCTURED):
            attributes, content = _structured(record.value)
        else:
            attributes = _binary(headers)
        return _checked(attributes, content, headers, record.timestamp, types)
    except _NotAnEvent as wrong:
        return Unreadable(wrong.reason, str(wrong))


def _checked(
    attributes: Mapping[str, str],
    content: Content,
    headers: Mapping[str, bytes],
    timestamp: int,
    types: Mapping[str, type[Message]],
) -> Heard[Message] | Unreadable | Passed:
    if attributes.get("specversion") != "1.0":
        return Unreadable("not_cloudevent", f"specversion is {attributes.get('specversion', 'absent')[:32]!r}, not '1.0'")
    for name in ("id", "source", "type"):
        if not attributes.get(name):
            return Unreadable("not_cloudevent", f"the attribute {name!r} is absent or empty")
    model = types.get(attributes["type"])
    if model is None:
        return Passed("unknown_type")
    try:
        stamp = parse_stamp(attributes.get("time", ""))
    except (ValueError, OverflowError) as wrong:
        return Unreadable("invalid_time", str(wrong))
    if timestamp >= 0 and stamp > _latest(timestamp):
        return Unreadable("time_in_future", f"the fact is of {stamp}, more than an hour ahead of its record")
    body = _data(attributes.get("datacontenttype", JSON), content)
    try:
        message = model.model_validate_json(body)
    except ValidationError as wrong:
        first = wrong.errors(include_url=False, include_input=False, include_context=False)[0]
        reason = "not_json" if first["type"] == "json_invalid" else "invalid"
        where = ".".join(str(part) for part in first["loc"]) or "body"
        return Unreadable(reason, f"{where}: {first['msg']}"[:500])
    except (ValueError, RecursionError) as wrong:
        return Unreadable("not_json", str(wrong)[:500])
    return Heard(message, attributes["id"], attributes["source"], stamp, _trace(headers), "dead_replayed" in headers)


def trace_of(record: Record) -> str | None:
    """Return the traceparent that came with *record*, whatever else it holds."""
    return _trace(_headers(record.headers))


def _trace(headers: Mapping[str, bytes]) -> str | None:
    trace = headers.get("traceparent")
    return trace.decode("ascii", "replace") if trace else None


@lru_cache(maxsize=256)  # records come in by the hundred of the same millisecond
def _latest(timestamp: int) -> str:
    return stamp_of(_EPOCH + timedelta(milliseconds=timestamp) + FUTURE_TOLERANCE)


_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


class _NotAnEvent(Exception):
    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


def _headers(pairs: Iterable[tuple[str, bytes]]) -> dict[str, bytes]:
    return {name.lower(): value or b"" for name, value in pairs}


def _binary(headers: Mapping[str, bytes]) -> dict[str, str]:
    try:
        attributes = {name[3:]: value.decode() for name, value in headers.items() if name.startswith("ce_")}
    except UnicodeDecodeError as wrong:
        raise _NotAnEvent("not_cloudevent", f"a ce_ header is not UTF-8: {wrong.reason}") from None
    if "content-type" in headers:
        attributes["datacontenttype"] = headers["content-type"].decode("latin-1")
    return attributes


def _structured(value: bytes) -> tuple[dict[str, str], dict[str, Any]]:
    """Return the attributes of a structured event, of which null ones are as good as absent, and the event."""
    try:
        event = orjson.loads(value)
    except orjson.JSONDecodeError as wrong:
        raise _NotAnEvent("not_json", str(wrong)) from None
    if not isinstance(event, dict):
        raise _NotAnEvent("not_cloudevent", "a structured event is a JSON object")
    return {name: text for name, text in event.items() if name != "data" and isinstance(text, str)}, event


def _data(kind: str, content: Content) -> bytes:
    """Return the JSON within *content*; what an event of an unknown type holds is nobody's to judge, so it is asked for late."""
    if kind != JSON:
        media = kind.partition(";")[0].strip().lower()
        if not media.endswith(("/json", "+json")):
            raise _NotAnEvent("not_json", f"the content type is {media[:64]!r}")
    if isinstance(content, bytes):
        return content
    try:
        if isinstance(content.get("data_base64"), str):
            return b64decode(content["data_base64"], validate=True)
        if "data" not in content:
            raise _NotAnEvent("invalid", "data: absent")
        return orjson.dumps(content["data"])  # raises at what is nested too deeply for it
    except (ValueError, TypeError) as wrong:
        raise _NotAnEvent("not_json", str(wrong)[:500]) from None


@value
class Letter:
    """A record to be sent: what a relay publishes."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = field(default=())


def write(
    topic: Topic,
    key: str,
    message: Message,
    *,
    id: str,
    source: str,
    time: datetime,
    trace: str | None = None,
) -> Letter:
    """Return *message* as a CloudEvent in binary mode for *topic*; raises KeyError if the topic does not carry it."""
    if message.ce_type not in topic.types:
        raise KeyError(f"{topic.name} does not carry {message.ce_type}")
    headers = [
        ("ce_specversion", b"1.0"),
        ("ce_id", id.encode()),
        ("ce_source", source.encode()),
        ("ce_type", message.ce_type.encode()),
        ("ce_time", rfc3339(time).encode()),
        ("content-type", JSON.encode()),
    ]
    if trace:
        headers.append(("traceparent", trace.encode()))
    return Letter(topic.name, key.encode(), message.model_dump_json().encode(), tuple(headers))
