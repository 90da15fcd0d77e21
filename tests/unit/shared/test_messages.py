"""Records to messages and back; nothing a record may hold raises (E3, contract section 2)."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, ClassVar

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.contracts.base import Event, Topic
from shared.messages import Heard, Letter, Passed, Unreadable, read, write

AT = datetime(2026, 11, 30, 10, 0, 0, 123456, tzinfo=UTC)


class Tallied(Event):
    ce_type: ClassVar[str] = "toy.tallied.v1"

    name: str
    amount: int


TOPIC = Topic(name="toy.facts", carries=(Tallied,))
MESSAGE = Tallied(name="bau", amount=3)


@dataclass
class Arrived:
    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]
    timestamp: int


def arrived(letter: Letter) -> Arrived:
    return Arrived(letter.topic, 0, 7, letter.key, letter.value, letter.headers, int(AT.timestamp() * 1000))


GOOD = arrived(write(TOPIC, "bau", MESSAGE, id="i-1", source="pleo.toy", time=AT))
EVENT: dict[str, Any] = {
    "specversion": "1.0",
    "id": "i-1",
    "source": "pleo.toy",
    "type": "toy.tallied.v1",
    "time": "2026-11-30T10:00:00.123456Z",
    "data": {"name": "bau", "amount": 3},
}

BARE = {name: value for name, value in EVENT.items() if name != "data"}
DEEP = b"[" * 300 + b"]" * 300


def headed(**headers: bytes | None) -> Arrived:
    """Return the good record with some headers changed; None leaves one out."""
    named = {**dict(GOOD.headers), **{name.replace("content_type", "content-type"): value for name, value in headers.items()}}
    return replace(GOOD, headers=tuple((name, value) for name, value in named.items() if value is not None))


def structured(event: object, content_type: bytes = b"application/cloudevents+json; charset=utf-8") -> Arrived:
    """Return a record in structured mode."""
    return replace(GOOD, value=orjson.dumps(event), headers=(("Content-Type", content_type),))


def test_what_is_written_is_read_back() -> None:
    """Contract, section 2: binary mode, to the microsecond."""
    assert read(GOOD, TOPIC.types) == Heard(MESSAGE, "i-1", "pleo.toy", "2026-11-30T10:00:00.123456000Z")  # type: ignore[arg-type]


def test_structured_mode_says_the_same() -> None:
    """Contract, section 2: structured mode is accepted too; unknown fields and extensions are ignored."""
    event = {**EVENT, "subject": "x", "partitionkey": 5, "data": {**EVENT["data"], "colour": "red"}}
    assert read(structured(event), TOPIC.types) == read(GOOD, TOPIC.types)


def test_structured_mode_may_carry_its_data_as_bytes_and_its_absent_attributes_as_null() -> None:
    """CloudEvents, JSON format: encoders write bytes as ``data_base64``, and null is the same as not there."""
    in_bytes = {**BARE, "datacontenttype": None, "subject": None, "data_base64": b64encode(GOOD.value or b"").decode()}
    assert read(structured(in_bytes), TOPIC.types) == read(GOOD, TOPIC.types)


def test_names_of_headers_and_content_types_know_no_case() -> None:
    """Others' encoders write as they like; a missing content type is JSON."""
    upper = tuple((name.upper(), value) for name, value in headed(content_type=b"Application/JSON; charset=UTF-8").headers)
    for record in (replace(GOOD, headers=upper), headed(content_type=None), headed(content_type=b"application/vnd.pleo+json")):
        assert read(record, TOPIC.types) == read(GOOD, TOPIC.types)


def test_a_replay_is_known_as_one_and_the_trace_is_kept() -> None:
    """E3 and contract, section 3."""
    trace = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    heard = read(headed(dead_replayed=b"2026-11-30T10:00:00Z", traceparent=trace), TOPIC.types)
    assert isinstance(heard, Heard)
    assert (heard.replayed, heard.trace) == (True, trace.decode())


