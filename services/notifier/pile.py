"""What waits to be sent, handed out to several crews; it is looked for anew when it runs out, not when all have come back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager

from services.notifier.post import Posted

Look = Callable[[Collection[str], int], Awaitable[list[Posted]]]
"""Returns up to so many mails that wait, but those with the ids given."""


class Pile:
    """One turn's mails: it ends with a look that finds fewer than it may, or when one of the crews fails."""

    def __init__(self, look: Look, at_once: int) -> None:
        self._look = look
        self._at_once = at_once
        self._found: list[Posted] = []
        self._in_hand: set[str] = set()
        self._looking = asyncio.Lock()
        self._over = False
        self.count = 0

    @asynccontextmanager
    async def batch(self, size: int) -> AsyncIterator[list[Posted]]:
        """Lend up to *size* mails that nobody else has in hand; none: this turn is over."""
        taken: list[Posted] = []
        try:
            taken = await self._taken(size)
            yield taken
        except BaseException:
            self._found, self._over = [], True
            raise
        finally:
            self._in_hand -= {posted.mail.id for posted in taken}

    async def _taken(self, size: int) -> list[Posted]:
        async with self._looking:
            if not self._found and not self._over:
                await self._look_again()
            taken, self._found = self._found[:size], self._found[size:]
            self._in_hand |= {posted.mail.id for posted in taken}
            return taken

    async def _look_again(self) -> None:
        found = await self._look(self._in_hand, self._at_once)
        if not self._over:  # a crew may have failed meanwhile
            self._found, self._over = found, len(found) < self._at_once
            self.count += len(found)
