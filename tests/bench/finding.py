"""Finding clients among 100,000 against finding them among 1,000, against `$regex`, and against FastAPI: F5, F6, F7.

Rows are put into databases of their own with the service's own document functions; pages are asked for over its own door,
by one who waits for each (F5, F6b) or by several at once (F7).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from statistics import median
from time import perf_counter
from urllib.parse import quote

import aiohttp
import orjson
from joserfc import jwt
from joserfc.jwk import ECKey

from services.clients import documents as as_document
from services.clients.domain.figures import Ledger
from services.clients.domain.states import Client, Firm, Invitation, Member
from services.clients.queries.pages import Pages
from services.clients.queries.question import Page, Question
from services.clients.queries.viewer import Viewer
from services.clients.store import COUNTS, FIRMS, INDEXES, MEMBERS, PLACES, ROWS
from shared.clock import now
from shared.contracts.base import Role
from shared.mongo import Database
from shared.settings import Settings
from tests.bench.figures import Figure, over
from tests.bench.memory import end
from tests.bench.serving import AUDIENCE, ISSUER
from tests.system import free_port

FIRM, ADMIN, MEMBERS_OF_FIRM = "bench", "bench-0", 300
FAMILIES = (
    *("Müller", "Schmidt", "Schäfer", "Öztürk", "Weber", "Kühn", "Hoffmann", "Jäger", "Krüger", "Großmann"),
    *("Baur", "Lindner", "Yılmaz", "Vogt", "Strauß", "Reuter", "Niehaus", "Petersen", "Ahrens", "Falkner"),
)
TRADES = ("Bau GmbH", "Elektrotechnik GmbH", "Gastronomie UG", "Immobilien KG", "Logistik AG", "Apotheke e. K.", "Beratung GmbH")
RARE = "77777"
SEARCHES = (RARE, "777", "77", "e", "zz", "mueller", "vogt", "müller bau", "immobil", "bau gmbh 9", "gmbh", "größ", "nirgends")
SMALL, AT_ONCE, AT_A_TIME = 1_000, 8, 2_000


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured: clients of the large firm, rounds, requests of each kind in one."""

    clients: int
    rounds: int
    requests: int


FULL, SHORT = Size(100_000, 9, 15), Size(10_000, 3, 5)
Ask = Callable[[str], Awaitable[bytes]]
Asked = tuple[Ask, str]


def _rows(count: int) -> Iterator[Client]:
    dice = random.Random(5)
    for n in range(count):
        name = f"{dice.choice(FAMILIES)} {dice.choice(TRADES)} {n}"
        missing = dice.choice((None, 0, 0, 0, 0, 0, 0, 1, 3, 14))
        at = "2026-03-12T10:00:00.000000000Z"
        yield Client(
            FIRM,
            f"company-{n:06d}",
            version=1,
            given_name=name,
            name=name,
            client_number=str(10_000 + 7 * n),
            invitation=Invitation.ACCEPTED,
            connected=True,
            connected_at=now(),
            assignees=(f"bench-{n % MEMBERS_OF_FIRM}",),
            ledger=Ledger(
                missing, at if missing is not None else None, 3, at, (123_456, "EUR"), False, (at, "1", 123_456, "EUR", False)
            ),
        )


async def stand(database: Database, count: int) -> None:
    """Let a firm of *count* connected clients stand in *database*."""
    await database.drop()
    ids = [f"bench-{n}" for n in range(MEMBERS_OF_FIRM)]
    members = [Member(m, FIRM, m, f"{m}@bench.example", Role.ADMIN, employed=True, sequence=1) for m in ids]
    await database[MEMBERS].insert_many([as_document.member(member) for member in members])
    await database[FIRMS].insert_one(as_document.firm(Firm(FIRM, "Bench & Partner")))
    counts: Counter[str] = Counter()
    rows = _rows(count)
    while some := list(islice(rows, AT_A_TIME)):
        documents = [as_document.client(client) for client in some]
        await database[ROWS].insert_many(documents, ordered=False)
        await database[PLACES].insert_many([as_document.place(document) for document in documents], ordered=False)
        counts.update(name for client in some for name in client.lists)
        counts.update(f"{name}+missing" for client in some if client.readable.missing for name in client.lists)
    await database[COUNTS].insert_many([{"firm_id": FIRM, "list": name, "n": n} for name, n in counts.items()])
    await database.ground(INDEXES)