BAD: dict[str, tuple[Arrived, str]] = {
    "no JSON": (replace(GOOD, value=b'{"name"'), "not_json"),
    "an empty value": (replace(GOOD, value=b""), "not_json"),
    "no UTF-8": (replace(GOOD, value=b'{"name": "\xff", "amount": 1}'), "not_json"),
    "deep nesting": (replace(GOOD, value=b"[" * 100_000), "not_json"),
    "a wrong type": (replace(GOOD, value=b'{"name": "bau", "amount": "3"}'), "invalid"),
    "a number that is none": (replace(GOOD, value=b'{"name": "bau", "amount": 1.5}'), "invalid"),
    "a missing field": (replace(GOOD, value=b"{}"), "invalid"),
    "null": (replace(GOOD, value=b"null"), "invalid"),
    "no headers": (replace(GOOD, headers=()), "not_cloudevent"),
    "no version": (headed(ce_specversion=None), "not_cloudevent"),
    "another version": (headed(ce_specversion=b"0.3"), "not_cloudevent"),
    "no id": (headed(ce_id=None), "not_cloudevent"),
    "an empty source": (headed(ce_source=b""), "not_cloudevent"),
    "no type": (headed(ce_type=None), "not_cloudevent"),
    "an id of bytes": (headed(ce_id=b"\xff"), "not_cloudevent"),
    "no time": (headed(ce_time=None), "invalid_time"),
    "a time without offset": (headed(ce_time=b"2026-11-30T10:00:00"), "invalid_time"),
    "a time before time": (headed(ce_time=b"0001-01-01T00:00:00+01:00"), "invalid_time"),
    "a time to come": (headed(ce_time=b"2026-11-30T11:00:00.124Z"), "time_in_future"),
    "another content type": (headed(content_type=b"text/plain"), "not_json"),
    "structured, no JSON": (replace(structured({}), value=b"{"), "not_json"),
    "structured, a list": (structured([EVENT]), "not_cloudevent"),
    "structured, no data": (structured(BARE), "invalid"),
    "structured, data in base64": (structured({**BARE, "data_base64": "e30="}), "invalid"),
    "structured, data of text": (structured({**EVENT, "data": '{"name": "bau", "amount": 3}'}), "invalid"),
    "structured, a number as id": (structured({**EVENT, "id": 5}), "not_cloudevent"),
    "structured, XML within": (structured({**EVENT, "datacontenttype": "text/xml"}), "not_json"),
    "structured, no time": (structured({**EVENT, "time": None}), "invalid_time"),
    "structured, deep nesting": (
        replace(structured(EVENT), value=orjson.dumps(EVENT).replace(b'"amount":3', b'"amount":3,"more":' + DEEP)),
        "not_json",
    ),
    "structured, no base64": (structured({**BARE, "data_base64": "{}"}), "not_json"),
    "a batch": (structured([EVENT], b"application/cloudevents-batch+json"), "not_cloudevent"),
}


@pytest.mark.parametrize(("record", "reason"), BAD.values(), ids=BAD)
def test_what_cannot_be_read_says_why(record: Arrived, reason: str) -> None:
    """E3: a stable reason, and a detail for people that fits into a header."""
    found = read(record, TOPIC.types)
    assert isinstance(found, Unreadable), found
    assert found.reason == reason
    assert 0 < len(found.detail) <= 500


def test_a_detail_does_not_repeat_what_came() -> None:
    """E3, E1: what a stranger wrote is in the record, not in our logs."""
    found = read(replace(GOOD, value=b'{"name": 5, "amount": "<script>secret</script>"}'), TOPIC.types)
    assert isinstance(found, Unreadable)
    assert "secret" not in found.detail


def test_an_hour_ahead_of_its_record_is_not_yet_the_future() -> None:
    """Contract, section 2: *more* than one hour ahead of the record's timestamp, which Kafka keeps to the millisecond."""
    assert isinstance(read(headed(ce_time=b"2026-11-30T11:00:00.123Z"), TOPIC.types), Heard)
    assert isinstance(read(headed(ce_time=b"2026-11-30T11:00:00.123000001Z"), TOPIC.types), Unreadable)


def test_tombstones_and_unknown_types_are_passed_by() -> None:
    """E3 and contract, section 2: neither is a fault."""
    assert read(replace(GOOD, value=None), TOPIC.types) == Passed("tombstone")
    assert read(headed(ce_type=b"toy.invented.v9"), TOPIC.types) == Passed("unknown_type")
    assert read(replace(headed(ce_type=b"toy.invented.v9"), value=b"\xff"), TOPIC.types) == Passed("unknown_type")


def test_what_an_unknown_type_carries_is_not_judged() -> None:
    """Contract, section 2: unknown types are counted and passed by, also those that carry no JSON, or nothing at all."""
    invented = {**BARE, "type": "toy.invented.v9"}
    avro = headed(ce_type=b"toy.invented.v9", content_type=b"application/avro")
    for record in (avro, structured(invented), structured({**invented, "datacontenttype": "text/xml", "data": "<a/>"})):
        assert read(record, TOPIC.types) == Passed("unknown_type")


def test_a_topic_carries_only_what_it_says() -> None:
    """What is written somewhere else by mistake is our bug, and loud."""
    with pytest.raises(KeyError):
        write(Topic(name="other"), "bau", MESSAGE, id="i", source="s", time=AT)


HEADERS = st.sampled_from(["ce_id", "ce_source", "ce_type", "ce_time", "ce_specversion", "content-type", "traceparent", "x"])
TELLING = (b"1.0", b"toy.tallied.v1", b"application/cloudevents+json", b"application/json")
VALUES = st.binary(max_size=40) | st.sampled_from(TELLING)
BODIES = st.binary(max_size=60) | st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*EVENT, "name", "amount"]), inner, max_size=6),
    max_leaves=8,
).map(orjson.dumps)


@given(st.lists(st.tuples(HEADERS, VALUES | st.none()), max_size=8), st.none() | BODIES, st.integers(-1, 2**45))
def test_no_record_makes_reading_raise(headers: list[tuple[str, Any]], value: bytes | None, timestamp: int) -> None:
    """Invariant 10: what cannot be read is set aside, so reading it must come to an end."""
    own = replace(GOOD, headers=tuple(headers), value=value, timestamp=timestamp)
    good = replace(GOOD, headers=GOOD.headers + tuple(headers), value=value, timestamp=timestamp)
    for record in (own, good):
        assert isinstance(read(record, TOPIC.types), Heard | Unreadable | Passed)
