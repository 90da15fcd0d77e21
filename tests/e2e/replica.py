"""A further gateway of the same run, on a port of its own."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Mapping
from pathlib import Path

import aiohttp

from tests.e2e.portal import ROOT
from tests.system import eventually, free_port

READY_SECONDS = 60.0
END_SECONDS = 10.0


class Replica:
    """One more ``python -m services.gateway``; *settings* are its own."""

    def __init__(self, home: Path, settings: Mapping[str, str] | None = None) -> None:
        self._port = free_port()
        self._home = home
        self._settings = dict(settings or {})
        self.url = f"http://127.0.0.1:{self._port}"
        self.log = home / "logs" / f"gateway-{self._port}.log"

    async def __aenter__(self) -> Replica:
        """Start it; return once it is ready."""
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Let it end."""
        await self.stop()

    async def start(self) -> None:
        """Start the process and wait until it can serve."""
        keep = {k: v for k, v in os.environ.items() if not k.startswith(("PORTAL_", "KAFKA_", "MONGODB_", "SMTP_"))}
        told = {**keep, "PORTAL_HOME": str(self._home), "PORT": str(self._port), "HOST": "127.0.0.1", **self._settings}
        with self.log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "services.gateway", cwd=ROOT, env=told, stdout=log, stderr=log
            )
        async with aiohttp.ClientSession() as http:
            await eventually(lambda: self._ready(http), READY_SECONDS)

    async def _ready(self, http: aiohttp.ClientSession) -> bool:
        assert self.process.returncode is None, self.log.read_text()[-2000:]
        try:
            async with http.get(self.url + "/health/ready") as answer:
                return answer.status == 200
        except aiohttp.ClientError:
            return False

    async def stop(self) -> None:
        """End the process as a rollout does; one that does not end in time is killed, and that is an error."""
        if self.process.returncode is not None:
            return
        self.process.terminate()
        try:
            await asyncio.wait_for(self.process.wait(), END_SECONDS)
        except TimeoutError:
            self.process.kill()
            await self.process.wait()
            raise
