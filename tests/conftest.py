"""What every level of tests is given: the ground to stand on, and the system upon it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.system import Ground, began, ended


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
