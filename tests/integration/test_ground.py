"""What a service asserts before it begins (invariant 13), and that machinery's queries stay in its database (11)."""

from __future__ import annotations

import pytest
from pymongo import IndexModel
from pymongo.collation import Collation

from shared.broker import assert_topics, provision
from shared.contracts.base import Cleanup
from shared.mongo import GroundMissing
from tests.integration.toy import Bench


async def test_topics_that_stand_as_they_should_are_fine_and_made_once(bench: Bench) -> None:
    """Invariant 13: provisioning again changes nothing."""
    await provision(bench.ground.kafka, bench.topics.all)
    await assert_topics(bench.ground.kafka, bench.topics.all)


async def test_a_missing_topic_says_how_to_make_it(bench: Bench) -> None:
    """Invariant 13: the sentence says what to do."""
    absent = bench.topics.facts.model_copy(update={"name": f"{bench.topics.facts.name}.absent"})
    with pytest.raises(GroundMissing, match=f"{absent.name} is missing: run `python -m shared.broker provision`"):
        await assert_topics(bench.ground.kafka, [absent])


async def test_a_wrong_number_of_partitions_is_refused_in_a_sentence(bench: Bench) -> None:
    """Invariant 13: keys would lie elsewhere than others believe."""
    wider = bench.topics.facts.model_copy(update={"partitions": 6})
    with pytest.raises(GroundMissing, match="has 1 partitions, not 6: make it anew"):
        await assert_topics(bench.ground.kafka, [bench.topics.news, wider])


async def test_a_wrong_clean_up_policy_is_refused_in_a_sentence(bench: Bench) -> None:
    """Invariant 13: a state topic that forgets by age loses states; an event topic that compacts loses events."""
    compacted = bench.topics.facts.model_copy(update={"cleanup": Cleanup.COMPACT})
    with pytest.raises(GroundMissing, match=r"cleanup\.policy=delete, not compact: alter it"):
        await assert_topics(bench.ground.kafka, [compacted])


async def test_an_index_with_another_definition_is_refused_in_a_sentence(bench: Bench) -> None:
    """Invariant 13: by definition, not by name."""
    await bench.database.ground({"rows": [IndexModel([("a", 1)], name="by")]})
    await bench.database.ground({"rows": [IndexModel([("a", 1)], name="by")]})
    with pytest.raises(GroundMissing, match=r"rows stands with another definition .*drop it and start again"):
        await bench.database.ground({"rows": [IndexModel([("b", 1)], name="by")]})


async def test_an_index_with_a_collation_is_refused(bench: Bench) -> None:
    """Invariants 7 and 13: with one, a query for firm f-1 also reads f-01."""
    await bench.database["rows"].create_index([("name", 1)], name="german", collation=Collation("de", numericOrdering=True))
    with pytest.raises(GroundMissing, match="german of rows has a collation; drop it"):
        await bench.database.ground({"rows": []})
