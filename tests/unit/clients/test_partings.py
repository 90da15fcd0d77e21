"""How invitation, onboarding and parting of one company meet, in whatever order they are heard (I1, I4-I6, O3)."""

from __future__ import annotations

from itertools import permutations

import pytest

from services.clients.domain.events import (
    ClientParted,
    CompanyMoved,
    InvitationOvertaken,
    Invited,
)
from shared.contracts import portal
from shared.contracts.base import Message
from shared.contracts.clients import AssignmentsMoved, ClientEnded
from shared.contracts.onboarding import InviteCompany
from shared.decider import Counted, Finished, Succeeded
from tests.unit.clients.story import (
    ANNA,
    LEYLA,
    MUELLER_BAU,
    TOM,
    accept,
    added,
    client_of,
    decline,
    disconnect,
    invited,
    shown,
    stated,
    told,
    withdrawn,
)

PARTED = (ClientParted, ClientEnded, portal.ClientDisconnected, AssignmentsMoved, portal.AssigneesChanged)


def test_a_company_in_onboarding_may_add_the_firm_itself() -> None:
    """I1, T6, contract 1 (status): its invitation waits beside the onboarding, and its answer does not end that."""
    story = told(invited(TOM), added())
    assert client_of(story).lists == ("invitations", "onboarding", f"onboarding:{TOM.id}")
    assert client_of(story).status == "invitation"
    assert client_of(told(invited(TOM), added(), decline())).lists == ("onboarding", f"onboarding:{TOM.id}")
    story.when(accept(ANNA)).when(stated("in_review", connected=True, verification="in_review"))
    assert set(client_of(story).lists) >= {"onboarding", "all", f"mine:{TOM.id}", f"mine:{ANNA.id}"}
    assert client_of(story).verification == "in_review"


def test_the_power_of_attorney_answers_the_companys_invitation() -> None:
    """O3, I1: what is connected waits for no answer, whichever of the two is heard first."""
    power = stated("connected", connected=True)
    for order in permutations([invited(TOM), added(), power]):
        story = told(*order)
        assert client_of(story).lists == ("onboarding", f"onboarding:{TOM.id}", "all", f"mine:{TOM.id}")
        story.when(disconnect())
        assert client_of(story).lists == ()


@pytest.mark.parametrize("fact", [withdrawn(2), added(1)])
def test_an_onboarding_begins_whatever_the_company_said_before(fact: Message) -> None:
    """O1: the command is done and the row stands, with what was heard of it before."""
    story = told(fact).when(invited(TOM))
    assert story.decided[-1] == Finished("invite", LEYLA.id, Succeeded({"client_id": MUELLER_BAU}), InviteCompany)
    assert client_of(story).known
    story.when(invited(TOM)).then(Finished)


def test_no_order_connects_a_company_that_parted_in_its_onboarding() -> None:
    """I4, I5, O3: it parts from the firm whether or not the power of attorney was heard of, and whatever comes first."""
    facts: list[Message] = [
        invited(TOM),
        added(1),
        withdrawn(2),
        stated("connected", 1, connected=True),
        stated("verified", 2, connected=True),
    ]
    for order in permutations(facts):
        client = client_of(told(*order))
        assert (client.lists, client.status, client.assignees) == ((), "ended", ())


def test_no_order_loses_the_invitation_after_a_parting() -> None:
    """I6, O3: a new one waits, without the onboarding and the assignments that ended."""
    facts: list[Message] = [invited(TOM), withdrawn(2), added(3, name="Müller Hochbau"), stated("connected", 1, connected=True)]
    for order in permutations(facts):
        client = client_of(told(*order))
        assert (client.lists, client.name) == (("invitations",), "Müller Hochbau"), order
        assert client.assignees == ()


def test_a_withdrawal_that_was_overtaken_ends_what_was_before_it() -> None:
    """I5, I6: added, accepted, withdrawn, added anew; the last two swapped leave the same."""
    for order in permutations([withdrawn(2), added(3, to=TOM.email)]):
        story = told(added(1), accept(TOM), *order)
        assert client_of(story).lists == ("invitations",)
        assert client_of(story).assignees == ()
        assert shown(client_of(story))["proposed_assignees"] == [{"id": TOM.id, "name": TOM.name}]
    story = told(added(1), accept(TOM), added(3)).when(withdrawn(2))
    story.then(*PARTED, CompanyMoved, Invited)


def test_a_withdrawal_older_than_what_was_accepted_is_not_about_it() -> None:
    """I6: who accepted the invitation after it stays connected."""
    story = told(added(1), added(3), accept(TOM)).when(withdrawn(2)).then(InvitationOvertaken, Counted("stale"))
    assert client_of(story).lists == ("all", f"mine:{TOM.id}")


@pytest.mark.parametrize("order", list(permutations([added(1), withdrawn(2), added(3), withdrawn(4)])))
def test_no_order_of_invitations_leaves_a_withdrawn_one(order: tuple[Message, ...]) -> None:
    """I4, I6: unanswered, the highest sequence tells; here it is a withdrawal."""
    assert client_of(told(*order, *order)).lists == ()


@pytest.mark.parametrize("order", list(permutations([added(1), withdrawn(2), added(3, name="Müller Hochbau")])))
def test_no_order_of_invitations_loses_the_newest(order: tuple[Message, ...]) -> None:
    """I4, I6: unanswered, the highest sequence tells; here it is an invitation."""
    client = client_of(told(*order, *order))
    assert client.lists == ("invitations",)
    assert client.name == "Müller Hochbau"
