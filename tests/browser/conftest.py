"""One browser for the session, a window of their own for each person of a test; a console error in any of them fails it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, async_playwright

from tests.browser.walk import CHROMIUM, FLAGS, People, Walk
from tests.e2e.portal import Firm, Outside


@pytest.fixture
async def english_firm(outside: Outside) -> Firm:
    """The same, read in English."""
    return await outside.firm(locale="en-GB")


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """A real Chromium: Debian's, else Playwright's own."""
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        await chromium.close()


@pytest.fixture
async def people(browser: Browser, outside: Outside) -> AsyncIterator[People]:
    """Who looks at the page: each with a browser window of their own; at the end nothing may have gone wrong in any."""
    group = People(browser, outside.url)
    yield group
    wrong = await group.leave()
    assert not wrong, wrong


@pytest.fixture
async def leyla(people: People, firm: Firm) -> Walk:
    """The firm's admin, at the page."""
    return await people.enter(firm.leyla)


@pytest.fixture
async def tom(people: People, firm: Firm) -> Walk:
    """The firm's accountant, at the page."""
    return await people.enter(firm.tom)
