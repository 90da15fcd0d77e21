"""Pictures of the page and of two mails, with the demo firm in them: ``make screenshots``, into an ignored folder."""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from playwright.async_api import Browser, async_playwright

from deploy.local import run
from deploy.local.home import ROOT, Home
from tests.browser.walk import CHROMIUM, FLAGS, PHONE, People, Scheme, Walk
from tests.e2e.portal import Outside

HOME = Path(".local/screenshots")
PICTURES = ROOT / HOME / "pictures"
WIDE = {"viewport": {"width": 1360, "height": 850}}
LEYLA, TOM = "demo-leyla", "demo-tom"
ENGLISH = {"firm_id": "demo", "member_id": LEYLA, "name": "Leyla Özdemir", "role": "admin"}


async def take(walk: Walk, name: str) -> None:
    """Keep what the window shows, once it has come to rest."""
    await walk.page.evaluate("document.fonts.ready")
    await walk.page.wait_for_load_state()
    await walk.page.screenshot(path=PICTURES / f"{name}.png", animations="disabled")
    print(f"{name}.png", flush=True)


async def _german(people: People, scheme: Scheme) -> None:
    end = "" if scheme == "light" else "-dark"
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
    await leyla.page.keyboard.press("Escape")
    for tab in ("Einladungen", "Onboarding"):
        await leyla.tab(tab).click()
        await leyla.page.get_by_role("table", name=tab).wait_for()
        await take(leyla, f"{tab.lower()}{end}")
    await leyla.details("Weingut Rebstock KG")
    await leyla.page.get_by_role("region", name="Onboarding").wait_for()
    await take(leyla, f"onboarding-details{end}")
    await leyla.page.keyboard.press("Escape")
    await leyla.button("Unternehmen einladen").click()
    await take(leyla, f"invite{end}")
    await leyla.page.keyboard.press("Escape")
    await _busy(leyla, end)


async def _busy(leyla: Walk, end: str) -> None:
    """The details of a client in which something happened, a reminder, many at once, the other places."""
    await leyla.open("?tab=all&client=demo-005")
    await leyla.page.get_by_role("region", name="Erinnerungen").wait_for()
    await take(leyla, f"details{end}")
    await leyla.page.get_by_role("region", name="Zugriffe").scroll_into_view_if_needed()
    await take(leyla, f"details-below{end}")
    await leyla.button("Vorschau der E-Mail").click()
    await leyla.page.get_by_role("dialog", name="Vorschau der E-Mail").get_by_role("status").filter(has_text=".").wait_for()
    await take(leyla, f"preview{end}")
    await leyla.open("?tab=all")
    await leyla.choose("Physiotherapie am Ring", "Buchhalter benachrichtigen")
    await leyla.dialog("Buchhalter benachrichtigen").get_by_role("checkbox", name="Fehlende Quittungen").check()
    await take(leyla, f"reminder{end}")
    await leyla.page.keyboard.press("Escape")
    await leyla.page.get_by_role("checkbox", name="Alle auf dieser Seite auswählen").check()
    await take(leyla, f"chosen{end}")
    await leyla.button("Zuweisen …").click()
    await take(leyla, f"assign-many{end}")
    await leyla.page.keyboard.press("Escape")
    await leyla.button("Benachrichtigungen …").click()
    await take(leyla, f"notify-many{end}")
    await leyla.page.keyboard.press("Escape")
    await leyla.open("?tab=all&search=gibtsnicht")
    await leyla.told("Nichts gefunden")
    await take(leyla, f"nothing-found{end}")
    for place in ("Meine Zustellungen", "Einstellungen", "Mitglieder"):
        await leyla.page.get_by_role("link", name=place).click()
        await leyla.page.get_by_role("heading", level=1, name=place).wait_for()
        await leyla.page.wait_for_timeout(500)
        await take(leyla, f"{place.lower().replace(' ', '-')}{end}")


async def _phone(people: People, scheme: Scheme) -> None:
    end = "" if scheme == "light" else "-dark"
    tom = await people.enter(TOM, device=PHONE, scheme=scheme)
    await tom.names.nth(3).wait_for()
    await take(tom, f"phone{end}")
    await tom.button("Aktionen für Physiotherapie am Ring").click()
    await tom.page.get_by_role("menu").wait_for()
    await take(tom, f"phone-menu{end}")
    await tom.page.get_by_role("menuitem", name="Details anzeigen").click()
    await tom.page.get_by_role("region", name="Benachrichtigungen").wait_for()
    await take(tom, f"phone-details{end}")


async def _english(people: People, outside: Outside) -> None:
    data = {**ENGLISH, "email": "leyla@sommer-partner.example", "locale": "en-GB", "sequence": 2}
    await outside.event("pleo.partners", "pleo.member.changed.v1", data)
    leyla = await people.enter(LEYLA, "?tab=all", locale="en-GB", device=WIDE)
    await leyla.page.get_by_role("heading", name="Clients").wait_for()
    await leyla.names.nth(20).wait_for()
    await take(leyla, "english")
    await leyla.details("Physiotherapie am Ring", "View details", of="Actions for")
    await leyla.page.get_by_role("region", name="Notifications").wait_for()
    await take(leyla, "english-details")


async def _mails(browser: Browser, outside: Outside) -> None:
    """A digest and a reminder, as a mail program shows them."""
    today = datetime.now(UTC)
    monday = (today + timedelta(days=7 - today.weekday())).replace(hour=12, minute=0, second=0, microsecond=0)
    code, said = await outside.python("services.notifier", "tick", "--at", monday.isoformat())
    assert code == 0, said
    page = await browser.new_page(viewport={"width": 720, "height": 900}, locale="de-DE")
    for mail in await outside.mails("tom@sommer-partner.example"):
        kind = "mail-reminder" if mail.get("replyTo") else "mail-digest"
        await page.set_content(mail["html"])
        await page.screenshot(path=PICTURES / f"{kind}.png", full_page=True)
        print(f"{kind}.png: {mail['subject']}", flush=True)


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
            await _mails(browser, outside)
            for scheme in ("light", "dark"):
                await _german(people, scheme)
                await _phone(people, scheme)
            await _english(people, outside)
            await people.leave()
            await browser.close()
    finally:
        await asyncio.to_thread(run.stop, HOME)


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
