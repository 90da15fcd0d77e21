"""The help article "Verwalten Ihrer Mandanten im Partnerportal", a sentence a test, with its own words as labels (W1)."""

from __future__ import annotations

import re
from datetime import datetime

from playwright.async_api import expect

from tests.browser import facts
from tests.browser.walk import People, Walk
from tests.e2e.portal import Firm
from tests.system import eventually


async def test_an_administrator_finds_four_tabs_with_their_counts(firm: Firm, leyla: Walk) -> None:
    """T1, T7, T8: "Einladungen", "Onboarding", "Meine Mandanten", "Alle"; the first two while they hold something."""
    await expect(leyla.page.get_by_role("tab")).to_have_text(["Meine Mandanten0", "Alle0"])
    await firm.invited_by("Einladung GmbH")
    await facts.invite(firm, "Onboarding GmbH")
    await firm.client("Müller Bau", firm.leyla)
    await expect(leyla.page.get_by_role("tab")).to_have_text(["Einladungen1", "Onboarding1", "Meine Mandanten1", "Alle1"])
    await expect(leyla.page.get_by_role("heading", level=1)).to_have_text("Mandanten")


async def test_a_bookkeeper_finds_onboarding_and_their_own_clients(firm: Firm, tom: Walk) -> None:
    """T1, T3, T4: of the firm's clients only those assigned to them."""
    await facts.invite(firm, "Onboarding GmbH", firm.tom)
    await firm.client("Müller Bau", firm.tom)
    await firm.client("Niemands Garten")
    await expect(tom.page.get_by_role("tab")).to_have_text(["Onboarding1", "Meine Mandanten1"])
    await tom.shows("Müller Bau")
    await expect(tom.button("Unternehmen einladen")).to_have_count(0)


async def test_clients_that_added_the_firm_stand_under_einladungen(firm: Firm, leyla: Walk) -> None:
    """T2, I1: with who was addressed."""
    await firm.invited_by("Einladung GmbH", addressed_to=firm.address(firm.tom))
    await leyla.tab("Einladungen").click()
    await leyla.shows("Einladung GmbH")
    await expect(leyla.row("Einladung GmbH")).to_contain_text("an Tom Brandt")


async def test_all_shows_every_connected_client_verified_or_not(firm: Firm, leyla: Walk) -> None:
    """T5, L8: whoever is assigned, with the verification in words."""
    await firm.client("Alpha GmbH")
    beta = await facts.invite(firm, "Beta GmbH")
    await facts.verified(firm, beta, "in_review")
    await leyla.tab("Alle").click()
    await leyla.shows("Alpha GmbH", "Beta GmbH")
    await expect(leyla.row("Beta GmbH")).to_contain_text("In Prüfung")
    await expect(leyla.row("Alpha GmbH").get_by_text("niemand")).to_be_visible()


async def test_the_search_field_finds_a_client_by_its_name(firm: Firm, leyla: Walk) -> None:
    """L1: as one types, umlauts in every spelling; the address keeps it, and a reload restores it."""
    for name in ("Müller Bau", "Muller Elektro", "Schäfer Gastro"):
        await firm.client(name)
    await leyla.tab("Alle").click()
    search = leyla.page.get_by_role("searchbox", name="Suchfeld")
    await search.press_sequentially("mueller")
    await leyla.shows("Müller Bau", "Muller Elektro")
    await expect(leyla.page).to_have_url(re.compile("search=mueller"))
    await leyla.page.reload()
    await leyla.shows("Müller Bau", "Muller Elektro")
    await expect(search).to_have_value("mueller")
    await search.fill("nirgends")
    await leyla.told("Nichts gefunden")
    await leyla.button("Suche und Filter zurücksetzen").click()
    await leyla.shows("Müller Bau", "Muller Elektro", "Schäfer Gastro")
    await expect(search).to_have_value("")


