"""A second gateway beside the running system's."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.e2e.portal import Outside
from tests.e2e.replica import Replica


@pytest.fixture(scope="session")
async def beside(outside: Outside, home: Path) -> AsyncIterator[Outside]:
    """The same system through a second gateway: quick to comment, and few in what it allows a member."""
    few = {"PORTAL_STREAM_COMMENT_SECONDS": "0.3", "PORTAL_REQUESTS_PER_SECOND": "20", "PORTAL_STREAMS_PER_MEMBER": "2"}
    async with Replica(home, few) as replica:
        yield outside.at(replica.url)
