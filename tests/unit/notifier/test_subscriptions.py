"""What a member sets, what time does to it, and what the ledger says (N1, N4, N8-N12)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from services.notifier.domain.mail import MailStatus, digest_id
from services.notifier.domain.schedule import GRACE
from services.notifier.domain.subscription import Mailed, subscription_id
from services.notifier.domain.world import MailQueued, SubscriptionChanged, World
from shared.contracts.clients import ClientEnded, MemberLeft
from shared.contracts.notifier import DeliveryStatus, Frequency, MailSettled
from shared.decider import Refused, Succeeded
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

HERS = subscription_id(LEYLA, MUELLER)


def subscribed(*client_ids: str, frequency: Frequency = Frequency.WEEKLY) -> World:
    world = World()
    for client_id in client_ids or (MUELLER,):
        tell(world, notify(client_id, frequency=frequency))
    return world


def statuses(world: World) -> list[tuple[datetime, str]]:
    return [(line.due_at, line.status.value) for line in lines(world)]


def test_switching_on_shows_the_next_three_instants() -> None:
    """N1, N5: the answer is what GET shows, with Berlin offsets."""
    answer = tell(World(), notify())[-1]
    expected = [f"2026-{day}T10:00:00+01:00" for day in ("11-23", "11-30", "12-07")]
    assert answer == Succeeded(
        {"email": True, "frequency": "weekly", "even_if_nothing": False, "next_deliveries": expected, "suppressed": None}
    )


def test_a_client_that_is_not_connected_is_refused() -> None:
    """N1."""
    assert tell(World(), notify(connected=False)) == [Refused("not_connected")]


def test_a_change_that_changes_nothing_changes_nothing() -> None:
    """N4."""
    world = subscribed()
    assert not [e for e in tell(world, notify(at=THURSDAY + timedelta(hours=1))) if isinstance(e, SubscriptionChanged)]


def test_switching_off_replaces_the_whole_setting_and_plans_nothing() -> None:
    """Contract: a PUT is a full replacement."""
    world = subscribed()
    tell(world, notify(email=False, frequency=None))
    after = world.subscriptions[HERS]
    assert (after.email, after.frequency, after.next_at) == (False, None, None)


def test_off_and_on_starts_anew() -> None:
    """N4: with the first Monday after the switch-on (N2)."""
    world = subscribed()
    tell(world, tick(MONDAY), MONDAY)
    tell(world, notify(email=False, at=MONDAY + timedelta(hours=1)))
    tell(world, notify(frequency=Frequency.DAILY, at=MONDAY + timedelta(hours=2)))
    assert world.subscriptions[HERS].next_at == NEXT_MONDAY


def test_a_change_swallows_no_instant_that_was_due() -> None:
    """N4: no tick came yet, the change settles the instant first; off, too."""
    for command in (notify(frequency=Frequency.DAILY, at=MONDAY), notify(email=False, at=MONDAY)):
        world = subscribed()
        tell(world, command, MONDAY)
        assert statuses(world) == [(MONDAY, "pending")]


def test_a_tick_answers_what_is_due_and_moves_on() -> None:
    """N8, N12: one mail for both clients, a pending line each."""
    world = subscribed(MUELLER, WEBER)
    tell(world, tick(MONDAY), MONDAY)
    assert [m.id for m in world.mails.values()] == [digest_id(LEYLA, MONDAY)]
    assert {part.client_id for part in world.mails[digest_id(LEYLA, MONDAY)].parts} == {MUELLER, WEBER}
    assert statuses(world) == [(MONDAY, "pending"), (MONDAY, "pending")]
    assert world.subscriptions[HERS].next_at == NEXT_MONDAY


def test_a_tick_twice_or_early_does_nothing() -> None:
    """N11: the state decides, not the tick."""
    world = subscribed()
    assert not tell(world, tick(MONDAY - timedelta(microseconds=1)))
    tell(world, tick(MONDAY), MONDAY)
    assert not tell(world, tick(MONDAY), MONDAY)


def test_after_an_outage_the_newest_is_late_and_the_older_are_missed() -> None:
    """N11: daily, three days away, back five hours after the newest."""
    world = subscribed(frequency=Frequency.DAILY)
    tell(world, tick(MONDAY + timedelta(days=2, hours=5)))
    assert statuses(world) == [
        (MONDAY, "missed"),
        (MONDAY + timedelta(days=1), "missed"),
        (MONDAY + timedelta(days=2), "pending"),
    ]


def test_after_too_long_an_outage_all_are_missed_and_nothing_is_mailed() -> None:
    """N11: the grace of a daily one is six hours."""
    world = subscribed(frequency=Frequency.DAILY)
    assert not [e for e in tell(world, tick(MONDAY + timedelta(hours=7))) if isinstance(e, MailQueued)]
    assert statuses(world) == [(MONDAY, "missed")]


def test_a_waiting_mail_has_what_is_left_of_the_grace() -> None:
    """N11: the tick came two hours late, so four of six are left."""
    world = subscribed(frequency=Frequency.DAILY)
    tell(world, tick(MONDAY + timedelta(hours=2)), THURSDAY)
    (part,) = world.mails[digest_id(LEYLA, MONDAY)].parts
    assert part.give_up_at == THURSDAY + timedelta(hours=4)


@pytest.mark.parametrize(("frequency", "grace"), list(GRACE.items()))
def test_a_tick_at_the_last_moment_of_the_grace_is_answered(frequency: Frequency, grace: timedelta) -> None:
    """N11: "at most" holds at the limit itself; its mail has a moment to be made, or it would be late before its first try."""
    world = subscribed(frequency=frequency)
    tell(world, tick(MONDAY + grace), THURSDAY)
    (part,) = world.mails[digest_id(LEYLA, MONDAY)].parts
    assert part.give_up_at - THURSDAY == timedelta(minutes=1)
    late = subscribed(frequency=frequency)
    tell(late, tick(MONDAY + grace + timedelta(microseconds=1)), THURSDAY)
    assert not late.mails


def test_a_mail_on_its_way_takes_nobody_else_on() -> None:
    """N12, N11: the switch-on that was handled late is answered by a mail of its own, once, and nobody twice."""
    world = subscribed()
    tell(world, tick(MONDAY), MONDAY)
    id = digest_id(LEYLA, MONDAY)
    world.mails[id] = replace(world.mails[id], status=MailStatus.SENT)
    tell(world, notify(WEBER), MONDAY)
    tell(world, tick(MONDAY), MONDAY)
    assert [part.client_id for part in world.mails[digest_id(LEYLA, MONDAY, 2)].parts] == [WEBER]
    assert [(line.client_id, line.status.value) for line in lines(world)] == [(MUELLER, "pending"), (WEBER, "pending")]


def test_off_and_on_before_an_instant_that_was_mailed_is_not_mailed_again() -> None:
    """N12: one mail per member, client and instant."""
    world = subscribed()
    tell(world, tick(MONDAY), MONDAY)
    tell(world, notify(email=False, frequency=None))
    tell(world, notify())
    assert not [e for e in tell(world, tick(MONDAY), MONDAY) if isinstance(e, MailQueued)]


def settled(status: str, reason: str | None = None, **figures: int) -> MailSettled:
    delivery = {"client_id": MUELLER, "status": status, "reason": reason, **figures}
    body = {"mail_id": digest_id(LEYLA, MONDAY), "firm_id": FIRM, "member_id": LEYLA, "due_at": MONDAY, "message_id": "<x@y>"}
    return MailSettled.model_validate(
        {**body, "sent_at": MONDAY if status == "sent" else None, "deliveries": [delivery]}, strict=False
    )


def test_what_was_sent_is_in_the_ledger_and_remembered() -> None:
    """N10, N6: the next mail tells the change since this one."""
    world = subscribed()
    tell(world, tick(MONDAY), MONDAY)
    tell(world, settled("sent", missing_receipts=3))
    (line,) = lines(world)
    assert (line.status, line.sent_at, line.message_id) == (DeliveryStatus.SENT, MONDAY, "<x@y>")
    assert world.subscriptions[HERS].mailed == Mailed(MONDAY, 3, None, None, None)
    assert world.recorded == {digest_id(LEYLA, MONDAY)}


def test_told_twice_it_is_one_line() -> None:
    """N10: a repeat finds the same line."""
    world = subscribed()
    for _ in range(2):
        tell(world, settled("skipped", "nothing_outstanding"))
    assert statuses(world) == [(MONDAY, "skipped")]


def test_an_unassignment_ends_nothing_but_a_disconnect_does() -> None:
    """N9: even if the switch-on crossed the disconnect."""
    for connected, still_on in ((True, True), (False, False)):
        world = knows(subscribed(), client(connected=connected))
        tell(world, settled("skipped", "access_lost"))
        assert world.subscriptions[HERS].email is still_on


def test_a_leaver_and_an_ended_client_end_subscriptions() -> None:
    """M4, I5: and a subscription made since then stays."""
    for gone in (
        MemberLeft.model_validate({"firm_id": FIRM, "member_id": LEYLA}),
        ClientEnded.model_validate({"firm_id": FIRM, "client_id": MUELLER}),
    ):
        world = subscribed()
        tell(world, gone, THURSDAY - timedelta(hours=1))
        assert world.subscriptions[HERS].email
        tell(world, gone, THURSDAY + timedelta(hours=1))
        assert not world.subscriptions[HERS].email
        assert not [e for e in tell(world, gone, THURSDAY + timedelta(hours=1)) if isinstance(e, SubscriptionChanged)]


def test_a_change_handled_after_a_long_outage_answers_nothing_too_late() -> None:
    """N11, N4: what was due when it was issued is settled, but as missed; its grace is not counted from the command."""
    world = subscribed(frequency=Frequency.DAILY)
    tell(world, notify(frequency=Frequency.WEEKLY, at=MONDAY + timedelta(hours=1)), MONDAY + timedelta(hours=7))
    assert statuses(world) == [(MONDAY, "missed")]
    world = subscribed(frequency=Frequency.DAILY)
    tell(world, notify(frequency=Frequency.WEEKLY, at=MONDAY + timedelta(hours=1)), MONDAY + timedelta(hours=5))
    assert [part.give_up_at for part in world.mails[digest_id(LEYLA, MONDAY)].parts] == [MONDAY + timedelta(hours=6)]