async def measure(home: Path, settings: Settings, size: Size) -> dict[str, Figure]:
    """Return F5a, F5b, F5c, F6a, F6b and F7."""
    large = Database(settings.mongodb_url, f"{settings.portal_database_prefix}_large")
    small = Database(settings.mongodb_url, f"{settings.portal_database_prefix}_small")
    try:
        for database, count in ((large, size.clients), (small, SMALL)):
            await stand(database, count)
        ours = _served(home, settings, "shipped", "large"), _served(home, settings, "shipped", "small")
        async with ours[0] as ask, ours[1] as ask_small, _served(home, settings, "fastapi", "large") as ask_fastapi:
            waited = await _waited(ask, ask_small, size)
            return {**waited, "F6a": await _rare(large, size), "F7": await _rates(ask, ask_fastapi, size)}
    finally:
        for database in (large, small):
            await database.drop()
            database.close()


async def _waited(ask: Ask, ask_small: Ask, size: Size) -> dict[str, Figure]:
    """Return the figures of one who waits for every page."""
    page = "/v1/clients?tab=all"
    deep = f"{page}&cursor={await _deep(ask, size.clients * 9 // 10)}&limit=50"
    pairs: dict[str, tuple[Asked, Asked]] = {
        "deep": ((ask, deep), (ask, page)),
        "large": ((ask, page), (ask_small, page)),
        "tabs": ((ask, "/v1/tabs"), (ask_small, "/v1/tabs")),
        **{search: ((ask, f"{page}&search={quote(search)}"), (ask, page)) for search in SEARCHES},
    }
    rounds = [{name: await _in_turn(*pair, size.requests) for name, pair in pairs.items()} for _ in range(size.rounds + 1)]
    taken = {name: [r[name] for r in rounds[1:]] for name in pairs}  # nobody's first page counts
    for name, times in taken.items():
        print(f"{name}: {over(times, '').ratio} x {median(theirs for _, theirs in times):.1f} ms", flush=True)
    slowest = max(SEARCHES, key=lambda search: over(taken[search], "").ratio)
    sizes = f"among {size.clients:,} clients against among {SMALL:,}"
    return {
        "F5a": over(taken["deep"], "the time of a page at 90 % depth against the first one"),
        "F5b": over(taken["large"], f"the time of a page {sizes}"),
        "F5c": over(taken["tabs"], f"the time of the tabs with their counts {sizes}"),
        "F6b": over(taken[slowest], f"the time of the slowest of {len(SEARCHES)} searches ({slowest!r}) against a plain page"),
    }


async def _in_turn(ours: Asked, theirs: Asked, requests: int) -> tuple[float, float]:
    """Return the milliseconds of two that are asked in turn, request by request: what disturbs one disturbs the other."""
    taken: tuple[list[float], list[float]] = ([], [])
    for _ in range(requests):
        for times, (ask, path) in zip(taken, (ours, theirs), strict=True):
            times.append(await _milliseconds(ask, path, 1))
    return median(taken[0]), median(taken[1])


