"""The demo firm's loader: what it does when the run that it loads into allows little (contract, section 4)."""

from __future__ import annotations

import pytest

from deploy.demo import Loader
from shared.settings import Settings
from tests.e2e.portal import Firm, Outside

LITTLE = 20  # requests a second, at the gateway beside


@pytest.fixture
async def loader(firm: Firm, beside: Outside) -> Loader:
    """A loader at a gateway with small limits, as the firm's admin."""
    settings = Settings(portal_url=beside.url, portal_secret="s" * 32, portal_door_key="d" * 32)
    loader = Loader(settings, beside.producer, beside.http)
    await loader.log_in({"member_id": firm.leyla})
    return loader


async def test_a_loader_that_asks_too_often_waits_as_told(firm: Firm, loader: Loader) -> None:
    """E4: limits are settings; a small one makes the loading slower, not impossible."""
    answers = [await loader.get("/v1/me", firm.leyla) for _ in range(3 * LITTLE)]
    assert all(answer["member"]["id"] == firm.leyla for answer in answers)


async def test_a_loader_goes_on_only_after_the_refusal_it_expects(firm: Firm, loader: Loader) -> None:
    """Anything else that is refused ends the loading, in a sentence."""
    nowhere = ("POST", "/v1/clients/nobody/access", None, firm.leyla)
    assert await loader.command(*nowhere, unless="not_found") is None
    with pytest.raises(SystemExit, match="refused POST"):
        await loader.command(*nowhere, unless="too_many_invitations")
