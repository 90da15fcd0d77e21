"""Thirty years of one member: racing schedulers, wrong clocks, outages, changes of mind; nothing missed, nothing doubled.

``PORTAL_SIMULATIONS=20`` lives twenty such lives instead of one (N2-N4, N10-N12).
"""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from heapq import merge
from random import Random
from time import process_time
from typing import Any

import pytest

from services.notifier.domain import DECIDER
from services.notifier.domain.mail import MailStatus
from services.notifier.domain.world import LineWritten, MailQueued, World
from shared.clock import stamp_of
from shared.contracts.base import Message
from shared.contracts.notifier import DeliveryStatus, Frequency
from shared.messages import Heard
from tests.simulation.calendar import DAY, Wish, instants, ten
from tests.unit.notifier.world import LEYLA, notify, tick

YEARS = 30
BEGIN = datetime(2024, 1, 1, tzinfo=UTC)
END = BEGIN + DAY * 365 * YEARS
CLIENTS = ("c-1", "c-2", "c-3")
SCHEDULERS = 5
MOST_WRONG = timedelta(minutes=5)
LONGEST_OUTAGE = timedelta(days=10)
GRACE = {"daily": timedelta(hours=6), "weekly": timedelta(hours=48), "monthly": timedelta(days=5)}
LIVES = int(os.environ.get("PORTAL_SIMULATIONS", "1"))
CPU_SECONDS = 60.0


@dataclass
class Life:
    """A world, and what was written and queued in it."""

    world: World = field(default_factory=World)
    first: dict[str, DeliveryStatus] = field(default_factory=dict)
    settled_at: dict[str, datetime] = field(default_factory=dict)
    settlings: Counter[str] = field(default_factory=Counter)
    mailed: Counter[tuple[str, datetime]] = field(default_factory=Counter)

    def hears(self, message: Message, at: datetime) -> None:
        """Handle *message* at *at*, and let the mailer take at once what waits."""
        for event in DECIDER.decide(Heard(message, "id", "test", stamp_of(at)), self.world, at):
            DECIDER.evolve(self.world, event)
            match event:
                case LineWritten(line):
                    self.settlings[line.id] += 1
                    self.first[line.id], self.settled_at[line.id] = line.status, at
                case MailQueued(mail):
                    self.world.mails[mail.id] = replace(mail, status=MailStatus.SENT)
                    self.mailed[mail.member_id or "", mail.due_at] += 1
                case _:
                    pass


def outages(random: Random) -> list[tuple[datetime, datetime]]:
    """Return some forty outages, from a minute to ten days."""
    found = []
    at = BEGIN + DAY * 30
    while (at := at + DAY * random.uniform(60, 450)) < END:
        found.append((at, at + LONGEST_OUTAGE * random.random() ** 2))
    return found


def wishes(random: Random) -> list[Wish]:
    """Return a member's changes of mind, each the next instant's neighbour or far from it, never within a wrong clock of ten."""
    found = []
    at = BEGIN + DAY * random.uniform(0, 60)
    while at < END:
        frequency = random.choice(["daily", "weekly", "monthly", "monthly", None])
        morning = ten(at.date())
        if abs(at - morning) > 2 * MOST_WRONG:
            found.append(Wish(at, frequency))
        at += DAY * random.choice([random.uniform(0.1, 3), random.uniform(5, 60), random.uniform(100, 900)])
    return found


def ticks(random: Random, away: list[tuple[datetime, datetime]]) -> Iterator[tuple[datetime, datetime]]:
    """Yield when each scheduler speaks and what its clock says then, but for outages: around every ten, and once at large."""
    day = BEGIN.date()
    wrong = [MOST_WRONG * random.uniform(-1, 1) for _ in range(SCHEDULERS)]
    while day < END.date():
        moments = [(ten(day) + timedelta(seconds=random.uniform(0, 600)), ten(day) + DAY * random.random()) for _ in wrong]
        yield from sorted((moment, moment + clock) for clock, two in zip(wrong, moments, strict=True) for moment in two)
        day += DAY