async def test_more_filters_leaves_only_clients_with_missing_receipts(firm: Firm, leyla: Walk) -> None:
    """L2: "Weitere Filter", "Fehlende Quittungen"; unknown is not missing, and the way out is a click."""
    await facts.missing(firm, await firm.client("Fehlt Bau"), 2)
    await facts.none_missing(firm, await firm.client("Komplett Bau"))
    await firm.client("Unbekannt Bau")
    await leyla.tab("Alle").click()
    await leyla.button("Weitere Filter").click()
    await leyla.page.get_by_role("checkbox", name="Fehlende Quittungen").check()
    await leyla.page.keyboard.press("Escape")
    await leyla.shows("Fehlt Bau")
    await leyla.button("Filter entfernen: Fehlende Quittungen").click()
    await expect(leyla.names).to_have_count(3)


async def test_sort_by_name_turns_the_order_round(firm: Firm, leyla: Walk) -> None:
    """L3: "Nach Namen sortieren", both ways, numbers as numbers; back leads back."""
    for name in ("Bau 10", "Ärzte am Ring", "Bau 9"):
        await firm.client(name)
    await leyla.tab("Alle").click()
    await leyla.shows("Ärzte am Ring", "Bau 9", "Bau 10")
    await leyla.button(re.compile("^Nach Namen sortieren")).click()
    await leyla.shows("Bau 10", "Bau 9", "Ärzte am Ring")
    await expect(leyla.page.get_by_role("columnheader", name="Mandant")).to_have_attribute("aria-sort", "descending")
    await leyla.page.go_back()
    await leyla.shows("Ärzte am Ring", "Bau 9", "Bau 10")


async def test_sort_by_missing_receipts_puts_the_most_on_top(firm: Firm, leyla: Walk) -> None:
    """L4: unknown below zero."""
    await facts.missing(firm, await firm.client("Zwei"), 2)
    await facts.none_missing(firm, await firm.client("Null"))
    await firm.client("Unbekannt")
    await leyla.tab("Alle").click()
    await leyla.button("Fehlende Quittungen").click()
    await leyla.shows("Zwei", "Null", "Unbekannt")
    await leyla.button("Fehlende Quittungen").click()
    await leyla.shows("Unbekannt", "Null", "Zwei")


async def test_a_row_shows_figures_with_their_age_and_no_figure_as_none(firm: Firm, leyla: Walk) -> None:
    """L7: unknown is "noch keine Angaben", not zero; a low balance says so in words."""
    client_id = await firm.client("Müller Bau", firm.leyla, firm.tom)
    await facts.missing(firm, client_id, 3)
    await facts.balance(firm, client_id, 4210, low=True)
    row = leyla.row("Müller Bau")
    await expect(row).to_contain_text("Leyla Özdemir +1")
    await expect(row.get_by_role("cell").nth(3)).to_contain_text(re.compile(r"3Stand \d\d\.\d\d\.\d\d"))
    await expect(row.get_by_role("cell").nth(4)).to_contain_text("noch keine Angaben")
    await expect(row.get_by_role("cell").nth(5)).to_contain_text(re.compile(r"42,10\s€niedrig"))


async def test_go_to_client_opens_the_clients_account(firm: Firm, tom: Walk) -> None:
    """A1, A4: "Zum Mandanten" behind the three dots opens the product in a new tab; the log names who went."""
    client_id = await firm.client("Müller Bau", firm.tom)
    async with tom.page.context.expect_page() as opening:
        await tom.choose("Müller Bau", "Zum Mandanten")
    product = await opening.value
    await expect(product.get_by_role("status")).to_have_text("Let in.")
    await expect(product.get_by_text(client_id)).to_be_visible()
    assert "token" not in product.url
    sheet = await tom.details("Müller Bau")
    log = sheet.get_by_role("region", name="Zugriffe").get_by_role("listitem")
    await expect(log).to_contain_text(["Tom Brandt: Mandant geöffnet", "Tom Brandt: Zugang erteilt"])


