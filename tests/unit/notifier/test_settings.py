"""What counts for all digests of a member: many at once, a default, a pause, links, and addresses that turn us away (N13-N17)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from services.notifier.domain.subscription import subscription_id
from services.notifier.domain.world import SubscriptionChanged, World
from shared.contracts.base import ClientId
from shared.contracts.clients import AssignmentsMoved, ClientEnded, MemberState
from shared.contracts.notifier import (
    STEP,
    ClientSeen,
    Frequency,
    SetManyNotifications,
    SetNotificationSettings,
    UndoUnsubscribe,
    Unsubscribe,
)
from shared.decider import Finished, Succeeded
from tests.unit.notifier.world import (
    FIRM,
    LEYLA,
    MONDAY,
    MUELLER,
    NEXT_MONDAY,
    THURSDAY,
    WEBER,
    client,
    knows,
    lines,
    notify,
    tell,
    tick,
)

HERS, WEBERS = subscription_id(LEYLA, MUELLER), subscription_id(LEYLA, WEBER)
HOUR = timedelta(hours=1)
ACTOR = {"member_id": LEYLA, "firm_id": FIRM, "role": "accountant", "name": "Leyla", "email": "leyla@firm.example"}
SECRET = "a secret of the tests alone"


def stamp(at: datetime = THURSDAY) -> dict[str, Any]:
    return {"command_id": "k", "issued_at": at, "actor": ACTOR}


def settings(at: datetime = THURSDAY, default: Frequency | None = None, until: date | None = None) -> SetNotificationSettings:
    return SetNotificationSettings.model_validate(
        {**stamp(at), "default_frequency": default, "paused_until": until}, strict=False
    )


def many(*clients: ClientSeen, at: datetime = THURSDAY) -> SetManyNotifications:
    body = {**stamp(at), "clients": clients, "email": True, "frequency": Frequency.DAILY}
    return SetManyNotifications.model_validate(body, strict=False)


def unsubscribe(*client_ids: str, at: datetime = THURSDAY + HOUR) -> Unsubscribe:
    body = {**stamp(at), "click": "click", "client_ids": client_ids or None}
    return Unsubscribe.model_validate(body, strict=False)


def undo(at: datetime) -> UndoUnsubscribe:
    return UndoUnsubscribe.model_validate({**stamp(at), "click": "click"}, strict=False)


def assigned(at: datetime, *, unassigned: bool = False) -> AssignmentsMoved:
    who = {"assigned": [], "unassigned": [LEYLA]} if unassigned else {"assigned": [LEYLA], "unassigned": []}
    return AssignmentsMoved.model_validate({"firm_id": FIRM, "client_id": MUELLER, "at": at, **who}, strict=False)


def leyla(*, active: bool = True) -> MemberState:
    body = {"firm_id": FIRM, "member_id": LEYLA, "name": "Leyla", "email": "leyla@firm.example", "role": "accountant"}
    return MemberState.model_validate({**body, "locale": None, "active": active, "version": 1}, strict=False)


def on(world: World) -> set[str]:
    return {s.client_id for s in world.subscriptions.values() if s.email}


def hers(*client_ids: str) -> World:
    world = knows(knows(World(), client(MUELLER)), client(WEBER))
    tell(world, leyla())
    for client_id in client_ids:
        tell(world, notify(client_id))
    return world


def test_many_are_set_in_steps_and_told_together() -> None:
    """N16, invariant 14: more than a transaction should hold, one outcome with each client's own."""
    seen = [ClientSeen(client_id=ClientId(f"c-{n}"), code="not_found" if n == 7 else None) for n in range(STEP + 3)]
    world = World()
    events = tell(world, many(*seen))
    (finished,) = [e for e in events if isinstance(e, Finished)]
    assert isinstance(finished.outcome, Succeeded)
    items = finished.outcome.result["items"]
    assert [item["code"] for item in items if item["status"] == "refused"] == ["not_found"]
    assert (len(items), len(on(world))) == (STEP + 3, STEP + 2)
    assert {s.next_at for s in world.subscriptions.values()} == {MONDAY}


def test_none_of_mine_is_a_success_about_nobody() -> None:
    """N16."""
    assert [e for e in tell(World(), many()) if isinstance(e, Finished)] == [
        Finished("k", LEYLA, Succeeded({"items": []}), SetManyNotifications)
    ]


def test_a_step_does_not_undo_what_was_set_meanwhile() -> None:
    """N16: the newer wish counts, whatever is handled last."""
    world = hers()
    tell(world, notify(email=False, at=THURSDAY + HOUR))
    tell(world, many(ClientSeen(client_id=ClientId(MUELLER)), ClientSeen(client_id=ClientId(WEBER))))
    assert on(world) == {WEBER}


@pytest.mark.parametrize("state_first", [True, False])
def test_a_default_switches_on_from_the_assignment_whichever_is_heard_first(state_first: bool) -> None:
    """N16, N2: the client's state and the assignment travel on topics of their own."""
    world = hers()
    world.clients.clear()
    tell(world, settings(default=Frequency.MONTHLY))
    before_ten, after_ten = MONDAY - timedelta(seconds=1), MONDAY + timedelta(seconds=1)
    told = [(client(version=2), after_ten), (assigned(before_ten), after_ten)]
    for message, at in told if state_first else reversed(told):
        tell(world, message, at)
    subscription = world.subscriptions[HERS]
    assert (subscription.email, subscription.frequency) == (True, Frequency.MONTHLY)
    assert subscription.next_at == MONDAY


