"""What a mail costs, and what time costs: F8, the mailer against a mail built and sent alone; F11, the due scan among a million.

F8: our side plans, freezes, renders, claims, delivers and records in a real database; the other one has its words ready,
builds an ``EmailMessage`` of them and calls ``aiosmtplib.send()``. Both deliver to the same sink, in turns.
"""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from multiprocessing.connection import Connection
from statistics import median
from time import perf_counter
from typing import Any

import aiosmtplib

from services.notifier import documents, scheduler
from services.notifier.access import Access
from services.notifier.domain.mail import OPEN, Mail, Part, digest_id
from services.notifier.domain.subscription import Subscription
from services.notifier.domain.world import client_key
from services.notifier.letters import Letter
from services.notifier.links import Links
from services.notifier.mailer import Mailer, Sender
from services.notifier.planning import letter_of, plan
from services.notifier.post import Post, Posted, Settled
from services.notifier.smtp import Pool
from services.notifier.store import CLIENTS, INDEXES, MAILS, SUBSCRIPTIONS
from shared.contracts.base import ClientId, FirmId, MemberId, Money
from shared.contracts.clients import ClientState, Figures
from shared.contracts.notifier import Frequency, MailKind
from shared.mongo import Database
from shared.settings import Settings
from tests.bench.figures import Figure, over

FIRM = FirmId("bench")
MONDAY = datetime(2026, 11, 23, 9, tzinfo=UTC)
NOW = MONDAY + timedelta(minutes=1)
CLIENTS_A_MAIL = 5
MAIL_FROM = "Pleo Partnerportal <partner@pleo.example>"
PORTAL = "https://portal.example"
SECRET = "a secret of the bench alone"
ANSWERS = {b"ehlo": b"250-sink\r\n250 PIPELINING\r\n", b"quit": b"221 bye\r\n"}  # as every mail server of today
DUE = 100
FEW = 1_000
CHUNK = 5_000


class AsDoor(Access):
    """The mailer's view from its own copies, its question to clients' door answered at once: what clients costs is not ours."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, "http://nowhere.example", "")

    async def _ask(self, pairs: Sequence[tuple[str, str]]) -> Mapping[str, Any]:
        members = {m: {**_member(m), "firm_name": "Bench", "firm_locale": None} for m in {m for m, _ in pairs}}
        told = [{"member_id": m, "client_id": c, "allowed": True, "version": 1} for m, c in pairs]
        return {"members": members, "pairs": told}


def _member(member_id: str) -> dict[str, Any]:
    address = f"{member_id}@firm.example"
    return {"firm_id": FIRM, "name": "Leyla Özdemir", "email": address, "locale": "de", "role": "admin", "active": True}


def _client(number: int) -> ClientState:
    at = "2026-11-20T08:12:00.000000000Z"
    balance = Money(amount_minor=123_456 + number, currency="EUR")
    figures = Figures(
        missing_receipts=number % 40 + 1,
        missing_receipts_at=at,
        export_ready=number % 7,
        export_ready_at=at,
        balance=balance,
        balance_at=at,
    )
    ids = {"firm_id": FIRM, "client_id": f"c-{number}", "name": f"Müller Bau {number} GmbH", "client_number": None}
    more = {"status": "connected", "connected": True, "assignees": (), "figures": figures, "version": 1}
    return ClientState.model_validate({**ids, **more})


def _mail(number: int) -> Mail:
    member_id = MemberId(f"m-{number}")
    parts = tuple(Part(ClientId(f"c-{n}"), MONDAY + timedelta(hours=6)) for n in range(CLIENTS_A_MAIL))
    return Mail(digest_id(member_id, MONDAY), MailKind.DIGEST, FIRM, member_id, MONDAY, MONDAY, parts, None)


def _subscription(member_id: str, client_id: str, next_at: datetime = MONDAY + timedelta(days=1)) -> Subscription:
    since = MONDAY - timedelta(days=3)
    return Subscription(FIRM, MemberId(member_id), ClientId(client_id), True, Frequency.DAILY, since=since, next_at=next_at)


async def mail_rates(settings: Settings, count: int, rounds: int) -> dict[str, Figure]:
    """Return F8, from rounds in which both deliver *count* mails."""
    database = Database(settings.mongodb_url, "bench_mails")
    await database.drop()
    await database.ground(INDEXES)
    await database[CLIENTS].insert_many(
        [documents.of_state(client_key(FIRM, state.client_id), state) for state in map(_client, range(CLIENTS_A_MAIL))]
    )
    wanted = [_subscription(f"m-{n}", f"c-{c}") for n in range(count) for c in range(CLIENTS_A_MAIL)]
    await database[SUBSCRIPTIONS].insert_many([documents.of_subscription(s) for s in wanted])
    pairs = []
    async with _sink() as port:
        words = await _words(database)
        await _shipped(database, port, min(count, 20))
        for number in range(1, rounds + 1):
            theirs = await _one_by_one(words, port, count)
            ours = await _shipped(database, port, count)
            print(f"round {number}: one by one {theirs:,.0f}, shipped {ours:,.0f} mails/s", flush=True)
            pairs.append((ours, theirs))
    await database.drop()
    database.close()
    return {"F8": over(pairs, "against EmailMessage and aiosmtplib.send() for each mail")}


async def _words(database: Database) -> Letter:
    """Return what the mails say, ready: the other side's head start."""
    mail = _mail(0)
    made = plan(mail, await AsDoor(database).view([mail]), NOW)
    posted = Posted(mail, attempt=0, ambiguous=False, waits=0, not_before=NOW, letter=made.letter)
    return letter_of(posted, Links(PORTAL, SECRET), PORTAL, SECRET)


