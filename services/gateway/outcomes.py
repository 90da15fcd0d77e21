"""What became of commands: every replica hears all outcomes, and wakes whoever waits here for one."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from services.gateway.tail import Tail
from shared.contracts.base import Outcome
from shared.contracts.portal import OUTCOMES
from shared.messages import Heard, Record, read

Waiter = asyncio.Future[Outcome | None]


class Outcomes:
    """Who waits for which command. A waiter is registered before its command is published, so no outcome slips past."""

    def __init__(self, service: str, bootstrap: str) -> None:
        self.tail = Tail(service, bootstrap, [OUTCOMES], self.heard)
        self._waiters: dict[str, list[Waiter]] = {}
        self._closed = False

    @contextmanager
    def expect(self, command_id: str) -> Iterator[Waiter]:
        """Give a waiter that holds the outcome of *command_id* as soon as it is told; None if this process closes first."""
        waiter: Waiter = asyncio.get_running_loop().create_future()
        if self._closed:
            waiter.set_result(None)
        self._waiters.setdefault(command_id, []).append(waiter)
        try:
            yield waiter
        finally:
            waiter.cancel()
            left = [other for other in self._waiters[command_id] if other is not waiter]
            if left:
                self._waiters[command_id] = left
            else:
                del self._waiters[command_id]

    def heard(self, record: Record) -> None:
        """Wake who waits for the outcome in *record*; most are for other replicas, so the key is looked at first."""
        if record.key is None or record.key.decode("utf-8", "replace") not in self._waiters:
            return
        told = read(record, OUTCOMES.types)
        if isinstance(told, Heard) and isinstance(told.message, Outcome):
            for waiter in self._waiters.get(told.message.command_id, ()):
                if not waiter.done():
                    waiter.set_result(told.message)

    def close(self) -> None:
        """Let everybody go who waits: this process ends."""
        self._closed = True
        for waiters in self._waiters.values():
            for waiter in waiters:
                if not waiter.done():
                    waiter.set_result(None)
