"""The page lives: it follows the stream, bears outages, closes what is lost, and loses nothing that was typed (W3, T10)."""

from __future__ import annotations

import asyncio
import re
import time

from playwright.async_api import Route, expect

from tests.browser import facts
from tests.browser.walk import People, Walk
from tests.e2e.portal import Firm
from tests.system import Ground, eventually

SOON = 2.0


async def test_an_assignment_in_one_browser_appears_in_another_within_two_seconds(firm: Firm, leyla: Walk, tom: Walk) -> None:
    """W3: from the click in one to the row in the other, without a reload."""
    await firm.client("Müller Bau", firm.leyla)
    sheet = await leyla.details("Müller Bau")
    await tom.told("Ihnen ist noch kein Mandant zugewiesen")
    part = sheet.get_by_role("region", name="Zuständig")
    await part.get_by_label("Person hinzufügen").select_option("Tom Brandt")
    began = time.monotonic()
    await part.get_by_role("button", name="Zuweisen").click()
    await tom.shows("Müller Bau")
    assert time.monotonic() - began < SOON
    await expect(tom.page.get_by_role("tab")).to_have_text(["Meine Mandanten1"])


async def test_what_happened_before_the_stream_was_open_is_seen_all_the_same(firm: Firm, people: People) -> None:
    """W3: between the first look and the first doorbell nothing is lost."""
    leyla = await people.enter(None)
    held = asyncio.Event()

    async def later(route: Route) -> None:
        await held.wait()
        await route.continue_()

    await leyla.page.route("**/v1/stream", later)
    await leyla.sign_in(firm.leyla)
    await expect(leyla.page.get_by_role("tab")).to_have_text(["Meine Mandanten0", "Alle0"])
    await firm.invited_by("Einladung GmbH")
    held.set()
    await expect(leyla.page.get_by_role("tab")).to_have_text(["Einladungen1", "Meine Mandanten0", "Alle0"])


async def test_news_moves_neither_an_open_menu_nor_the_focus(firm: Firm, leyla: Walk) -> None:
    """W3: what is under an open menu stays; the row that was looked at keeps the focus."""
    client_id = await firm.client("Müller Bau", firm.leyla)
    await leyla.shows("Müller Bau")
    await leyla.button("Aktionen für Müller Bau").click()
    opens = leyla.page.get_by_role("menuitem", name="Zum Mandanten")
    await expect(opens).to_be_visible()
    await firm.client("Aaron zuerst", firm.leyla)
    await expect(leyla.page.get_by_role("tab", name="Meine Mandanten 2", include_hidden=True)).to_be_attached()
    await expect(opens).to_be_visible()
    await leyla.page.keyboard.press("Escape")
    await leyla.shows("Aaron zuerst", "Müller Bau")
    await expect(leyla.button("Aktionen für Müller Bau")).to_be_focused()
    await facts.missing(firm, client_id, 1)
    await expect(leyla.row("Müller Bau").get_by_role("cell").nth(3)).to_contain_text(re.compile("^1"))
    await expect(leyla.button("Aktionen für Müller Bau")).to_be_focused()


async def test_when_the_focused_row_goes_its_neighbour_has_the_focus(firm: Firm, leyla: Walk) -> None:
    """W2: nobody who works by keyboard is thrown back to the top of the page."""
    beta = await firm.client("Beta", firm.leyla)
    for name in ("Alpha", "Gamma"):
        await firm.client(name, firm.leyla)
    await leyla.shows("Alpha", "Beta", "Gamma")
    await leyla.button("Beta").focus()
    await firm.outside.call("DELETE", f"/v1/clients/{beta}/assignments/{firm.leyla}", firm.admin)
    await leyla.shows("Alpha", "Gamma")
    await expect(leyla.button("Gamma")).to_be_focused()