async def _shipped(database: Database, port: int, count: int) -> float:
    """Return the mails a second of the mailer as shipped, from due to recorded as sent."""
    mails = database[MAILS]
    await mails.delete_many({})
    await mails.insert_many([documents.of_mail(_mail(number)) for number in range(count)])

    async def report(_: Settled, __: str | None) -> None: ...

    pool = Pool("127.0.0.1", port)
    post = Post(database, lambda: NOW)
    mailer = Mailer(post, AsDoor(database), pool, Sender(MAIL_FROM, PORTAL, SECRET), report, lambda: NOW)
    started = perf_counter()
    while await mailer.turn():
        pass
    spent = perf_counter() - started
    left = await mails.count_documents({"status": {"$in": [status.value for status in OPEN]}})
    assert left == 0, f"{left} mails were not sent"
    pool.close()
    return count / spent


async def _one_by_one(letter: Letter, port: int, count: int) -> float:
    started = perf_counter()
    for number in range(count):
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = MAIL_FROM, f"Leyla Özdemir <m-{number}@firm.example>", letter.subject
        message.set_content(letter.text)
        message.add_alternative(letter.html, subtype="html")
        await aiosmtplib.send(message, hostname="127.0.0.1", port=port)
    return count / (perf_counter() - started)


@asynccontextmanager
async def _sink() -> AsyncIterator[int]:
    """A mail server that takes everything, in a process of its own."""
    near, far = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(far,), daemon=True)
    process.start()
    try:
        yield await asyncio.to_thread(near.recv)
    finally:
        process.terminate()
        process.join()


def _serve(told: Connection) -> None:
    asyncio.run(_listen(told))


async def _listen(told: Connection) -> None:
    server = await asyncio.start_server(_accept, "127.0.0.1", 0, limit=2**20)
    told.send(server.sockets[0].getsockname()[1])
    await server.serve_forever()


async def _accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"220 sink\r\n")
    while line := await reader.readline():
        command = line[:4].lower()
        if command == b"data":
            writer.write(b"354 go on\r\n")
            await reader.readuntil(b"\r\n.\r\n")
        writer.write(ANSWERS.get(command, b"250 fine\r\n"))
        if command == b"quit":
            break
    writer.close()


async def due_scans(settings: Settings, many: int, rounds: int) -> dict[str, Figure]:
    """Return F11: the scan for what is due, 100 of *many* subscriptions against 100 of a thousand."""
    databases = [Database(settings.mongodb_url, f"bench_due_{count}") for count in (FEW, many)]
    for database, count in zip(databases, (FEW, many), strict=True):
        await database.drop()
        await database.ground(INDEXES)
        await _fill(database, count)
    pairs = []
    for _ in range(rounds):
        few, much = [await _scan(database) for database in databases]
        pairs.append((much, few))
    for database in databases:
        await database.drop()
        database.close()
    return {"F11": over(pairs, f"the due scan among {many:,} subscriptions against {FEW:,}, {DUE} due in both")}


async def _fill(database: Database, count: int) -> None:
    for start in range(0, count, CHUNK):
        numbers = range(start, min(count, start + CHUNK))
        some = [_subscription(f"m-{n}", "c", MONDAY if n < DUE else MONDAY + timedelta(days=1 + n % 30)) for n in numbers]
        await database[SUBSCRIPTIONS].insert_many([documents.of_subscription(s) for s in some], ordered=False)


async def _scan(database: Database) -> float:
    """Return the seconds of one scan, the median of some."""
    spent = []
    for _ in range(21):
        started = perf_counter()
        found = await scheduler.due(database, NOW, scheduler.AT_ONCE)
        spent.append(perf_counter() - started)
        assert len(found) == DUE
    return median(spent)
