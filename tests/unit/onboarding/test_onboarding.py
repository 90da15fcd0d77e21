"""What a firm may do with an invitation, and what time does to it (O1, O3, O5, O6, O9, O11, E4)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from services.onboarding.domain.states import Limits
from services.onboarding.domain.verification import Stage
from shared.clock import stamp_of
from shared.contracts.base import ClientId, MemberId
from shared.contracts.onboarding import (
    InvitationMailed,
    InvitationWithdrawn,
    OnboardingSettled,
    OnboardingStarted,
    UndeliveredMailed,
)
from shared.contracts.portal import CompanyInvited, OnboardingEnded
from shared.decider import Refused, Succeeded
from tests.unit.onboarding.story import (
    KANZLEI,
    LEYLA,
    MONDAY,
    MUELLER_BAU,
    OTHER_FIRM,
    SPAETI,
    TOM,
    after,
    fact,
    given,
    invite,
    lost,
    parted,
    resend,
    tick,
    withdraw,
)


def test_an_invitation_starts_an_onboarding_and_mails_the_contact() -> None:
    """O1: clients makes the row and finishes the command, so nothing here says that it succeeded."""
    story = given().when(invite(assign=(TOM,), known=(TOM,)))
    assert story.company().stage is Stage.INVITED
    (started,), (mailed,), (news,) = story.said(OnboardingStarted), story.said(InvitationMailed), story.said(CompanyInvited)
    assert (started.firm_id, started.assign, started.at) == (KANZLEI, (TOM,), MONDAY)
    assert (mailed.number, mailed.occasion, mailed.reminder, mailed.by) == (1, "invite", 0, LEYLA)
    assert (news.company_name, news.sequence) == ("Müller Bau GmbH", 1)
    assert not any(isinstance(event, Refused | Succeeded) for event in story.decided)


def test_whom_the_door_did_not_know_cannot_be_assigned() -> None:
    """M3: for the whole command."""
    story = given().when(invite(assign=(LEYLA, TOM), known=(LEYLA,)))
    assert story.refusal == "unknown_member"
    assert story.company().stage is None


def test_an_invitation_ends_at_fifty_assignees() -> None:
    """M3: too_many_assignees, wherever members are named."""
    crowd = tuple(MemberId(f"colleague-{n}") for n in range(51))
    assert given().when(invite(assign=crowd, known=crowd)).refusal == "too_many_assignees"
    assert given().when(invite(assign=crowd[:50], known=crowd)).company().stage is Stage.INVITED


@pytest.mark.parametrize(
    ("company", "email"), [("MUELLER  bau gmbh", "Chef@Mueller.example"), ("Müller Bau GmbH", "CHEF@müller.example")]
)
def test_the_same_company_and_contact_are_invited_once_however_they_are_spelled(company: str, email: str) -> None:
    """O9: folded as in L1."""
    assert given(invite()).when(invite(SPAETI, company=company, email=email)).refusal == "already_invited"


@pytest.mark.parametrize(
    "other",
    [
        invite(SPAETI, company="Späti"),
        invite(SPAETI, email="other@mueller.example"),
        invite(SPAETI, firm_id=OTHER_FIRM),
    ],
)
def test_another_company_contact_or_firm_is_another_invitation(other: object) -> None:
    """O9: both must be the same, and within one firm."""
    assert given(invite()).when(other).refusal is None  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "ending",
    [withdraw(after(hours=1)), tick(after(days=30)), fact("verified", 1), fact("rejected", 1)],
    ids=["withdrawn", "expired", "verified", "rejected"],
)
def test_after_any_final_state_the_company_may_be_invited_again(ending: object) -> None:
    """O9: the key is free again; the next invitation is an onboarding of its own."""
    story = given(invite()).when(ending)  # type: ignore[arg-type]
    assert story.when(invite(SPAETI, at=after(days=40))).refusal is None
    assert story.company(SPAETI).stage is Stage.INVITED


def test_an_onboarding_whose_expiry_was_undone_holds_its_key_again() -> None:
    """O6, O9: it is not in a final state any more."""
    story = given(invite(), tick(after(days=30)), fact("accepted", 1))
    assert story.when(invite(SPAETI, at=after(days=31))).refusal == "already_invited"


def test_an_undone_expiry_does_not_take_the_key_from_a_newer_invitation() -> None:
    """O9: whose key it is now keeps it, also when the older onboarding ends."""
    story = given(invite(), tick(after(days=30)), invite(SPAETI, at=after(days=31)), fact("accepted", 1), fact("verified", 2))
    assert story.company().stage is Stage.VERIFIED
    assert story.when(invite(ClientId("third"), at=after(days=32))).refusal == "already_invited"


def test_a_firm_invites_only_so_many_a_day_and_the_day_is_berlins() -> None:
    """E4: 23:30 UTC in March is the next day already."""
    evening = datetime(2026, 3, 2, 22, 59, tzinfo=UTC)
    story = given(*(invite(ClientId(f"c{n}"), company=f"Nr. {n}", at=evening) for n in range(3)))
    assert story.refusal is None
    assert story.when(invite(ClientId("c4"), company="Nr. 4", at=evening)).refusal == "too_many_invitations"
    assert story.when(invite(ClientId("c5"), company="Nr. 5", at=datetime(2026, 3, 2, 23, 0, tzinfo=UTC))).refusal is None


def test_a_resend_makes_a_new_link_and_starts_the_time_anew() -> None:
    """O6: only the newest is valid; reminders and expiry count from it."""
    story = given(invite(), tick(after(days=3))).when(resend(after(days=5)))
    (mailed,) = story.said(InvitationMailed)
    assert (mailed.number, mailed.occasion, mailed.reminder) == (2, "resend", 0)
    assert story.company().due_at == after(days=8)
    assert Succeeded() in story.decided


def test_resends_are_five_minutes_apart_and_five_at_most() -> None:
    """E4: nobody floods anybody through us."""
    story = given(invite(), resend(after(seconds=1)))
    assert story.refusal is None  # there is no other resend from which it could be apart
    assert story.when(resend(after(minutes=5, microseconds=999_999))).refusal == "too_many_invitations"
    story = given(invite(), *(resend(after(minutes=5 * n)) for n in range(5)))
    assert story.refusal is None
    assert story.when(resend(after(days=1))).refusal == "too_many_invitations"


def test_how_often_is_a_setting_of_the_run() -> None:
    """E4; contract, section 4: limits of E4 are settings, and these are what they are unless something is set."""
    assert Limits() == Limits(invitations_per_day=200, resends=5, resends_apart=timedelta(minutes=5))
    patient = Limits(resends=1, resends_apart=timedelta(hours=1))
    story = given(invite(), resend(after(minutes=1)), limits=patient)
    assert story.refusal is None
    assert story.when(resend(after(days=1))).refusal == "too_many_invitations"
    patient = Limits(resends_apart=timedelta(hours=1))
    story = given(invite(), resend(after(minutes=1)), limits=patient)
    assert story.when(resend(after(minutes=60))).refusal == "too_many_invitations"
    assert story.when(resend(after(minutes=61))).refusal is None


@pytest.mark.parametrize("command", [resend, withdraw])
def test_only_an_open_invitation_is_resent_or_withdrawn(command: object) -> None:
    """O6: while the state is invited."""
    assert callable(command)
    assert given(invite(), fact("accepted", 1)).when(command(after(days=1))).refusal == "not_open"
    assert given(invite(), withdraw(after(hours=1))).when(command(after(days=1))).refusal == "not_open"


@pytest.mark.parametrize("command", [resend, withdraw])
def test_another_firms_invitation_looks_like_none(command: object) -> None:
    """E1: unknown and foreign are alike; a company nobody invited is not there either (O11)."""
    assert callable(command)
    assert given(invite()).when(command(after(days=1), firm_id=OTHER_FIRM)).refusal == "not_found"
    assert given().when(command(after(days=1))).refusal == "not_found"
    assert given(fact("verified", 1)).when(command(after(days=1))).refusal == "not_found"


def test_a_withdrawal_is_told_and_stays_whatever_comes() -> None:
    """O6: a fact is only noted, and connects nobody."""
    story = given(invite()).when(withdraw(after(days=1)))
    (ended,), (told,) = story.said(OnboardingEnded), story.said(InvitationWithdrawn)
    assert (ended.reason, ended.sequence) == ("withdrawn", 2)
    assert told.client_id == MUELLER_BAU
    story.when(fact("in_review", 1, after(hours=1)))
    assert story.company().stage is Stage.WITHDRAWN
    assert not story.company().connected
    assert len(story.company().facts) == 1
    assert story.decided[1:] == []


@pytest.mark.parametrize(("days", "reminder"), [(3, 1), (6, 2), (12, 3)])
def test_the_contact_is_reminded_on_day_three_six_and_twelve(days: int, reminder: int) -> None:
    """O6: with the same link; a moment too early does nothing, a second tick neither."""
    story = given(invite(), *(tick(after(days=d)) for d in (3, 6, 12) if d < days))
    assert story.when(tick(after(days=days, microseconds=-1))).decided == []
    (mailed,) = story.when(tick(after(days=days))).said(InvitationMailed)
    assert (mailed.number, mailed.occasion, mailed.reminder) == (1, "reminder", reminder)
    assert story.when(tick(after(days=days))).decided == []


@pytest.mark.parametrize(
    ("sent", "reminded", "over"),
    [
        ("2026-03-27T09:30:00Z", ("2026-03-30", "2026-04-02", "2026-04-08"), "2026-04-26"),  # clocks go forward on the 29th
        ("2026-10-23T22:30:00Z", ("2026-10-26", "2026-10-29", "2026-11-04"), "2026-11-22"),  # and back on the 25th
        ("2028-02-26T09:30:00Z", ("2028-02-29", "2028-03-03", "2028-03-09"), "2028-03-27"),
        ("2027-02-26T09:30:00Z", ("2027-03-01", "2027-03-04", "2027-03-10"), "2027-03-28"),
    ],
)
def test_a_day_is_a_day_whatever_clocks_and_calendars_do(sent: str, reminded: tuple[str, ...], over: str) -> None:
    """O6: so many times 24 hours after the link was sent, to the second, over a change of the clocks and a leap day."""
    at = datetime.fromisoformat(sent)
    story = given(invite(at=at))
    for day in reminded:
        due = datetime.fromisoformat(f"{day}{sent[10:]}")
        assert story.company().due_at == due
        assert story.when(tick(due - timedelta(seconds=1))).decided == []
        assert len(story.when(tick(due)).said(InvitationMailed)) == 1
    end = datetime.fromisoformat(f"{over}{sent[10:]}")
    assert story.when(tick(end - timedelta(seconds=1))).company().stage is Stage.INVITED
    assert story.when(tick(end)).company().stage is Stage.EXPIRED


def test_after_an_outage_one_reminder_stands_for_all_that_were_missed() -> None:
    """E4: nobody is flooded; the next one comes as usual."""
    story = given(invite()).when(tick(after(days=7)))
    assert [mailed.reminder for mailed in story.said(InvitationMailed)] == [2]
    assert story.company().due_at == after(days=12)


def test_an_invitation_expires_on_day_thirty_without_another_reminder() -> None:
    """O6: a link that is void is not mailed."""
    story = given(invite()).when(tick(after(days=30)))
    assert story.company().stage is Stage.EXPIRED
    assert story.said(InvitationMailed) == []
    assert [ended.reason for ended in story.said(OnboardingEnded)] == ["expired"]
    assert story.company().due_at == after(days=120)  # then the contact is forgotten


@pytest.mark.parametrize("state", ["accepted", "in_review", "verified"])
def test_an_answered_invitation_is_neither_reminded_nor_ended(state: str) -> None:
    """O6: unanswered ones only."""
    assert given(invite(), fact(state, 1)).when(tick(after(days=31))).decided == []


def test_a_fact_from_before_the_expiry_undoes_it_and_shows_as_a_correction() -> None:
    """O5, O6: by the fact's time, however late it arrives."""
    story = given(invite(), tick(after(days=31))).when(fact("connected", 1, after(days=30, microseconds=-1)))
    assert story.company().stage is Stage.CONNECTED
    assert story.company().connected
    assert story.timeline == [("invited", False), ("expired", False), ("connected", True)]