async def test_an_outage_is_said_calmly_and_goes_by_itself(firm: Firm, leyla: Walk, ground: Ground) -> None:
    """Contract, "When a part is away": what is there stays, nothing is clicked, and news after it arrive."""
    leyla.outage = True
    await firm.client("Müller Bau", firm.leyla)
    await leyla.shows("Müller Bau")
    away = asyncio.create_task(ground.away("gateway", 4))
    await leyla.told("Gerade keine Verbindung zum Portal.")
    await leyla.shows("Müller Bau")
    await away
    await expect(leyla.page.get_by_text("Gerade keine Verbindung zum Portal.")).to_have_count(0, timeout=15_000)
    await eventually(lambda: _answers(firm))
    await firm.client("Nach dem Ausfall", firm.leyla)
    await leyla.shows("Müller Bau", "Nach dem Ausfall")


async def test_a_search_during_an_outage_keeps_the_rows_and_is_answered_after_it(firm: Firm, leyla: Walk) -> None:
    """Contract, "When a part is away": what is there stays, and what was asked meanwhile is answered without a click."""
    leyla.outage = True
    for name in ("Alpha", "Beta"):
        await firm.client(name, firm.leyla)
    await leyla.shows("Alpha", "Beta")
    await leyla.page.route("**/v1/clients?*", lambda route: route.abort())
    await leyla.page.get_by_role("searchbox", name="Suchfeld").fill("beta")
    await leyla.told("Gerade keine Verbindung zum Portal.")
    await leyla.shows("Alpha", "Beta")
    await leyla.page.unroute("**/v1/clients?*")
    await leyla.shows("Beta")


async def test_people_to_choose_from_are_said_to_be_on_their_way(firm: Firm, people: People) -> None:
    """W2: a dialog that waits for the members says so, and shows them when they are there."""
    leyla = await people.enter(None)
    held = asyncio.Event()

    async def later(route: Route) -> None:
        await held.wait()
        await route.continue_()

    await leyla.page.route("**/v1/members", later)
    await leyla.sign_in(firm.leyla)
    await leyla.button("Unternehmen einladen").click()
    dialog = leyla.dialog("Unternehmen zu Pleo einladen")
    await expect(dialog.get_by_role("status").filter(has_text="Wird geladen …")).to_be_visible()
    held.set()
    await expect(dialog.get_by_role("checkbox", name="Tom Brandt")).to_be_visible()


async def _answers(firm: Firm) -> bool:
    return (await firm.get("/v1/me")).status == 200


async def test_a_command_during_an_outage_is_under_way_and_happens_once(firm: Firm, leyla: Walk) -> None:
    """Contract, Idempotency-Key: tried again with the same key until it is taken; the page shows that it goes on."""
    leyla.outage = True
    client_id = await firm.client("Müller Bau", firm.leyla)
    keys: list[str] = []

    async def lose(route: Route) -> None:
        keys.append(route.request.headers["idempotency-key"])
        if len(keys) == 1:
            await route.fetch()  # it is taken, and its answer is lost
        await (route.abort() if len(keys) < 4 else route.continue_())

    await leyla.page.route("**/reminders", lose)
    await leyla.choose("Müller Bau", "Buchhalter benachrichtigen")
    dialog = leyla.dialog("Buchhalter benachrichtigen")
    await dialog.get_by_role("checkbox", name="Fehlende Quittungen").check()
    await dialog.get_by_role("button", name="E-Mail senden").click()
    await expect(dialog.get_by_role("button", name="Einen Moment …")).to_be_visible()
    await expect(dialog.get_by_text("Das dauert länger als sonst; es läuft weiter.")).to_be_visible()
    await leyla.told("1 Person wurde benachrichtigt: Leyla Özdemir.")
    assert len(keys) == 4
    assert len(set(keys)) == 1
    assert len((await firm.get(f"/v1/clients/{client_id}")).body["reminders"]) == 1


