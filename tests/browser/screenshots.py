"""Pictures of the page and of its mails, with the demo firm in them: ``make screenshots``, into an ignored folder."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

from playwright.async_api import Route, async_playwright

from deploy.local import run
from deploy.local.home import ROOT, Home
from tests.browser import mailpictures
from tests.browser.mailpictures import ENGLISH, LEYLA, TOM
from tests.browser.walk import CHROMIUM, FLAGS, PHONE, People, Scheme, Walk
from tests.e2e.portal import Outside

HOME = Path(".local/screenshots")
PICTURES = ROOT / HOME / "pictures"
WIDE: dict[str, Any] = {"viewport": {"width": 1360, "height": 850}}
TABLET: dict[str, Any] = {"viewport": {"width": 900, "height": 700}}


async def take(walk: Walk, name: str) -> None:
    """Keep what the window shows, once it has come to rest."""
    await walk.page.mouse.move(0, 0)
    await walk.page.evaluate("document.fonts.ready")
    await walk.page.wait_for_load_state()
    await walk.page.screenshot(path=PICTURES / f"{name}.png", animations="disabled")
    print(f"{name}.png", flush=True)


async def _lists(people: People, scheme: Scheme, end: str) -> None:
    """Signing in, the tabs, what narrows them, the menu."""
    login = await people.enter(None, device=WIDE, scheme=scheme)
    await login.page.get_by_role("button", name="Leyla").wait_for()
    await take(login, f"sign-in{end}")
    leyla = await people.enter(LEYLA, "?tab=all", device=WIDE, scheme=scheme)
    await leyla.names.nth(20).wait_for()
    await take(leyla, f"all{end}")
    await leyla.button("Weitere Filter").click()
    await leyla.page.get_by_role("checkbox", name="Fehlende Quittungen").check()
    await take(leyla, f"filters{end}")
    await leyla.page.keyboard.press("Escape")
    await leyla.button("Filter entfernen: Fehlende Quittungen").click()
    await leyla.button("Aktionen für Autohaus Schäfer KG").click()
    await leyla.page.get_by_role("menu").wait_for()
    await take(leyla, f"menu{end}")
    await leyla.open("?tab=all&search=gibtsnicht")
    await leyla.told("Nichts gefunden")
    await take(leyla, f"nothing-found{end}")
    for tab in ("onboarding", "invitations"):
        await leyla.open(f"?tab={tab}")
        await leyla.names.first.wait_for()
        await take(leyla, f"{tab}{end}")
    await leyla.button("Einladung von Café Muckefuck UG annehmen").click()
    await leyla.dialog("Einladung annehmen").get_by_role("checkbox").first.wait_for()
    await take(leyla, f"accept{end}")


async def _details(people: People, scheme: Scheme, end: str) -> None:
    """The details of a client in which something happened, and of one on its way."""
    leyla = await people.enter(LEYLA, "?tab=onboarding", device=WIDE, scheme=scheme)
    await leyla.details("Weingut Rebstock KG")
    await leyla.page.get_by_role("region", name="Onboarding").wait_for()
    await take(leyla, f"onboarding-details{end}")
    await leyla.open("?tab=all&client=demo-005")
    await leyla.page.get_by_role("region", name="Erinnerungen").wait_for()
    await take(leyla, f"details{end}")
    await leyla.page.get_by_role("region", name="Zugriffe").scroll_into_view_if_needed()
    await take(leyla, f"details-below{end}")
    await leyla.button("Verbindung beenden …").click()
    await take(leyla, f"disconnect{end}")
    await leyla.page.keyboard.press("Escape")
    await leyla.button("Vorschau der E-Mail").click()
    preview = leyla.page.get_by_role("dialog", name="Vorschau der E-Mail")
    await preview.get_by_role("document").wait_for()
    await take(leyla, f"preview{end}")
    await preview.get_by_role("radio", name="Nur Text").check()
    await preview.locator("pre").wait_for()
    await take(leyla, f"preview-text{end}")
    await leyla.page.keyboard.press("Escape")
    async with leyla.page.context.expect_page() as opening:
        await leyla.button("Zum Mandanten").click()
    product = await opening.value
    await product.get_by_text("Let in.").wait_for()
    await product.screenshot(path=PICTURES / f"product{end}.png")
    nina = await people.enter("demo-nina", "?client=demo-018", device=WIDE, scheme=scheme)
    await nina.page.get_by_role("region", name="Erinnerungen").wait_for()
    await nina.page.get_by_role("region", name="Benachrichtigungen").scroll_into_view_if_needed()
    await take(nina, f"suppressed{end}")


async def _work(people: People, scheme: Scheme, end: str) -> None:
    """Dialogs of one and of many clients, and the other places."""
    leyla = await people.enter(LEYLA, "?tab=all", device=WIDE, scheme=scheme)
    await leyla.choose("Physiotherapie am Ring", "Buchhalter benachrichtigen")
    await leyla.dialog("Buchhalter benachrichtigen").get_by_role("checkbox", name="Fehlende Quittungen").check()
    await take(leyla, f"reminder{end}")
    await leyla.page.keyboard.press("Escape")
    await leyla.button("Unternehmen einladen").click()
    await leyla.dialog("Unternehmen zu Pleo einladen").get_by_role("button", name="Einladung senden").click()
    await take(leyla, f"invite{end}")
    await leyla.page.keyboard.press("Escape")
    await leyla.page.get_by_role("checkbox", name="Alle auf dieser Seite auswählen").check()
    await take(leyla, f"chosen{end}")
    for button in ("Zuständige ändern …", "Benachrichtigungen …"):
        await leyla.button(button).click()
        await leyla.page.get_by_role("dialog").get_by_role("combobox").first.wait_for()
        await take(leyla, f"{'assign' if 'Z' in button else 'notify'}-many{end}")
        await leyla.page.keyboard.press("Escape")
    for place in ("Meine Zustellungen", "Mitglieder"):
        await leyla.page.get_by_role("link", name=place).click()
        await leyla.page.get_by_role("table", name=place).wait_for()
        await take(leyla, f"{place.lower().replace(' ', '-')}{end}")


async def _trouble(people: People, scheme: Scheme, end: str) -> None:
    """What is said when the portal is away, and when a session ends while one writes."""

    async def lost(route: Route) -> None:
        await route.abort()

    async def unknown(route: Route) -> None:
        await route.continue_(headers={**route.request.headers, "authorization": "Bearer x"})

    tom = await people.enter(TOM, device=WIDE, scheme=scheme)
    await tom.names.nth(3).wait_for()
    await tom.page.route("**/v1/**", lost)
    await tom.page.get_by_role("searchbox").fill("müller")
    await tom.told("Gerade keine Verbindung")
    await take(tom, f"outage{end}")
    await tom.page.unroute("**/v1/**")
    await tom.page.route("**/v1/**", unknown)
    await tom.dialog("Ihre Sitzung ist abgelaufen").wait_for()
    await take(tom, f"expired{end}")


async def _small(people: People, scheme: Scheme, end: str) -> None:
    """The phone, for both roles, and a narrow window."""
    tom = await people.enter(TOM, device=PHONE, scheme=scheme)
    await tom.names.nth(3).wait_for()
    await take(tom, f"phone{end}")
    await tom.button("Aktionen für Physiotherapie am Ring").click()
    await tom.page.get_by_role("menu").wait_for()
    await take(tom, f"phone-menu{end}")
    await tom.page.get_by_role("menuitem", name="Details anzeigen").click()
    await tom.page.get_by_role("region", name="Erinnerungen").wait_for()
    await take(tom, f"phone-details{end}")
    leyla = await people.enter(LEYLA, device=PHONE, scheme=scheme)
    for tab in ("invitations", "onboarding"):
        await leyla.open(f"?tab={tab}")
        await leyla.names.first.wait_for()
        await take(leyla, f"phone-{tab}{end}")
    await leyla.page.get_by_role("link", name="Meine Zustellungen").click()
    await leyla.page.get_by_role("table").wait_for()
    await take(leyla, f"phone-deliveries{end}")
    tablet = await people.enter(LEYLA, "?tab=all", device=TABLET, scheme=scheme)
    await tablet.names.nth(20).wait_for()
    await take(tablet, f"tablet{end}")


async def _english(people: People, outside: Outside) -> None:
    await outside.event("pleo.partners", "pleo.member.changed.v1", ENGLISH)
    leyla = await people.enter(LEYLA, "?tab=all", locale="en-GB", device=WIDE)
    await leyla.page.get_by_role("heading", name="Clients").wait_for()
    await leyla.names.nth(20).wait_for()
    await take(leyla, "english")
    await leyla.details("Physiotherapie am Ring", "View details", of="Actions for")
    await leyla.page.get_by_role("region", name="Notifications").wait_for()
    await take(leyla, "english-details")
    await leyla.page.keyboard.press("Escape")
    for tab in ("Invitations", "Onboarding"):
        await leyla.tab(tab).click()
        await leyla.page.get_by_role("table", name=tab).wait_for()
        await take(leyla, f"english-{tab.lower()}")
    for place in ("My deliveries", "Members"):
        await leyla.page.get_by_role("link", name=place).click()
        await leyla.page.get_by_role("table", name=place).wait_for()
        await take(leyla, f"english-{place.lower().replace(' ', '-')}")


async def main() -> None:
    """Start a system of its own with the demo firm, walk it, keep the pictures, stop it."""
    await asyncio.to_thread(run.reset, HOME)
    PICTURES.mkdir(parents=True, exist_ok=True)
    endpoints = await asyncio.to_thread(run.start, HOME, environ={"PORTAL_DEMO": "1"})
    try:
        async with Outside(endpoints, Home.at(HOME).folder) as outside, async_playwright() as playwright:
            code, said = await outside.python("deploy.demo")
            assert code == 0, said
            browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
            people = People(browser, outside.url)
            await mailpictures.take_all(browser, outside, PICTURES)
            for walked in (_lists, _details, _work, _trouble, _small):
                await walked(people, "light", "")
                await walked(people, "dark", "-dark")
                await people.leave()
            await _english(people, outside)
            await people.leave()
            await mailpictures.take_english(browser, outside, PICTURES)
            await browser.close()
    finally:
        await asyncio.to_thread(run.stop, HOME)


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