def test_a_default_waits_until_the_client_is_connected() -> None:
    """N16, N1: there are no notifications of a client that is not connected; unassigned before, nothing happens."""
    for unassigned in (False, True):
        world = knows(hers(), client(connected=False))
        tell(world, settings(default=Frequency.DAILY))
        tell(world, assigned(THURSDAY + HOUR), THURSDAY + HOUR)
        assert not on(world)
        if unassigned:
            tell(world, assigned(THURSDAY + 2 * HOUR, unassigned=True))
        tell(world, client(version=2), MONDAY + HOUR)
        assert on(world) == (set() if unassigned else {MUELLER})
        assert unassigned or world.subscriptions[HERS].next_at == NEXT_MONDAY


def test_a_default_counts_for_later_assignments_only_and_changes_nothing_set_by_hand() -> None:
    """N16."""
    world = knows(hers(), client(connected=False))
    tell(world, settings(THURSDAY + HOUR, default=Frequency.DAILY))
    tell(world, assigned(THURSDAY), THURSDAY + 2 * HOUR)
    tell(world, client(version=2), THURSDAY + 2 * HOUR)
    assert not on(world)
    world = knows(hers(), client(connected=False))
    tell(world, settings(default=Frequency.DAILY))
    tell(world, notify(email=False))
    tell(world, assigned(THURSDAY + HOUR), THURSDAY + HOUR)
    tell(world, client(version=2), THURSDAY + HOUR)
    assert not on(world)


def test_a_pause_covers_the_days_before_its_date() -> None:
    """N17: the first instant on that day comes."""
    for until, status in ((MONDAY.date() + timedelta(days=1), "skipped"), (MONDAY.date(), "pending")):
        world = hers(MUELLER)
        tell(world, settings(until=until))
        tell(world, tick(MONDAY), MONDAY)
        assert [line.status.value for line in lines(world)] == [status]


def test_a_pause_swallows_nothing_that_was_due_and_its_end_brings_nothing_back() -> None:
    """N17, N4: what was due by then is settled as it was before."""
    world = hers(MUELLER)
    tell(world, settings(MONDAY, until=date(2027, 1, 1)), MONDAY)
    assert [line.status.value for line in lines(world)] == ["pending"]
    tell(world, settings(NEXT_MONDAY + HOUR), NEXT_MONDAY + HOUR)
    assert [(line.status.value, line.reason) for line in lines(world)] == [("pending", None), ("skipped", "paused")]


def test_a_pause_that_is_moved_goes_on() -> None:
    """N17: an instant of its first part stays paused, were it settled late."""
    world = hers(MUELLER)
    tell(world, settings(until=date(2026, 11, 30)))
    tell(world, settings(THURSDAY + HOUR, until=date(2026, 12, 30)))
    assert world.preferences[LEYLA].pauses(THURSDAY + timedelta(minutes=1))
    assert not world.preferences[LEYLA].pauses(THURSDAY - timedelta(minutes=1))


def test_a_click_ends_what_it_names_and_undo_goes_on_as_before() -> None:
    """N13: repeated, it changes nothing; the schedule is the old one."""
    world = hers(MUELLER, WEBER)
    before = dict(world.subscriptions)
    tell(world, unsubscribe(MUELLER))
    assert on(world) == {WEBER}
    assert not [e for e in tell(world, unsubscribe(MUELLER)) if isinstance(e, SubscriptionChanged)]
    tell(world, undo(THURSDAY + 2 * HOUR))
    after = world.subscriptions[HERS]
    assert replace(after, ended_at=None) == before[HERS]
    assert not [e for e in tell(world, undo(THURSDAY + 2 * HOUR)) if isinstance(e, SubscriptionChanged)]


def test_a_click_swallows_no_instant_that_was_due() -> None:
    """N4, N10: the instant is settled first, and answered though it is off by then."""
    world = hers(MUELLER)
    tell(world, unsubscribe(at=MONDAY), MONDAY)
    assert [line.status.value for line in lines(world)] == ["pending"]
    assert world.subscriptions[HERS].silent_for(MONDAY) is None
    assert world.subscriptions[HERS].silent_for(NEXT_MONDAY) == "switched_off"


def test_undo_after_its_instants_passed_takes_the_next_slot() -> None:
    """N13: between click and undo there is no line (N10)."""
    world = hers(MUELLER)
    tell(world, tick(MONDAY), MONDAY)
    tell(world, unsubscribe(at=MONDAY + HOUR), MONDAY)
    tell(world, undo(MONDAY + timedelta(days=10)))
    assert world.subscriptions[HERS].next_at == datetime.fromisoformat("2026-12-07T09:00:00+00:00")
    assert len(lines(world)) == 1


def test_undo_restores_neither_what_access_was_lost_to_nor_after_thirty_days() -> None:
    """N13: even where access came back."""
    world = hers(MUELLER, WEBER)
    tell(world, unsubscribe())
    tell(world, ClientEnded.model_validate({"firm_id": FIRM, "client_id": MUELLER}), THURSDAY + 2 * HOUR)
    late = THURSDAY + HOUR + timedelta(days=30)
    tell(world, undo(late + timedelta(seconds=1)))
    assert on(world) == set()
    tell(world, undo(late))
    assert on(world) == {WEBER}
    world = hers(MUELLER)
    tell(world, unsubscribe())
    tell(world, client(version=2).model_copy(update={"assignees": ()}))
    tell(world, undo(THURSDAY + 2 * HOUR))
    assert on(world) == set()
