"""Where a service begins, and who may write: invariants 2 and 3 on the real broker and database."""

from __future__ import annotations

import logging
from functools import partial

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from prometheus_client import REGISTRY

from shared.claims import POSITIONS
from shared.contracts.base import Topic
from tests.integration.conftest import Benches
from tests.integration.toy import Bench, fact
from tests.system import eventually


async def test_a_record_delivered_twice_is_done_once(bench: Bench) -> None:
    """Invariant 2: what lies below the position is skipped, whatever the broker delivers again."""
    service = await bench.start()
    facts = bench.topics.facts
    await bench.send(*(fact(facts, f"f{n}") for n in range(5)))
    await eventually(lambda: _stands_at(bench, 5))
    part = TopicPartition(facts.name, 0)
    service.listening.broker.subscribers[0].consumer.seek(part, 0)  # type: ignore[attr-defined]  # as a rebalance does
    await bench.send(fact(facts, "f5"))
    await eventually(lambda: _stands_at(bench, 6))
    assert await bench.done() == [f"f{n}" for n in range(6)]


@pytest.mark.parametrize("offset", [0, 6], ids=["at the beginning", "past what waits"])
async def test_the_position_in_the_database_decides_and_not_the_brokers_offset(bench: Bench, offset: int) -> None:
    """Invariant 2: whatever Kafka remembers of the group, we begin where our own transaction ended."""
    facts = bench.topics.facts
    service = await bench.start()
    await bench.send(*(fact(facts, f"f{n}") for n in range(3)))
    await eventually(lambda: _stands_at(bench, 3))
    await bench.stop(service)
    await bench.send(*(fact(facts, f"f{n}") for n in range(3, 6)))
    await _commit(bench, facts, offset)
    await bench.start()
    await eventually(lambda: _stands_at(bench, 6))
    assert await bench.done() == [f"f{n}" for n in range(6)]


async def test_a_position_beyond_the_logs_end_is_not_ready_and_says_why(bench: Bench) -> None:
    """Invariant 2: a topic that was made anew is somebody's mistake; we neither skip nor begin again by ourselves."""
    facts = bench.topics.facts
    await bench.prepare()
    await bench.database[POSITIONS].insert_one({"_id": f"toy/{facts.name}/0", "epoch": 7, "next": 40})
    service = await bench.start()
    await bench.send(fact(facts, "f0"))
    why = await eventually(lambda: [text for text in service.health.trouble() if "beyond the log's end" in text])
    assert "40" in why[0]
    assert facts.name in why[0]
    assert await bench.done() == []
    await bench.database[POSITIONS].update_one({"_id": f"toy/{facts.name}/0"}, {"$set": {"next": 0}})
    await eventually(lambda: _stands_at(bench, 1))
    await eventually(lambda: not service.listening.trouble())


async def test_records_that_retention_took_before_they_were_read_are_counted(bench: Bench) -> None:
    """Invariant 2: the gap between our position and the log's beginning is told to who must know (contract, section 3)."""
    facts = bench.topics.facts
    service = await bench.start()
    await bench.send(*(fact(facts, f"f{n}") for n in range(5)))
    await eventually(lambda: _stands_at(bench, 5))
    await bench.stop(service)
    await bench.send(*(fact(facts, f"f{n}") for n in range(5, 10)))
    admin = AIOKafkaAdminClient(bootstrap_servers=bench.ground.kafka)
    await admin.start()
    await admin.delete_records({TopicPartition(facts.name, 0): RecordsToDelete(8)})
    await admin.close()
    await bench.start()
    await eventually(lambda: _stands_at(bench, 10))
    assert await bench.done() == ["f0", "f1", "f2", "f3", "f4", "f8", "f9"]
    assert REGISTRY.get_sample_value("portal_records_lost_total", {"service": "toy", "topic": facts.name}) == 3


async def test_who_is_fenced_writes_nothing_claims_again_and_goes_on(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    """Invariant 3: a higher epoch in the database ends our claim at the next batch; the process stays."""
    facts = bench.topics.facts
    await bench.start()
    await bench.send(fact(facts, "f0"))
    await eventually(lambda: _stands_at(bench, 1))
    bumped = (await bench.position())["epoch"] + 10
    await bench.database[POSITIONS].update_one({"_id": f"toy/{facts.name}/0"}, {"$set": {"epoch": bumped}})
    with caplog.at_level(logging.WARNING):
        await bench.send(fact(facts, "f1"))
        await eventually(lambda: _stands_at(bench, 2))
    assert "fenced" in [record.getMessage() for record in caplog.records]
    assert (await bench.position())["epoch"] == bumped + 1
    assert await bench.done() == ["f0", "f1"]


async def test_a_process_that_wakes_up_with_an_old_claim_writes_nothing(bench: Bench) -> None:
    """Invariant 3: two hold the same partition, the younger claim alone counts, also where the older has other news."""
    await bench.prepare()
    facts = bench.topics.facts
    sleeper, successor = bench.by_hand(), bench.by_hand()
    old = await sleeper.claim(facts)
    await successor.claim(facts)
    await sleeper.deliver(facts, fact(facts, "f0"))
    assert await bench.counter() == {}
    assert sleeper.claims.given_up == [old]
    await successor.deliver(facts, fact(facts, "f0"), fact(facts, "f1"))
    sleeper.claims.hold(old)
    await sleeper.deliver(facts, fact(facts, "f0"), fact(facts, "f1"), fact(facts, "f2"))
    assert await bench.done() == ["f0", "f1"]
    assert successor.claims.given_up == []
    assert (await bench.position())["next"] == 2
    assert await bench.database["outbox"].count_documents({}) == 2


async def test_instances_that_come_and_go_do_everything_once_and_in_order(benches: Benches) -> None:
    """Invariants 2 and 3: a rebalance in the midst of the flow loses, doubles and swaps nothing."""
    bench = await benches(3)
    facts = bench.topics.facts
    names = [f"n{n}" for n in range(9)]
    first = await bench.start()
    for turn in range(30):
        await bench.send(*(fact(facts, f"{name}-{turn}", name) for name in names))
        if turn == 8:
            await bench.start()
        if turn == 20:
            await bench.stop(first)
    for name in names:
        await eventually(partial(_length, bench, name, 30))
        assert await bench.done(name) == [f"{name}-{turn}" for turn in range(30)]


async def _stands_at(bench: Bench, place: int) -> bool:
    return (await bench.position()).get("next") == place


async def _length(bench: Bench, name: str, length: int) -> bool:
    return len(await bench.done(name)) >= length


async def _commit(bench: Bench, topic: Topic, offset: int) -> None:
    """Let the broker remember *offset* for the group, as an operator's tool or a lost commit would."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bench.ground.kafka, group_id=f"toy.{topic.name}", enable_auto_commit=False)
    await consumer.start()
    part = TopicPartition(topic.name, 0)
    consumer.assign([part])
    await consumer.commit({part: offset})
    await consumer.stop()
