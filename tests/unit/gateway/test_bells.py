"""For whom something is news, and how often it rings (T10, W3)."""

from __future__ import annotations

from datetime import UTC, datetime

from services.gateway.bells import TABS, Bells, Listener
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
    spacing, waiting = Spacing(), {"c-1": True}
    assert spacing.ready(waiting, 10.0) == [("c-1", True)]
    waiting |= {"c-1": True, "c-2": True}
    assert spacing.ready(waiting, 10.4) == [("c-2", True)]
    assert spacing.pause(10.4) < 0.7
    assert spacing.ready(waiting, 10.9) == []
    assert spacing.ready(waiting, 11.1) == [("c-1", True)]
    assert waiting == {}
