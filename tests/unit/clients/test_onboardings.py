"""Companies the firm invited to Pleo, as onboarding tells clients of them (section 6: O1, O3, O6, O7, O11)."""

from __future__ import annotations

from datetime import datetime

import pytest

from services.clients.domain.events import CompanyMoved, OnboardingMoved
from shared.contracts import onboarding, portal
from shared.contracts.base import Message
from shared.contracts.clients import AssignmentsMoved, EndTold
from shared.decider import Finished, Succeeded
from tests.spec import NOW
from tests.unit.clients.story import (
    ANNA,
    KANZLEI,
    LEYLA,
    MUELLER_BAU,
    RITA,
    RIVAL,
    TOM,
    accept,
    added,
    after,
    client_of,
    colleague,
    disconnect,
    invited,
    leaves,
    said,
    shown,
    stated,
    taken_back,
    told,
    unassign,
    withdrawn,
)

INVITED = Finished("invite", LEYLA.id, Succeeded({"client_id": MUELLER_BAU}), onboarding.InviteCompany)
TAKEN_BACK = Finished("withdraw", LEYLA.id, Succeeded(), onboarding.WithdrawInvitation)
TAKEN = (CompanyMoved, OnboardingMoved)


def connected_at(*history: Message) -> datetime | None:
    return client_of(told(*history)).connected_at


def test_an_invited_company_stands_in_onboarding_with_its_assignees() -> None:
    """O1, T3: from invited on; the command is done once the row stands."""
    story = told().when(invited(TOM, number="4711"))
    story.then(*TAKEN, AssignmentsMoved, portal.AssigneesChanged, INVITED)
    client = client_of(story)
    assert client.lists == ("onboarding", f"onboarding:{TOM.id}")
    assert (client.status, client.name, client.client_number, client.begun_at) == ("invited", "Müller Bau", "4711", NOW)


def test_an_invitation_told_twice_is_finished_twice_and_begun_once() -> None:
    """O1: nothing that happened since is undone."""
    story = told(invited(TOM), stated("connected", connected=True))
    story.when(invited(TOM)).then(INVITED)
    assert client_of(story).connected


def test_nobody_who_left_or_is_unknown_is_assigned_by_an_invitation() -> None:
    """M3, M4: whoever left between the wish and the row is not assigned; one named twice is assigned once."""
    story = told(leaves(ANNA)).when(invited(TOM, ANNA, RITA, colleague(1), TOM))
    assert client_of(story).assignees == (TOM.id,)
    assert said(story, portal.AssigneesChanged)[0].member_ids == (TOM.id,)


@pytest.mark.parametrize("state", ["connected", "in_review", "information_required", "verified"])
def test_the_power_of_attorney_connects(state: str) -> None:
    """O3: from there on it is in all and in its assignees' mine."""
    client = client_of(told(invited(TOM), stated(state, connected=True, at=after(days=2))))
    assert {"all", f"mine:{TOM.id}"} <= set(client.lists)
    assert client.connected_at == after(days=2)


def test_a_rejection_alone_connects_nobody() -> None:
    """O3: never by rejected alone."""
    client = client_of(told(invited(TOM), stated("rejected", verification=None)))
    assert (client.connected, client.lists, client.status) == (False, (), "ended")


def test_it_is_connected_once() -> None:
    """O3: the time of the connection stays, whatever comes after."""
    first = stated("connected", 1, connected=True, at=after(days=1))
    second = stated("verified", 2, connected=True, at=after(days=9))
    assert connected_at(invited(), first, second) == after(days=1)


def test_a_disconnect_is_for_good() -> None:
    """O3: it takes the client out of onboarding, and no later fact brings it back."""
    for end in (disconnect(), withdrawn(1)):
        story = told(invited(TOM), stated("connected", 1, connected=True), end)
        for version, state in enumerate(("in_review", "information_required", "verified"), 2):
            client = client_of(story.when(stated(state, version, connected=True)))
            assert (client.connected, client.lists, client.assignees) == (False, (), ())


def test_an_older_state_changes_nothing() -> None:
    """Invariant 6: the newest version counts, whatever arrives last."""
    story = told(invited(), stated("in_review", 3, connected=True))
    story.when(stated("accepted", 2)).then()
    story.when(stated("verified", 3, connected=True)).then()
    assert client_of(story).onboarding == "in_review"


def test_a_state_may_come_before_its_row() -> None:
    """O3: the order of topics does not matter."""
    state = stated("in_review", 2, connected=True, verification="in_review", at=after(days=1))
    late, early = client_of(told(state, invited(TOM))), client_of(told(invited(TOM), state))
    assert late.lists == early.lists == ("onboarding", f"onboarding:{TOM.id}", "all", f"mine:{TOM.id}")
    assert (late.connected_at, late.verification) == (early.connected_at, early.verification) == (after(days=1), "in_review")


