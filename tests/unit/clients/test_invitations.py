"""Companies that add the firm: the invitation, its answer, and the end of the connection (section 5)."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest

from services.clients.domain.events import (
    AssigneesMoved,
    ClientParted,
    CompanyMoved,
    InvitationAccepted,
    InvitationDeclined,
    InvitationOvertaken,
    InvitationTakenBack,
    Invited,
)
from shared.contracts import portal
from shared.contracts.base import Message
from shared.contracts.clients import AssignmentsMoved, ClientEnded
from shared.contracts.pleo import ReceiptMissing
from shared.decider import Counted, Said, Succeeded
from shared.messages import Heard
from tests.unit.clients.story import (
    ANNA,
    CONNECTED,
    KANZLEI,
    LEYLA,
    RITA,
    RIVAL,
    SPAETI,
    TOM,
    Somebody,
    about,
    accept,
    added,
    assign,
    balance,
    client_of,
    clock,
    colleague,
    decline,
    disconnect,
    invited,
    joins,
    leaves,
    refused,
    renamed,
    said,
    shown,
    stated,
    told,
    withdrawn,
)


def test_an_invitation_waits_for_its_answer() -> None:
    """I1: a company that adds the firm stands in invitations, with the member it was addressed to proposed."""
    story = told().when(added(to="Tom@Kanzlei.example", number="4711")).then(CompanyMoved, Invited)
    row = shown(client_of(story))
    assert row["status"] == "invitation"
    assert row["client_number"] == "4711"
    assert row["reason"] == "Einladung vom 12.03.2026 an Tom Weber"
    assert row["proposed_assignees"] == [{"id": TOM.id, "name": TOM.name}]


def test_an_invitation_to_a_stranger_proposes_nobody() -> None:
    """I1: an address that is no active member's is not named."""
    row = shown(client_of(told(added(to="chef@mueller.example"))))
    assert row["reason"] == "Einladung vom 12.03.2026"
    assert row["proposed_assignees"] == []


def test_an_accepted_client_is_connected_and_its_assignees() -> None:
    """I2, I3: connected, out of invitations, in all and in its assignees' mine."""
    story = told(added()).when(accept(TOM, LEYLA, TOM))
    story.then(InvitationAccepted, portal.InvitationAnswered, AssignmentsMoved, portal.AssigneesChanged, Succeeded())
    client = client_of(story)
    assert client.lists == ("all", f"mine:{TOM.id}", f"mine:{LEYLA.id}")
    assert said(story, portal.InvitationAnswered)[0].accepted


def test_an_invitation_may_be_accepted_for_nobody() -> None:
    """I2: naming the members to assign, may be none."""
    told(added()).when(accept()).then(InvitationAccepted, portal.InvitationAnswered, Succeeded())


def test_a_declined_invitation_is_gone_with_whom_it_was_meant_for() -> None:
    """I2: an admin declines, and nobody stays assigned."""
    story = told(added(), assign(TOM)).when(decline())
    story.then(InvitationDeclined, portal.InvitationAnswered, AssignmentsMoved, portal.AssigneesChanged, Succeeded())
    assert client_of(story).lists == ()
    assert not said(story, portal.InvitationAnswered)[0].accepted


def test_a_withdrawn_invitation_is_gone_with_whom_it_was_meant_for() -> None:
    """I4: the invitation goes, and nobody stays assigned to what is over."""
    story = told(added(), assign(TOM)).when(withdrawn())
    story.then(InvitationTakenBack, AssignmentsMoved, portal.AssigneesChanged)
    assert (client_of(story).assignees, said(story, portal.AssigneesChanged)[0].member_ids) == ((), ())


@pytest.mark.parametrize("answer", [accept(by=TOM), decline(by=TOM)])
def test_an_accountant_answers_no_invitation(answer: Message) -> None:
    """I2: accountants cannot."""
    told(added(to=TOM.email)).when(answer).then(refused("admin_only"))


@pytest.mark.parametrize("answer", [accept(by=RITA), decline(by=RITA)])
def test_another_firm_knows_of_no_invitation(answer: Message) -> None:
    """E1: foreign ids are not found, like unknown ones."""
    told(added()).when(answer).then(refused("not_found"))
    told().when(answer).then(refused("not_found"))


@pytest.mark.parametrize("answer", [accept(), decline()])
@pytest.mark.parametrize(
    ("history", "code"),
    [
        ((withdrawn(2),), "invitation_withdrawn"),
        ((decline(),), "already_answered"),
        ((accept(),), "already_answered"),
        ((accept(), disconnect()), "already_answered"),
        ((accept(), withdrawn(2)), "already_answered"),
    ],
)
def test_a_late_answer_is_refused(history: tuple[Message, ...], code: str, answer: Message) -> None:
    """I4, contract 1: a withdrawn invitation is withdrawn, an answered one answered."""
    told(added(), *history).when(answer).then(refused(code))


