"""For whom something is news, and how often it rings (T10, W3)."""

from __future__ import annotations

from datetime import UTC, datetime

from services.gateway.bells import EVERYTHING, TABS, Bells, Listener
from services.gateway.stream import Spacing
from shared.contracts.base import Role
from shared.contracts.clients import AssignmentsMoved, ClientEnded, ClientState, Figures, MemberState
from shared.contracts.notifier import DeliveryMoved

FIRM, OTHER_FIRM = "kanzlei", "andere"


def listening(*who: tuple[str, str, Role]) -> tuple[Bells, list[Listener]]:
    bells = Bells("gateway", "nowhere:1", 5)
    listeners = []
    for firm_id, member_id, role in who:
        listener = bells.join(firm_id, member_id)
        assert listener is not None
        listener.role, listener.admin = role, role is Role.ADMIN
        listeners.append(listener)
    return bells, listeners


def state(*assignees: str) -> ClientState:
    said = {
        "version": 1, "firm_id": FIRM, "client_id": "c-1", "name": "Bau", "client_number": None, "status": "connected",
        "connected": True, "assignees": assignees, "figures": Figures(),
    }  # fmt: skip
    return ClientState.model_validate(said)


PEOPLE = (
    (FIRM, "chef", Role.ADMIN),
    (FIRM, "leyla", Role.ACCOUNTANT),
    (FIRM, "tom", Role.ACCOUNTANT),
    (OTHER_FIRM, "eve", Role.ADMIN),
)


def test_a_client_is_news_for_admins_and_who_works_on_it() -> None:
    """And for nobody of another firm."""
    bells, (chef, leyla, tom, eve) = listening(*PEOPLE)
    bells.tell(state("leyla"))
    assert chef.waiting == leyla.waiting == {"c-1": True, TABS: True}
    assert tom.waiting == eve.waiting == {}


def test_whoever_was_unassigned_hears_it() -> None:
    """Their tab lost a row."""
    bells, (_, leyla, tom, _) = listening(*PEOPLE)
    who = {"assigned": ("tom",), "unassigned": ("leyla",)}
    moved = AssignmentsMoved.model_validate({"firm_id": FIRM, "client_id": "c-1", "at": datetime.now(UTC), **who})
    bells.tell(moved)
    assert leyla.waiting == tom.waiting == {"c-1": True, TABS: True}


def test_news_that_name_nobody_are_looked_up_for_accountants() -> None:
    """Sure for admins; an accountant's stream asks the door first."""
    bells, (chef, leyla, _, eve) = listening(*PEOPLE)
    bells.tell(DeliveryMoved.model_validate({"firm_id": FIRM, "client_id": "c-1"}))
    assert (chef.waiting, leyla.waiting, eve.waiting) == ({"c-1": True}, {"c-1": False}, {})


def test_an_ended_client_is_named_to_admins_only() -> None:
    """I5: accountants learn that their tabs changed."""
    bells, (chef, leyla, _, eve) = listening(*PEOPLE)
    bells.tell(ClientEnded.model_validate({"firm_id": FIRM, "client_id": "c-1"}))
    assert (chef.waiting, leyla.waiting, eve.waiting) == ({TABS: True, "c-1": True}, {TABS: True}, {})


def test_a_demoted_admin_is_doubted_at_once() -> None:
    """T10: role, activity and firm; a new name is no doubt."""
    bells, (chef, leyla, _, _) = listening(*PEOPLE)
    said = {
        "version": 2, "firm_id": FIRM, "member_id": "chef", "name": "C", "email": "c@k.example", "role": "admin", "locale": None,
        "active": True,
    }  # fmt: skip
    bells.tell(MemberState.model_validate(said, strict=False))
    assert not chef.doubted
    bells.tell(MemberState.model_validate({**said, "role": "accountant"}, strict=False))
    assert (chef.doubted, leyla.doubted) == (True, False)


def test_the_sixth_stream_finds_no_place_until_one_leaves() -> None:
    """E4: five a member."""
    bells = Bells("gateway", "nowhere:1", 5)
    places = [bells.join(FIRM, "leyla") for _ in range(5)]
    assert all(places)
    assert bells.join(FIRM, "leyla") is None
    assert bells.join(FIRM, "tom") is not None
    bells.leave(places[0] or Listener("", ""))
    assert bells.join(FIRM, "leyla") is not None


def test_a_client_rings_once_a_second() -> None:
    """The first at once, the rest of its second as one."""
    spacing = Spacing()
    assert spacing.due(["c-1"], 10.0) == ["c-1"]
    spacing.rang(["c-1"], 10.0)
    assert spacing.due(["c-1", "c-2"], 10.4) == ["c-2"]
    assert spacing.pause(10.4) < 0.7
    spacing.rang(["c-2"], 10.4)
    assert spacing.due(["c-1", "c-2"], 10.9) == []
    assert spacing.due(["c-1", "c-2"], 11.1) == ["c-1"]


def test_a_second_is_counted_from_when_the_reader_was_told() -> None:
    """A ring that took long to be sent does not bring the next one nearer."""
    spacing = Spacing()
    spacing.rang(["c-1"], 10.9)
    assert spacing.due(["c-1"], 11.1) == []


def test_a_slow_reader_keeps_no_more_waiting_than_fits() -> None:
    """E4: whoever does not read is told to begin anew, whatever the number of changes meanwhile."""
    listener = Listener(FIRM, "leyla")
    for number in range(100_000):
        listener.ring(f"c-{number}")
    assert listener.waiting == {EVERYTHING: True}


def test_what_was_surely_news_stays_so() -> None:
    """A doubtful ring does not make a sure one doubtful, nor a lost one sure."""
    listener = Listener(FIRM, "leyla")
    listener.ring("c-1", sure=True)
    listener.ring("c-1", sure=False)
    listener.ring("c-2", sure=False)
    assert listener.waiting == {"c-1": True, "c-2": False}
