"""The way into a client's account, and the reminder of those who work on it (sections 4 and 9)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.clients.domain.events import AccessGranted, GrantRedeemed, Reminded
from shared.contracts import pleo
from shared.contracts.base import Message, Money, Role, Task
from shared.contracts.clients import Figure, Person, ReminderRequested
from shared.decider import Succeeded
from shared.messages import Heard
from tests.spec import NOW
from tests.unit.clients.story import (
    ANNA,
    CONNECTED,
    KANZLEI,
    LEYLA,
    MUELLER_BAU,
    RITA,
    TOM,
    Somebody,
    about,
    accept,
    added,
    after,
    assign,
    balance,
    client_of,
    clock,
    disconnect,
    grant,
    invited,
    joins,
    leaves,
    redeem,
    refused,
    remind,
    said,
    stated,
    told,
    unassign,
)

MISSING, READY, LOW = Task.MISSING_RECEIPTS, Task.EXPORT_READY, Task.LOW_BALANCE
REFUSED = refused("grant_invalid")


def let_in(who: Somebody, role: Role | None = None) -> Succeeded:
    return Succeeded({"member_id": who.id, "client_id": MUELLER_BAU, "firm_id": KANZLEI, "role": (role or who.role).value})


def person(who: Somebody) -> Person:
    return Person(id=who.id, name=who.name)


def test_a_grant_is_good_for_sixty_seconds_from_the_decision() -> None:
    """A3: until the sixtieth second, and not a moment longer."""
    story = told(*CONNECTED).when(grant())
    story.then(AccessGranted, Succeeded({"grant_id": "grant-a", "expires_at": "2026-03-12T09:01:00Z"}))
    story.when(redeem(after(seconds=60, milliseconds=1))).then(REFUSED)
    story.when(redeem(after(seconds=60))).then(GrantRedeemed, let_in(LEYLA))


def test_a_grant_counts_from_its_decision_not_from_its_wish() -> None:
    """A3: a command that had to wait loses none of its sixty seconds."""
    story = told(*CONNECTED).at(after(minutes=5)).when(grant())
    story.when(redeem(after(minutes=6))).then(GrantRedeemed, let_in(LEYLA))


def test_a_grant_works_once() -> None:
    """A3: of any redemptions exactly one wins."""
    story = told(*CONNECTED, grant()).when(redeem(NOW)).then(GrantRedeemed, let_in(LEYLA))
    story.when(redeem(NOW)).then(REFUSED)


def test_a_token_nobody_gave_lets_nobody_in() -> None:
    """A3: nobody can derive one."""
    told(*CONNECTED, grant(token="a")).when(redeem(NOW, "b")).then(REFUSED)


def test_every_grant_and_redemption_is_in_the_access_log() -> None:
    """A4: with the member and the time of the decision, and refused ones not."""
    story = told(*CONNECTED, grant()).at(after(seconds=5)).when(redeem(NOW), redeem(NOW))
    lines = [(x.event, x.member_id, x.name, x.client_id, x.at) for x in story.world.accesses]
    assert lines == [
        ("granted", LEYLA.id, LEYLA.name, MUELLER_BAU, NOW),
        ("redeemed", LEYLA.id, LEYLA.name, MUELLER_BAU, after(seconds=5)),
    ]


@pytest.mark.parametrize(
    ("history", "who", "allowed"),
    [
        (CONNECTED, LEYLA, True),
        ((added(), accept(TOM)), TOM, True),
        ((added(), accept(TOM)), ANNA, False),
        ((invited(TOM), stated("in_review", connected=True)), TOM, True),
        ((invited(TOM), stated("accepted")), TOM, False),
        ((invited(TOM), stated("accepted")), LEYLA, False),
        ((added(),), LEYLA, False),
        ((*CONNECTED, disconnect()), LEYLA, False),
    ],
)
def test_who_may_go_to_a_client(history: tuple[Message, ...], who: Somebody, allowed: bool) -> None:
    """A2: a connected client, verified or not: admins every one, accountants theirs; else not_connected."""
    story = told(*history).when(grant(by=who))
    assert isinstance(story.decided[0], AccessGranted) if allowed else story.decided == [refused("not_connected")]


def test_another_firm_goes_nowhere() -> None:
    """E1: foreign ids are not found."""
    told(*CONNECTED).when(grant(by=RITA)).then(refused("not_found"))


DEMOTED = joins(LEYLA, 2).model_copy(update={"role": Role.ACCOUNTANT})


@pytest.mark.parametrize(
    ("who", "meanwhile"),
    [
        (TOM, unassign(TOM)),
        (TOM, leaves(TOM)),
        (TOM, disconnect()),
        (LEYLA, disconnect()),
        (LEYLA, leaves(LEYLA)),
        (LEYLA, DEMOTED),
    ],
)
def test_rights_are_looked_at_again_when_it_is_redeemed(who: Somebody, meanwhile: Message) -> None:
    """A3: role, assignment and connection, as they are then."""
    told(added(), accept(TOM), grant(by=who), meanwhile).when(redeem(NOW)).then(REFUSED)


def test_a_demoted_admin_who_is_assigned_gets_in_as_what_they_are() -> None:
    """A3: the product is told the role of this moment."""
    story = told(added(), accept(LEYLA), grant(), DEMOTED)
    story.when(redeem(NOW)).then(GrantRedeemed, let_in(LEYLA, Role.ACCOUNTANT))


FACTS: tuple[Heard[Any], ...] = (
    about(pleo.ReceiptMissing, "a", clock(1)),
    about(pleo.ReceiptMissing, "b", clock(1)),
    about(pleo.ExpenseExportReady, "a", clock(1)),
    balance(-500, clock(1), low=True),
)


def test_a_reminder_reaches_everyone_assigned() -> None:
    """R1, R4: whatever their role, the sender too; with the figures of this moment and the comment."""
    story = told(added(), accept(TOM, ANNA, LEYLA), *FACTS).when(remind(MISSING, LOW, comment="Bitte <b>heute</b>"))
    story.then(Reminded, ReminderRequested)
    (request,) = said(story, ReminderRequested)
    assert request.recipients == (person(TOM), person(ANNA), person(LEYLA))
    assert (request.by, request.reply_to, request.comment) == (person(LEYLA), LEYLA.email, "Bitte <b>heute</b>")
    assert (request.client_name, request.requested_at) == ("Müller Bau", NOW)
    owed = Money(amount_minor=-500, currency="EUR")
    assert request.tasks == (Figure(task=MISSING, count=2, outstanding=True), Figure(task=LOW, balance=owed, outstanding=True))


def test_a_reminder_of_what_nobody_heard_of_says_so() -> None:
    """R4, N6: unknown is neither zero nor outstanding; a task ticked twice counts once."""
    story = told(added(), accept(TOM)).when(remind(READY, MISSING, READY, LOW))
    assert said(story, ReminderRequested)[0].tasks == tuple(
        Figure(task=task, outstanding=False) for task in (READY, MISSING, LOW)
    )


def test_who_left_is_not_reminded() -> None:
    """R1, M4: a removed member counts as removed at once, also while still written down as assigned."""
    story = told(added(), accept(TOM, ANNA), leaves(TOM)).when(remind(MISSING))
    assert said(story, ReminderRequested)[0].recipients == (person(ANNA),)
    told(added(), accept(TOM), leaves(TOM)).when(remind(MISSING)).then(refused("no_assignee"))


def test_an_accountant_reminds_nobody() -> None:
    """R1: an admin picks it."""
    told(added(), accept(TOM)).when(remind(MISSING, by=TOM)).then(refused("admin_only"))


def test_what_a_reminder_needs_is_told_in_order() -> None:
    """R2: connected, then a task, then an assignee."""
    story = told(added(), assign(TOM)).when(remind()).then(refused("not_connected"))
    story.when(accept()).when(unassign(TOM)).when(remind()).then(refused("no_task"))
    story.when(remind(MISSING)).then(refused("no_assignee"))
    story.when(assign(TOM)).when(remind(MISSING)).then(Reminded, ReminderRequested)


def test_nobody_is_reminded_of_what_has_ended() -> None:
    """R2, I5: connected clients only."""
    told(added(), accept(TOM), disconnect()).when(remind(MISSING)).then(refused("not_connected"))


def test_ten_reminders_a_day_are_enough() -> None:
    """R3: the eleventh is refused, and only those that succeeded count."""
    story = told(added(), accept(TOM)).when(*[remind()] * 20, *[remind(MISSING)] * 9)
    story.when(remind(MISSING)).then(Reminded, ReminderRequested)
    story.when(remind(MISSING)).then(refused("too_many_reminders"))
    assert client_of(story).reminded == (("2026-03-12", 10),)


@pytest.mark.parametrize(
    ("midnight", "why"),
    [
        (datetime(2026, 3, 12, 23, tzinfo=UTC), "winter: Berlin is an hour ahead"),
        (datetime(2026, 7, 12, 22, tzinfo=UTC), "summer: two hours ahead"),
    ],
)
def test_a_day_ends_at_midnight_in_berlin(midnight: datetime, why: str) -> None:
    """R3: a calendar day of Europe/Berlin, by the moment of the request."""
    last = midnight - timedelta(milliseconds=1)
    story = told(added(), accept(TOM)).when(*[remind(MISSING, at=last)] * 10)
    story.when(remind(MISSING, at=last)).then(refused("too_many_reminders"))
    story.when(remind(MISSING, at=midnight)).then(Reminded, ReminderRequested)
    assert [count for _, count in client_of(story).reminded] == [10, 1], why


def test_a_reminder_counts_for_its_own_day_whatever_comes_first() -> None:
    """R3: commands from both sides of midnight, handled in swapped order."""
    midnight = datetime(2026, 3, 12, 23, tzinfo=UTC)
    before, since = remind(MISSING, at=midnight - timedelta(seconds=1)), remind(MISSING, at=midnight)
    story = told(added(), accept(TOM)).when(*[since, before] * 10)
    story.then(Reminded, ReminderRequested)
    for late in (before, since):
        story.when(late).then(refused("too_many_reminders"))


def test_days_long_past_are_not_kept() -> None:
    """R3: no command is handled more than the seven days of its topic after it was issued."""
    story = told(added(), accept(TOM)).when(*[remind(MISSING, at=after(days=n)) for n in range(30)])
    assert [day for day, _ in client_of(story).reminded] == [f"2026-04-{n:02d}" for n in range(2, 11)]
