"""One local run that integration and end-to-end tests share, and how one waits for something in it."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import inspect
import os
import socket
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any, TypeVar, overload

from deploy.local import LocalRunError, run
from deploy.local.home import Home
from deploy.local.keeper import Keeper

HOME = Path(os.environ.get("PORTAL_TEST_HOME", ".local/test"))
ENVIRON = {"PORTAL_DEMO": "0"}
KEPT = "PORTAL_TEST_KEEP"
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Ground:
    """What runs: where its home is, and where its parts answer."""

    home: Path
    endpoints: dict[str, str]

    @property
    def kafka(self) -> str:
        """Where the broker listens."""
        return self.endpoints["KAFKA_BOOTSTRAP_SERVERS"]

    @property
    def mongodb(self) -> str:
        """The database's URL."""
        return self.endpoints["MONGODB_URL"]

    async def away(self, part: str, seconds: float) -> None:
        """Kill *part* as a power cut would and keep it away for *seconds*; return once it is ready again."""
        async with self.gone(part):
            await asyncio.sleep(seconds)

    @contextlib.asynccontextmanager
    async def gone(self, part: str) -> AsyncIterator[None]:
        """Kill *part* as a power cut would and keep it away until the block is left; it is ready again then."""
        with _supervised():
            await asyncio.to_thread(run.cut_part, self.home, part)
        try:
            yield
        finally:
            await self.there(part)

    async def struck(self, part: str) -> None:
        """Kill *part* as a power cut would; its supervisor starts it anew. One that is dead already stays so."""
        with _supervised(), contextlib.suppress(LocalRunError):
            await asyncio.to_thread(run.kill_part, self.home, part)

    async def there(self, part: str) -> None:
        """Return once *part* is ready."""
        with _supervised():
            await asyncio.to_thread(run.start_part, self.home, part)


def began(*, services: bool) -> Ground:
    """Return the run, started as far as it is not; begins with empty data unless it ran already. Blocks."""
    with _supervised():
        if not Keeper(Home.at(HOME)).alive():
            run.reset(HOME)
        return Ground(HOME, run.start(HOME, services=services, environ=ENVIRON))


def ended() -> None:
    """Stop the run, unless PORTAL_TEST_KEEP is set: then the next session finds it running."""
    if not os.environ.get(KEPT):
        with _supervised():
            run.stop(HOME)


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens on now."""
    with socket.socket() as some:
        some.bind(("127.0.0.1", 0))
        port: int = some.getsockname()[1]
        return port


@contextlib.contextmanager
def _supervised() -> Iterator[None]:
    """Ask the supervisor; its own client leaves sockets to the collector, which is no fault of a test."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        try:
            yield
        finally:
            gc.collect()


@overload
async def eventually(ask: Callable[[], Awaitable[T]], within: float = ...) -> T: ...
@overload
async def eventually(ask: Callable[[], T], within: float = ...) -> T: ...
async def eventually(ask: Callable[[], Any], within: float = 20.0) -> Any:
    """Return what *ask* returns once that is true; it may raise AssertionError until then. Fails after *within* seconds."""
    deadline = monotonic() + within
    while True:
        wrong: AssertionError | None = None
        try:
            answer = ask()
            found = await answer if inspect.isawaitable(answer) else answer
            if found:
                return found
        except AssertionError as error:
            wrong = error
        if monotonic() > deadline:
            raise wrong or AssertionError(f"not within {within} s")
        await asyncio.sleep(0.05)