async def _deep(ask: Ask, depth: int) -> str:
    """Return the cursor at *depth*."""
    cursor = ""
    for _ in range(depth // 200):
        cursor = orjson.loads(await ask(f"/v1/clients?tab=all&limit=200{cursor and '&cursor=' + cursor}"))["next_cursor"]
    return cursor


async def _milliseconds(ask: Ask, path: str, requests: int) -> float:
    taken = []
    for _ in range(requests):
        started = perf_counter()
        await ask(path)
        taken.append(perf_counter() - started)
    return median(taken) * 1000


async def _rare(database: Database, size: Size) -> Figure:
    """Return how many times faster a rare search is than the same by `$regex` on the name; without HTTP, which is the same."""
    viewer = Viewer(ADMIN, FIRM, "", "", Role.ADMIN, None, "", None)
    pages, page = Pages(database, "secret"), Page(Question("all", search=RARE))
    where = {"firm_id": FIRM, "lists": "all", "name": {"$regex": RARE, "$options": "i"}}

    async def searched(_: str) -> bytes:
        return str(len((await pages.page(page, viewer)).clients)).encode()

    async def scanned(_: str) -> bytes:
        found = database[ROWS].find(where).sort([("sort_key", 1), ("client_id", 1)]).limit(51)
        return str(len(await found.to_list(None))).encode()

    found = []
    for _ in range(size.rounds):
        theirs = await _milliseconds(scanned, "", 2)
        found.append((theirs, await _milliseconds(searched, "", size.requests)))
    return over(found, f"a rare search among {size.clients:,} against $regex with i")


async def _rates(ask: Ask, ask_fastapi: Ask, size: Size) -> Figure:
    """Return how many times the pages a second of FastAPI are served, by several who ask at once."""
    found: list[tuple[float, float]] = []
    for _ in range(size.rounds + 1):
        theirs = await _rate(ask_fastapi, size.requests * 20)
        found.append((await _rate(ask, size.requests * 20), theirs))
    found = found[1:]
    print(f"pages/s: shipped {median(o for o, _ in found):.0f}, FastAPI {median(t for _, t in found):.0f}", flush=True)
    return over(found, "pages a second against FastAPI with response_model on the same query")


async def _rate(ask: Ask, requests: int) -> float:
    started = perf_counter()
    turns = iter(range(requests))

    async def somebody() -> None:
        for _ in turns:
            await ask("/v1/clients?tab=all")

    await asyncio.gather(*(somebody() for _ in range(AT_ONCE)))
    return requests / (perf_counter() - started)


@contextlib.asynccontextmanager
async def _served(home: Path, settings: Settings, what: str, database: str) -> AsyncIterator[Ask]:
    """Serve *what* from *database* in a process of its own, and return how its admin asks it."""
    key, port = ECKey.generate_key("P-256", {"kid": "bench"}), free_port()
    environ: Mapping[str, str] = {
        **os.environ,
        "BENCH_KEY": orjson.dumps(key.as_dict(private=False)).decode(),
        "BENCH_MONGODB_URL": settings.mongodb_url,
        "BENCH_DATABASE": f"{settings.portal_database_prefix}_{database}",
    }
    claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": ADMIN, "firm_id": FIRM, "exp": int(time.time()) + 3600}
    headers = {"Authorization": f"Bearer {jwt.encode({'alg': 'ES256', 'kid': 'bench'}, claims, key)}"}
    arguments = (sys.executable, "-m", "tests.bench.serving", what, str(port))
    with (home / "logs" / f"bench-{what}.log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(*arguments, env=environ, stdout=log, stderr=log)
        try:
            async with aiohttp.ClientSession(f"http://127.0.0.1:{port}", headers=headers) as http:

                async def ask(path: str) -> bytes:
                    async with http.get(path) as answer:
                        text = await answer.read()
                        assert answer.status == 200, (what, path, text)
                        return text

                await _answers(http)
                yield ask
        finally:
            await end(process)


async def _answers(http: aiohttp.ClientSession) -> None:
    deadline = perf_counter() + 30
    while True:
        with contextlib.suppress(aiohttp.ClientConnectionError):
            async with http.get("/v1/tabs") as answer:
                await answer.read()
                return
        assert perf_counter() < deadline, "not served within 30 s: see the run's logs"
        await asyncio.sleep(0.1)
