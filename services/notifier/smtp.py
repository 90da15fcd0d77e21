"""Handing a mail to the mail server so that one knows, afterwards, how far it came (invariant 9; facts, "Mail").

Driven command by command: before the final dot nothing was taken, at it one answer is open, after it there is an answer.
"""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from time import monotonic
from typing import cast

from aiosmtplib import SMTP
from aiosmtplib.errors import SMTPException, SMTPResponseException

from shared.telemetry import Log

AT_ONCE = 4
COMMAND_SECONDS = 20.0
SEND_SECONDS = 45.0  # the whole of one mail; a lease outlives it
IDLE_SECONDS = 5.0  # a connection that rested longer is asked whether it still stands
BAD_SEQUENCE = 503
_NOBODY_THERE = re.compile(r"\s*5\.1\.(?!7\b|8\b)\d{1,3}\b")  # RFC 3463: 5.1.7 and 5.1.8 are about the sender's address
FOREVER = 500
log = Log("smtp")


class Away(Exception):
    """The mail server cannot be had at present: no mail was touched."""


@dataclass(frozen=True, slots=True)
class Taken:
    """The mail server took the mail."""


@dataclass(frozen=True, slots=True)
class Turned:
    """The mail server refuses the mail for good; *nobody_there*: because of the recipient's address (N14)."""

    why: str
    nobody_there: bool = False


@dataclass(frozen=True, slots=True)
class NotTaken:
    """The mail was not taken this time, for certain: it may be tried again."""

    why: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """The connection was lost at the final dot: nobody knows whether the mail was taken."""

    why: str


Result = Taken | Turned | NotTaken | Unknown


class Line:
    """One connection to the mail server, for one mail at a time."""

    def __init__(self, client: SMTP) -> None:
        self._client = client
        self.rested_since = monotonic()
        self.sound = True

    async def stands(self) -> bool:
        """Say whether the connection can be used, asking the server if it rested for long."""
        if not self._client.is_connected:
            return False
        if monotonic() - self.rested_since < IDLE_SECONDS:
            return True
        try:
            await self._client.noop()
        except (SMTPException, OSError):
            return False
        return True

    async def send(self, sender: str, recipient: str, message: bytes, may_finish: Callable[[], bool]) -> Result:
        """Hand over *message* (CRLF lines) and say how far it came; *may_finish* is asked right before the final dot."""
        at_the_dot = named = False
        try:
            async with asyncio.timeout(SEND_SECONDS):
                await self._client.mail(sender)
                named = True
                await self._client.rcpt(recipient)
                answer = await self._client.execute_command(b"DATA")
                if answer.code != 354:
                    return await self._refused(answer.code, answer.message, named)
                await self._write(_stuffed(message))
                if not may_finish():
                    return self._broken(NotTaken("the lease ran out before the final dot"))
                at_the_dot = True
                answer = await self._client.execute_command(b".")
        except SMTPResponseException as refusal:
            return await self._refused(refusal.code, refusal.message, named)
        except (SMTPException, OSError, ValueError) as error:
            why = f"{type(error).__name__}: {error}"[:300]
            return self._broken(Unknown(why) if at_the_dot else NotTaken(why))
        except BaseException:
            self.close()  # cancelled in the middle: the next, innocent mail must not find this transaction
            raise
        return Taken() if 200 <= answer.code < 300 else await self._refused(answer.code, answer.message, named)

    async def _write(self, data: bytes) -> None:
        """Write *data* and wait until it left us, so that a stalled server is noticed before the final dot."""
        transport, protocol = self._client.transport, self._client.protocol
        if transport is None or protocol is None:
            raise ConnectionResetError("the connection is gone")
        protocol.write(data)
        while cast("asyncio.WriteTransport", transport).get_write_buffer_size():  # uvloop's are none by class
            await asyncio.sleep(0.01)
        if not self._client.is_connected:
            raise ConnectionResetError("the connection was lost within the mail")

    async def _refused(self, code: int, text: str, named: bool) -> Result:
        """Say what an answer means; *named*: the recipient was named by then, so it may be about their address."""
        why = f"{code} {text}"[:300]
        if code == BAD_SEQUENCE or code < 0:  # our conversation is out of step: never the recipient's fault
            return self._broken(NotTaken(why))
        try:
            await self._client.rset()
        except (SMTPException, OSError):
            self.close()
        nobody_there = named and _NOBODY_THERE.match(text) is not None
        return Turned(why, nobody_there) if code >= FOREVER else NotTaken(why)

    def _broken(self, result: Result) -> Result:
        self.close()
        return result

    def close(self) -> None:
        """Drop the connection, whatever it was in the middle of."""
        self.sound = False
        if self._client.transport is not None:
            cast("asyncio.WriteTransport", self._client.transport).abort()  # closing would first write out what still waits
        self._client.close()


class Pool:
    """A few connections to the mail server, kept between mails."""

    def __init__(self, host: str, port: int, at_once: int = AT_ONCE) -> None:
        self._host = host
        self._port = port
        self._free = asyncio.Semaphore(at_once)
        self._resting: list[Line] = []

    @asynccontextmanager
    async def line(self) -> AsyncIterator[Line]:
        """Lend a connection that stands; raises Away."""
        async with self._free:
            line = await self._standing()
            try:
                yield line
            except BaseException:
                line.close()
                raise
            if line.sound:
                line.rested_since = monotonic()
                self._resting.append(line)

    async def _standing(self) -> Line:
        while self._resting:
            line = self._resting.pop()
            if await line.stands():
                return line
            line.close()
        client = SMTP(hostname=self._host, port=self._port, timeout=COMMAND_SECONDS, local_hostname=socket.gethostname())
        try:
            await client.connect()
            await client.ehlo()
        except (SMTPException, OSError) as error:
            client.close()
            raise Away(f"{type(error).__name__}: {error}"[:300]) from error
        return Line(client)

    def close(self) -> None:
        """Drop every resting connection."""
        for line in self._resting:
            line.close()
        self._resting.clear()


_DOT = re.compile(rb"^\.", re.MULTILINE)


def _stuffed(message: bytes) -> bytes:
    """Return *message* with its dots at line starts doubled and its last line ended."""
    whole = message if message.endswith(b"\r\n") else message + b"\r\n"
    return _DOT.sub(b"..", whole)