async def test_what_one_may_not_do_stays_in_the_menu_with_the_reason(firm: Firm, tom: Walk) -> None:
    """A2, W1: disabled, not hidden; before the power of attorney there is no account to open."""
    await facts.invite(firm, "Onboarding GmbH", firm.tom)
    await tom.tab("Onboarding").click()
    await tom.button("Aktionen für Onboarding GmbH").click()
    opens = tom.page.get_by_role("menuitem", name="Zum Mandanten")
    await expect(opens).to_be_disabled()
    await expect(opens).to_contain_text("Der Mandant ist nicht verbunden.")
    reminds = tom.page.get_by_role("menuitem", name="Buchhalter benachrichtigen")
    await expect(reminds).to_be_disabled()
    await expect(reminds).to_contain_text("Das dürfen nur Administratoren.")


async def test_notifications_are_switched_on_in_the_details(firm: Firm, tom: Walk) -> None:
    """N1, N5: "Benachrichtigungen", the box "E-Mail", "Wählen Sie die Häufigkeit aus"; the instants are the scheduler's own."""
    tom.expected.add(404)  # one's usual frequency, where the portal keeps none
    client_id = await firm.client("Müller Bau", firm.tom)
    sheet = await tom.details("Müller Bau")
    part = sheet.get_by_role("region", name="Benachrichtigungen")
    await part.get_by_role("checkbox", name="E-Mail").check()
    await part.get_by_label("Wählen Sie die Häufigkeit aus").select_option("Wöchentlich")
    await tom.told("Gespeichert.")
    setting = (await firm.get(f"/v1/clients/{client_id}/notifications", firm.accountant)).body
    assert (setting["email"], setting["frequency"]) == (True, "weekly")
    instants = part.locator("time")
    await expect(instants).to_have_count(3)
    assert [await one.get_attribute("datetime") for one in await instants.all()] == setting["next_deliveries"]
    first = datetime.fromisoformat(setting["next_deliveries"][0])
    await expect(instants.first).to_contain_text(f"{first:%d.%m.%Y}, 10:00 (UTC+0")


async def test_notifications_stay_off_until_a_frequency_is_chosen_and_go_off_again(firm: Firm, tom: Walk) -> None:
    """N1: the box alone sends nothing; off is one click."""
    tom.expected.add(404)
    client_id = await firm.client("Müller Bau", firm.tom)
    sheet = await tom.details("Müller Bau")
    part = sheet.get_by_role("region", name="Benachrichtigungen")
    box = part.get_by_role("checkbox", name="E-Mail")
    await box.check()
    await expect(part.get_by_text("Wählen Sie die Häufigkeit aus, dann")).to_be_visible()
    assert (await firm.get(f"/v1/clients/{client_id}/notifications", firm.accountant)).body["email"] is False
    await part.get_by_label("Wählen Sie die Häufigkeit aus").select_option("Täglich")
    await part.get_by_role("checkbox", name="auch wenn nichts aussteht").check()

    async def saved() -> bool:
        setting = (await firm.get(f"/v1/clients/{client_id}/notifications", firm.accountant)).body
        return bool(setting["even_if_nothing"] and setting["frequency"] == "daily")

    await eventually(saved)
    await box.uncheck()
    await expect(part.get_by_text("Ausgeschaltet")).to_be_visible()
    await expect(part.get_by_label("Wählen Sie die Häufigkeit aus")).to_have_count(0)