async def test_a_session_that_ends_while_one_writes_loses_no_word(firm: Firm, leyla: Walk) -> None:
    """W2: sign in again over what was being done, and go on."""
    leyla.expected.add(401)
    await firm.client("Müller Bau", firm.leyla)
    await leyla.choose("Müller Bau", "Buchhalter benachrichtigen")
    dialog = leyla.dialog("Buchhalter benachrichtigen")
    await dialog.get_by_role("checkbox", name="Fehlende Quittungen").check()
    await dialog.get_by_role("textbox", name="Kommentar").fill("Ein langer Gedanke")
    await leyla.page.route(
        "**/reminders", lambda route: route.continue_(headers={**route.request.headers, "authorization": "Bearer x"})
    )
    await dialog.get_by_role("button", name="E-Mail senden").click()
    await expect(leyla.dialog("Ihre Sitzung ist abgelaufen")).to_be_visible()
    await leyla.page.unroute("**/reminders")
    await leyla.sign_in_again(firm.leyla)
    await expect(dialog.get_by_role("textbox", name="Kommentar")).to_have_value("Ein langer Gedanke")
    await dialog.get_by_role("button", name="E-Mail senden").click()
    await leyla.told("1 Person wurde benachrichtigt")


async def test_a_removed_member_sees_nothing_any_more_and_why(firm: Firm, tom: Walk) -> None:
    """T10: at once, without a click."""
    tom.expected.add(403)
    await firm.client("Müller Bau", firm.tom)
    await tom.shows("Müller Bau")
    removed = {"firm_id": firm.id, "member_id": firm.tom, "sequence": 2}
    await firm.outside.event("pleo.partners", "pleo.member.removed.v1", removed)
    await expect(tom.page.get_by_role("alert")).to_have_text("Sie gehören nicht (mehr) zu dieser Firma.")
    await expect(tom.names).to_have_count(0)


async def test_a_demoted_admin_leaves_the_tab_that_is_not_theirs(firm: Firm, leyla: Walk) -> None:
    """T9, T10: with a word, and to the tab that everybody has."""
    leyla.expected |= {403, 404}
    await firm.client("Müller Bau", firm.leyla)
    await firm.client("Niemands Garten")
    await leyla.tab("Alle").click()
    await leyla.shows("Müller Bau", "Niemands Garten")
    await firm.member(firm.leyla, "Leyla Özdemir", "accountant", sequence=2)
    await leyla.told("Ihre Rolle hat sich geändert")
    await leyla.shows("Müller Bau")
    await expect(leyla.page.get_by_role("tab")).to_have_text(["Meine Mandanten1"])
    await expect(leyla.button("Unternehmen einladen")).to_have_count(0)


async def test_a_second_tab_that_was_faster_is_followed(firm: Firm, leyla: Walk, people: People) -> None:
    """W3: two windows of one person never contradict each other for long; unassigning twice is no fault (M3)."""
    await firm.client("Müller Bau", firm.leyla, firm.tom)
    other = await people.enter(firm.leyla)
    first = (await leyla.details("Müller Bau")).get_by_role("region", name="Zuständig")
    second = (await other.details("Müller Bau")).get_by_role("region", name="Zuständig")
    await first.get_by_role("button", name="Tom Brandt entfernen").click()
    await expect(second.get_by_role("button", name="Tom Brandt entfernen")).to_have_count(0)
    await expect(second.get_by_label("Person hinzufügen")).to_be_visible()


async def test_a_part_that_is_away_leaves_the_rest_of_the_details(firm: Firm, leyla: Walk, ground: Ground) -> None:
    """Contract, `unavailable`: named in its place, and back by itself."""
    leyla.outage = True
    await firm.client("Müller Bau", firm.leyla)
    await leyla.shows("Müller Bau")
    away = asyncio.create_task(ground.away("notifier", 3))
    await eventually(lambda: _without_notifier(firm))
    sheet = await leyla.details("Müller Bau")
    reminders = sheet.get_by_role("region", name="Erinnerungen")
    await expect(reminders).to_contain_text("Dieser Teil antwortet gerade nicht")
    await expect(sheet.get_by_role("region", name="Zuständig")).to_contain_text("Leyla Özdemir")
    await away
    await expect(reminders).to_contain_text("Noch keine Erinnerung gesendet.", timeout=15_000)


async def _without_notifier(firm: Firm) -> bool:
    (row,) = await firm.rows("all")
    return "reminders" in (await firm.get(f"/v1/clients/{row['client_id']}")).body["unavailable"]
