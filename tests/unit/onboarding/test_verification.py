"""The state is a function of the set of facts, and the table is the only source of the transitions (O2-O6)."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given as forall
from hypothesis import strategies as st

from services.onboarding.domain.verification import FINAL, TABLE, Stage, allowed, diagram, word
from shared.contracts.pleo import VerificationChanged, VerificationState
from shared.messages import Heard
from tests.unit.onboarding.story import MONDAY, after, fact, given, invite, tick

STATES = [state.value for state in VerificationState]
Facts = list[Heard[VerificationChanged]]


@st.composite
def histories(draw: st.DrawFn) -> tuple[Facts, Facts]:
    """Return what the source said, in its order, and how it arrived: shuffled, with repeats."""
    sequences = draw(st.lists(st.integers(0, 9), unique=True, min_size=1, max_size=6))
    said = [fact(draw(st.sampled_from(STATES)), n, after(hours=draw(st.integers(0, 100)))) for n in sorted(sequences)]
    repeats = draw(st.lists(st.sampled_from(said), max_size=4))
    return said, draw(st.permutations([*said, *repeats]))


def oracle(facts: Facts) -> str:
    """O4, word by word: the final fact with the lowest sequence, else the fact with the highest."""
    messages = [item.message for item in facts]
    finals = [m for m in messages if m.state.value in ("verified", "rejected")]
    if finals:
        return min(finals, key=lambda m: m.sequence).state.value
    return max(messages, key=lambda m: m.sequence).state.value


@forall(histories())
def test_no_order_and_no_repeat_of_facts_changes_the_state(history: tuple[Facts, Facts]) -> None:
    """O4: facts arrive late, twice and out of order; every permutation ends in the same state."""
    said, arrived = history
    company = given(invite()).when(*arrived).company()
    assert company.stage == oracle(said)
    assert company.timeline[-1].stage == oracle(said)
    assert [f.sequence for f in company.facts] == [item.message.sequence for item in said]


@forall(histories())
def test_the_power_of_attorney_never_depends_on_the_order(history: tuple[Facts, Facts]) -> None:
    """O3: any granting fact grants; a rejection alone never does; what was granted stays granted."""
    said, arrived = history
    story, before = given(invite()), False
    for item in arrived:
        now = story.when(item).company().connected
        assert now or not before
        before = now
    assert before == any(item.message.state.value not in ("accepted", "rejected") for item in said)


@forall(histories(), st.integers(0, 100))
def test_whether_fact_or_expiry_came_first_never_shows(history: tuple[Facts, Facts], hours: int) -> None:
    """O6: a fact from before the expiry undoes it however late; one from after it is only noted."""
    _, arrived = history
    moved: Facts = [Heard(i.message, i.id, i.source, fact("accepted", 0, _late(i, hours)).stamp) for i in arrived]
    early = given(invite()).when(*moved, tick(after(days=60))).company()
    late = given(invite()).when(tick(after(days=60)), *moved).company()
    assert early.stage == late.stage
    assert early.connected == late.connected


def _late(item: Heard[VerificationChanged], hours: int) -> datetime:
    return item.time + timedelta(days=30) - timedelta(hours=hours)


@forall(histories())
def test_every_move_is_in_the_table(history: tuple[Facts, Facts]) -> None:
    """O2: one table is the only source; what the source says in its own order never needs a correction (O5)."""
    said, arrived = history
    for order, late in ((said, False), (arrived, True)):
        story, before = given(invite()), Stage.INVITED
        for item in order:
            stage = story.when(item).company().stage
            assert stage is not None
            assert stage is before or (allowed(before, stage) if late else stage in TABLE[before].in_order)
            before = stage


@forall(histories())
def test_a_correction_shows_exactly_when_a_final_state_was_left(history: tuple[Facts, Facts]) -> None:
    """O5: what was shown as final and was wrong stays in the timeline, before its correction."""
    story, left = given(invite()), 0
    for item in history[1]:
        before = story.company().stage
        stage = story.when(item).company().stage
        left += before in FINAL and stage is not before
    assert len(story.company().stood) == left
    assert any(corrected for _, corrected in story.timeline) == bool(left)


def test_the_final_states_are_those_without_a_way_on() -> None:
    """O2 names them; the code derives them from the table."""
    assert {Stage.VERIFIED, Stage.REJECTED, Stage.EXPIRED, Stage.WITHDRAWN} == FINAL
    assert set(TABLE) == set(Stage)


@pytest.mark.parametrize("stage", [stage for stage in Stage if stage not in FINAL])
@pytest.mark.parametrize("state", STATES)
def test_from_every_open_state_every_fact_leads_to_its_own_state(stage: Stage, state: str) -> None:
    """O4: the highest sequence counts, whatever stood before it; so the table must know every such way."""
    assert stage == state or Stage(state) in TABLE[stage].in_order


@pytest.mark.parametrize(
    ("before", "later"),
    [
        (Stage.VERIFIED, {Stage.REJECTED}),
        (Stage.REJECTED, {Stage.VERIFIED}),
        (Stage.EXPIRED, {Stage(state) for state in STATES}),
        (Stage.WITHDRAWN, set()),
    ],
)
def test_a_final_state_is_left_by_a_late_fact_only(before: Stage, later: set[Stage]) -> None:
    """O5, O6: a withdrawal stays."""
    assert TABLE[before].late == later
    assert not TABLE[before].in_order


@pytest.mark.parametrize("stage", [stage for stage in Stage if stage not in (Stage.INVITED, *FINAL)])
def test_only_an_unanswered_invitation_expires_or_is_withdrawn(stage: Stage) -> None:
    """O6."""
    assert not {Stage.EXPIRED, Stage.WITHDRAWN, Stage.INVITED} & TABLE[stage].in_order


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ([], None),
        (["accepted"], None),
        (["accepted", "connected"], "pending"),
        (["connected", "in_review"], "in_review"),
        (["information_required"], "information_required"),
        (["verified", "rejected"], "verified"),
        (["rejected"], "rejected"),
    ],
)
def test_the_word_of_a_row_for_the_verification(states: list[str], expected: str | None) -> None:
    """Contract, "Row"."""
    story = given(invite()).when(*(fact(state, n) for n, state in enumerate(states)))
    assert word(story.company().facts) == expected


def test_the_diagram_is_drawn_from_the_table() -> None:
    """O2: the diagram in the docs is generated."""
    drawn = diagram()
    assert "    in_review --> information_required\n" in drawn
    assert "    verified --> rejected: late fact\n" in drawn
    assert drawn.count("-->") == 1 + len(FINAL) + sum(len(m.in_order) + len(m.late) for m in TABLE.values())


def test_under_one_sequence_the_first_seen_stays() -> None:
    """Contract, section 2: the other is counted as a conflict and changes nothing."""
    story = given(invite(), fact("in_review", 3)).when(fact("rejected", 3))
    assert [event.outcome for event in story.decided] == ["conflict"]
    assert story.company().stage is Stage.IN_REVIEW


def test_a_repeat_changes_nothing_not_even_the_version() -> None:
    """O4; a version that rose would tell everybody of nothing."""
    story = given(invite(), fact("in_review", 3))
    before = story.company()
    assert story.when(fact("in_review", 3, MONDAY)).decided == []
    assert story.company() == before
