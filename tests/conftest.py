"""What every level of tests is given: the ground to stand on, the system upon it, and a firm of its own in it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path

import pytest
from hypothesis import settings

from tests.e2e.portal import Firm, Outside
from tests.system import Ground, began, ended

settings.register_profile("patient", deadline=None)  # a busy machine makes no property wrong
settings.load_profile("patient")


@pytest.fixture(scope="session")
def ground() -> Iterator[Ground]:
    """Broker, database and mail catcher, running until the session ends."""
    try:
        yield began(services=False)
    finally:
        ended()


@pytest.fixture(scope="session")
def home(ground: Ground) -> Path:
    """The folder of the run: its ports, data and logs."""
    return ground.home


@pytest.fixture(scope="session")
def system(ground: Ground) -> Mapping[str, str]:
    """The endpoints of the same run with the four services in it, without the demo firm."""
    assert ground.endpoints
    return began(services=True).endpoints


@pytest.fixture(scope="session")
async def outside(system: Mapping[str, str], home: Path) -> AsyncIterator[Outside]:
    """The system from outside, by its endpoints alone."""
    async with Outside(system, home) as hands:
        yield hands


@pytest.fixture
async def firm(outside: Outside) -> Firm:
    """A firm no other test knows, with an admin and an accountant."""
    return await outside.firm()
