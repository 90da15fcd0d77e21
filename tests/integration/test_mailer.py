"""A mail's way through every death it may meet, against a mail server and a database that are real (N11, N12, invariant 9)."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from services.notifier import documents
from services.notifier.access import Access, View
from services.notifier.domain.mail import Mail, Part, digest_id
from services.notifier.domain.preferences import Preferences, Suppressed
from services.notifier.domain.subscription import Subscription, subscription_id
from services.notifier.domain.world import client_key
from services.notifier.mailer import Mailer, Policy, Sender
from services.notifier.post import LEASE, Post, Settled
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
    """Clients' door as a test needs it: Leyla sees Müller, unless *lost*."""

    def __init__(self) -> None:
        self.name = "Müller"
        self.lost = False
        self.preferences: dict[str, Preferences] = {}

    async def view(self, mails: Sequence[Mail], before: View | None = None) -> View:
        """Return what the test says is known now."""
        member = {"firm_id": FIRM, "name": "Leyla", "email": ADDRESS, "locale": "de", "active": True, "role": "admin"}
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

    async def starts(self, policy: Policy = Policy.RESEND, lease: timedelta = LEASE) -> Mailer:
        """Start a notifier's mailer."""

        async def report(settled: Settled, _: str | None) -> None:
            assert isinstance(settled, MailSettled)
            self.settled.append(settled)

        post = Post(self.database, lambda: self.now, lease)
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

    async def mail(self) -> dict[str, Any]:
        """Return the mail as it lies in the database."""
        found: dict[str, Any] = await self.database[MAILS].find_one({"firm_id": FIRM})
        return found

    async def ends(self, status: str) -> None:
        """Return once the mail has become *status*."""

        async def became() -> bool:
            return bool((await self.mail())["status"] == status)

        await eventually(became)

    @property
    def message_ids(self) -> list[bytes]:
        """The Message-IDs of what the server took."""
        return [line for mail in self.server.taken for line in mail.split(b"\r\n") if line.startswith(b"Message-ID:")]


@pytest.fixture
async def office(ground: Ground) -> AsyncIterator[Office]:
    """One digest of Leyla's waits to be sent."""
    database = Database(ground.mongodb, f"t{uuid4().hex[:12]}_notifier")
    await database.ground(INDEXES)
    part = Part(MUELLER, MONDAY + timedelta(hours=6))
    mail = Mail(digest_id(LEYLA, MONDAY), MailKind.DIGEST, FIRM, LEYLA, MONDAY, MONDAY, (part,), None)
    await database[MAILS].insert_one(documents.of_mail(mail))
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


@pytest.mark.parametrize("pipelines", [False, True])
@pytest.mark.parametrize("point", POINTS)
async def test_a_notifier_killed_at_any_point_loses_nothing_and_doubles_only_at_the_dot(
    office: Office, point: str, pipelines: bool
) -> None:
    """N12: whoever comes after the lease sends it, with the same Message-ID; also where commands go in one breath."""
    office.at(point)
    if pipelines:
        office.server.answers["ehlo"] = b"250-real enough\r\n250 PIPELINING\r\n"
    victim = await office.starts()
    await asyncio.wait_for(office.server.reached.wait(), 10)
    await office.dies(victim)
    office.server.goes_on.set()
    office.now += LEASE + timedelta(seconds=1)
    await office.starts()
    await office.ends("sent")
    assert len(office.message_ids) == (2 if point == AMBIGUOUS else 1)
    assert len(set(office.message_ids)) == 1


@pytest.mark.parametrize("point", POINTS)
async def test_under_hold_a_killed_notifiers_mail_is_never_sent_twice(office: Office, point: str) -> None:
    """N12: what may have been taken is recorded as unknown; before a connection stood, nothing can have been."""
    office.at(point)
    victim = await office.starts(Policy.HOLD)
    await asyncio.wait_for(office.server.reached.wait(), 10)
    await office.dies(victim)
    office.server.goes_on.set()
    office.now += LEASE + timedelta(seconds=1)
    await office.starts(Policy.HOLD)
    before_any_byte = point in ("connect", "ehlo")
    await office.ends("sent" if before_any_byte else "outcome_unknown")
    assert len(office.message_ids) == (1 if before_any_byte or point == AMBIGUOUS else 0)


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("policy", list(Policy))
async def test_a_mail_server_that_hangs_up_at_any_point_gets_the_mail_once(office: Office, point: str, policy: Policy) -> None:
    """N12: before the dot it is tried again under either policy; at the dot the policy speaks."""
    office.at(point)
    office.server.hangs_up = True
    office.server.goes_on.set()
    await office.starts(policy)
    await asyncio.wait_for(office.server.reached.wait(), 10)

    async def moves_on() -> bool:
        office.now += timedelta(seconds=1)
        return bool((await office.mail())["status"] in ("sent", "outcome_unknown"))

    await eventually(moves_on)
    ambiguous = point == AMBIGUOUS
    await office.ends("outcome_unknown" if ambiguous and policy is Policy.HOLD else "sent")
    assert len(office.message_ids) == (2 if ambiguous and policy is Policy.RESEND else 1)
    assert len(set(office.message_ids)) == 1


