"""Listening to a stream as a page does (contract, ``/v1/stream``)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator

from tests.e2e.portal import Outside

Bell = tuple[str, str]


async def listening(outside: Outside, token: str) -> AsyncGenerator[Bell]:
    """Yield each event's name and data; a comment is named ``:``. Ends when the stream does."""
    headers = {"Authorization": f"Bearer {token}"}
    async with outside.http.get(outside.url + "/v1/stream", headers=headers) as stream:
        assert stream.status == 200, await stream.text()
        assert stream.headers["Content-Type"].startswith("text/event-stream")
        event = ""
        async for line in stream.content:
            name, _, value = line.decode().strip().partition(": ")
            if line.startswith(b":"):
                yield ":", line.decode().strip()
            elif name == "event":
                event = value
            elif name == "data":
                yield event, value


async def next_bell(bells: AsyncIterator[Bell], seconds: float = 10.0) -> Bell:
    """Return the next event that is no comment."""
    async with asyncio.timeout(seconds):
        while True:
            bell = await anext(bells)
            if bell[0] != ":":
                return bell


async def until_closed(bells: AsyncIterator[Bell], seconds: float = 10.0) -> list[Bell]:
    """Return what still rang before the stream ended; fails if it does not end."""
    async with asyncio.timeout(seconds):
        return [bell async for bell in bells if bell[0] != ":"]
