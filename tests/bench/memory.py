"""The memory of clients as a process of its own, after it has handled every fact on the topic."""

from __future__ import annotations

import asyncio
import contextlib
import os
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import psutil

from deploy.local import parts
from shared.claims import POSITIONS
from shared.contracts.pleo import RECEIPTS
from shared.mongo import Database
from shared.settings import Settings
from tests.bench import facts
from tests.system import free_port

MB = 1024 * 1024
PREFIX = "bench_memory"


@dataclass(frozen=True, slots=True)
class Memory:
    """Resident memory in MB: when it was ready, at its highest, and once everything was handled; and how long that took."""

    ready: float
    highest: float
    end: float
    seconds: float


async def measure(home: Path, settings: Settings, told: facts.Facts, count: int, most_seconds: float) -> Memory:
    """Let ``python -m services.clients`` handle the *count* facts on the topic and return its memory."""
    database = Database(settings.mongodb_url, f"{PREFIX}_clients")
    await database.drop()
    await facts.stand(database)
    shipped = parts.service("clients", {"clients": free_port()})
    environ = {**os.environ, **shipped.environment, "PORTAL_HOME": str(home), "PORTAL_DATABASE_PREFIX": PREFIX}
    with (home / "logs" / "bench-clients.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(*shipped.command, env=environ, stdout=log, stderr=log)
        try:
            return await _watch(psutil.Process(process.pid), database, told, count, most_seconds)
        finally:
            await end(process)
            await database.drop()
            database.close()


async def end(process: asyncio.subprocess.Process) -> None:
    """Let *process* end, by force if it will not."""
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        await asyncio.wait_for(process.wait(), 20)
    except TimeoutError:
        process.kill()
        await process.wait()


async def _watch(process: psutil.Process, database: Database, told: facts.Facts, count: int, most_seconds: float) -> Memory:
    ready, began, seen = 0.0, 0.0, [0.0]
    deadline = perf_counter() + most_seconds
    while (done := await _done(database)) < count:
        assert process.status() != psutil.STATUS_ZOMBIE, "clients ended: see logs/bench-clients.log"
        assert perf_counter() < deadline, f"clients handled {done} of {count} facts within {most_seconds:.0f} s"
        seen.append(_resident(process))
        if not done:
            ready, began = seen[-1], perf_counter()
        await asyncio.sleep(0.2)
    seconds = perf_counter() - began
    await told.assert_counted(database)
    await asyncio.sleep(1)
    last = _resident(process)
    return Memory(ready, max(*seen, last), last, seconds)


async def _done(database: Database) -> int:
    pattern = f"^clients/{RECEIPTS.name}/"
    return sum(position["next"] for position in await database[POSITIONS].find({"_id": {"$regex": pattern}}).to_list(None))


def _resident(process: psutil.Process) -> float:
    return float(process.memory_info().rss) / MB
