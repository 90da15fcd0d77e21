"""A batch is one transaction: what a crash, a failing write or a duplicate key leaves behind (invariant 4)."""

from __future__ import annotations

import asyncio

from pymongo.errors import AutoReconnect, OperationFailure

from shared.mongo import Tx
from tests.integration.toy import PASSED_ON, Bench, Troubled, fact, wish
from tests.system import eventually


async def test_a_crash_between_deciding_and_committing_is_done_once(bench: Bench) -> None:
    """Invariants 2 and 4: what was decided but not committed is decided again, from the state that stands."""

    async def first_time(turn: int, _: Tx) -> None:
        if turn == 0:
            raise AutoReconnect("the connection broke")

    store = Troubled(first_time)
    await bench.start(store)
    await bench.send(*(fact(bench.topics.facts, f"f{n}") for n in range(3)))
    await eventually(lambda: _all_done(bench, 3))
    assert len(store.batches) > 1
    assert await bench.done() == ["f0", "f1", "f2"]
    assert await bench.database["traces"].count_documents({}) == len(store.batches) - 1
    assert await bench.records(bench.topics.facts.dead_name) == []


async def test_a_failing_write_leaves_neither_state_nor_position_nor_outbox(bench: Bench) -> None:
    """Invariant 4: all or nothing; and what fails by an outage is tried again until it is over (10)."""
    tries: list[int] = []
    well = False

    async def until_well(turn: int, _: Tx) -> None:
        tries.append(turn)
        if not well and store.batches[turn]:  # were it set aside instead of waiting, nothing would be loaded, nothing fail
            raise AutoReconnect("the connection broke")

    store = Troubled(until_well)
    await bench.start(store, hears=(bench.topics.commands,))
    await bench.send(wish(bench.topics.commands, f"{bench.name}-1"))
    await eventually(lambda: len(tries) > 4)
    for collection in ("counters", "outbox", "outbox_marks", "commands", "traces"):
        assert await bench.database[collection].count_documents({}) == 0, collection
    assert (await bench.position(bench.topics.commands))["next"] == 0
    well = True
    await eventually(lambda: _all_done(bench, 1))
    assert (await bench.position(bench.topics.commands))["next"] == 1
    assert (await bench.database["commands"].find_one({"_id": f"{bench.name}-1"}))["outcome"]["status"] == "succeeded"


async def test_a_duplicate_key_runs_the_whole_batch_again_once(bench: Bench) -> None:
    """Invariant 4: it carries no retry label; two deciders met at a unique key, and the second look sees the other's."""
    await bench.prepare()
    await bench.database["traces"].insert_one({"_id": "taken"})

    async def first_time(turn: int, tx: Tx) -> None:
        if turn == 0:
            await tx.insert("traces", [{"_id": "taken"}])

    store = Troubled(first_time)
    hands = bench.by_hand(store=store)
    await hands.claim(bench.topics.facts)
    await hands.deliver(bench.topics.facts, *(fact(bench.topics.facts, f"f{n}") for n in range(4)))
    assert store.batches == [4, 4]
    assert await bench.done() == ["f0", "f1", "f2", "f3"]
    assert hands.claims.given_up == []


async def test_a_write_conflict_decides_the_batch_again_within_its_claim(bench: Bench) -> None:
    """Invariants 4 and 8: `decide` is pure, so the driver may run the transaction again; nothing is done twice."""
    await bench.prepare()

    async def first_time(turn: int, _: Tx) -> None:
        if turn == 0:
            raise OperationFailure("write conflict", 112, {"errorLabels": ["TransientTransactionError"]})

    store = Troubled(first_time)
    hands = bench.by_hand(store=store)
    await hands.claim(bench.topics.facts)
    await hands.deliver(bench.topics.facts, fact(bench.topics.facts, "f0"), fact(bench.topics.facts, "f1"))
    assert store.batches == [2, 2]
    assert await bench.done() == ["f0", "f1"]
    assert await bench.database["outbox"].count_documents({}) == 2
    assert hands.claims.given_up == []


async def test_two_partitions_that_change_one_document_lose_no_change(bench: Bench) -> None:
    """Invariant 4: a partition need not own what its records change; conflicts keep it right."""
    await bench.prepare()
    facts, commands = bench.topics.facts, bench.topics.commands
    one, other = bench.by_hand(), bench.by_hand()
    await one.claim(facts)
    await other.claim(commands)
    for turn in range(10):
        await asyncio.gather(
            one.deliver(facts, fact(facts, f"f{turn}"), first=turn),
            other.deliver(commands, wish(commands, f"{bench.name}-{turn}"), first=turn),
        )
    counter = await bench.counter()
    assert counter["total"] == counter["version"] == 20


async def test_a_command_that_comes_again_is_decided_once_and_answered_again(bench: Bench) -> None:
    """E2, invariant 6: a command's id makes it unique, in the same batch, a later one and another record."""
    await bench.start(hears=(bench.topics.commands,))
    command = wish(bench.topics.commands, f"{bench.name}-1", amount=5)
    await bench.send(command, command)
    await eventually(lambda: _at(bench, 2))
    await bench.send(command, wish(bench.topics.commands, f"{bench.name}-2"))
    await eventually(lambda: _at(bench, 4))
    assert await bench.done() == [f"{bench.name}-1", f"{bench.name}-2"]
    own = [f"{bench.name}-1".encode()] * 3 + [f"{bench.name}-2".encode()]
    await eventually(lambda: _answered(bench, own))


async def test_a_command_that_another_finishes_is_still_decided_once(bench: Bench) -> None:
    """House, section 1: a command passed on has no outcome here yet; that it was decided is kept all the same."""
    await bench.start(hears=(bench.topics.commands,))
    command = wish(bench.topics.commands, f"{bench.name}-1", PASSED_ON)
    await bench.send(command)
    await eventually(lambda: _at(bench, 1))
    await bench.send(command, command)
    await eventually(lambda: _at(bench, 3))
    assert await bench.done(PASSED_ON) == [f"{bench.name}-1"]
    assert (await bench.database["commands"].find_one({"_id": f"{bench.name}-1"}))["outcome"] is None


async def _all_done(bench: Bench, number: int) -> bool:
    return len(await bench.done()) >= number


async def _at(bench: Bench, place: int) -> bool:
    return (await bench.position(bench.topics.commands)).get("next") == place


async def _answered(bench: Bench, keys: list[bytes]) -> bool:
    answers = [r.key for r in await bench.records("portal.outcomes") if (r.key or b"").startswith(bench.name.encode())]
    return sorted(answers) == keys
