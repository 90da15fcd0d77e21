"""A notifier's office: one digest that waits, a mail server that fails where it is told to, mailers that come and go."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any
from uuid import uuid4

from services.notifier import documents
from services.notifier.access import Access, View
from services.notifier.domain.mail import Mail, Part, digest_id
from services.notifier.domain.preferences import Preferences
from services.notifier.domain.subscription import Subscription, subscription_id
from services.notifier.domain.world import client_key
from services.notifier.mailer import Mailer, Policy, Sender
from services.notifier.post import Post, Settled
from services.notifier.smtp import Pool
from services.notifier.store import INDEXES, MAILS
from shared.contracts.base import ClientId, FirmId, MemberId
from shared.contracts.clients import ClientState, Figures
from shared.contracts.notifier import Frequency, MailKind, MailSettled
from shared.mongo import Database
from tests.system import Ground, eventually

FIRM, LEYLA, MUELLER = FirmId("f-1"), MemberId("m-leyla"), ClientId("c-mueller")
ADDRESS = "leyla@firm.example"
MONDAY = datetime(2026, 11, 23, 9, tzinfo=UTC)
POINTS = ("connect", "ehlo", "mail", "rcpt", "data", "body", "dot")
AMBIGUOUS = "dot"
BEYOND_BUFFERS = "M" * 4_000_000  # a mail that cannot be written at once, so that there is a middle to die in


@dataclass
class Server:
    """A mail server that keeps what it took; at *point* it stalls once, and hangs up or goes on when told."""

    point: str | None = None
    answers: dict[str, bytes] = field(default_factory=dict)
    taken: list[bytes] = field(default_factory=list)
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    goes_on: asyncio.Event = field(default_factory=asyncio.Event)
    hangs_up: bool = False
    resets_after: bool = False
    open: set[asyncio.Task[None]] = field(default_factory=set)

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection until either side is gone."""
        task = asyncio.current_task()
        assert task is not None
        self.open.add(task)
        with contextlib.suppress(ConnectionError, asyncio.CancelledError, asyncio.IncompleteReadError, _HungUp):
            await self._talk(reader, writer)
        writer.transport.abort()
        self.open.discard(task)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._at("connect")
        writer.write(b"220 real enough\r\n")
        while line := await reader.readline():
            command = line.split()[0].decode().lower()
            if command == "data":
                await self._mail(reader, writer)
                continue
            await self._at(command)
            writer.write(self.answers.get(command, b"250 fine\r\n"))

    async def _mail(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._at("data")
        writer.write(b"354 go on\r\n")
        if self.point == "body":
            await reader.readline()
            await self._at("body")
        message = await reader.readuntil(b"\r\n.\r\n")
        if (refusal := self.answers.get("dot")) is not None:
            writer.write(refusal)
            return
        self.taken.append(message)
        await self._at("dot")
        writer.write(b"250 taken\r\n")
        if self.resets_after:
            await writer.drain()
            raise _HungUp

    async def _at(self, point: str) -> None:
        if self.point != point:
            return
        self.point = None
        self.reached.set()
        await self.goes_on.wait()
        if self.hangs_up:
            raise _HungUp


class _HungUp(Exception):
    pass


class Open(Access):
    """Clients' door as a test needs it: Leyla sees Müller, unless *lost*, and is reached at *address*."""

    def __init__(self) -> None:
        self.name = "Müller"
        self.lost = False
        self.address = ADDRESS
        self.preferences: dict[str, Preferences] = {}

    async def view(self, mails: Sequence[Mail], before: View | None = None) -> View:
        """Return what the test says is known now."""
        member = {"firm_id": FIRM, "name": "Leyla", "email": self.address, "locale": "de", "active": True, "role": "admin"}
        figures = Figures(missing_receipts=3, missing_receipts_at="2026-11-20T08:12:00.000000000Z")
        body: dict[str, Any] = {"firm_id": FIRM, "client_id": MUELLER, "name": self.name, "client_number": None}
        more = {"status": "connected", "connected": True, "assignees": (LEYLA,), "figures": figures, "version": 1}
        since = MONDAY - timedelta(days=3)
        subscription = Subscription(FIRM, LEYLA, MUELLER, True, Frequency.DAILY, since=since)
        return View(
            members={LEYLA: member},
            allowed={(LEYLA, MUELLER): not self.lost},
            clients={client_key(FIRM, MUELLER): ClientState.model_validate({**body, **more})},
            subscriptions={subscription_id(LEYLA, MUELLER): subscription},
            preferences=self.preferences,
        )


@dataclass
class Office:
    """A database with one digest that waits, a mail server, and notifiers that come and go; *now* is what their clocks say."""

    database: Database
    server: Server
    port: int
    access: Open = field(default_factory=Open)
    settled: list[MailSettled] = field(default_factory=list)
    now: datetime = MONDAY + timedelta(minutes=1)
    running: list[Mailer] = field(default_factory=list)

    def at(self, point: str) -> None:
        """Let the mail server stop at *point*, once."""
        self.server.point = point
        if point == "body":
            self.access.name = BEYOND_BUFFERS

    async def starts(self, policy: Policy = Policy.RESEND, clock: Callable[[], float] = monotonic) -> Mailer:
        """Start a notifier's mailer."""

        async def report(settled: Settled, _: str | None) -> None:
            assert isinstance(settled, MailSettled)
            self.settled.append(settled)

        post = Post(self.database, lambda: self.now, clock)
        sender = Sender("Pleo <partner@pleo.example>", "https://portal.example", "a secret of the tests alone")
        mailer = Mailer(post, self.access, Pool("127.0.0.1", self.port), sender, report, lambda: self.now, policy)
        await mailer.start()
        self.running.append(mailer)
        return mailer

    async def dies(self, mailer: Mailer) -> None:
        """Let *mailer* end as by a power cut: nothing is said to anybody, nothing is written any more."""
        assert mailer._task is not None
        mailer._task.cancel()
        await asyncio.gather(mailer._task, return_exceptions=True)
        mailer._pool.close()
        self.running.remove(mailer)

    async def waits(self, count: int) -> None:
        """Let *count* digests wait to be sent instead of one."""
        await self.database[MAILS].delete_many({})
        await self.database[MAILS].insert_many([documents.of_mail(_digest(number + 1)) for number in range(count)])

    async def mail(self) -> dict[str, Any]:
        """Return the mail as it lies in the database."""
        found: dict[str, Any] = await self.database[MAILS].find_one({"firm_id": FIRM})
        return found

    async def ends(self, status: str) -> None:
        """Return once the mail has become *status*, and that was said."""

        async def became() -> bool:
            return bool((await self.mail())["status"] == status and self.settled)

        await eventually(became)

    async def is_put_off(self) -> None:
        """Return once the mail has been tried and waits for the mail server."""

        async def waits() -> bool:
            return bool((await self.mail()).get("waits"))

        await eventually(waits)

    @property
    def message_ids(self) -> list[bytes]:
        """The Message-IDs of what the server took."""
        return [line for mail in self.server.taken for line in mail.split(b"\r\n") if line.startswith(b"Message-ID:")]


def _digest(number: int = 1) -> Mail:
    part = Part(MUELLER, MONDAY + timedelta(hours=6))
    return Mail(digest_id(LEYLA, MONDAY, number), MailKind.DIGEST, FIRM, LEYLA, MONDAY, MONDAY, (part,), None)


@contextlib.asynccontextmanager
async def opened(ground: Ground) -> AsyncIterator[Office]:
    """Open an office in which one digest of Leyla's waits to be sent."""
    database = Database(ground.mongodb, f"t{uuid4().hex[:12]}_notifier")
    await database.ground(INDEXES)
    await database[MAILS].insert_one(documents.of_mail(_digest()))
    server = Server()
    ear = socket.create_server(("127.0.0.1", 0))
    ear.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    listening = await asyncio.start_server(server.accept, sock=ear, limit=2**26)
    office = Office(database, server, listening.sockets[0].getsockname()[1])
    try:
        yield office
    finally:
        server.goes_on.set()
        for mailer in office.running:
            await mailer.stop()
        listening.close()
        for task in list(server.open):
            task.cancel()
        await asyncio.gather(*server.open, return_exceptions=True)
        await database.drop()
        database.close()
        await asyncio.sleep(0.01)  # transports say goodbye in the loop's next turn