def test_an_expiry_is_undone_by_a_fact_from_before() -> None:
    """O6: it stands in onboarding again."""
    story = told(invited(TOM), stated("expired", 1))
    assert client_of(story).status == "ended"
    assert client_of(story.when(stated("accepted", 2))).lists == ("onboarding", f"onboarding:{TOM.id}")


def test_a_withdrawn_invitation_leaves_its_tab_and_the_command_is_done() -> None:
    """O6: told again, it is finished again and nothing moves."""
    story = told(invited(TOM)).when(taken_back()).then(OnboardingMoved, TAKEN_BACK)
    client = client_of(story)
    assert (client.lists, client.status, client.ended_at) == ((), "ended", NOW)
    story.when(taken_back()).then(TAKEN_BACK)
    told().when(taken_back()).then(TAKEN_BACK)


@pytest.mark.parametrize("state", [stated("invited", 1), stated("accepted", 1), stated("in_review", 1, connected=True)])
def test_a_withdrawal_stays(state: Message) -> None:
    """O6: and the fact is only noted, so whoever took the invitation back does not read it as open again."""
    client = client_of(told(invited(TOM), taken_back(), state))
    assert (client.onboarding, client.connected, client.lists) == ("withdrawn", False, ())


def ended(state: str, corrects: str | None = None) -> onboarding.OnboardingSettled:
    return onboarding.OnboardingSettled(
        firm_id=KANZLEI, client_id=MUELLER_BAU, company_name="Müller Bau", state=state, corrects=corrects, at=NOW
    )


def test_admins_and_assignees_are_told_the_end() -> None:
    """O5, O7: and who was told what is now corrected, though they work on the client no more."""
    story = told(invited(TOM))
    story.world.admins[KANZLEI] = (LEYLA.id,)
    (mailed,) = said(story.when(ended("verified")), EndTold)
    assert set(mailed.recipients) == {LEYLA.id, TOM.id}
    (mailed,) = said(story.when(unassign(TOM), ended("rejected", "verified")), EndTold)
    assert (set(mailed.recipients), mailed.corrects) == ({LEYLA.id, TOM.id}, "verified")
    (mailed,) = said(story.when(leaves(TOM), ended("verified", "rejected")), EndTold)
    assert mailed.recipients == (LEYLA.id,)


def test_a_row_says_that_the_mail_to_the_contact_came_back() -> None:
    """O10: while the invitation is open."""
    state = stated("invited").model_copy(update={"undelivered": True})
    row = shown(client_of(told(invited(), state)))
    assert row["reason_code"] == "onboarding_undelivered"
    assert row["reason"] == "eingeladen am 12.03.2026, E-Mail nicht zustellbar"
    assert shown(client_of(told(invited(), state, stated("accepted", 2))))["reason_code"] == "onboarding_accepted"


def test_verification_of_who_came_by_invitation_feeds_every_firm() -> None:
    """O11: it only feeds the field verification, for every firm that has the client; it connects nobody."""
    story = told(added(), added(firm=RIVAL), accept(TOM), stated(None, 1, firm=None, connected=True, verification="in_review"))
    assert [shown(client_of(story, firm))["verification"] for firm in (KANZLEI, RIVAL)] == ["in_review", "in_review"]
    assert [client_of(story, firm).connected for firm in (KANZLEI, RIVAL)] == [True, False]
    assert client_of(story, RIVAL).lists == ("invitations",)


def test_verification_heard_before_the_invitation_is_kept() -> None:
    """O11: whatever comes first."""
    assert client_of(told(stated(None, 1, firm=None, verification="verified"), added())).verification == "verified"


def test_an_onboarding_is_the_inviting_firms_alone() -> None:
    """O1, O11: for another firm the same company is a client by invitation, connected by its own answer only."""
    story = told(invited(), added(firm=RIVAL), stated("in_review", 1, connected=True, verification="in_review"))
    assert client_of(story).lists == ("onboarding", "all", "unassigned")
    rivals = client_of(story, RIVAL)
    assert (rivals.lists, rivals.onboarding, rivals.verification) == (("invitations",), None, "in_review")
    story.when(accept(by=RITA), disconnect())
    assert (client_of(story).connected, client_of(story, RIVAL).connected) == (False, True)


@pytest.mark.parametrize(
    ("verification", "word"),
    [
        (None, None),
        ("accepted", None),
        ("connected", "pending"),
        ("in_review", "in_review"),
        ("information_required", "information_required"),
        ("verified", "verified"),
        ("rejected", "rejected"),
    ],
)
def test_the_words_of_a_verification(verification: str | None, word: str | None) -> None:
    """Contract 1, Row: pending for the fact connected, null without a fact."""
    history = (added(), accept(), stated(None, 1, firm=None, verification=verification))
    assert shown(client_of(told(*history)))["verification"] == word


def test_before_the_power_of_attorney_there_is_no_verification() -> None:
    """Contract 1, Row: null before the power of attorney."""
    client = client_of(told(invited(), stated("rejected", 1, verification="rejected")))
    assert shown(client)["verification"] is None