def lived(random: Random) -> tuple[Life, dict[str, list[Wish]], list[tuple[datetime, datetime]]]:
    """Live thirty years; return the life, what the member wished, and when nobody was at work."""
    away = outages(random)
    wished = {client_id: wishes(random) for client_id in CLIENTS}
    spoken = ((moment, 1, at, None) for moment, at in ticks(random, away) if not _during(moment, away))
    said = sorted((_handled(w.at, away), 0, w.at, (id, w)) for id, some in wished.items() for w in some)
    life = Life()
    for moment, _, at, wish in merge(sorted(said, key=_when), sorted(spoken, key=_when), key=_when):
        life.hears(tick(at) if wish is None else _command(*wish), moment)
    return life, wished, away


def _when(entry: tuple[Any, ...]) -> tuple[datetime, int, datetime]:
    return entry[0], entry[1], entry[2]


def _handled(at: datetime, away: list[tuple[datetime, datetime]]) -> datetime:
    """A command of an outage is handled right after it."""
    return next((end for start, end in away if start <= at < end), at)


def _during(at: datetime, away: list[tuple[datetime, datetime]]) -> bool:
    return any(start <= at < end for start, end in away)


def _command(client_id: str, wish: Wish) -> Message:
    frequency = Frequency(wish.frequency) if wish.frequency else None
    return notify(client_id, email=wish.frequency is not None, frequency=frequency, at=wish.at)


@pytest.mark.timeout(60 * max(1, LIVES))
@pytest.mark.parametrize("seed", range(LIVES))
def test_no_instant_of_thirty_years_is_missed_or_doubled(seed: int) -> None:
    """N10-N12: a line for every instant of the calendar and no other; late or missed only where an outage made it so."""
    began = process_time()
    life, wished, away = lived(Random(seed))
    horizon = END - LONGEST_OUTAGE
    expected = {f"{LEYLA}.{id}.{at:%Y%m%dT%H%M%SZ}": (at, f) for id, some in wished.items() for at, f in instants(some, horizon)}
    found = {line.id for line in life.world.lines.values() if line.due_at <= horizon}
    assert found == set(expected)
    assert set(life.settlings.values()) == {1}
    assert all(mail.id.endswith(f":{at:%Y%m%dT%H%M%SZ}:{LEYLA}") for mail in life.world.mails.values() for at in [mail.due_at])
    becomes = Counter(life.first[id] for id in expected)
    assert becomes[DeliveryStatus.PENDING] > 20 * becomes[DeliveryStatus.MISSED] > 0
    for id, (at, frequency) in expected.items():
        outage = next(
            ((start, end) for start, end in away if start <= at + MOST_WRONG + timedelta(minutes=10) and at <= end), None
        )
        if life.first[id] is DeliveryStatus.MISSED:
            assert outage is not None
            assert life.settled_at[id] - at > GRACE[frequency] - 2 * MOST_WRONG or _newer(id, expected, life.settled_at[id])
        else:
            assert life.settled_at[id] - at <= (GRACE[frequency] + MOST_WRONG if outage else DAY)
    spent = process_time() - began
    print(f"{len(expected)} instants, {dict(becomes)}, {len(life.world.mails)} mails, {spent:.1f} s of CPU")
    assert spent <= CPU_SECONDS


def _newer(id: str, expected: dict[str, tuple[datetime, str]], by: datetime) -> bool:
    """Say whether a newer instant of the same client was due when this one was settled: only the newest is delivered late."""
    client, _, _ = id.rpartition(".")
    mine = sorted(at for other, (at, _) in expected.items() if other.rpartition(".")[0] == client)
    return any(expected[id][0] < at <= by + MOST_WRONG for at in mine)


def test_thirty_years_of_ten_oclock_are_the_calendars() -> None:
    """N2, N3: with every change of clocks and leap day, for each frequency and every day of switching on in a year."""
    from services.notifier.domain import schedule

    by_frequency: dict[str, list[datetime]] = defaultdict(list)
    for frequency in Frequency:
        at = schedule.first_instant(BEGIN)
        while at <= END:
            by_frequency[frequency].append(at)
            at = schedule.next_instant(frequency, at)
        assert [i for i, _ in instants([Wish(BEGIN, frequency.value)], END)] == by_frequency[frequency]
    for day in range(366):
        for second in (-1, 0, 1):
            at = ten((BEGIN + DAY * day).date()) + timedelta(seconds=second)
            ((first, _), *_) = instants([Wish(at, "weekly")], at + DAY * 8)
            assert schedule.first_instant(at) == first
