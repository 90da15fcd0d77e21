"""Poison is set aside once and whole, what stands behind it goes on; a replay is handled as new (invariant 10, E3, E4)."""

from __future__ import annotations

import asyncio
import os
import sys
from datetime import timedelta
from functools import partial

import orjson
from aiokafka.structs import ConsumerRecord
from cloudevents.core.bindings.kafka import KafkaMessage, to_binary_event, to_structured_event
from cloudevents.core.v1.event import CloudEvent
from prometheus_client import REGISTRY

from shared import dead
from shared.clock import now, parse_stamp
from shared.contracts.base import Outcome, Status
from shared.contracts.portal import OUTCOMES
from shared.messages import Letter
from shared.mongo import Tx
from tests.integration.toy import EARLY, Bench, Troubled, fact, wish
from tests.system import eventually

MEBIBYTE = 1024 * 1024


def changed(letter: Letter, value: bytes | None = b"", **headers: bytes | None) -> Letter:
    """Return *letter* with another value unless that is empty, and other headers; None leaves one out."""
    named = {**dict(letter.headers), **{name.replace("content_type", "content-type"): text for name, text in headers.items()}}
    kept = tuple((name, text) for name, text in named.items() if text is not None)
    return Letter(letter.topic, letter.key, letter.value if value == b"" else value, kept)


POISON: dict[str, tuple[str, bytes | None, dict[str, bytes | None]]] = {
    "no JSON": ("not_json", b'{"name": ', {}),
    "no text": ("not_json", b"\xff\xfe\x00", {}),
    "another type of field": ("invalid", b'{"name": "bau", "amount": "1"}', {}),
    "a field missing": ("invalid", b'{"name": "bau"}', {}),
    "an array": ("invalid", b"[]", {}),
    "no CloudEvent": ("not_cloudevent", b"", {"ce_specversion": None, "ce_id": None, "ce_type": None}),
    "another version": ("not_cloudevent", b"", {"ce_specversion": b"0.3"}),
    "no id": ("not_cloudevent", b"", {"ce_id": None}),
    "no time": ("invalid_time", b"", {"ce_time": None}),
    "no such time": ("invalid_time", b"", {"ce_time": b"2026-02-30T00:00:00Z"}),
    "another content type": ("not_json", b"", {"content_type": b"application/avro"}),
    "structured without data": (
        "invalid",
        b'{"specversion": "1.0", "id": "1", "source": "x", "type": "toy.tallied.v1", "time": "2026-01-02T03:04:05Z"}',
        {"content_type": b"application/cloudevents+json"},
    ),
    "structured and no JSON": ("not_json", b"{", {"content_type": b"application/cloudevents+json"}),
    "a header of bytes": ("not_json", b"{", {"own": b"\x00\xff"}),
    "an attribute of bytes": ("not_cloudevent", b"", {"ce_source": b"\xff"}),
    "a mebibyte": ("not_json", b"x" * (MEBIBYTE - 1024), {}),
}


async def test_what_cannot_be_read_is_set_aside_once_and_whole_and_the_rest_goes_on(bench: Bench) -> None:
    """E3, contract section 2: key, bytes and headers unchanged, with why and whence; in the midst of good records."""
    await bench.start()
    facts = bench.topics.facts
    sent = []
    for number, (_, value, headers) in enumerate(POISON.values()):
        sent.append(changed(fact(facts, f"bad-{number}"), value, **headers))
        await bench.send(sent[-1], fact(facts, f"good-{number}"))
    await eventually(lambda: _done(bench, [f"good-{number}" for number in range(len(POISON))]))
    await eventually(lambda: _count(bench, "outbox", 0))
    found = await bench.records(facts.dead_name)
    assert len(found) == len(POISON)
    for number, (record, letter, (reason, _, _)) in enumerate(zip(found, sent, POISON.values(), strict=True)):
        assert record.key == letter.key
        assert record.value == letter.value
        about = {name: text for name, text in record.headers if name.startswith("dead_")}
        assert tuple(pair for pair in record.headers if pair[0] not in about) == letter.headers
        assert about.pop("dead_detail")
        assert parse_stamp(about.pop("dead_at").decode())
        assert about == {
            "dead_reason": reason.encode(),
            "dead_topic": facts.name.encode(),
            "dead_partition": b"0",
            "dead_offset": str(2 * number).encode(),
            "dead_service": b"toy",
        }
    labels = {"topic": facts.name, "reason": "invalid_time"}
    await eventually(partial(_counted, "portal_dead_letters_total", labels, 2))


async def test_a_fact_of_the_future_is_set_aside_and_one_of_nearly_an_hour_is_not(bench: Bench) -> None:
    """Contract, section 2: more than an hour ahead of its record's own timestamp."""
    await bench.start()
    facts = bench.topics.facts
    far, near = (now() + timedelta(minutes=minutes) for minutes in (61, 59))
    await bench.send(fact(facts, "far", at=far), fact(facts, "near", at=near))
    await eventually(lambda: _done(bench, ["near"]))
    await eventually(lambda: _reasons(bench, ["time_in_future"]))