async def test_an_administrator_reminds_the_bookkeepers_of_a_client(firm: Firm, leyla: Walk) -> None:
    """R1, R2, W2: tick tasks, comment, "E-Mail senden"; it says how many were mailed, and the details keep it (R5)."""
    client_id = await firm.client("Müller Bau", firm.leyla, firm.tom)
    await facts.missing(firm, client_id, 2)
    await leyla.choose("Müller Bau", "Buchhalter benachrichtigen")
    dialog = leyla.dialog("Buchhalter benachrichtigen")
    await dialog.get_by_role("button", name="E-Mail senden").click()
    await expect(dialog.get_by_role("alert")).to_have_text("Bitte wählen Sie mindestens eine Aufgabe.")
    await dialog.get_by_role("checkbox", name="Fehlende Quittungen").check()
    await dialog.get_by_role("textbox", name="Kommentar").fill("Bitte bis Freitag <b>prüfen</b>.")
    await dialog.get_by_role("button", name="E-Mail senden").click()
    await leyla.told(re.compile("2 Personen wurden benachrichtigt: .*Tom Brandt"))
    await expect(dialog).to_have_count(0)
    sheet = await leyla.details("Müller Bau")
    reminder = sheet.get_by_role("region", name="Erinnerungen")
    await expect(reminder).to_contain_text("Fehlende Quittungen: 2")
    await expect(reminder).to_contain_text("Bitte bis Freitag <b>prüfen</b>.")
    await expect(reminder).to_contain_text("Tom Brandt: gesendet")
    assert len(await firm.outside.mails(firm.address(firm.tom))) == 1
    await firm.outside.event("pleo.receipts", "pleo.receipt.attached.v1", {"client_id": client_id, "expense_id": "m0"})
    await firm.outside.event("pleo.receipts", "pleo.receipt.attached.v1", {"client_id": client_id, "expense_id": "m1"})
    await expect(reminder).to_contain_text("erledigt seit")


async def test_details_show_what_a_company_in_onboarding_still_misses(firm: Firm, leyla: Walk) -> None:
    """O5, O8: the timeline, what is missing in words, and how long it usually takes."""
    client_id = await facts.invite(firm, "Weingut Rebstock KG")
    await facts.verified(firm, client_id, "information_required")
    await leyla.tab("Onboarding").click()
    await expect(leyla.row("Weingut Rebstock KG")).to_contain_text("Angaben fehlen")
    sheet = await leyla.details("Weingut Rebstock KG")
    part = sheet.get_by_role("region", name="Onboarding")
    await expect(part).to_contain_text("Ein aktueller Handelsregisterauszug fehlt.")
    await expect(part.locator(".timeline li")).to_contain_text(["Eingeladen", "Angaben fehlen"])
    await expect(part).to_contain_text("Üblich bis zur Verifizierung")


async def test_a_list_can_be_taken_along_as_csv(firm: Firm, leyla: Walk) -> None:
    """L9: what the tab, search and filter show."""
    await firm.client("Müller Bau")
    await firm.client("Schäfer Gastro")
    await leyla.tab("Alle").click()
    await leyla.page.get_by_role("searchbox", name="Suchfeld").fill("schäfer")
    await leyla.shows("Schäfer Gastro")
    async with leyla.page.expect_download() as downloading:
        await leyla.button("Als CSV exportieren").click()
    file = await downloading.value
    text = (await file.path()).read_bytes().decode("utf-8-sig")
    assert file.suggested_filename == "mandanten.csv"
    assert "Schäfer Gastro" in text
    assert "Müller" not in text


async def test_pages_lead_on_and_back_and_survive_a_reload(firm: Firm, people: People) -> None:
    """L5: fifty a page; the address keeps the page, a shared link opens it."""
    names = [f"Mandant {n:02d}" for n in range(53)]
    for name in names:
        await firm.invited_by(name)
    leyla = await people.enter(firm.leyla, "?tab=invitations")
    await leyla.shows(*names[:50])
    await leyla.button("Weiter").click()
    await leyla.shows(*names[50:])
    await leyla.told("51–53 von 53")
    await leyla.page.reload()
    await leyla.shows(*names[50:])
    await leyla.told("51–53 von 53")
    shared = await people.enter(firm.leyla, "?" + leyla.page.url.partition("?")[2])
    await shared.shows(*names[50:])
    await leyla.button("Zurück").click()
    await leyla.shows(*names[:50])
    await leyla.page.go_back()
    await leyla.shows(*names[50:])
