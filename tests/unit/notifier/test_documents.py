"""What is stored is read again as it was."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import bson
import pytest

from services.notifier import documents
from services.notifier.domain.mail import Line
from services.notifier.domain.world import World
from shared.clock import stamp_of
from shared.contracts.base import ClientId, FirmId, MemberId, Task
from shared.contracts.clients import Figure, Person, ReminderRequested
from shared.contracts.notifier import DeliveryStatus, SkipReason
from tests.unit.notifier.world import AS_OF, FIRM, LEYLA, MONDAY, MUELLER, client, knows, notify, tell, tick


def stored(document: dict[str, Any]) -> dict[str, Any]:
    options: bson.CodecOptions[dict[str, Any]] = bson.CodecOptions(tz_aware=True)
    return bson.decode(bson.encode(document), options)


def reminder(client_version: int = 1) -> ReminderRequested:
    return ReminderRequested(
        command_id="k",  # type: ignore[arg-type]
        reminder_id="r",
        firm_id=FirmId(FIRM),
        client_id=ClientId(MUELLER),
        client_version=client_version,
        client_name="Müller",
        requested_at=MONDAY,
        by=Person(id=MemberId("m-anna"), name="Anna"),
        reply_to="anna@firm.example",
        tasks=(Figure(task=Task.MISSING_RECEIPTS, count=2, outstanding=True),),
        comment=None,
        recipients=(Person(id=MemberId(LEYLA), name="Leyla"),),
    )


def test_subscriptions_mails_and_reminders_come_back_as_they_were() -> None:
    """Every state has a pair of functions; what one writes the other reads."""
    world = World()
    for message in (notify(), tick(MONDAY), reminder()):
        tell(world, message, MONDAY)
    for subscription in world.subscriptions.values():
        assert documents.subscription_of(stored(documents.of_subscription(subscription))) == subscription
    for mail in world.mails.values():
        assert documents.mail_of(stored(documents.of_mail(mail))) == mail
    for one in world.reminders.values():
        assert documents.reminder_of(stored(documents.of_reminder(one))) == one
    for line in world.lines.values():
        assert documents.line_of(stored(documents.of_line(line))) == line
    assert len(world.mails) == 2


def test_a_skipped_line_and_a_copy_come_back_as_they_were() -> None:
    """Reasons and figures keep their types."""
    line = Line(FirmId(FIRM), MemberId(LEYLA), ClientId(MUELLER), MONDAY, DeliveryStatus.SKIPPED, SkipReason.ACCESS_LOST)
    assert documents.line_of(stored(documents.of_line(line))) == line
    state = client(missing=3)
    assert documents.client_of(stored(documents.of_state("x", state))) == state


def test_a_task_is_resolved_once_and_stays_so() -> None:
    """R5: the first moment after the reminder at which its figure was 0; later receipts change nothing."""
    world = World()
    tell(world, reminder(), MONDAY)
    tell(world, client(missing=0, version=2), MONDAY + timedelta(hours=1))
    (task,) = world.reminders["r"].tasks
    assert task.resolved_at is not None
    assert task.resolved_at > AS_OF  # the figure's own time lies before the reminder
    tell(world, client(missing=4, version=3), MONDAY + timedelta(hours=2))
    tell(world, client(missing=0, version=4), MONDAY + timedelta(hours=3))
    assert world.reminders["r"].tasks == (task,)
    assert not world.reminders["r"].open


@pytest.mark.parametrize(("version", "is_resolved"), [(4, False), (5, True), (6, True)])
def test_a_task_is_resolved_by_what_was_heard_before_the_reminder_was(version: int, is_resolved: bool) -> None:
    """R5: the client's newer state may come first, on its own topic; one from before the reminder says nothing."""
    world = knows(World(), client(missing=0, version=version))
    tell(world, reminder(client_version=5), MONDAY)
    (task,) = world.reminders["r"].tasks
    assert (task.resolved_at is not None) is is_resolved
    assert task.resolved_at is None or task.resolved_at >= stamp_of(MONDAY)


@pytest.mark.parametrize(("seconds", "first"), [((-1,), None), ((1,), 1), ((-3, 2, 4), 2)])
def test_a_task_that_was_over_in_between_is_resolved(seconds: tuple[int, ...], first: int | None) -> None:
    """R5: the figure was 0 after the reminder, and is not by the time its client is told of; the first such moment counts."""
    world, moments = World(), {at: stamp_of(MONDAY + timedelta(seconds=at)) for at in seconds}
    tell(world, reminder(), MONDAY)
    state = client(missing=1, version=2)
    figures = state.figures.model_copy(update={"missing_receipts_resolved": tuple(moments.values())})
    tell(world, state.model_copy(update={"figures": figures}), MONDAY + timedelta(hours=1))
    (task,) = world.reminders["r"].tasks
    assert task.resolved_at == (moments[first] if first is not None else None)