def test_a_fact_from_after_the_expiry_is_only_noted() -> None:
    """O6: the link was void by then."""
    story = given(invite(), tick(after(days=31))).when(fact("connected", 1, after(days=30)))
    assert story.company().stage is Stage.EXPIRED
    assert not story.company().connected


def test_a_rejection_alone_connects_nobody() -> None:
    """O3."""
    assert not given(invite(), fact("rejected", 1)).company().connected
    assert given(invite(), fact("rejected", 2), fact("connected", 1)).company().connected


def test_a_late_fact_corrects_a_final_state_and_its_end_is_told_again() -> None:
    """O5: the final fact with the lowest sequence counts, and everybody hears of it."""
    story = given(invite(), fact("connected", 1), fact("verified", 5)).when(fact("rejected", 4))
    assert story.timeline == [("invited", False), ("connected", False), ("verified", False), ("rejected", True)]
    assert [ended.reason for ended in story.said(OnboardingEnded)] == ["rejected"]


def test_a_correction_stays_one_when_an_earlier_fact_says_the_same() -> None:
    """O5: the fact that decides now stands in for the one that corrected."""
    story = given(invite(), fact("rejected", 5), fact("verified", 4)).when(fact("verified", 1))
    assert story.timeline == [("invited", False), ("rejected", False), ("verified", True)]


