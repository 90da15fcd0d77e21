"""What waits is handed out to crews: each mail to one of them, and no crew waits for the slowest (N12)."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from services.notifier.domain.mail import Mail
from services.notifier.pile import Pile
from services.notifier.post import Posted
from shared.contracts.base import FirmId, MemberId
from shared.contracts.notifier import MailKind

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
ONE = Mail("1", MailKind.DIGEST, FirmId("f"), MemberId("m"), NOON, NOON, (), None)


class Waiting:
    """Mails that wait, and what was asked for them."""

    def __init__(self, count: int) -> None:
        self.ids = [str(n) for n in range(count)]
        self.looks = 0

    async def look(self, but: Collection[str], count: int) -> list[Posted]:
        self.looks += 1
        await asyncio.sleep(0)
        found = [id for id in self.ids if id not in but][:count]
        return [Posted(replace(ONE, id=id), attempt=0, ambiguous=False, waits=0, not_before=NOON, letter=None) for id in found]


async def _sends(pile: Pile, waiting: Waiting, sent: list[str]) -> None:
    while True:
        async with pile.batch(2) as batch:
            if not batch:
                return
            for posted in batch:
                await asyncio.sleep(0)
                sent.append(posted.mail.id)
                waiting.ids.remove(posted.mail.id)


def test_it_is_looked_for_more_while_others_have_some_in_hand() -> None:
    """Every mail once, and the turn's count is of them all; the look that finds few is the last."""

    async def story() -> None:
        waiting, sent = Waiting(23), list[str]()
        pile = Pile(waiting.look, 5)
        await asyncio.gather(*(_sends(pile, waiting, sent) for _ in range(3)))
        assert sorted(sent, key=int) == [str(n) for n in range(23)]
        assert (pile.count, waiting.ids, waiting.looks) == (23, [], 5)

    asyncio.run(story())


def test_what_one_has_in_hand_is_nobody_elses() -> None:
    """Also if the database still says that it waits."""

    async def story() -> None:
        pile = Pile(Waiting(4).look, 2)
        async with pile.batch(2) as mine, pile.batch(2) as yours, pile.batch(2) as nobodys:
            assert [[posted.mail.id for posted in batch] for batch in (mine, yours, nobodys)] == [["0", "1"], ["2", "3"], []]

    asyncio.run(story())


def test_when_a_crew_fails_the_others_begin_nothing_more() -> None:
    """Invariant 10: an outage is waited out by the turn, not by each crew for itself."""

    async def story() -> None:
        waiting = Waiting(9)
        pile = Pile(waiting.look, 4)
        with pytest.raises(ConnectionError):
            async with pile.batch(2):
                raise ConnectionError
        async with pile.batch(2) as batch:
            assert (batch, waiting.looks) == ([], 1)

    asyncio.run(story())


def test_a_look_that_was_on_its_way_when_a_crew_failed_is_forgotten() -> None:
    """Else the others would go on with what it found."""

    async def story() -> None:
        pile = Pile(Waiting(9).look, 4)

        async def begins() -> list[Posted]:
            async with pile.batch(2) as batch:
                return batch

        async def fails() -> None:
            async with pile.batch(4):
                await asyncio.sleep(0)
                raise ConnectionError

        failing, beginning = asyncio.create_task(fails()), asyncio.create_task(begins())
        with pytest.raises(ConnectionError):
            await failing
        assert await beginning == []

    asyncio.run(story())
