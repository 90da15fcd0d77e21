"""How a person walks the page: by role and name, as the help article describes it."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from playwright.async_api import Browser, Locator, Page, expect

DEBIANS = Path("/usr/bin/chromium")
CHROMIUM = str(DEBIANS) if DEBIANS.exists() else None  # else Playwright's own
FLAGS = ["--no-sandbox", "--disable-dev-shm-usage"] if os.geteuid() == 0 else []
AXE = Path(__file__).parents[2] / "services" / "gateway" / "portal" / "node_modules" / "axe-core" / "axe.min.js"
DESKTOP: Mapping[str, Any] = {"viewport": {"width": 1280, "height": 800}}
PHONE: Mapping[str, Any] = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
Scheme = Literal["light", "dark"]
SCHEMES: tuple[Scheme, ...] = ("light", "dark")
REFUSED = re.compile(r"Failed to load resource: the server responded with a status of (\d+)")
EXPECTED_TO_FAIL = "Failed to load resource: net::"


@dataclass
class Walk:
    """One person's window."""

    page: Page
    url: str
    wrong: list[str] = field(default_factory=list)
    expected: set[int] = field(default_factory=set)
    outage: bool = False

    def watch(self) -> None:
        """Note what the console says and whom the page asks."""
        self.page.on("console", lambda said: self._heard(said.type, said.text))
        self.page.on("pageerror", lambda error: self.wrong.append(f"error: {error}"))
        self.page.on("request", lambda request: self._asked(request.url))

    def _heard(self, kind: str, text: str) -> None:
        refused = REFUSED.search(text)
        if refused and int(refused[1]) in self.expected:
            return
        if self.outage and (text.startswith(EXPECTED_TO_FAIL) or (refused and int(refused[1]) >= 500)):
            return
        if kind in ("error", "warning"):
            self.wrong.append(f"{kind}: {text}")

    def _asked(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme in ("http", "https") and f"{parts.scheme}://{parts.netloc}" != self.url:
            self.wrong.append(f"foreign request: {url}")

    async def open(self, query: str = "") -> None:
        """Go to an address of the page."""
        await self.page.goto(f"{self.url}/{query}")

    async def sign_in(self, member_id: str) -> None:
        """Sign in at the local run's login."""
        await self.page.get_by_label(re.compile("^(Andere Mitglieds-ID|Another member id)$")).fill(member_id)
        await self.button(re.compile("^(Anmelden|Sign in)$")).click()
        await expect(self.page.get_by_role("navigation").first).to_be_visible()

    async def sign_in_again(self, member_id: str) -> None:
        """Sign in over what was being done."""
        dialog = self.dialog("Ihre Sitzung ist abgelaufen")
        await dialog.get_by_label("Andere Mitglieds-ID").fill(member_id)
        await dialog.get_by_role("button", name="Anmelden", exact=True).click()
        await expect(dialog).to_have_count(0)

    def button(self, name: str | re.Pattern[str]) -> Locator:
        """Return the button of that name."""
        return self.page.get_by_role("button", name=name, exact=isinstance(name, str) or None)

    def tab(self, name: str) -> Locator:
        """Return a tab."""
        return self.page.get_by_role("tab", name=re.compile(f"^{name}"))

    def row(self, name: str) -> Locator:
        """Return a client's row."""
        return self.page.get_by_role("row").filter(has=self.page.get_by_role("rowheader", name=re.compile(f"^{re.escape(name)}")))

    @property
    def names(self) -> Locator:
        """The clients' names in the table, from above."""
        return self.page.locator("tbody .name .link")

    async def shows(self, *names: str) -> None:
        """Wait until the table holds exactly these clients, in this order."""
        await expect(self.names).to_have_text(list(names))

    async def choose(self, client: str, item: str, of: str = "Aktionen für") -> None:
        """Open the three dots beside a client's name and take an item."""
        await self.button(f"{of} {client}").click()
        await self.page.get_by_role("menuitem", name=item).click()

    async def details(self, client: str, item: str = "Details anzeigen", of: str = "Aktionen für") -> Locator:
        """Open a client's details by its menu; return them."""
        await self.choose(client, item, of)
        sheet = self.page.get_by_role("dialog", name=client)
        await expect(sheet).to_be_visible()
        return sheet

    def dialog(self, name: str) -> Locator:
        """Return the dialog of that title."""
        return self.page.get_by_role("dialog", name=name).or_(self.page.get_by_role("alertdialog", name=name))

    async def told(self, text: str | re.Pattern[str]) -> None:
        """Wait until the page says *text* where a screen reader hears it."""
        await expect(self.page.get_by_role("status").filter(has_text=text).first).to_be_visible()

    async def axe(self) -> list[str]:
        """Return what axe finds wrong with what is shown now."""
        if not await self.page.evaluate("'axe' in window"):
            await self.page.evaluate(AXE.read_text())
        await self.page.evaluate(STILL)
        found = await self.page.evaluate(
            "tags => axe.run({exclude: [['[data-live-announcer]']]}, {runOnly: {type: 'tag', values: tags}})",
            WCAG,
        )
        return [
            f"{violation['id']}: {violation['help']} at {[node['target'] for node in violation['nodes']][:3]}"
            for violation in found["violations"]
        ]


# What fades in is nothing yet to axe: a dialog that is no dialog hides the page all the same.
STILL = """() => Promise.all(document.getAnimations()
  .filter((one) => one.effect.getComputedTiming().endTime !== Infinity)
  .map((one) => one.finished.catch(() => undefined)))"""


class People:
    """The windows of one test."""

    def __init__(self, browser: Browser, url: str) -> None:
        self._browser = browser
        self._url = url
        self._walks: list[Walk] = []

    async def enter(
        self,
        member_id: str | None,
        query: str = "",
        locale: str = "de-DE",
        scheme: Scheme = "light",
        device: Mapping[str, Any] = DESKTOP,
    ) -> Walk:
        """Return a new window in which *member_id* has signed in; nobody has if that is None."""
        context = await self._browser.new_context(
            locale=locale,
            timezone_id="Europe/Berlin",
            color_scheme=scheme,
            reduced_motion="reduce",
            **device,
        )
        context.set_default_timeout(30_000)
        walk = Walk(await context.new_page(), self._url)
        walk.watch()
        self._walks.append(walk)
        await walk.open(query)
        if member_id is not None:
            await walk.sign_in(member_id)
        return walk

    async def leave(self) -> list[str]:
        """Close every window; return what went wrong in them."""
        left, self._walks = self._walks, []
        for walk in left:
            await walk.page.unroute_all(behavior="ignoreErrors")  # else an answer on its way fails the next test
            await walk.page.context.close()
        return [wrong for walk in left for wrong in walk.wrong]