async def test_tombstones_and_unknown_types_are_passed_by_and_counted(bench: Bench) -> None:
    """E3, contract section 2: neither is a fault, neither a message."""
    await bench.start()
    facts = bench.topics.facts
    tombstone, unknown = changed(fact(facts, "gone"), None), changed(fact(facts, "new"), ce_type=b"toy.invented.v1")
    await bench.send(tombstone, unknown, fact(facts, "f0"))
    await eventually(lambda: _done(bench, ["f0"]))
    for outcome in ("tombstone", "unknown_type", "handled"):
        labels = {"service": "toy", "topic": facts.name, "outcome": outcome}
        await eventually(partial(_counted, "portal_records_handled_total", labels, 1))
    assert await bench.records(facts.dead_name) == []


async def test_a_readable_record_of_a_mebibyte_is_handled(bench: Bench) -> None:
    """E4: a record of up to 1 MiB is handled; unknown fields are ignored."""
    await bench.start()
    body = orjson.dumps({"name": "bau", "amount": 7, "attachment": "x" * (MEBIBYTE - 200)})
    await bench.send(changed(fact(bench.topics.facts, "large"), body))
    await eventually(lambda: _done(bench, ["large"]))


async def test_events_of_a_foreign_encoder_are_read_in_either_mode(bench: Bench) -> None:
    """Contract, section 2: CloudEvents as others' SDK writes them, binary and structured; a missing key is allowed."""
    await bench.start()
    topic = bench.topics.facts.name
    about = {"source": "pleo.toy", "type": "toy.tallied.v1", "datacontenttype": "application/json"}
    for number, encode in enumerate((to_binary_event, to_structured_event)):
        event = CloudEvent(
            {**about, "id": f"sdk-{number}", "time": EARLY},
            {"name": "bau", "amount": 2},
        )
        message: KafkaMessage = encode(event)
        await bench.send(Letter(topic, None, message.value, tuple(message.headers.items())))
    await eventually(lambda: _done(bench, ["sdk-0", "sdk-1"]))
    assert (await bench.counter())["total"] == 4


async def test_a_bug_in_a_rule_is_cornered_and_set_aside_alone(bench: Bench) -> None:
    """Invariant 10: the batch is halved until the record fails alone, three times; its neighbours are handled, in order."""
    facts = bench.topics.facts
    tried: list[str] = []

    def bug(name: str, amount: int) -> bool:
        tried.append(name)
        return amount == 13

    await bench.send(*(fact(facts, f"f{n}", amount=13 if n in {3, 8} else 1) for n in range(10)))
    await bench.start(bug=bug)
    await eventually(lambda: _done(bench, [f"f{n}" for n in range(10) if n not in {3, 8}]))
    await eventually(lambda: _reasons(bench, ["handler_error", "handler_error"]))
    found = await bench.records(facts.dead_name)
    assert [dict(record.headers)["dead_offset"] for record in found] == [b"3", b"8"]
    assert dict(found[0].headers)["dead_detail"] == b"ArithmeticError: bau cannot grow by 13"


async def test_a_lone_record_that_fails_is_tried_three_times(bench: Bench) -> None:
    """Invariant 10: three times alone, then set aside, once."""
    tries: list[int] = []

    async def always(turn: int, _: Tx) -> None:
        tries.append(turn)
        raise ArithmeticError("a bug of ours")

    store = Troubled(always)

    async def only_bad(turn: int, tx: Tx) -> None:
        if store.batches[turn]:  # a record that is set aside is not loaded
            await always(turn, tx)

    store.trouble = only_bad
    await bench.prepare()
    hands = bench.by_hand(store=store)
    await hands.claim(bench.topics.facts)
    await hands.deliver(bench.topics.facts, fact(bench.topics.facts, "f0"))
    assert len(tries) == 3
    rows = await bench.database["outbox"].find({}).to_list(None)
    assert [row["topic"] for row in rows] == [bench.topics.facts.dead_name]
    assert (await bench.position())["next"] == 1


async def test_a_command_that_a_bug_stops_is_answered_and_decided_anew_after_the_fix(bench: Bench) -> None:
    """E3: the outcome `internal_error`; replayed by `shared.dead` it is handled as new and its outcome is told."""
    commands = bench.topics.commands
    ill = True

    def bug(name: str, amount: int) -> bool:
        return ill and amount == 13

    await bench.start(bug=bug, hears=(commands,))
    command_id = f"{bench.name}-13"
    await bench.send(wish(commands, command_id, amount=13), wish(commands, f"{bench.name}-1"))
    refused = await eventually(lambda: _outcome(bench, command_id, Status.REFUSED))
    assert refused.code == "internal_error"
    await eventually(lambda: _done(bench, [f"{bench.name}-1"]))
    assert await dead.show(bench.ground.kafka, commands.name) == 1
    ill = False
    assert await dead.replay(bench.ground.kafka, commands.name, 0, 0) == 1
    succeeded = await eventually(lambda: _outcome(bench, command_id, Status.SUCCEEDED))
    assert succeeded.result == {"total": 14}
    assert await bench.done() == [f"{bench.name}-1", command_id]
    remembered = await bench.database["commands"].find_one({"_id": command_id})
    assert remembered["outcome"]["status"] == "succeeded"


