"""For everybody: by keyboard alone, read by a screen reader, on a phone, in the dark (W2, WCAG 2.2 AA)."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from typing import Any, Literal

import pytest
from playwright.async_api import Page, expect

from tests.browser import facts
from tests.browser.walk import DESKTOP, PHONE, People, Scheme, Walk
from tests.e2e.portal import Firm, Outside

GERMAN = {
    "of": "Aktionen für",
    "details": "Details anzeigen",
    "remind": "Buchhalter benachrichtigen",
    "invite": "Unternehmen einladen",
    "filters": "Weitere Filter",
    "places": "Meine Zustellungen,Mitglieder",
    "tabs": "Einladungen,Onboarding,Alle",
    "answers": "Einladung von Einladung GmbH annehmen,Einladung von Einladung GmbH ablehnen",
    "page": "Alle auf dieser Seite auswählen",
    "many": "Zuständige ändern …,Benachrichtigungen …",
    "within": "Vorschau der E-Mail,Verbindung beenden …",
    "search": "Suchfeld",
    "outage": "Gerade keine Verbindung",
    "expired": "Ihre Sitzung ist abgelaufen",
}
ENGLISH = {
    "of": "Actions for",
    "details": "View details",
    "remind": "Notify accountants",
    "invite": "Invite a company",
    "filters": "More filters",
    "places": "My deliveries,Members",
    "tabs": "Invitations,Onboarding,All",
    "answers": "Accept the invitation of Einladung GmbH,Decline the invitation of Einladung GmbH",
    "page": "Select all on this page",
    "many": "Change assignees …,Notifications …",
    "within": "Preview of the email,Disconnect …",
    "search": "Search",
    "outage": "No connection to the portal",
    "expired": "Your session has expired",
}


async def _furnished(firm: Firm) -> None:
    """Let the firm have a client in every state that looks different."""
    client_id = await firm.client("Müller Bau", firm.leyla, firm.tom)
    await facts.missing(firm, client_id, 2)
    await facts.balance(firm, client_id, 4210, low=True)
    await firm.client("Niemands Garten")
    await firm.invited_by("Einladung GmbH", addressed_to=firm.address(firm.tom))
    await facts.verified(firm, await facts.invite(firm, "Weingut Rebstock KG"), "information_required")
    reminded = await firm.post(f"/v1/clients/{client_id}/reminders", {"tasks": ["missing_receipts"], "comment": "Bitte"})
    assert reminded.status == 201, reminded


async def _opened(walk: Walk, words: Mapping[str, str]) -> AsyncIterator[str]:
    """Open one after the other whatever opens, and name it."""
    escape = walk.page.keyboard.press
    await walk.button(words["filters"]).click()
    yield "filters"
    await escape("Escape")
    await walk.button(f"{words['of']} Niemands Garten").click()
    await expect(walk.page.get_by_role("menu")).to_be_visible()
    yield "menu"
    await escape("Escape")
    await walk.choose("Müller Bau", words["remind"], words["of"])
    await expect(walk.page.get_by_role("dialog")).to_be_visible()
    yield "reminder"
    await escape("Escape")
    await walk.button(words["invite"]).click()
    await expect(walk.page.get_by_role("dialog").get_by_role("checkbox").first).to_be_visible()
    yield "invite"
    await walk.page.get_by_role("dialog").get_by_role("button").last.click()
    yield "invite, nothing filled in"
    await escape("Escape")
    await walk.page.get_by_role("checkbox", name=words["page"]).check()
    yield "chosen"
    for button in words["many"].split(","):
        await walk.button(button).click()
        await expect(walk.page.get_by_role("dialog").get_by_role("combobox").first).to_be_visible()
        yield button
        await escape("Escape")
    await walk.details("Müller Bau", words["details"], words["of"])
    await expect(walk.page.get_by_role("checkbox").first).to_be_visible()
    yield "details"
    for button in words["within"].split(","):
        await walk.button(button).click()
        await expect(walk.page.locator("[role=document], [role=alertdialog]")).to_be_visible()
        yield button
        await escape("Escape")
        await expect(walk.page.locator("[role=document], [role=alertdialog]")).to_have_count(0)
        await expect(walk.page.locator("[role=dialog]:focus-within")).to_be_visible()  # only then Escape reaches it
    await escape("Escape")


async def _visited(walk: Walk, words: Mapping[str, str]) -> AsyncIterator[str]:
    """Go through the tabs, the answers to an invitation and the places, and name each."""
    await expect(walk.names).to_have_count(1)
    yield "mine"
    for tab in words["tabs"].split(","):
        await walk.tab(tab).click()
        await expect(walk.page.get_by_role("tab", selected=True)).to_have_text(re.compile(tab))
        await expect(walk.names.first).to_be_visible()
        yield tab
    async for state in _opened(walk, words):
        yield state
    await walk.tab(words["tabs"].partition(",")[0]).click()
    for answer in words["answers"].split(","):
        await walk.button(answer).click()
        await expect(walk.page.get_by_role("dialog").or_(walk.page.get_by_role("alertdialog"))).to_be_visible()
        yield answer
        await walk.page.keyboard.press("Escape")
    for place in words["places"].split(","):
        await walk.page.get_by_role("link", name=place).click()
        await expect(walk.page.get_by_role("heading", level=1)).to_have_text(place)
        await expect(walk.page.get_by_text(re.compile("^(Wird geladen|Loading)"))).to_have_count(0)
        yield place


async def _troubled(walk: Walk, words: Mapping[str, str]) -> AsyncIterator[str]:
    """Find nothing, lose the portal, lose the session, and name each."""
    await walk.open()
    search = walk.page.get_by_role("searchbox", name=words["search"])
    await search.fill("gibtsnicht")
    await expect(walk.page.locator(".empty")).to_be_visible()
    yield "nothing found"
    walk.outage = True
    await walk.page.route("**/v1/**", lambda route: route.abort())
    await search.fill("bau")
    await walk.told(words["outage"])
    yield "outage"
    walk.expected.add(401)
    unknown = {"authorization": "Bearer x"}
    await walk.page.route(  # in place of the outage: no read may slip between them
        "**/v1/**", lambda route: route.continue_(headers={**route.request.headers, **unknown})
    )
    await expect(walk.dialog(words["expired"])).to_be_visible()
    yield "expired"


@pytest.mark.parametrize("device", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("locale", ["de-DE", "en-GB"])
@pytest.mark.timeout(240)
async def test_axe_finds_nothing_in_any_state(
    locale: str, scheme: Scheme, device: Mapping[str, Any], outside: Outside, people: People
) -> None:
    """W2: each tab, menu, dialog, place and trouble; light and dark, German and English, desktop and phone."""
    firm = await outside.firm(locale=locale)
    words = GERMAN if locale == "de-DE" else ENGLISH
    await _furnished(firm)
    walk = await people.enter(None, locale=locale, scheme=scheme, device=device)
    walk.expected.add(404)
    await expect(walk.page.get_by_role("heading", level=1)).to_be_visible()
    found = {"sign-in": await walk.axe()}
    await walk.sign_in(firm.leyla)
    for shown in (_visited, _troubled):
        async for state in shown(walk, words):
            found[state] = await walk.axe()
    assert {state: wrong for state, wrong in found.items() if wrong} == {}


async def _until(page: Page, name: str | re.Pattern[str], role: Literal["button", "checkbox", "textbox"] = "button") -> None:
    """Press Tab until the focus is on the control of that name."""
    for _ in range(40):
        await page.keyboard.press("Tab")
        if await page.get_by_role(role, name=name).and_(page.locator(":focus")).count():
            return
    raise AssertionError(f"Tab does not lead to {name}")


async def test_the_article_by_keyboard_alone(firm: Firm, leyla: Walk) -> None:
    """W2: search, one tab stop in the table, arrows, the menu, the details, the reminder; Escape brings the focus back."""
    for name in ("Alpha", "Beta"):
        await firm.client(name, firm.leyla)
    await leyla.shows("Alpha", "Beta")
    page, press = leyla.page, leyla.page.keyboard.press
    await press("/")
    await expect(page.get_by_role("searchbox", name="Suchfeld")).to_be_focused()
    await page.keyboard.type("a")
    await leyla.shows("Alpha", "Beta")
    await _until(page, "Alpha")
    await press("ArrowDown")
    await expect(leyla.button("Beta")).to_be_focused()
    await press("ArrowRight")
    await expect(leyla.button("Aktionen für Beta")).to_be_focused()
    await press("Enter")
    await expect(page.get_by_role("menuitem", name="Zum Mandanten")).to_be_focused()
    await press("ArrowDown")
    await press("Enter")
    await expect(page.get_by_role("dialog", name="Beta")).to_be_visible()
    await press("Escape")
    await expect(leyla.button("Aktionen für Beta")).to_be_focused()
    await press("Enter")
    await press("End")
    await press("Enter")
    dialog = leyla.dialog("Buchhalter benachrichtigen")
    await expect(dialog).to_be_visible()
    await _until(page, "Fehlende Quittungen", "checkbox")
    await press("Space")
    await _until(page, "Kommentar", "textbox")
    await page.keyboard.type("Bitte")
    await _until(page, "E-Mail senden")
    await press("Enter")
    await leyla.told("1 Person wurde benachrichtigt: Leyla Özdemir.")
    await expect(leyla.button("Aktionen für Beta")).to_be_focused()
    await press("ArrowLeft")
    await press("Tab")
    await expect(page.locator("tbody :focus")).to_have_count(0)


async def test_tabs_are_walked_by_arrows(firm: Firm, leyla: Walk) -> None:
    """W2: one tab stop for the tabs; the arrow chooses."""
    await firm.client("Alpha")
    await leyla.tab("Meine Mandanten").focus()
    await leyla.page.keyboard.press("ArrowRight")
    await leyla.shows("Alpha")
    await expect(leyla.tab("Alle")).to_be_focused()


async def test_the_phone_shows_rows_as_cards_without_scrolling_sideways(firm: Firm, people: People) -> None:
    """W2: 390 px wide; every figure with its label, every control 24 px or more."""
    await _furnished(firm)
    leyla = await people.enter(firm.leyla, device=PHONE)
    await expect(leyla.names).to_have_count(1)
    await expect(leyla.row("Müller Bau")).to_contain_text("niedrig")
    await leyla.page.get_by_role("checkbox", name="Alle auf dieser Seite auswählen").check()
    await leyla.told("1 ausgewählt")
    await leyla.button("Fehlende Quittungen").click()
    await expect(leyla.page).to_have_url(re.compile("sort=-missing_receipts"))
    wide = await leyla.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide == 0
    await leyla.button("Aktionen für Müller Bau").click()
    await leyla.page.get_by_role("menuitem", name="Details anzeigen").click()
    sheet = leyla.page.get_by_role("dialog", name="Müller Bau")
    box = await sheet.bounding_box()
    assert box is not None
    assert box["width"] <= 390
