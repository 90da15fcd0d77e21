"""What is said to a mail server and what it answers, several commands in one breath where it allows that (RFC 2920).

aiosmtplib opens the connection and greets; it answers one command at a time, so from then on this takes its place.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import NamedTuple

LONGEST_REPLY = 64 * 1024


class Reply(NamedTuple):
    """What a mail server answered: its code, and its words."""

    code: int
    text: str


class Talk(asyncio.Protocol):
    """The replies on one connection, in order. Raises ConnectionResetError once it is gone, ValueError for what is no reply."""

    def __init__(self, transport: asyncio.WriteTransport) -> None:
        self._transport = transport
        self._unread = b""
        self._words: list[str] = []
        self._replies: deque[Reply] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._awaited = 0
        self._wrong: Exception | None = None  # behind it nothing counts
        transport.set_protocol(self)

    @property
    def stands(self) -> bool:
        """Whether the connection does, as far as one knows."""
        return self._wrong is None and not self._transport.is_closing()

    def say(self, *commands: bytes) -> None:
        """Send *commands*, each a line."""
        self._send(b"".join(command + b"\r\n" for command in commands))

    async def hand_over(self, data: bytes) -> None:
        """Send *data*, and return when it has left us: a stalled server is noticed before the final dot."""
        self._send(data)
        while self._transport.get_write_buffer_size():
            await asyncio.sleep(0.01)
        if not self.stands:
            raise ConnectionResetError("the connection was lost within the mail")

    def _send(self, data: bytes) -> None:
        if not self.stands:
            raise ConnectionResetError("the connection is gone")
        self._transport.write(data)

    async def reply(self) -> Reply:
        """Return the next reply."""
        return (await self.replies(1))[0]

    async def replies(self, count: int) -> list[Reply]:
        """Return the next *count* replies, however many packets they come in: who waits is woken once."""
        while len(self._replies) < count and self._wrong is None:
            self._waiter, self._awaited = asyncio.get_running_loop().create_future(), count
            await self._waiter
        if len(self._replies) < count and self._wrong is not None:
            raise self._wrong
        return [self._replies.popleft() for _ in range(count)]

    def data_received(self, data: bytes) -> None:
        """Take what came; a reply is whole with the line that has no hyphen behind its code."""
        *lines, self._unread = (self._unread + data).split(b"\n")
        for line in lines:
            if self._wrong is None:
                self._take(line.rstrip(b"\r"))
        if len(self._unread) + sum(map(len, self._words)) > LONGEST_REPLY:
            self._end_with(ValueError("a reply without an end"))
        self._wake()

    def _take(self, line: bytes) -> None:
        self._words.append(line[4:].decode("utf-8", "replace").strip())
        if line[3:4] == b"-":
            return
        text, self._words = "\n".join(self._words), []
        if len(line) >= 3 and line[:3].isdigit():
            self._replies.append(Reply(int(line[:3]), text))
        else:
            self._end_with(ValueError("no reply of a mail server"))

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone; what was answered before still counts."""
        lost = ConnectionResetError("the connection was lost")
        lost.__cause__ = exc
        self._end_with(lost)
        self._wake()

    def _end_with(self, wrong: Exception) -> None:
        self._wrong = self._wrong or wrong

    def _wake(self) -> None:
        enough = len(self._replies) >= self._awaited or self._wrong is not None
        if enough and self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def end(self) -> None:
        """Drop the connection, and what still waits to leave us: closing would first write it out."""
        self._transport.abort()