def test_what_the_firm_invited_itself_is_no_invitation_to_answer() -> None:
    """I2: an onboarding holds nothing to accept."""
    told(invited()).when(accept()).then(refused("not_found"))


@pytest.mark.parametrize("somebody", [RITA, colleague(1)])
def test_an_acceptance_for_an_unknown_member_changes_nothing(somebody: Somebody) -> None:
    """M3: unknown_member, for the whole command."""
    story = told(added()).when(accept(TOM, somebody)).then(refused("unknown_member"))
    assert client_of(story).invites


def test_an_acceptance_for_somebody_who_left_is_refused() -> None:
    """M3: assigning needs an active member, wherever members are named."""
    told(added(), leaves(TOM)).when(accept(TOM)).then(refused("unknown_member"))


def test_an_acceptance_ends_at_fifty() -> None:
    """M3: too_many_assignees, wherever members are named."""
    crowd = [colleague(n) for n in range(51)]
    story = told(added(), *map(joins, crowd))
    story.when(accept(*crowd)).then(refused("too_many_assignees"))
    story.when(accept(*crowd[:50]))
    assert len(client_of(story).assignees) == 50


def test_a_withdrawal_before_its_invitation_leaves_nothing() -> None:
    """Contract 2: a withdrawn with a higher sequence that arrives before the added it answers."""
    story = told(withdrawn(2)).when(added(1)).then(InvitationOvertaken, Counted("stale"))
    assert (client_of(story).lists, client_of(story).known) == ((), False)
    story.when(accept()).then(refused("invitation_withdrawn"))


def test_a_withdrawal_before_its_invitation_does_not_bar_the_next() -> None:
    """I6: a higher sequence starts afresh."""
    assert client_of(told(withdrawn(2), added(1), added(3))).invites


@pytest.mark.parametrize(
    ("first", "second", "outcome"),
    [
        (added(1), added(1), "stale"),
        (added(1), added(1, name="Maier"), "conflict"),
        (added(1), withdrawn(1), "conflict"),
        (withdrawn(1), added(1), "conflict"),
    ],
)
def test_of_one_sequence_the_first_seen_stays(first: Message, second: Message, outcome: str) -> None:
    """Contract 2: same sequence and different data counts as a conflict, the same data as stale; also once overtaken."""
    for overtaken_by in ((), (added(7),)):
        story = told(first, *overtaken_by)
        before = client_of(story)
        story.when(second).then(Counted(outcome))
        assert client_of(story) == before


@pytest.mark.parametrize(
    "end", [(accept(TOM), disconnect()), (accept(TOM), withdrawn(2)), (decline(),), (assign(TOM), withdrawn(2))]
)
def test_a_new_invitation_starts_afresh(end: tuple[Message, ...]) -> None:
    """I6: after a decline, withdrawal or disconnect, without the old assignments."""
    client = client_of(told(added(1), *end, added(3)))
    assert client.lists == ("invitations",)
    assert client.assignees == ()
    again = client_of(told(added(1), *end, added(3), accept(ANNA)))
    assert again.lists == ("all", f"mine:{ANNA.id}")


def test_a_new_invitation_after_an_onboarding_ended_is_no_onboarding() -> None:
    """O3: only a new invitation starts again, and verification connects it no more (O11)."""
    story = told(invited(TOM), stated("in_review", connected=True), disconnect(), added(1))
    assert client_of(story).lists == ("invitations",)
    story.when(stated("verified", 2, connected=True, verification="verified"))
    assert client_of(story).lists == ("invitations",)


def test_a_repeat_with_a_higher_sequence_does_not_part_what_is_connected() -> None:
    """I6: what did not end does not start afresh; the newest name and number are taken."""
    client = client_of(told(added(1), accept(TOM), added(2, name="Müller Hochbau", number="12")))
    assert client.lists == ("all", f"mine:{TOM.id}")
    assert (client.name, client.client_number) == ("Müller Hochbau", "12")


PARTED = (ClientParted, ClientEnded, portal.ClientDisconnected, AssignmentsMoved, portal.AssigneesChanged)


def test_an_admin_disconnects() -> None:
    """I5: assignments end with the connection, and everybody is told."""
    story = told(added(), accept(TOM)).when(disconnect()).then(*PARTED, Succeeded())
    assert client_of(story).assignees == ()
    story.when(disconnect()).then(refused("not_connected"))


