"""An outage waits: nothing is set aside, lost or doubled, and it ends by itself (invariant 10)."""

from __future__ import annotations

import asyncio

import pytest

from shared.messages import Letter
from tests.integration.toy import Bench, Counter, Told, fact
from tests.system import eventually

FACTS = 60


@pytest.mark.parametrize(("part", "seconds"), [("mongo", 3.0), ("kafka", 0.5)])  # the broker takes its time by itself
async def test_records_flow_through_an_outage_and_are_done_once(bench: Bench, part: str, seconds: float) -> None:
    """Invariants 2, 5 and 10: killed as by a power cut while records come; what was acknowledged is done, once, in order."""
    service = await bench.start()
    facts = bench.topics.facts
    letters = [fact(facts, f"f{n}") for n in range(FACTS)]
    flow = asyncio.create_task(_trickle(bench, letters))
    await eventually(lambda: _length(bench, 5))
    await bench.ground.away(part, seconds)
    await flow
    await eventually(lambda: _length(bench, FACTS), within=60)
    assert await bench.done() == [f"f{n}" for n in range(FACTS)]
    await eventually(lambda: not service.listening.trouble())
    await eventually(lambda: _told(bench), within=30)
    assert await bench.records(facts.dead_name) == []
    assert (await bench.told(bench.topics.states, Counter))[-1].total == FACTS
    assert service.health.stuck() == []


async def _trickle(bench: Bench, letters: list[Letter]) -> None:
    for letter in letters:
        await bench.send(letter)
        await asyncio.sleep(0.05)


async def _length(bench: Bench, length: int) -> bool:
    """Say whether so much is done; an outage is no answer."""
    try:
        return len(await bench.done()) >= length
    except Exception:
        return False


async def _told(bench: Bench) -> bool:
    """Every total was told; one that was told twice has the same id."""
    records = await bench.records(bench.topics.news.name)
    by_id = {dict(record.headers)["ce_id"]: Told.model_validate_json(record.value).total for record in records}
    assert sorted(by_id.values()) == list(range(1, FACTS + 1))
    return True