async def test_a_record_replayed_after_the_fix_is_handled_as_new(bench: Bench) -> None:
    """E3: only what was asked for, on its partition, its own headers and the mark, nothing of why it was set aside."""
    facts = bench.topics.facts
    ill = True

    def bug(name: str, amount: int) -> bool:
        return ill and amount == 13

    await bench.start(bug=bug)
    await bench.send(*(fact(facts, f"f{n}", amount=13) for n in range(3)))
    await eventually(lambda: _reasons(bench, ["handler_error"] * 3))
    ill = False
    assert await dead.replay(bench.ground.kafka, facts.name, 0, 1) == 1
    await eventually(lambda: _done(bench, ["f1"]))
    record = (await bench.records(facts.name))[-1]
    assert record.headers[:-1] == fact(facts, "f1", amount=13).headers
    assert record.headers[-1][0] == "dead_replayed"
    assert await dead.replay(bench.ground.kafka, facts.name, 5, None) == 0


async def test_a_replayed_record_that_is_still_bad_is_set_aside_again_with_its_new_origin(bench: Bench) -> None:
    """E3: once for each time it came; the mark of the replay is not kept."""
    await bench.start()
    facts = bench.topics.facts
    await bench.send(changed(fact(facts, "f0"), b"{"))
    await eventually(lambda: _reasons(bench, ["not_json"]))
    assert await dead.replay(bench.ground.kafka, facts.name, None, None) == 1
    await eventually(lambda: _reasons(bench, ["not_json"] * 2))
    first, second = await bench.records(facts.dead_name)
    assert (dict(first.headers)["dead_offset"], dict(second.headers)["dead_offset"]) == (b"0", b"1")
    assert _names(first) == _names(second)


async def test_the_command_line_lists_and_replays(bench: Bench) -> None:
    """Contract, section 2: `python -m shared.dead list|replay <topic> [--partition P --offset O]`."""
    await bench.start()
    facts = bench.topics.facts
    await bench.send(changed(fact(facts, "f0"), b"{"), changed(fact(facts, "f1"), ce_time=b"yesterday"), fact(facts, "f2"))
    await eventually(lambda: _reasons(bench, ["not_json", "invalid_time"]))
    listed = await _dead(bench, "list", facts.name)
    assert f"{facts.name} 0 0 " in listed
    assert f"{facts.name} 0 1 " in listed
    assert "invalid_time" in listed
    assert (await _dead(bench, "list", facts.name, "--partition", "0", "--offset", "1")).splitlines() == listed.splitlines()[1:]
    assert await _dead(bench, "list", facts.name, "--partition", "5") == ""
    assert "1 replayed" in await _dead(bench, "replay", facts.name, "--partition", "0", "--offset", "1")
    await eventually(lambda: _reasons(bench, ["not_json", "invalid_time", "invalid_time"]))


async def test_the_command_line_says_so_at_once_if_there_is_no_such_topic(bench: Bench) -> None:
    """Contract, section 2: `<topic>` is the record's origin; a slip of the pen neither hangs nor replays."""
    for wrong in ("pleo.reciepts", bench.topics.facts.dead_name):
        for verb in ("list", "replay"):
            said = await _dead(bench, verb, wrong, code=1)
            assert f"nothing is set aside from '{wrong}'" in said
            assert bench.topics.facts.name in said
            assert len(said.splitlines()) == 1


async def _dead(bench: Bench, *arguments: str, code: int = 0) -> str:
    """Return what the command line says, on standard output or, if it ends with another *code*, on standard error."""
    environment = {
        **os.environ,
        "KAFKA_BOOTSTRAP_SERVERS": bench.ground.kafka,
        "PORTAL_SECRET": "s" * 32,
        "PORTAL_DOOR_KEY": "d" * 32,
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "shared.dead", *arguments),
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    said, complained = await process.communicate()
    assert process.returncode == code, complained
    return (complained if code else said).decode()


async def _done(bench: Bench, ids: list[str]) -> bool:
    assert await bench.done() == ids
    return True


async def _count(bench: Bench, collection: str, number: int) -> bool:
    return int(await bench.database[collection].count_documents({})) == number


def _counted(metric: str, labels: dict[str, str], number: int) -> bool:
    assert REGISTRY.get_sample_value(metric, labels) == number
    return True


async def _reasons(bench: Bench, reasons: list[str]) -> bool:
    found = [dict(record.headers)["dead_reason"].decode() for record in await bench.records(bench.topics.facts.dead_name)]
    assert found == reasons
    return True


async def _outcome(bench: Bench, command_id: str, status: Status) -> Outcome:
    answers = [
        Outcome.model_validate_json(record.value)
        for record in await bench.records(OUTCOMES.name)
        if record.key == command_id.encode()
    ]
    assert answers
    assert answers[-1].status is status
    return answers[-1]


def _names(record: ConsumerRecord) -> list[str]:
    return [name for name, _ in record.headers]
