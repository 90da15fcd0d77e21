"""Measure how soon the page shows clients, in a real browser: ``python -m tests.bench.page [--clients N] [--rounds N]``.

First rows are counted from the document's last byte, in a window that has nothing kept, and in one that was here before;
another page from the click. A window stands for half a second before it goes anywhere, as a person's does. Beside each visit
a bare page is visited, which shows the same rows with nothing around them (``bare/``): what it takes, a browser on this
machine takes for any page. Into ``.local/bench-page.json``.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import median

from playwright.async_api import Browser, Page, async_playwright

from deploy.local import run
from deploy.local.home import ROOT, Home
from tests.bench.figures import Figure, over, publish
from tests.browser.walk import CHROMIUM, DESKTOP, FLAGS
from tests.e2e.portal import Outside
from tests.e2e.replica import Replica

HOME = Path(".local/bench-page")
BARE = Path(__file__).parent / "bare"
WRITTEN = ROOT / ".local" / "bench-page.json"
SMALL, LARGE = ("demo-leyla", "all"), ("demo-large-m000", "invitations")
SETTLED = 0.5  # seconds; the browser's own work for a new window, and for the one that closed, is not the page's
FIRST_ROWS = """
window.firstRows = new Promise((shown) => {
  new MutationObserver((_, watch) => {
    if (!document.querySelector("tbody tr")) return;
    watch.disconnect();
    const [{responseEnd}] = performance.getEntriesByType("navigation");
    requestAnimationFrame(() => setTimeout(() => shown(performance.now() - responseEnd)));
  }).observe(document, {childList: true, subtree: true});
});
"""
NEXT_PAGE = """() => new Promise((shown) => {
  const first = () => document.querySelector("tbody tr")?.dataset.id;
  const before = first(), clicked = performance.now();
  new MutationObserver((_, watch) => {
    if (first() === before) return;
    watch.disconnect();
    requestAnimationFrame(() => setTimeout(() => shown(performance.now() - clicked)));
  }).observe(document, {childList: true, subtree: true, attributes: true});
  document.querySelector(".pager button:last-child").click();
})"""


@asynccontextmanager
async def _window(browser: Browser, token: str, member: str) -> AsyncIterator[Page]:
    """A new window in which *member* is signed in."""
    context = await browser.new_context(locale="de-DE", timezone_id="Europe/Berlin", **DESKTOP)
    session = json.dumps(json.dumps({"token": token, "memberId": member}))
    await context.add_init_script(f"sessionStorage.setItem('portal.session', {session});{FIRST_ROWS}")
    page = await context.new_page()
    await asyncio.sleep(SETTLED)
    yield page
    await context.close()


async def _looked(browser: Browser, ours: Outside, bare: str, who: tuple[str, str], rounds: int) -> dict[str, Figure]:
    """Return how soon *who* sees the first rows of a tab, at a first visit and at a later one, and its next page."""
    member, tab = who
    token = await ours.token(member)
    first: list[tuple[float, float]] = []
    later: list[tuple[float, float]] = []
    following: list[float] = []
    for _ in range(rounds + 1):
        async with _window(browser, token, member) as page:
            of_ours = await _visited(page, f"{ours.url}/?tab={tab}")
            await page.wait_for_timeout(1500)  # what comes after the first rows is not the next page's
            following.append(float(await page.evaluate(NEXT_PAGE)))
        async with _window(browser, token, member) as page:
            of_bare = await _visited(page, f"{bare}/?tab={tab}")
        first.append((of_ours[0], of_bare[0]))
        later.append((of_ours[1], of_bare[1]))
    clients = (await ours.call("GET", "/v1/tabs", token)).body["tabs"]
    count = next(found["count"] for found in clients if found["id"] == tab)
    figures = {
        **_visits("first rows, first visit", first[1:]),  # nobody's first time counts
        **_visits("first rows, later visit", later[1:]),
        "next page": _figure(following[1:]),
    }
    return {f"{what}, {count:,} clients": figure for what, figure in figures.items()}


async def _visited(page: Page, url: str) -> tuple[float, float]:
    """Return after how many milliseconds the first rows stood, at once and when loaded again."""
    await page.goto(url)
    first = float(await page.evaluate("window.firstRows"))
    await page.reload()
    return first, float(await page.evaluate("window.firstRows"))


def _visits(what: str, taken: list[tuple[float, float]]) -> dict[str, Figure]:
    return {
        what: _figure([ours for ours, _ in taken]),
        f"{what}, of the bare page": _figure([bare for _, bare in taken]),
        f"{what}, against the bare page": over(taken, ""),
    }


def _figure(times: list[float]) -> Figure:
    return Figure(round(median(times)), round(min(times)), round(max(times)), "", "ms")


async def measure(outside: Outside, bare: str, clients: int, rounds: int) -> dict[str, Figure]:
    """Load a firm of some sixty clients and one of *clients*, and return what was measured in each."""
    for words in (("deploy.demo",), ("deploy.demo_large", "--clients", str(clients), "--facts", "0")):
        code, said = await outside.python(*words)
        assert code == 0, said
        print(said, flush=True)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        small = await _looked(browser, outside, bare, SMALL, rounds)
        large = await _looked(browser, outside, bare, LARGE, rounds)
        await browser.close()
    return {**small, **large}


async def main() -> None:
    """Measure on a run of its own, and leave nothing running."""
    asked = argparse.ArgumentParser(prog="python -m tests.bench.page", description=__doc__)
    asked.add_argument("--clients", type=int, default=100_000)
    asked.add_argument("--rounds", type=int, default=15)
    size = asked.parse_args()
    await asyncio.to_thread(run.reset, HOME)
    endpoints = await asyncio.to_thread(run.start, HOME, environ={"PORTAL_DEMO": "1"})
    try:
        home = Home.at(HOME).folder
        async with Outside(endpoints, home) as outside, Replica(home, {"PORTAL_PAGE": str(BARE)}) as bare:
            publish(await measure(outside, bare.url, size.clients, size.rounds), WRITTEN)
    finally:
        await asyncio.to_thread(run.stop, HOME)
    await asyncio.to_thread(run.reset, HOME)


if __name__ == "__main__":
    asyncio.run(main())
