"""What is mailed, seen from the page: settings, previews, many at once, suppression, and what became of it (section 8)."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from playwright.async_api import expect

from tests.browser import facts
from tests.browser.walk import PHONE, SCHEMES, People, Walk
from tests.e2e.portal import Firm
from tests.system import eventually


async def test_notifications_are_set_for_many_clients_at_once(firm: Firm, tom: Walk) -> None:
    """N16: the chosen ones, with the outcome per client."""
    ids = [await firm.client(name, firm.tom) for name in ("Alpha", "Beta")]
    await tom.shows("Alpha", "Beta")
    await tom.page.get_by_role("checkbox", name="Alle auf dieser Seite auswählen").check()
    await tom.button("Benachrichtigungen …").click()
    dialog = tom.dialog("Benachrichtigungen für mehrere Mandanten")
    await dialog.get_by_role("button", name="Benachrichtigungen einstellen").click()
    await expect(dialog.get_by_text("Bitte wählen Sie die Häufigkeit aus.")).to_be_visible()
    await dialog.get_by_label("Wählen Sie die Häufigkeit aus").select_option("Täglich")
    await dialog.get_by_role("button", name="Benachrichtigungen einstellen").click()
    await tom.told("Bei allen 2 Mandanten übernommen.")
    for client_id in ids:
        setting = (await firm.get(f"/v1/clients/{client_id}/notifications", firm.accountant)).body
        assert (setting["email"], setting["frequency"]) == (True, "daily")


async def test_all_of_ones_own_clients_are_set_without_choosing_each(firm: Firm, tom: Walk) -> None:
    """N16: "Für alle meine Mandanten" reaches those that are not chosen, too."""
    await firm.client("Alpha", firm.tom)
    beta = await firm.client("Beta", firm.tom)
    await tom.page.get_by_role("checkbox", name="Alpha auswählen").check()
    await tom.button("Benachrichtigungen …").click()
    dialog = tom.dialog("Benachrichtigungen für mehrere Mandanten")
    await dialog.get_by_role("radio", name="Für alle meine Mandanten").check()
    await dialog.get_by_label("Wählen Sie die Häufigkeit aus").select_option("Monatlich")
    await dialog.get_by_role("button", name="Benachrichtigungen einstellen").click()
    await tom.told("Bei allen 2 Mandanten übernommen.")
    assert (await firm.get(f"/v1/clients/{beta}/notifications", firm.accountant)).body["frequency"] == "monthly"


async def test_a_usual_frequency_and_a_pause_are_kept(firm: Firm, tom: Walk) -> None:
    """N16, N17: kept over a reload; the box alone then switches on, as the frequency is known."""
    client_id = await firm.client("Müller Bau", firm.tom)
    await tom.page.get_by_role("link", name="Meine Zustellungen").click()
    await tom.page.get_by_label("Häufigkeit für neu zugewiesene Mandanten").select_option("Wöchentlich")
    until = (datetime.now() + timedelta(days=14)).date().isoformat()  # noqa: DTZ005 - the reader's own calendar
    await tom.page.get_by_label("Pause bis").fill(until)
    await tom.button("Speichern").click()
    await tom.told("Gespeichert.")
    await tom.page.reload()
    await expect(tom.page.get_by_label("Häufigkeit für neu zugewiesene Mandanten")).to_have_value("weekly")
    await expect(tom.page.get_by_label("Pause bis")).to_have_value(until)
    await tom.button("Pause beenden").click()
    await tom.button("Speichern").click()
    await tom.told("Gespeichert.")
    assert (await firm.get("/v1/me/notification-settings", firm.accountant)).body["paused_until"] is None
    await tom.page.get_by_role("link", name="Mandanten").click()
    sheet = await tom.details("Müller Bau")
    await sheet.get_by_role("checkbox", name="E-Mail").check()
    await tom.told("Gespeichert.")
    assert (await firm.get(f"/v1/clients/{client_id}/notifications", firm.accountant)).body["frequency"] == "weekly"


async def test_the_preview_shows_the_mail_as_it_would_come(firm: Firm, tom: Walk) -> None:
    """N15: formatted and as text, and whether it would be sent now."""
    client_id = await firm.client("Müller Bau", firm.tom)
    await facts.missing(firm, client_id, 3)
    sheet = await tom.details("Müller Bau")
    await sheet.get_by_role("button", name="Vorschau der E-Mail").click()
    dialog = tom.dialog("Vorschau der E-Mail")
    mail = dialog.get_by_role("document", name="Vorschau der E-Mail")
    await expect(mail.get_by_role("heading", name="Müller Bau")).to_be_visible()
    await expect(mail.get_by_role("cell", name="3", exact=True).or_(mail.get_by_text("3", exact=True)).first).to_be_visible()
    assert not await tom.axe()
    await dialog.get_by_role("radio", name="Nur Text").check()
    text = (await firm.get(f"/v1/clients/{client_id}/notifications/preview?format=text", firm.accountant)).text
    await expect(dialog.locator("pre")).to_have_text(text)


async def test_a_bounced_address_is_told_why_and_an_admin_lifts_it(firm: Firm, leyla: Walk, tom: Walk) -> None:
    """N14: the member sees why nothing comes; "Mitglieder" shows whose mail does not arrive."""
    await firm.client("Müller Bau", firm.tom)
    bounced = {"member_id": firm.tom, "address": firm.address(firm.tom), "kind": "hard"}
    await firm.outside.event("pleo.mail", "pleo.mail.bounced.v1", bounced)

    async def known() -> bool:
        members = (await firm.get("/v1/members")).body["items"]
        return any(member["suppressed"] for member in members)

    await eventually(known)
    sheet = await tom.details("Müller Bau")
    await expect(sheet).to_contain_text("Ihre Adresse war nicht erreichbar.")
    await leyla.page.get_by_role("link", name="Mitglieder").click()
    line = leyla.page.get_by_role("row").filter(has_text="Tom Brandt")
    await expect(line).to_contain_text(re.compile("gesperrt.*Die Adresse war nicht erreichbar."))
    assert not await leyla.axe()
    await leyla.button("Sperre aufheben: Tom Brandt").click()
    await leyla.told("Tom Brandt bekommt wieder E-Mails.")
    await expect(line).to_contain_text("kommt an")


async def test_what_became_of_each_delivery_can_be_read(firm: Firm, tom: Walk) -> None:
    """N10: "Meine Zustellungen", newest first, with the reason where nothing was sent."""
    client_id = await firm.client("Müller Bau", firm.tom)
    wish = {"email": True, "frequency": "daily"}
    setting = (await firm.put(f"/v1/clients/{client_id}/notifications", wish, firm.accountant)).body["result"]
    await tom.page.get_by_role("link", name="Meine Zustellungen").click()
    await tom.told("Noch keine Zustellung")
    code, said = await firm.outside.python("services.notifier", "tick", "--at", setting["next_deliveries"][0])
    assert code == 0, said
    await tom.page.reload()
    line = tom.page.get_by_role("table", name="Meine Zustellungen").get_by_role("row").nth(1)
    await expect(line).to_contain_text("Müller Bau")
    await expect(line).to_contain_text("nicht gesendet nichts stand aus")
    await tom.button("Müller Bau").click()
    await expect(tom.page.get_by_role("dialog", name="Müller Bau")).to_be_visible()


async def test_the_link_in_a_mail_leads_to_a_page_without_script(firm: Firm, people: People) -> None:
    """N13: this client, this mail or all, and the way back; read by everybody, in light and dark."""
    client_id = await firm.client("Müller Bau", firm.tom)
    await facts.missing(firm, client_id, 1)
    wish = {"email": True, "frequency": "weekly"}
    setting = (await firm.put(f"/v1/clients/{client_id}/notifications", wish, firm.accountant)).body["result"]
    code, said = await firm.outside.python("services.notifier", "tick", "--at", setting["next_deliveries"][0])
    assert code == 0, said
    (mail,) = await firm.outside.mails(firm.address(firm.tom))
    (link,) = re.findall(r"http\S+/(u/\S+)", mail["text"])
    reader = await people.enter(None, link, device={"java_script_enabled": False})
    await reader.button("Nur zu Müller Bau").click()
    await reader.told("Dazu erhalten Sie keine E-Mails mehr.")
    assert (await firm.get(f"/v1/clients/{client_id}/notifications", firm.accountant)).body["email"] is False
    await reader.button("Rückgängig machen").click()
    await reader.told("Ihre Benachrichtigungen sind wieder eingeschaltet.")
    for scheme in SCHEMES:
        reader = await people.enter(None, link, scheme=scheme, device=PHONE)
        assert not await reader.axe()
        await reader.button("Nur zu Müller Bau").click()
        await reader.told("Dazu erhalten Sie keine E-Mails mehr.")
        assert not await reader.axe()
        await reader.button("Rückgängig machen").click()
