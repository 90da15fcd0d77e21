"""From the outbox to Kafka: nothing lost by a death, order kept, the newest state last (invariants 5 and 6)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaTimeoutError

from shared.mongo import Database
from shared.relay import MARKS, ROWS, mark
from tests.integration.toy import COUNTERS, Bench, Counter, Told, fact
from tests.system import eventually


class Meanwhile:
    """A producer with which something happens before it sends, the first time; it may be a failure."""

    def __init__(self, producer: AIOKafkaProducer, happens: Callable[[], Awaitable[None]], before: int = 1) -> None:
        self._producer = producer
        self._happens = happens
        self._before = before
        self.asked = 0

    async def send(self, *arguments: Any, **named: Any) -> Any:
        """Let it happen, then send."""
        self.asked += 1
        if self.asked == self._before:
            await self._happens()
        return await self._producer.send(*arguments, **named)


class BeforeMarksGo:
    """A database in which something happens right before marks are removed, the first time."""

    def __init__(self, database: Database, happens: Callable[[], Awaitable[None]]) -> None:
        self._database = database
        self._happens: list[Callable[[], Awaitable[None]]] = [happens]

    def __getitem__(self, collection: str) -> Any:
        """Return a collection; that of the marks is watched."""
        real = self._database[collection]
        return SimpleNamespace(find=real.find, delete_many=self._remove) if collection == MARKS else real

    async def _remove(self, where: Any) -> None:
        if self._happens:
            await self._happens.pop()()
        await self._database[MARKS].delete_many(where)


async def test_what_a_dead_process_left_is_published_at_the_take_over_in_order(bench: Bench) -> None:
    """Invariant 5: the rows are of the transaction, so they outlive who wrote them; offset 10 comes after offset 9."""
    await bench.prepare()
    facts = bench.topics.facts
    dead = bench.by_hand()
    await dead.claim(facts)
    letters = [fact(facts, f"f{n}") for n in range(12)]
    await bench.send(*letters)
    for number, letter in enumerate(letters):
        await dead.deliver(facts, letter, first=number)
    assert await bench.database[ROWS].count_documents({}) == 12
    await bench.start()
    await eventually(lambda: _empty(bench))
    assert await bench.told(bench.topics.news, Told) == [Told(name="bau", total=n + 1) for n in range(12)]
    assert (await bench.told(bench.topics.states, Counter))[-1] == Counter(version=12, name="bau", total=12)


async def test_what_is_published_has_an_id_that_a_repeat_keeps(bench: Bench) -> None:
    """Invariants 5 and 6: the id derives from topic, partition, offset and number; so a reader knows a repeat."""
    await bench.prepare()
    facts = bench.topics.facts
    hands = bench.by_hand()
    claim = await hands.claim(facts)
    await hands.deliver(facts, fact(facts, "f0"), fact(facts, "f1"))
    rows = await bench.database[ROWS].find({}).to_list(None)
    await hands.relay.drain([claim.id])
    await bench.database[ROWS].insert_many(rows)  # as if the process had died between the broker's word and the removal
    await hands.relay.drain([claim.id])
    ids = [dict(record.headers)["ce_id"].decode() for record in await bench.records(bench.topics.news.name)]
    assert ids == [f"toy.{facts.name}.0.0.0", f"toy.{facts.name}.0.1.0"] * 2


@pytest.mark.parametrize("before", [1, 2], ids=["the first", "the second"])
async def test_a_row_that_cannot_be_sent_is_kept(bench: Bench, before: int) -> None:
    """Invariants 5 and 10: a row goes only after the broker has it, whichever of several the broker does not take."""
    await bench.prepare()
    hands = bench.by_hand(Meanwhile(bench.producer, _refuse, before))
    claim = await hands.claim(bench.topics.facts)
    await hands.deliver(bench.topics.facts, fact(bench.topics.facts, "f0"), fact(bench.topics.facts, "f1"))
    with pytest.raises(KafkaTimeoutError):
        await hands.relay.drain([claim.id])
    assert await bench.database[ROWS].count_documents({}) == 2
    assert await bench.database[MARKS].count_documents({}) == 1
    await hands.relay.drain([claim.id])
    assert await _empty(bench)
    totals = [told.total for told in await bench.told(bench.topics.news, Told)]
    assert totals[-2:] == [1, 2]


async def test_a_relay_that_fails_tries_again_by_itself(bench: Bench) -> None:
    """Invariant 5: on its own clock after a failure, without another record having to come."""
    await bench.prepare()
    hands = bench.by_hand(Meanwhile(bench.producer, _refuse))
    await hands.claim(bench.topics.facts)
    hands.relay.start()
    try:
        await hands.deliver(bench.topics.facts, fact(bench.topics.facts, "f0"))
        await eventually(lambda: _empty(bench))
    finally:
        await hands.relay.stop()
    assert await bench.told(bench.topics.news, Told) == [Told(name="bau", total=1)]


async def test_a_mark_tells_the_document_as_it_is_now(bench: Bench) -> None:
    """Invariant 5: a mark has no payload; three changes before the relay comes are one record, of the newest."""
    await bench.prepare()
    hands = bench.by_hand()
    claim = await hands.claim(bench.topics.facts)
    for number in range(3):
        await hands.deliver(bench.topics.facts, fact(bench.topics.facts, f"f{number}"), first=number)
    await hands.relay.drain([claim.id])
    assert await bench.told(bench.topics.states, Counter) == [Counter(version=3, name="bau", total=3)]
    assert await bench.database[MARKS].count_documents({}) == 0


async def test_a_state_that_changes_while_it_is_told_is_told_again(bench: Bench) -> None:
    """Invariant 5: the mark goes only with the version that was published."""
    await bench.prepare()
    facts = bench.topics.facts
    other = bench.by_hand()
    await other.claim(facts)
    await other.deliver(facts, fact(facts, "f0"))
    source = f"toy/{facts.name}/0"

    async def it_grows() -> None:
        await other.deliver(facts, fact(facts, "f1"), first=1)

    teller = bench.by_hand(Meanwhile(bench.producer, it_grows, before=2))  # the first record is the news, the second the state
    await teller.relay.drain([source])
    assert [state.version for state in await bench.told(bench.topics.states, Counter)][-1] == 2
    await teller.relay.drain([source])
    assert await _empty(bench)
    assert [state.version for state in await bench.told(bench.topics.states, Counter)][-1] == 2


async def test_a_change_right_before_the_mark_is_removed_is_not_forgotten(bench: Bench) -> None:
    """Invariant 5: the relay has told version 1 and looked once more; version 2 comes before the mark goes, and keeps its own."""
    await bench.prepare()
    facts = bench.topics.facts
    other = bench.by_hand()
    claim = await other.claim(facts)
    await other.deliver(facts, fact(facts, "f0"))

    async def it_grows() -> None:
        await other.deliver(facts, fact(facts, "f1"), first=1)

    teller = bench.by_hand(database=BeforeMarksGo(bench.database, it_grows))
    await teller.relay.drain([claim.id])
    await teller.relay.drain([claim.id])
    assert [state.version for state in await bench.told(bench.topics.states, Counter)] == [1, 2]
    assert await _empty(bench)


async def test_a_relay_that_wakes_up_with_an_old_state_does_not_leave_it_last(bench: Bench) -> None:
    """Invariant 5: it was paused between reading and sending, another has told the newer state and taken the mark."""
    await bench.prepare()
    facts = bench.topics.facts
    successor = bench.by_hand()
    claim = await successor.claim(facts)
    await successor.deliver(facts, fact(facts, "f0"))
    await bench.database[ROWS].delete_many({})

    async def successor_tells_newer() -> None:
        await successor.deliver(facts, fact(facts, "f1"), fact(facts, "f2"), first=1)
        await successor.relay.drain([claim.id])

    sleeper = bench.by_hand(Meanwhile(bench.producer, successor_tells_newer))
    await sleeper.relay.drain([claim.id])
    versions = [state.version for state in await bench.told(bench.topics.states, Counter)]
    assert versions[:2] == [3, 1]  # the old one was indeed written after the newer one
    assert versions[-1] == 3
    assert await _empty(bench)


async def test_a_mark_without_a_change_tells_the_state_once_more(bench: Bench) -> None:
    """Invariant 6: a topic can be told anew from the documents; the version is the same, readers see no change."""
    await bench.prepare()
    hands = bench.by_hand()
    claim = await hands.claim(bench.topics.facts)
    await hands.deliver(bench.topics.facts, fact(bench.topics.facts, "f0"))
    await hands.relay.drain([claim.id])
    await bench.database[MARKS].insert_one(mark(claim.id, COUNTERS, "bau", 1))
    await hands.relay.drain([claim.id])
    assert await bench.told(bench.topics.states, Counter) == [Counter(version=1, name="bau", total=1)] * 2
    ids = {dict(record.headers)["ce_id"] for record in await bench.records(bench.topics.states.name)}
    assert ids == {b"bau.1"}


async def test_two_relays_of_one_source_at_once_end_with_the_newest_state(bench: Bench) -> None:
    """Invariant 5: whoever paused, in whatever order they send."""
    await bench.prepare()
    facts = bench.topics.facts
    one, other = bench.by_hand(), bench.by_hand()
    claim = await one.claim(facts)

    async def flow(order: Sequence[int]) -> None:
        for number in order:
            await one.deliver(facts, fact(facts, f"f{number}"), first=number)

    async def tell() -> None:
        for _ in range(5):
            await other.relay.drain([claim.id])

    await asyncio.gather(flow(range(20)), tell(), one.relay.drain([claim.id]))
    await one.relay.drain([claim.id])
    assert [state.version for state in await bench.told(bench.topics.states, Counter)][-1] == 20
    assert await _empty(bench)


async def _refuse() -> None:
    raise KafkaTimeoutError


async def _empty(bench: Bench) -> bool:
    return not (await bench.database[ROWS].count_documents({}) + await bench.database[MARKS].count_documents({}))
