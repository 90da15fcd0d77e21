"""The running system for every test of this level, and a firm of its own for each."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest

from tests.e2e.portal import Firm, Outside
from tests.e2e.replica import Replica


@pytest.fixture(scope="session")
async def outside(system: Mapping[str, str], home: Path) -> AsyncIterator[Outside]:
    """The system from outside, by its endpoints alone."""
    async with Outside(system, home) as hands:
        yield hands


@pytest.fixture(scope="session")
async def beside(outside: Outside, home: Path) -> AsyncIterator[Outside]:
    """The same system through a second gateway: quick to comment, and few in what it allows a member."""
    few = {"PORTAL_STREAM_COMMENT_SECONDS": "0.3", "PORTAL_REQUESTS_PER_SECOND": "20", "PORTAL_STREAMS_PER_MEMBER": "2"}
    async with Replica(home, few) as replica:
        yield outside.at(replica.url)


@pytest.fixture
async def firm(outside: Outside) -> Firm:
    """A firm no other test knows, with an admin and an accountant."""
    return await outside.firm()
