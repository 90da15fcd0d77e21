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
from aiosmtplib.errors import SMTPException

from services.notifier.talk import Reply, Talk
from shared.telemetry import Log

AT_ONCE = 8
COMMAND_SECONDS = 20.0  # connecting, greeting, asking whether somebody is there
SEND_SECONDS = 45.0  # the whole of one mail; a lease outlives it
IDLE_SECONDS = 5.0  # a connection that rested longer is asked whether it still stands
FINE, BAD_SEQUENCE = 250, 503
GOOD, GO_ON = 2, 3  # first digits of replies
OPENING = 2  # the place of DATA among the commands
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

    def __init__(self, talk: Talk, *, pipelines: bool) -> None:
        self._talk = talk
        self._pipelines = pipelines
        self.rested_since = monotonic()
        self.sound = True

    @property
    def fresh(self) -> bool:
        """Whether the connection stood a moment ago and nothing is known to the contrary."""
        return self._talk.stands and monotonic() - self.rested_since < IDLE_SECONDS

    async def stands(self) -> bool:
        """Say whether the connection can be used, asking the server if it rested for long."""
        if self.fresh or not self._talk.stands:
            return self._talk.stands
        try:
            async with asyncio.timeout(COMMAND_SECONDS):
                return (await self._answer(b"NOOP")).code == FINE
        except (OSError, ValueError):
            return False

    async def send(self, sender: str, recipient: str, message: bytes, may_finish: Callable[[], bool]) -> Result:
        """Hand over *message* (CRLF lines) and say how far it came; *may_finish* is asked right before the final dot."""
        at_the_dot = False
        try:
            async with asyncio.timeout(SEND_SECONDS):
                refused = await self._addressed(sender, recipient)
                if refused is not None:
                    return refused
                await self._talk.hand_over(_stuffed(message))
                if not may_finish():
                    return self._broken(NotTaken("the lease ran out before the final dot"))
                at_the_dot = True
                answer = await self._answer(b".")
                return Taken() if answer.code // 100 == GOOD else await self._refused(answer, named=True)
        except (OSError, ValueError) as error:  # a timeout is an OSError, too
            why = f"{type(error).__name__}: {error}"[:300]
            return self._broken(Unknown(why) if at_the_dot else NotTaken(why))
        except BaseException:
            self.close()  # cancelled in the middle: the next, innocent mail must not find this transaction
            raise

    async def _addressed(self, sender: str, recipient: str) -> Result | None:
        """Name sender and recipient and open the mail; return why it is not open. In one breath where the server allows it."""
        commands = (f"MAIL FROM:<{sender}>".encode("ascii"), f"RCPT TO:<{recipient}>".encode("ascii"), b"DATA")
        if self._pipelines:
            self._talk.say(*commands)
            answers = await self._talk.replies(len(commands))
        else:
            answers = []
            while len(answers) < len(commands) and (not answers or answers[-1].code // 100 == GOOD):
                answers.append(await self._answer(commands[len(answers)]))
        wrong = next((n for n, answer in enumerate(answers) if answer.code // 100 != (GO_ON if n == OPENING else GOOD)), None)
        if wrong is None:
            return None
        if wrong < OPENING < len(answers) and answers[OPENING].code // 100 == GO_ON:
            self.close()  # it waits for a mail to nobody
        return await self._refused(answers[wrong], named=wrong > 0)

    async def _answer(self, command: bytes) -> Reply:
        self._talk.say(command)
        return await self._talk.reply()

    async def _refused(self, answer: Reply, *, named: bool) -> Result:
        """Say what an answer means; *named*: the recipient was named by then, so it may be about their address."""
        why = f"{answer.code} {answer.text}"[:300]
        if answer.code == BAD_SEQUENCE:  # our conversation is out of step: never the recipient's fault
            return self._broken(NotTaken(why))
        if self.sound:
            try:
                await self._answer(b"RSET")
            except (OSError, ValueError):
                self.close()
        nobody_there = named and _NOBODY_THERE.match(answer.text) is not None
        return Turned(why, nobody_there) if answer.code >= FOREVER else NotTaken(why)

    def _broken(self, result: Result) -> Result:
        self.close()
        return result

    def close(self) -> None:
        """Drop the connection, whatever it was in the middle of."""
        self.sound = False
        self._talk.end()


class Pool:
    """A few connections to the mail server, kept between mails."""

    def __init__(self, host: str, port: int, at_once: int = AT_ONCE) -> None:
        self._host = host
        self._port = port
        self._name = socket.gethostname()
        self._free = asyncio.Semaphore(at_once)
        self._resting: list[Line] = []
        self._lent = 0
        self._knocking: asyncio.Task[None] | None = None

    async def reached(self) -> None:
        """Return once the mail server is there, as far as one knows; raises Away. Who asks while it is tried learns the same."""
        if self._lent or any(line.fresh for line in self._resting):
            return
        if self._knocking is None or self._knocking.done():
            self._knocking = asyncio.create_task(self._knock())
        await asyncio.shield(self._knocking)

    async def _knock(self) -> None:
        async with self.line():
            pass

    @asynccontextmanager
    async def line(self) -> AsyncIterator[Line]:
        """Lend a connection that stands; raises Away."""
        async with self._free:
            line = await self._standing()
            self._lent += 1
            try:
                yield line
            except BaseException:
                line.close()
                raise
            finally:
                self._lent -= 1
            if line.sound:
                line.rested_since = monotonic()
                self._resting.append(line)

    async def _standing(self) -> Line:
        while self._resting:
            line = self._resting.pop()
            if await line.stands():
                return line
            line.close()
        client = SMTP(hostname=self._host, port=self._port, timeout=COMMAND_SECONDS, local_hostname=self._name)
        try:
            await client.connect()
            await client.ehlo()
            if client.transport is None:
                raise ConnectionResetError("the connection was lost at once")
        except (SMTPException, OSError) as error:
            client.close()
            raise Away(f"{type(error).__name__}: {error}"[:300]) from error
        talk = Talk(cast("asyncio.WriteTransport", client.transport))  # uvloop's are none by class
        return Line(talk, pipelines=client.supports_extension("pipelining"))

    def close(self) -> None:
        """Drop every resting connection, and the one that is being opened to see whether somebody is there."""
        if self._knocking is not None:
            self._knocking.cancel()
        for line in self._resting:
            line.close()
        self._resting.clear()


def _stuffed(message: bytes) -> bytes:
    """Return *message* with its dots at line starts doubled and its last line ended."""
    whole = message if message.endswith(b"\r\n") else message + b"\r\n"
    *before, rest = whole.split(b".")  # of a mail's characters dots are few: to look for line ends takes thrice as long
    doubled = [piece + b"." if piece.endswith(b"\n") else piece for piece in before]
    return (b"." if whole.startswith(b".") else b"") + b".".join([*doubled, rest])