def test_the_company_disconnects() -> None:
    """I5: a withdrawal after the answer is a disconnect."""
    story = told(added(), accept(TOM)).when(withdrawn(2)).then(*PARTED)
    assert client_of(story).status == "ended"


def test_an_accountant_does_not_disconnect() -> None:
    """I5: in the firm, admins only."""
    told(added(), accept(TOM)).when(disconnect(by=TOM)).then(refused("admin_only"))


def test_no_figure_of_a_parted_client_is_readable() -> None:
    """I5: from that outcome on no figure is readable; with a new acceptance they are as true as ever."""
    story = told(*CONNECTED, about(ReceiptMissing, "e1", clock(1)), balance(-5, clock(1), low=True))
    assert (shown(client_of(story))["missing_receipts"], shown(client_of(story))["low_balance"]) == (1, True)
    for end in (disconnect(), added(3)):
        row = shown(client_of(story.when(end)))
        assert (row["missing_receipts"], row["export_ready"], row["balance"], row["low_balance"]) == (None, None, None, False)
        assert set(row["as_of"].values()) == {None}
    assert shown(client_of(story.when(accept())))["missing_receipts"] == 1


def test_two_firms_with_one_company_do_not_part_each_other() -> None:
    """Section 1: a company that added two firms is a client of both."""
    story = told(added(), added(firm=RIVAL), accept(TOM), accept(RITA, by=RITA), disconnect())
    assert client_of(story).status == "ended"
    assert client_of(story, RIVAL).lists == ("all", f"mine:{RITA.id}")


def test_a_rename_beats_the_given_name_in_any_order() -> None:
    """Contract 2: pleo.company.renamed beats the name in added, whatever arrives first."""
    facts: list[Message] = [added(1), added(2, name="Müller & Co"), renamed("Müller AG", 1), renamed("Müller SE", 2)]
    for order in permutations(facts):
        assert client_of(told(*order)).name == "Müller SE"


def test_a_rename_beats_the_name_in_the_invite() -> None:
    """Contract 2: pleo.company.renamed beats the name in an invite, whatever arrives first."""
    for order in permutations([invited(), renamed("Müller SE", 2), renamed("Müller AG", 1)]):
        assert client_of(told(*order)).name == "Müller SE"


def test_a_rename_reaches_every_firm_and_no_other_company() -> None:
    """Section 1: a company is a client of each of its firms."""
    story = told(added(), added(firm=RIVAL), added(client_id=SPAETI, name="Späti"), renamed("Müller SE"))
    assert [client_of(story, firm).name for firm in (KANZLEI, RIVAL)] == ["Müller SE", "Müller SE"]
    assert client_of(story, client_id=SPAETI).name == "Späti"


def test_of_two_renames_with_one_sequence_the_first_stays() -> None:
    """Contract 2: counted as a conflict if the data differ."""
    story = told(added(), renamed("Müller SE", 2))
    story.when(renamed("Maier", 2)).then(Counted("conflict"))
    story.when(renamed("Müller SE", 2)).then(Counted("stale"))
    story.when(renamed("Maier", 1)).then(CompanyMoved, Counted("stale"))
    story.when(renamed("Müller", 1)).then(Counted("conflict"))
    assert client_of(story).name == "Müller SE"


def test_news_of_a_client_always_rise() -> None:
    """Contract 2: by its sequence a reader of portal.clients tells old from new; no two news share one."""
    told_so_far: list[int] = []
    story = told()
    history: list[Message | Heard[Any]] = [
        added(1),
        accept(TOM, ANNA),
        assign(LEYLA),
        disconnect(),
        added(2),
        assign(TOM),
        decline(),
    ]
    for message in [*history, added(3), accept(TOM), withdrawn(4)]:
        story.when(message)
        news = [e.message for e in story.decided if isinstance(e, Said) and e.topic is portal.CLIENTS]
        told_so_far += [n.sequence for n in news]  # type: ignore[attr-defined]
        assert client_of(story).version >= max(told_so_far, default=0)
    assert len(told_so_far) == 12
    assert told_so_far == sorted(set(told_so_far))


def test_an_assignment_waits_with_its_invitation() -> None:
    """M2: a pending client may have assignees already; it is in nobody's mine until accepted (T6)."""
    story = told(added(), assign(TOM))
    story.then(AssigneesMoved, AssignmentsMoved, portal.AssigneesChanged, Succeeded())
    assert client_of(story).lists == ("invitations",)
    assert client_of(story.when(accept())).lists == ("all", f"mine:{TOM.id}")