def test_the_end_is_told_once_a_state_and_says_what_it_corrects() -> None:
    """O5, O7: however often facts are repeated; a withdrawal is the firm's own doing."""
    story = given(invite()).when(fact("verified", 5))
    (told,) = story.said(OnboardingSettled)
    assert (told.state, told.corrects, told.company_name) == ("verified", None, "Müller Bau GmbH")
    (told,) = story.when(fact("rejected", 4)).said(OnboardingSettled)
    assert (told.state, told.corrects) == ("rejected", "verified")
    assert story.when(fact("rejected", 4)).said(OnboardingSettled) == []
    assert story.when(fact("verified", 3)).said(OnboardingSettled) == []  # they were told so before
    assert given(invite()).when(withdraw(after(hours=1))).said(OnboardingSettled) == []
    assert [told.state for told in given(invite()).when(tick(after(days=30))).said(OnboardingSettled)] == ["expired"]


def test_a_disconnect_ends_the_onboarding_for_good() -> None:
    """O3, O9, I5: nothing is mailed any more, and the company may be invited anew."""
    story = given(invite(), fact("connected", 1)).when(parted())
    assert not story.company().open
    assert story.when(fact("verified", 2)).said(OnboardingSettled) == []
    assert story.when(invite(SPAETI, at=after(days=1))).refusal is None
    assert given(invite()).when(parted(OTHER_FIRM)).company().open
    assert given(fact("connected", 1)).when(parted()).decided == []


