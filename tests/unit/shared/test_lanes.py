"""Partitions go at their own pace, in order (invariants 2 and 3)."""

from __future__ import annotations

import asyncio
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

from aiokafka import TopicPartition

from shared.claims import MOST_AT_ONCE, Claim
from shared.contracts.pleo import RECEIPTS
from shared.lanes import LEFT_IN_HAND, Lanes, Turns


class Scene:
    """Two partitions, and a handling that ends when the test says so."""

    def __init__(self) -> None:
        self.claims = {number: Claim(f"toy/{number}", RECEIPTS.name, number, 1, 0) for number in (0, 1)}
        self.begun: list[tuple[int, int]] = []
        self.may_end = {number: asyncio.Event() for number in (0, 1)}
        held: Any = SimpleNamespace(held=lambda _, number: self.claims.get(number))
        self.lanes = Lanes(RECEIPTS, held, self, nullcontext())  # type: ignore[arg-type]

    async def handle(self, _: Any, __: Any, claim: Claim, records: Any) -> None:
        self.begun.append((claim.partition, records[0].offset))
        await self.may_end[claim.partition].wait()


def _records(*places: tuple[int, int]) -> Any:
    return [SimpleNamespace(partition=partition, offset=offset) for partition, offset in places]


async def _settled() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_the_next_poll_is_fetched_while_this_one_is_written() -> None:
    scene = Scene()
    async with asyncio.timeout(1):
        await scene.lanes.begin(_records((0, 0), (1, 0)))
    assert scene.begun == [(0, 0), (1, 0)]


async def test_a_partition_handles_its_batches_in_order_and_holds_up_no_other() -> None:
    scene = Scene()
    await scene.lanes.begin(_records((0, 0), (1, 0)))
    second = asyncio.create_task(scene.lanes.begin(_records((0, 7), (1, 7))))
    scene.may_end[1].set()
    await _settled()
    assert scene.begun == [(0, 0), (1, 0), (1, 7)], "partition 1 waited for partition 0, or partition 0 for nobody"
    assert not second.done(), "a third batch of partition 0 may be polled while its second one waits"
    scene.may_end[0].set()
    await second
    assert scene.begun[-1] == (0, 7)


async def test_no_more_is_fetched_while_much_is_in_hand() -> None:
    """Else memory would hold one poll after another."""
    scene = Scene()
    many = [(0, offset) for offset in range(LEFT_IN_HAND)]
    first = asyncio.create_task(scene.lanes.begin(_records(*many, (1, 0))))
    await _settled()
    assert scene.begun == [(0, 0), (1, 0)]
    assert not first.done()
    scene.may_end[1].set()
    await asyncio.wait_for(first, 1)


async def test_what_waits_for_a_claim_that_is_lost_is_dropped() -> None:
    """Its offsets are behind those that were not handled: to go on with them would skip records (invariant 2)."""
    scene = Scene()
    await scene.lanes.begin(_records((0, 0)))
    second = asyncio.create_task(scene.lanes.begin(_records((0, 7))))
    await _settled()
    scene.claims[0] = Claim("toy/0", RECEIPTS.name, 0, 2, 0)  # claimed anew
    scene.may_end[0].set()
    await second
    await _settled()
    assert scene.begun == [(0, 0)]


async def test_records_of_a_partition_that_is_not_held_are_dropped() -> None:
    scene = Scene()
    scene.claims.clear()
    await scene.lanes.begin(_records((0, 0)))
    assert scene.begun == []


class Fetched:
    """A consumer for what was fetched already; asked for anything, it waits no longer than it must."""

    def __init__(self, **counts: int) -> None:
        self.left = {TopicPartition("t", int(name[1:])): count for name, count in counts.items()}
        self.waited = 0

    def assignment(self) -> set[TopicPartition]:
        return set(self.left)

    async def getmany(self, *asked: TopicPartition, timeout_ms: int = 0, max_records: int) -> dict[TopicPartition, list[Any]]:
        self.waited += timeout_ms
        found = {tp: min(self.left[tp], max_records) for tp in asked or self.left if self.left[tp]}
        self.left.update({tp: self.left[tp] - count for tp, count in found.items()})
        return {tp: _records(*[(tp.partition, n) for n in range(count)]) for tp, count in found.items()}


async def test_partitions_are_read_in_turn_and_each_as_far_as_one_transaction_goes() -> None:
    consumer, turns = Fetched(p0=MOST_AT_ONCE + 7, p1=3, p2=5), Turns()
    read = [[record.partition for record in await turns.polled(consumer)] for _ in range(4)]
    assert read == [[0] * MOST_AT_ONCE, [1] * 3, [2] * 5, [0] * 7]
    assert consumer.waited == 0


async def test_a_partition_that_is_always_full_starves_no_other() -> None:
    consumer, turns = Fetched(p0=10 * MOST_AT_ONCE, p1=0), Turns()
    assert {record.partition for record in await turns.polled(consumer)} == {0}
    consumer.left[TopicPartition("t", 1)] = 1
    assert {record.partition for record in await turns.polled(consumer)} == {1}


async def test_where_nothing_waits_one_waits_for_any() -> None:
    consumer = Fetched(p0=0, p1=0)
    assert await Turns().polled(consumer) == ()
    assert consumer.waited > 0
