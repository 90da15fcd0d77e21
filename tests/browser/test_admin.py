"""An admin's work at the page: invitations, onboarding, who works on whom, parting."""

from __future__ import annotations

import re

from playwright.async_api import expect

from tests.browser import facts
from tests.browser.walk import People, Walk
from tests.e2e.portal import Firm


async def test_an_invitation_is_accepted_with_whom_it_proposes(firm: Firm, leyla: Walk) -> None:
    """I1–I3: the addressed member is proposed, and the client stands in "Alle" at once."""
    await firm.invited_by("Einladung GmbH", addressed_to=firm.address(firm.tom))
    await leyla.tab("Einladungen").click()
    await leyla.button("Einladung von Einladung GmbH annehmen").click()
    dialog = leyla.dialog("Einladung annehmen")
    await expect(dialog.get_by_role("checkbox", name="Tom Brandt")).to_be_checked()
    await expect(dialog).to_contain_text("vorgeschlagen")
    await dialog.get_by_role("button", name="Annehmen").click()
    await leyla.told("Einladung GmbH ist jetzt verbunden.")
    await leyla.tab("Alle").click()
    await expect(leyla.row("Einladung GmbH")).to_contain_text("Tom Brandt")


async def test_an_invitation_is_declined_after_asking_once_more(firm: Firm, leyla: Walk) -> None:
    """I2: it leaves the tab; an empty tab of one's own stays readable until one goes (T9)."""
    await firm.invited_by("Einladung GmbH")
    await leyla.tab("Einladungen").click()
    await leyla.button("Einladung von Einladung GmbH ablehnen").click()
    await leyla.dialog("Einladung ablehnen").get_by_role("button", name="Ablehnen").click()
    await leyla.told("Die Einladung von Einladung GmbH ist abgelehnt.")
    await leyla.told("Keine offenen Einladungen")


async def test_a_refusal_shows_its_text_in_the_dialog(firm: Firm, leyla: Walk) -> None:
    """I4, E2: the customer was faster; nothing is closed, and the reason stands where one looks."""
    leyla.expected.add(409)
    client_id = await firm.invited_by("Einladung GmbH")
    await leyla.tab("Einladungen").click()
    await leyla.button("Einladung von Einladung GmbH annehmen").click()
    assert (await firm.post(f"/v1/invitations/{client_id}/decline")).status == 200
    dialog = leyla.dialog("Einladung annehmen")
    await dialog.get_by_role("button", name="Annehmen").click()
    await expect(dialog.get_by_text("Diese Einladung ist schon beantwortet.")).to_be_visible()


async def test_a_company_is_invited_to_pleo(firm: Firm, leyla: Walk) -> None:
    """O1: what is wrong stands under its field, what was typed stays; then it stands in "Onboarding"."""
    leyla.expected.add(422)
    await leyla.button("Unternehmen einladen").click()
    dialog = leyla.dialog("Unternehmen zu Pleo einladen")
    await dialog.get_by_role("button", name="Einladung senden").click()
    company = dialog.get_by_label("Name des Unternehmens")
    await expect(company).to_have_attribute("aria-invalid", "true")
    await company.fill("Atelier Nordlicht GmbH")
    await dialog.get_by_label("Name der Kontaktperson").fill("Robin Sander")
    email = dialog.get_by_label("E-Mail der Kontaktperson")
    await email.fill("robin at nordlicht")
    await dialog.get_by_role("button", name="Einladung senden").click()
    await expect(dialog.get_by_text("Das ist keine E-Mail-Adresse.")).to_be_visible()
    await expect(company).to_have_value("Atelier Nordlicht GmbH")
    await email.fill(f"robin@{firm.id}.example")
    await dialog.get_by_role("checkbox", name="Tom Brandt").check()
    await dialog.get_by_role("button", name="Einladung senden").click()
    await leyla.told("Atelier Nordlicht GmbH ist eingeladen.")
    await leyla.tab("Onboarding").click()
    await expect(leyla.row("Atelier Nordlicht GmbH")).to_contain_text(re.compile("Vollmacht fehlt.*Tom Brandt"))


async def test_an_invitation_to_pleo_is_sent_again_but_not_too_soon_and_withdrawn(firm: Firm, leyla: Walk) -> None:
    """O6, E4: both in the row's menu, while nobody has answered."""
    leyla.expected.add(429)
    await facts.invite(firm, "Atelier Nordlicht GmbH")
    await leyla.tab("Onboarding").click()
    await leyla.choose("Atelier Nordlicht GmbH", "Einladung erneut senden")
    await leyla.told("Die Einladung an Atelier Nordlicht GmbH ist noch einmal unterwegs.")
    await leyla.choose("Atelier Nordlicht GmbH", "Einladung erneut senden")
    await leyla.told("Zu viele Einladungen. Bitte später noch einmal.")
    await leyla.choose("Atelier Nordlicht GmbH", "Einladung zurückziehen")
    await leyla.dialog("Einladung zurückziehen").get_by_role("button", name="Einladung zurückziehen").click()
    await leyla.told("Die Einladung an Atelier Nordlicht GmbH ist zurückgezogen.")
    await leyla.told("Niemand im Onboarding")


async def test_many_clients_get_their_people_at_once(firm: Firm, leyla: Walk) -> None:
    """M2: with the outcome per client."""
    for name in ("Alpha", "Beta"):
        await firm.client(name, firm.leyla)
    await leyla.shows("Alpha", "Beta")
    await leyla.page.get_by_role("checkbox", name="Alle auf dieser Seite auswählen").check()
    await leyla.told("2 ausgewählt")
    await leyla.button("Zuständige ändern …").click()
    dialog = leyla.dialog("Zuständige von 2 Mandanten ändern")
    await dialog.get_by_label("Tom Brandt").select_option("Zuweisen")
    await dialog.get_by_label("Leyla Özdemir").select_option("Entfernen")
    await dialog.get_by_role("button", name="Übernehmen").click()
    await leyla.told("Bei allen 2 Mandanten übernommen.")
    await dialog.get_by_role("button", name="Schließen").last.click()
    await leyla.told("Ihnen ist noch kein Mandant zugewiesen")
    assert [row["assignees"][0]["id"] for row in await firm.rows("all")] == [firm.tom, firm.tom]