def test_a_contact_that_cannot_be_reached_is_told_to_the_inviting_admin_once_a_link() -> None:
    """O10: until the invitation is sent again, or answered."""
    story = given(invite()).when(lost())
    assert story.company().undelivered
    (told,) = story.said(UndeliveredMailed)
    assert (told.by, told.contact_email, told.number) == (LEYLA, "chef@mueller.example", 1)
    assert story.when(lost(number=None)).decided == []
    assert not story.when(resend(after(hours=1))).company().undelivered
    assert story.when(lost(number=1)).decided == []  # of an older link
    assert story.when(lost(number=None)).company().undelivered
    assert not story.when(fact("accepted", 1)).company().undelivered
    assert given(invite()).when(lost(address="somebody@else.example")).decided == []


@pytest.mark.parametrize(
    "ending", [withdraw(MONDAY), fact("verified", 1, MONDAY), fact("connected", 1)], ids=["withdrawn", "verified", "parted"]
)
def test_ninety_days_after_the_end_the_contact_is_forgotten(ending: object) -> None:
    """E5: by a tick like every other; nothing but the contact is lost."""
    story = given(invite()).when(ending, parted())  # type: ignore[arg-type]
    before = story.company()
    assert before.due_at == after(days=90)
    story.when(tick(after(days=89)))
    assert story.company() == before
    invitation = story.when(tick(after(days=90))).company().invitation
    assert invitation is not None
    assert (invitation.contact_name, invitation.contact_email, invitation.company_name) == ("", "", "Müller Bau GmbH")
    assert story.company().due_at is None
    assert story.company().timeline == before.timeline


def test_an_end_that_is_heard_of_late_is_forgotten_ninety_days_after_that() -> None:
    """E5: it ends when the fact is handled (MONDAY); the timeline shows the fact's own time."""
    story = given(invite()).when(fact("verified", 1, after(days=-200)))
    assert story.company().due_at == after(days=90)
    assert story.company().timeline[-1].at == stamp_of(after(days=-200))
    assert story.when(fact("verified", 1, after(days=-200))).company().due_at == after(days=90)


def test_a_late_step_finds_its_place_in_the_timeline() -> None:
    """O8: every state with its time, in the source's order."""
    story = given(invite(), fact("in_review", 3), fact("accepted", 1), fact("in_review", 2))
    assert story.timeline == [("invited", False), ("accepted", False), ("in_review", False)]


def test_what_is_missing_is_what_the_newest_request_names() -> None:
    """O5: a rejection that can be mended lists what is missing; what was handed in is not asked for again."""
    story = given(invite(), fact("information_required", 1, MONDAY, "ausweis", "register"))
    assert [item.code for item in story.company().missing] == ["ausweis", "register"]
    story.when(fact("information_required", 3, MONDAY, "register"))
    assert [item.code for item in story.company().missing] == ["register"]
    assert story.when(fact("in_review", 4)).company().missing == ()
    assert all(kept.missing == () for kept in story.company().facts)


def test_facts_about_a_company_nobody_invited_end_and_connect_nothing() -> None:
    """O11: they only feed its verification."""
    story = given().when(fact("connected", 1), fact("verified", 2))
    company = story.company()
    assert (company.stage, company.connected, company.open, company.timeline) == (None, False, False, ())
    assert story.said(OnboardingEnded) == []
    assert company.version == 2


def test_a_stray_tick_does_nothing() -> None:
    """House, invariant 1: the state decides whether a tick acts."""
    assert given().when(tick(after(days=99))).decided == []
    assert given(fact("verified", 1)).when(tick(after(days=99))).decided == []
