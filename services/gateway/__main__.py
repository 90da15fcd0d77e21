"""Runs the gateway: ``python -m services.gateway``."""

from __future__ import annotations

import asyncio

import uvicorn
import uvloop

from services.gateway.app import build
from services.gateway.wire import Wire
from shared import settings, telemetry

GRACE_SECONDS = 6
LOOK_SECONDS = 0.1


async def serve() -> None:
    """Serve until told to stop; whoever waits or listens then is let go at once, so that a restart is quick."""
    ours = settings.load()
    closing = asyncio.Event()
    config = uvicorn.Config(
        build(ours, closing),
        host=ours.host,
        port=ours.port,
        http=Wire,
        access_log=False,
        log_config=None,
        server_header=False,
        backlog=2048,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    server = uvicorn.Server(config)

    async def watch() -> None:
        while not server.should_exit:
            await asyncio.sleep(LOOK_SECONDS)
        closing.set()

    watching = asyncio.create_task(watch())
    await server.serve()
    watching.cancel()


if __name__ == "__main__":
    telemetry.log_as("gateway")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve())
