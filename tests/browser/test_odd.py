"""Bad and rare input: the page keeps its form, and shows no more than is true."""

from __future__ import annotations

import json
from typing import Any

from playwright.async_api import Route, expect

from tests.browser.walk import DESKTOP, PHONE, People, Walk
from tests.e2e.portal import Firm

LONG = "Donaudampfschifffahrtsgesellschaft " * 143  # 5,005 characters
UNBROKEN = "x" * 5000
ARABIC = "شركة المحاسبة العربية"
MARKUP = "<img src=x onerror=alert(1)>"


async def _renamed(walk: Walk, **shown: Any) -> None:
    """Let the portal answer with rows that differ by *shown*; the rest of the answer is its own."""

    async def answer(route: Route) -> None:
        got = await route.fetch()
        body = await got.json()
        for row in body.get("items", [body]):
            row.update(shown)
        await route.fulfill(response=got, body=json.dumps(body))

    await walk.page.route("**/v1/clients?*", answer)
    await walk.page.route("**/v1/clients/c*", answer)


async def _keeps_its_form(walk: Walk) -> None:
    wide = await walk.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide == 0
    for box in [await row.bounding_box() for row in await walk.page.locator("tbody tr").all()]:
        assert box is not None
        assert box["height"] < 400
    assert not await walk.axe()


async def test_names_of_five_thousand_characters_break_nothing(firm: Firm, people: People) -> None:
    """Cut in the row, whole for a screen reader, on the desktop and the phone."""
    await firm.client("Müller Bau", firm.tom)
    for device in (DESKTOP, PHONE):
        for name in (LONG, UNBROKEN):
            walk = await people.enter(None, device=device)
            await _renamed(walk, name=name, reason=name)
            await walk.sign_in(firm.tom)
            await expect(walk.names).to_have_text([name.strip()])
            await _keeps_its_form(walk)
            await walk.names.click()
            sheet = walk.page.get_by_role("dialog")
            box = await sheet.bounding_box()
            assert box is not None
            assert box["x"] + box["width"] <= walk.page.viewport_size["width"]  # type: ignore[index]
            await expect(sheet.get_by_role("heading", name="Benachrichtigungen")).to_be_visible()


async def test_a_name_from_right_to_left_turns_nothing_else_round(firm: Firm, people: People) -> None:
    """Each name is isolated: what stands beside it keeps its order."""
    await firm.client("Müller Bau", firm.tom)
    walk = await people.enter(None)
    await _renamed(walk, name=ARABIC, client_number="1007")
    await walk.sign_in(firm.tom)
    await walk.shows(ARABIC)
    assert await walk.names.locator("bdi").evaluate("(one) => getComputedStyle(one).direction") == "rtl"
    await expect(walk.row(ARABIC)).to_contain_text("1007 · verbunden seit")
    await _keeps_its_form(walk)


async def test_markup_in_a_name_is_text(firm: Firm, tom: Walk) -> None:
    """E1: shown as it is, never run; the policy would not let it, either."""
    await firm.client(MARKUP, firm.tom)
    await tom.shows(MARKUP)
    assert await tom.page.locator("tbody img").count() == 0


async def test_fifty_assignees_are_one_and_a_number(firm: Firm, people: People) -> None:
    """M3: at most 50; the row says "+49", the details name all."""
    await firm.client("Müller Bau", firm.tom)
    many = [{"id": firm.tom, "name": "Tom Brandt"}, *({"id": f"m{n}", "name": f"Person {n}"} for n in range(49))]
    walk = await people.enter(None)
    await _renamed(walk, assignees=many)
    await walk.sign_in(firm.tom)
    await expect(walk.row("Müller Bau")).to_contain_text("Tom Brandt +49")
    await walk.details("Müller Bau")
    await expect(walk.page.get_by_role("region", name="Zuständig").get_by_role("listitem")).to_have_count(50)
    assert not await walk.axe()


async def test_a_firm_without_clients_is_told_what_comes_next(leyla: Walk) -> None:
    """T7: no empty table, but what will stand here."""
    await leyla.told("Ihnen ist noch kein Mandant zugewiesen")
    await leyla.tab("Alle").click()
    await leyla.told("Noch kein Mandant verbunden")
    await expect(leyla.page.get_by_role("navigation", name="Seiten")).to_have_count(0)
    assert not await leyla.axe()


async def test_an_address_of_nonsense_shows_the_page_all_the_same(firm: Firm, people: People) -> None:
    """Shared links grow old: a page that is none, a client that is not there, a tab of another role."""
    await firm.client("Müller Bau", firm.tom)
    tom = await people.enter(None, "?tab=all&cursor=bad&before=x&client=nobody&sort=up&assignee=%00")
    tom.expected |= {400, 403, 404, 422}
    await tom.sign_in(firm.tom)
    await tom.shows("Müller Bau")
    for reason in ("Diesen Mandanten können Sie nicht (mehr) sehen.", "diesen Reiter gibt es für Sie nicht mehr."):
        await tom.told(reason)  # neither takes the place of the other, whichever comes first
