"""The same page in English: the labels of W1, and not a German word among them (G1)."""

from __future__ import annotations

import re

from playwright.async_api import expect

from tests.browser import facts
from tests.browser.walk import People, Walk
from tests.e2e.portal import Firm

GERMAN = re.compile(
    r"[äöüß]|\b(und|oder|der|die|das|ein|eine|mit|von|seit|noch|keine|nicht|Mandant\w*|Zuständig|Stand|Kontostand|Einladung\w*|"
    r"Weiter|Zurück|Alle|Suche\w*|Schließen|Abbrechen|Wählen|Bitte|Verbunden)\b"
)

SAID = """() => {
  const labels = ["aria-label", "title", "placeholder", "aria-description"];
  const labelled = [...document.querySelectorAll(labels.map((name) => `[${name}]`).join())];
  const hidden = labelled.flatMap((one) => labels.map((name) => one.getAttribute(name) ?? ""));
  return [document.title, document.body.innerText, ...hidden].join("\\n");
}"""


async def _enter(people: People, member_id: str, query: str = "") -> Walk:
    return await people.enter(member_id, query, locale="en-GB")


async def _plain(walk: Walk, *known: str) -> None:
    """Assert that neither text nor labels hold a German word, *known* names aside."""
    said = await walk.page.evaluate(SAID)
    for name in known:
        said = said.replace(name, "")
    assert not GERMAN.findall(said), [line for line in said.splitlines() if GERMAN.search(line)]


async def test_the_article_in_english(english_firm: Firm, people: People) -> None:
    """W1: Clients, Search, More filters, Missing receipts, Sort by name, View details, Notify accountants, Send email."""
    firm = english_firm
    client_id = await firm.client("Mill Ltd", firm.leyla)
    await facts.missing(firm, client_id, 1)
    await facts.balance(firm, client_id, 123456, low=False)
    leyla = await _enter(people, firm.leyla, "?tab=all")
    await expect(leyla.page.get_by_role("heading", level=1)).to_have_text("Clients")
    await expect(leyla.page.locator("html")).to_have_attribute("lang", "en-GB")
    await expect(leyla.page.get_by_role("tab")).to_have_text(["My clients1", "All1"])
    await expect(leyla.row("Mill Ltd")).to_contain_text("€1,234.56")
    await expect(leyla.page.get_by_role("searchbox", name="Search")).to_be_visible()
    await expect(leyla.button(re.compile("^Sort by name"))).to_be_visible()
    await leyla.button("More filters").click()
    await leyla.page.get_by_role("checkbox", name="Missing receipts").check()
    await leyla.page.keyboard.press("Escape")
    await leyla.button("Actions for Mill Ltd").click()
    await expect(leyla.page.get_by_role("menuitem")).to_have_text(["Go to client", "View details", "Notify accountants"])
    await _plain(leyla, "Leyla Özdemir")
    await leyla.page.get_by_role("menuitem", name="Notify accountants").click()
    dialog = leyla.dialog("Notify accountants")
    await _plain(leyla, "Leyla Özdemir")
    await dialog.get_by_role("checkbox", name="Missing receipts").check()
    await dialog.get_by_role("button", name="Send email").click()
    await leyla.told("1 person was notified: Leyla Özdemir.")


async def test_notifications_in_english(english_firm: Firm, people: People) -> None:
    """W1: Notifications, Email, Choose the frequency."""
    await english_firm.client("Mill Ltd", english_firm.tom)
    tom = await _enter(people, english_firm.tom)
    tom.expected.add(404)
    sheet = await tom.details("Mill Ltd", "View details", of="Actions for")
    part = sheet.get_by_role("region", name="Notifications")
    await part.get_by_role("checkbox", name="Email").check()
    await part.get_by_label("Choose the frequency").select_option("Monthly")
    await tom.told("Saved.")
    await _plain(tom, "Leyla Özdemir", "Tom Brandt")


async def test_every_place_speaks_english(english_firm: Firm, people: People) -> None:
    """G1: tabs, empty states, dialogs and the other places."""
    firm = english_firm
    leyla = await _enter(people, firm.leyla)
    leyla.expected.add(404)
    await leyla.told("No client is assigned to you yet")
    await _plain(leyla, "Leyla Özdemir")
    await facts.invite(firm, "Onboarding Ltd")
    await firm.invited_by("Invitation Ltd")
    for tab in ("Invitations", "Onboarding"):
        await leyla.tab(tab).click()
        await expect(leyla.names).to_have_count(1)
        await _plain(leyla, "Leyla Özdemir")
    await leyla.button("Invite a company").click()
    await leyla.dialog("Invite a company to Pleo").get_by_role("button", name="Send invitation").click()
    await expect(leyla.page.get_by_text("Please fill in this field.").first).to_be_visible()
    await _plain(leyla, "Leyla Özdemir")
    await leyla.page.keyboard.press("Escape")
    for place in ("My deliveries", "Members"):
        await leyla.page.get_by_role("link", name=place).click()
        await expect(leyla.page.get_by_role("heading", level=1)).to_have_text(place)
        await _plain(leyla, "Leyla Özdemir")
