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
        self._replies: deque[Reply | Exception] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._gone: Exception | None = None
        transport.set_protocol(self)

    @property
    def stands(self) -> bool:
        """Whether the connection does, as far as one knows."""
        return self._gone is None and not self._transport.is_closing()

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
        while not self._replies:
            if self._gone is not None:
                raise self._gone
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        found = self._replies.popleft()
        if isinstance(found, Exception):
            raise found
        return found

    def data_received(self, data: bytes) -> None:
        """Take what came; a reply is whole with the line that has no hyphen behind its code."""
        *lines, self._unread = (self._unread + data).split(b"\n")
        for line in lines:
            self._take(line.rstrip(b"\r"))
        if len(self._unread) + sum(map(len, self._words)) > LONGEST_REPLY:
            self._replies.append(ValueError("a reply without an end"))
        self._wake()

    def _take(self, line: bytes) -> None:
        self._words.append(line[4:].decode("utf-8", "replace").strip())
        if line[3:4] == b"-":
            return
        text, self._words = "\n".join(self._words), []
        is_code = line[:3].isdigit() and len(line) >= 3
        self._replies.append(Reply(int(line[:3]), text) if is_code else ValueError("no reply of a mail server"))

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone; what was answered before still counts."""
        self._gone = ConnectionResetError("the connection was lost")
        self._gone.__cause__ = exc
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def end(self) -> None:
        """Drop the connection, and what still waits to leave us: closing would first write it out."""
        self._transport.abort()