async def test_the_way_to_other_pages_is_in_sight_whatever_stands_above_the_list(firm: Firm, people: People) -> None:
    """W2: neither filters at work nor what can be done with the chosen ones push the list's end out of the window."""
    for n in range(12):
        await firm.client(f"Mandant {n:02d}", firm.leyla)
    leyla = await people.enter(firm.leyla, f"?tab=all&assignee={firm.leyla}")
    await leyla.page.get_by_role("checkbox", name="Alle auf dieser Seite auswählen").check()
    await leyla.told("12 ausgewählt")
    await expect(leyla.button("Weiter")).to_be_in_viewport(ratio=1)


async def test_a_client_that_vanished_is_named_in_the_outcome(firm: Firm, leyla: Walk) -> None:
    """M2: what was refused is told by name, with its reason."""
    await firm.client("Alpha", firm.leyla)
    beta = await firm.client("Beta", firm.leyla)
    await leyla.shows("Alpha", "Beta")
    await leyla.page.get_by_role("checkbox", name="Alle auf dieser Seite auswählen").check()
    await leyla.button("Zuständige ändern …").click()
    dialog = leyla.dialog("Zuständige von 2 Mandanten ändern")
    assert (await firm.post(f"/v1/clients/{beta}/disconnect", {"confirm": True})).status == 200
    await dialog.get_by_label("Tom Brandt").select_option("Zuweisen")
    await dialog.get_by_role("button", name="Übernehmen").click()
    await expect(dialog.get_by_role("status").filter(has_text="Beta:")).to_be_visible()


async def test_people_are_assigned_and_unassigned_in_the_details(firm: Firm, leyla: Walk) -> None:
    """M2: an admin assigns and unassigns; the row follows."""
    await firm.client("Müller Bau", firm.leyla)
    sheet = await leyla.details("Müller Bau")
    part = sheet.get_by_role("region", name="Zuständig")
    await part.get_by_label("Person hinzufügen").select_option("Tom Brandt")
    await part.get_by_role("button", name="Zuweisen").click()
    await leyla.told("Tom Brandt ist jetzt zugewiesen.")
    await part.get_by_role("button", name="Tom Brandt entfernen").click()
    await leyla.told("Tom Brandt ist nicht mehr zugewiesen.")
    await expect(part).not_to_contain_text("Tom BrandtEntfernen")


async def test_a_bookkeeper_leaves_a_client_by_themself(firm: Firm, tom: Walk) -> None:
    """M2, T10: the client closes with its reason, as it is not theirs to see any more."""
    tom.expected.add(404)
    await firm.client("Müller Bau", firm.tom)
    sheet = await tom.details("Müller Bau")
    await expect(sheet.get_by_label("Person hinzufügen")).to_have_count(0)
    await sheet.get_by_role("button", name="Zuständigkeit abgeben").click()
    await tom.told("Diesen Mandanten können Sie nicht (mehr) sehen.")
    await expect(sheet).to_have_count(0)
    await tom.told("Ihnen ist noch kein Mandant zugewiesen")


async def test_a_connection_ends_after_asking_once_more(firm: Firm, leyla: Walk) -> None:
    """I5, O7: what stays is the record, with its reason; Escape changes nothing."""
    await firm.client("Müller Bau", firm.leyla)
    sheet = await leyla.details("Müller Bau")
    await sheet.get_by_role("button", name="Verbindung beenden …").click()
    await leyla.page.keyboard.press("Escape")
    await expect(leyla.page.get_by_role("alertdialog")).to_have_count(0)
    await sheet.get_by_role("button", name="Verbindung beenden …").click()
    await leyla.dialog("Verbindung beenden").get_by_role("button", name="Verbindung beenden").click()
    await leyla.told("Die Verbindung zu Müller Bau ist beendet.")
    await expect(sheet).to_contain_text("Beendet")
    await expect(sheet.get_by_role("region", name="Benachrichtigungen").get_by_role("checkbox")).to_have_count(0)


async def test_members_are_listed_for_admins(firm: Firm, leyla: Walk) -> None:
    """N14: who works here and whether their mail arrives."""
    await leyla.page.get_by_role("link", name="Mitglieder").click()
    table = leyla.page.get_by_role("table", name="Mitglieder")
    await expect(table.get_by_role("row").filter(has_text="Tom Brandt")).to_contain_text("Buchhalter")
    await expect(table).to_contain_text(firm.address(firm.tom))


async def test_clients_without_anybody_are_found(firm: Firm, leyla: Walk) -> None:
    """M4, L10: "ohne Zuständige" in "Alle", and the filter by a person."""
    await firm.client("Verwaist")
    await firm.client("Betreut", firm.tom)
    await leyla.tab("Alle").click()
    await leyla.button("Weitere Filter").click()
    await leyla.page.get_by_role("checkbox", name="ohne Zuständige").check()
    await leyla.page.keyboard.press("Escape")
    await leyla.shows("Verwaist")
    await leyla.button("Filter entfernen: ohne Zuständige").click()
    await leyla.button("Weitere Filter").click()
    await leyla.page.get_by_label("Zuständig", exact=True).select_option("Tom Brandt")
    await leyla.page.keyboard.press("Escape")
    await leyla.shows("Betreut")
