"""A company is the same before and after it was stored, and is told as clients and notifier expect it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from services.onboarding.domain.states import Company
from services.onboarding.queries import usual_days
from services.onboarding.store import company_of, document_of, tell
from shared.contracts.onboarding import OnboardingState
from tests.unit.onboarding.story import MONDAY, MUELLER_BAU, after, fact, given, invite, resend, tick, withdraw

ODD = after(days=31, microseconds=123457)


def link_hash(client_id: str, number: int) -> str:
    return f"{client_id}.{number}"


@pytest.mark.parametrize(
    "company",
    [
        given(invite(at=MONDAY + timedelta(microseconds=1))).company(),
        given(invite(), resend(after(days=1)), tick(after(days=4))).company(),
        given(invite(), withdraw(ODD)).company(),
        given(invite(), tick(ODD), fact("information_required", 2**63 - 1, after(hours=1), "ausweis")).company(),
        given(invite(), fact("verified", 5), fact("rejected", 4)).company(),
        given(fact("in_review", 1)).company(),
    ],
)
def test_nothing_is_lost_in_the_database(company: Company) -> None:
    """Times to the microsecond, facts to the nanosecond: an expiry is a comparison of both (O6)."""
    assert company_of(document_of(company, link_hash)) == company


def test_only_the_newest_link_of_a_standing_invitation_can_be_found() -> None:
    """O6: the older ones, withdrawn and expired ones are void; what is not due is not looked at."""
    assert document_of(given(invite(), resend(after(days=1))).company(), link_hash)["link_hash"] == "mueller-bau.2"
    assert "link_hash" not in document_of(given(invite(), withdraw(after(days=1))).company(), link_hash)
    assert "link_hash" not in document_of(given(invite(), tick(ODD)).company(), link_hash)
    assert "link_hash" not in document_of(given(fact("connected", 1)).company(), link_hash)
    assert "due_at" not in document_of(given(invite(), fact("connected", 1)).company(), link_hash)


def test_the_state_told_is_the_whole_state() -> None:
    """House, invariant 6; ``state_at`` is a stamp, so that readers compare it as text."""
    company = given(invite(), fact("connected", 1), fact("information_required", 2, after(hours=2), "ausweis")).company()
    key, state = tell(document_of(company, link_hash))
    assert key == MUELLER_BAU
    assert (state.version, state.firm_id, state.state) == (3, "kanzlei", "information_required")
    assert isinstance(state, OnboardingState)
    assert (state.final, state.connected, state.verification) == (False, True, "information_required")
    assert [item.code for item in state.missing] == ["ausweis"]
    assert (state.invited_at, state.state_at) == (MONDAY, "2026-03-02T11:00:00.000000000Z")
    assert OnboardingState.model_validate_json(state.model_dump_json()) == state


def test_a_company_nobody_invited_is_told_with_its_verification_only() -> None:
    """O11."""
    _, state = tell(document_of(given(fact("connected", 1)).company(), link_hash))
    assert isinstance(state, OnboardingState)
    assert (state.firm_id, state.state, state.final, state.connected, state.verification) == (None, None, False, False, "pending")
    assert state.state_at == "2026-03-02T10:00:00.000000000Z"


def test_how_long_it_usually_takes_is_unknown_under_twenty_cases() -> None:
    """O8: the median, in days to a tenth."""
    case = (MONDAY, after(days=4))
    assert usual_days([case] * 19) is None
    assert usual_days([case] * 19 + [(MONDAY, after(days=90))]) == 4.0
    assert usual_days([case] * 10 + [(MONDAY, after(days=5, hours=12))] * 10) == 4.8
