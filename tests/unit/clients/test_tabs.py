"""Which tabs a client stands in, for whom (section 2 of the behaviour)."""

from __future__ import annotations

import pytest

from shared.clock import stamp_of
from shared.contracts.base import Message
from shared.messages import Heard
from tests.spec import NOW
from tests.unit.clients.story import (
    CONNECTED,
    LEYLA,
    TOM,
    Somebody,
    accept,
    added,
    after,
    assign,
    client_of,
    decline,
    disconnect,
    invited,
    stated,
    taken_back,
    told,
    withdrawn,
)

# what happened, from the row on → the tabs of any admin, what an assigned admin has besides, those of an assigned accountant
STATES: dict[str, tuple[tuple[Message, ...], str, str, str]] = {
    "pending invitation": ((added(),), "invitations", "", ""),
    "accepted invitation": ((added(), accept()), "all", "mine", "mine"),
    "declined invitation": ((added(), decline()), "", "", ""),
    "withdrawn invitation": ((added(), withdrawn()), "", "", ""),
    "disconnected by the firm": ((added(), accept(), disconnect()), "", "", ""),
    "disconnected by the company": ((added(), accept(), withdrawn()), "", "", ""),
    "invited": ((invited(),), "onboarding", "", "onboarding"),
    "onboarding accepted": ((invited(), stated("accepted")), "onboarding", "", "onboarding"),
    "onboarding connected": ((invited(), stated("connected", connected=True)), "onboarding all", "mine", "onboarding mine"),
    "in review": ((invited(), stated("in_review", connected=True)), "onboarding all", "mine", "onboarding mine"),
    "information required": (
        (invited(), stated("information_required", connected=True)),
        "onboarding all",
        "mine",
        "onboarding mine",
    ),
    "verified": ((invited(), stated("verified", connected=True)), "all", "mine", "mine"),
    "rejected once connected": ((invited(), stated("rejected", connected=True)), "all", "mine", "mine"),
    "rejected at once": ((invited(), stated("rejected")), "", "", ""),
    "expired": ((invited(), stated("expired")), "", "", ""),
    "taken back": ((invited(), taken_back()), "", "", ""),
    "disconnected in review": ((invited(), stated("in_review", connected=True), disconnect()), "", "", ""),
}


def tabs_of(who: Somebody, history: tuple[Message, ...], *assigned: Somebody) -> set[str]:
    first, *rest = history
    client = client_of(told(first, *(assign(member) for member in assigned), *rest))
    viewer = who.viewer()
    return {tab for tab in viewer.tabs if viewer.list_of(tab) in client.lists}


@pytest.mark.parametrize("state", STATES)
def test_an_admin_sees_what_is_the_firms(state: str) -> None:
    """T2, T3, T5: invitations, onboarding and all are the whole firm's for an admin."""
    history, admin, _, _ = STATES[state]
    assert tabs_of(LEYLA, history) == set(admin.split())
    assert tabs_of(LEYLA, history, TOM) == set(admin.split())


@pytest.mark.parametrize("state", STATES)
def test_an_assigned_admin_has_it_in_mine_too(state: str) -> None:
    """T4: admins may be assigned, too; mine holds connected clients only."""
    history, admin, besides, _ = STATES[state]
    assert tabs_of(LEYLA, history, LEYLA, TOM) == {*admin.split(), *besides.split()}


@pytest.mark.parametrize("state", STATES)
def test_an_accountant_sees_what_is_assigned_to_them(state: str) -> None:
    """T1, T3, T4: an accountant has two tabs, and in them nothing but their own."""
    history, _, _, accountant = STATES[state]
    assert tabs_of(TOM, history, TOM, LEYLA) == set(accountant.split())
    assert tabs_of(TOM, history, LEYLA) == set()


@pytest.mark.parametrize("state", STATES)
def test_tabs_overlap_as_they_should(state: str) -> None:
    """T6: mine is within all; onboarding and connected is within all; a pending or unconnected one is in neither."""
    history, *_ = STATES[state]
    client = client_of(told(history[0], assign(LEYLA), *history[1:]))
    tabs = tabs_of(LEYLA, history, LEYLA)
    assert "mine" not in tabs or "all" in tabs
    assert ("all" in tabs) == client.connected
    assert not {"invitations", "all"} <= tabs


def test_the_tabs_of_a_role_come_in_order() -> None:
    """T1: four for an admin, two for an accountant."""
    assert LEYLA.viewer().tabs == ("invitations", "onboarding", "mine", "all")
    assert TOM.viewer().tabs == ("onboarding", "mine")


def test_a_connected_client_without_assignees_is_listed_as_such() -> None:
    """M4: clients left with no assignee are listed for admins; one that is not connected is not in all, so not there."""
    assert "unassigned" in client_of(told(added(), accept())).lists
    assert "unassigned" not in client_of(told(added(), accept(TOM))).lists
    assert "unassigned" not in client_of(told(invited())).lists


def test_an_ended_client_stays_readable_for_admins_for_ninety_days() -> None:
    """O7: what has left its last tab is an admin's to read by id, to the day, and nobody's afterwards."""
    for history in ((invited(TOM), stated("expired")), (added(), decline()), (added(), accept(TOM), disconnect())):
        client = client_of(told(*history))
        assert client.status == "ended"
        assert LEYLA.viewer().sees(client, after(days=90, microseconds=-1))
        assert not LEYLA.viewer().sees(client, after(days=90))
        assert not TOM.viewer().sees(client, NOW)


def test_an_end_that_is_heard_of_late_is_readable_from_then_on() -> None:
    """O7: it leaves its last tab when the fact is handled; the time shown stays the fact's."""
    long_ago = after(days=-200)
    for history in ((added(),), CONNECTED, (invited(),)):
        client = client_of(told(*history, Heard(withdrawn(), "late", "pleo", stamp_of(long_ago))))
        assert (client.status, client.ended_at) == ("ended", long_ago)
        assert LEYLA.viewer().sees(client, after(days=90, microseconds=-1))
        assert not LEYLA.viewer().sees(client, after(days=90))


def test_a_client_that_came_back_is_no_ended_one() -> None:
    """O6, I6: the ninety days are those since it left its last tab, if it has."""
    for again in ((invited(), stated("expired"), stated("accepted", 2)), (added(1), decline(), added(2))):
        assert LEYLA.viewer().sees(client_of(told(*again)), after(days=900))


def test_an_accountant_sees_an_onboarding_though_its_invitation_waits() -> None:
    """T3, T6: the tab Onboarding is theirs, the invitation is not."""
    assert TOM.viewer().sees(client_of(told(invited(TOM), added())), NOW)
    assert not TOM.viewer().sees(client_of(told(added(), assign(TOM))), NOW)
