"""The running system for every test of this level, and a firm of its own for each."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest

from tests.e2e.portal import Firm, Outside


@pytest.fixture(scope="session")
async def outside(system: Mapping[str, str], home: Path) -> AsyncIterator[Outside]:
    """The system from outside, by its endpoints alone."""
    async with Outside(system, home) as hands:
        yield hands


@pytest.fixture
async def firm(outside: Outside) -> Firm:
    """A firm no other test knows, with an admin and an accountant."""
    return await outside.firm()