async def test_of_two_notifiers_the_one_frozen_past_its_lease_sends_nothing(office: Office) -> None:
    """Invariant 9: it looks at its lease right before the final dot, and finds that it is over."""
    office.server.point = "data"
    frozen = await office.starts(lease=timedelta(seconds=10.5))
    await asyncio.wait_for(office.server.reached.wait(), 10)
    office.now += LEASE
    await office.starts()
    await office.ends("sent")
    await asyncio.sleep(0.6)  # the frozen one's lease has less than its last ten seconds then
    office.server.goes_on.set()
    await eventually(lambda: not frozen._pool._resting and frozen._pool._free._value == 4)
    assert len(office.server.taken) == 1
    assert [settled.deliveries[0].status for settled in office.settled] == ["sent"]


async def test_two_notifiers_at_once_send_one_mail(office: Office) -> None:
    """N12: who comes second finds the claim taken."""
    await asyncio.gather(*(office.starts() for _ in range(4)))
    await office.ends("sent")
    assert len(office.server.taken) == 1


async def test_a_server_that_says_yes_and_resets_has_the_mail(office: Office) -> None:
    """N12: what was answered counts; errors afterwards are noise."""
    office.server.resets_after = True
    await office.starts()
    await office.ends("sent")
    assert len(office.server.taken) == 1


@pytest.mark.parametrize(
    ("answer", "status", "address"),
    [
        (b"550 5.1.1 no such mailbox\r\n", "failed", ADDRESS),
        (b"550 5.7.1 we do not like you\r\n", "failed", None),
        (b"553 5.1.8 who is that sender\r\n", "failed", None),
        (b"550 no such mailbox\r\n", "failed", None),
    ],
)
async def test_an_address_that_is_none_is_told_apart(office: Office, answer: bytes, status: str, address: str | None) -> None:
    """N14: by the mail server's enhanced status 5.1.x about the recipient, never by anything else."""
    office.server.answers["rcpt"] = answer
    await office.starts()
    await office.ends(status)
    assert [settled.refused_address for settled in office.settled] == [address]


async def test_a_server_away_longer_than_the_grace_makes_it_missed(office: Office) -> None:
    """N11: the same limits bound a mail that waits for the mail server."""
    office.server.answers["rcpt"] = b"451 4.7.1 later\r\n"
    await office.starts()

    async def waits() -> bool:
        return bool((await office.mail()).get("waits"))

    await eventually(waits)
    office.now = MONDAY + timedelta(hours=6, seconds=1)
    await office.ends("missed")
    assert office.server.taken == []


@pytest.mark.parametrize(("lost", "reason"), [(True, "access_lost"), (False, "suppressed")])
async def test_what_was_planned_is_looked_at_again_before_it_goes(office: Office, lost: bool, reason: str) -> None:
    """N9, N14: a letter that waits for the mail server is not sent once it must not be."""
    office.server.answers["rcpt"] = b"451 4.7.1 later\r\n"
    await office.starts()

    async def waits() -> bool:
        return bool((await office.mail()).get("waits"))

    await eventually(waits)
    bounced = Preferences(LEYLA, FIRM).turned_away(ADDRESS, Suppressed.HARD_BOUNCE, MONDAY)
    office.access.lost, office.access.preferences = lost, {} if lost else {LEYLA: bounced}
    office.server.answers.clear()
    office.now += timedelta(minutes=1)
    await office.ends("skipped")
    assert [delivery.reason for settled in office.settled for delivery in settled.deliveries] == [reason]
    assert office.server.taken == []
