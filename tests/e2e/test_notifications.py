"""What members set for their digests, and what becomes of each instant (section 8 of the behaviour)."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.e2e.portal import Firm, Outside
from tests.system import eventually

WEEKLY = {"email": True, "frequency": "weekly"}


async def switched_on(firm: Firm, client_id: str, token: str | None = None, **more: Any) -> datetime:
    """Switch a client's notifications on and return the first instant."""
    answer = await firm.put(f"/v1/clients/{client_id}/notifications", {**WEEKLY, **more}, token or firm.accountant)
    assert answer.status == 200, answer
    return datetime.fromisoformat(answer.body["result"]["next_deliveries"][0])


async def ticked(outside: Outside, at: datetime) -> None:
    """Let it be *at* for the notifier."""
    code, out = await outside.python("services.notifier", "tick", "--at", at.isoformat())
    assert code == 0, out


async def missing(outside: Outside, firm: Firm, client_id: str, count: int = 1) -> None:
    """Let a client miss receipts."""
    for number in range(count):
        data = {"client_id": client_id, "expense_id": f"e{number}"}
        await outside.event("pleo.receipts", "pleo.receipt.missing.v1", data)
    await firm.figure(client_id, "missing_receipts", count)


async def lines(firm: Firm, token: str | None = None) -> list[tuple[str, str, str | None]]:
    """Return the ledger of a member: client, status, reason, newest first."""
    items = (await firm.get("/v1/me/deliveries", token or firm.accountant)).body["items"]
    return [(item["client_id"], item["status"], item["reason"]) for item in items]


async def test_a_put_replaces_the_whole_setting(firm: Firm) -> None:
    """N1, contract: frequency is needed when it is on; what is left out is not kept."""
    client_id = await firm.client("Bau 1", firm.tom)
    path = f"/v1/clients/{client_id}/notifications"
    wrong = await firm.put(path, {"email": True}, firm.accountant)
    assert (wrong.status, wrong.code, wrong.body["errors"][0]["field"]) == (422, "invalid", "frequency")
    unheard = await firm.put(path, {"email": True, "frequency": "hourly"}, firm.accountant)
    assert (unheard.status, unheard.code) == (422, "invalid")
    await switched_on(firm, client_id, even_if_nothing=True)
    assert (await firm.put(path, {"email": False}, firm.accountant)).status == 200
    off: dict[str, Any] = {"email": False, "frequency": None, "even_if_nothing": False, "next_deliveries": [], "suppressed": None}
    assert (await firm.get(path, firm.accountant)).body == off


async def test_many_clients_are_set_at_once_with_the_outcome_of_each(firm: Firm) -> None:
    """N16: by their ids; unknown and unseen ones look alike, an unconnected one is told as such."""
    mine, other = await firm.client("Bau 1", firm.tom), await firm.client("Bau 2")
    waiting = await firm.invited_by("Bau 3")
    body = {"client_ids": [mine, other, "nobody", waiting], **WEEKLY}
    answer = await firm.put("/v1/notifications", body, firm.accountant)
    assert answer.status == 200, answer
    refused = {"status": "refused", "code": "not_found"}
    told = [{"client_id": mine, "status": "succeeded", "code": None}]
    assert answer.body["result"]["items"] == told + [{"client_id": id, **refused} for id in (other, "nobody", waiting)]
    by_admin = (await firm.put("/v1/notifications", body)).body["result"]["items"]
    assert [item["code"] for item in by_admin] == [None, None, "not_found", "not_connected"]
    assert (await firm.get(f"/v1/clients/{mine}/notifications", firm.accountant)).body["frequency"] == "weekly"


async def test_all_of_mine_are_set_at_once(firm: Firm) -> None:
    """N16: exactly those assigned to the caller, each as if it were set alone."""
    mine = [await firm.client(f"Bau {n}", firm.tom) for n in range(2)]
    await firm.client("Bau 9")
    answer = await firm.put("/v1/notifications", {"scope": "mine", "email": True, "frequency": "daily"}, firm.accountant)
    assert {item["client_id"] for item in answer.body["result"]["items"]} == set(mine)
    both = await firm.put("/v1/notifications", {"scope": "mine", "client_ids": mine, "email": False}, firm.accountant)
    assert (both.status, both.code) == (422, "invalid")


async def test_a_default_switches_on_what_is_assigned_from_then_on(firm: Firm) -> None:
    """N16: and what a member set by hand stays."""
    before, by_hand = await firm.client("Vorher", firm.tom), await firm.client("Hand")
    settings = "/v1/me/notification-settings"
    empty = {"default_frequency": None, "paused_until": None}
    assert (await firm.get(settings, firm.accountant)).body == empty
    answer = await firm.put(settings, {"default_frequency": "monthly"}, firm.accountant)
    assert answer.body["result"] == (await firm.get(settings, firm.accountant)).body == {**empty, "default_frequency": "monthly"}
    after = await firm.client("Nachher", firm.tom)

    async def on() -> bool:
        return bool((await firm.get(f"/v1/clients/{after}/notifications", firm.accountant)).body["email"])

    await eventually(on)
    shown = (await firm.get(f"/v1/clients/{after}/notifications", firm.accountant)).body
    assert (shown["frequency"], len(shown["next_deliveries"])) == ("monthly", 3)
    assert not (await firm.get(f"/v1/clients/{before}/notifications", firm.accountant)).body["email"]
    await firm.post(f"/v1/clients/{by_hand}/assignments", {"member_id": firm.tom})
    await firm.put(f"/v1/clients/{by_hand}/notifications", {"email": False}, firm.accountant)
    await outside_again(firm, by_hand)
    assert not (await firm.get(f"/v1/clients/{by_hand}/notifications", firm.accountant)).body["email"]


async def outside_again(firm: Firm, client_id: str) -> None:
    """Unassign Tom and assign him again, and wait until a later assignment is known to have had its effect."""
    path = f"/v1/clients/{client_id}/assignments"
    await firm.outside.call("DELETE", f"{path}/{firm.tom}", firm.admin, headers={"Prefer": "wait=10"})
    await firm.post(path, {"member_id": firm.tom})
    later = await firm.client("Noch später", firm.tom)

    async def on() -> bool:
        return bool((await firm.get(f"/v1/clients/{later}/notifications", firm.accountant)).body["email"])

    await eventually(on)


async def test_a_pause_skips_what_lies_in_it_and_nothing_else(firm: Firm, outside: Outside) -> None:
    """N17: the next instant after it comes as usual, and the ledger says why one did not (N10)."""
    client_id = await firm.client("Müller Bau", firm.tom)
    await missing(outside, firm, client_id)
    first = await switched_on(firm, client_id)
    until = (first + timedelta(days=1)).date().isoformat()
    answer = await firm.put("/v1/me/notification-settings", {"paused_until": until}, firm.accountant)
    assert answer.body["result"] == {"default_frequency": None, "paused_until": until}
    await ticked(outside, first)
    assert await lines(firm) == [(client_id, "skipped", "paused")]
    shown = (await firm.get(f"/v1/clients/{client_id}/notifications", firm.accountant)).body
    await ticked(outside, datetime.fromisoformat(shown["next_deliveries"][0]))
    assert await lines(firm) == [(client_id, "sent", None), (client_id, "skipped", "paused")]
    assert len(await outside.mails(firm.address(firm.tom))) == 1


async def test_a_client_switched_on_after_its_instants_mail_went_is_mailed_too(firm: Firm, outside: Outside) -> None:
    """N11, N12: nobody is forgotten, and nobody is mailed twice."""
    one, two = await firm.client("Eins", firm.tom), await firm.client("Zwei", firm.tom)
    for client_id in (one, two):
        await missing(outside, firm, client_id)
        await ticked(outside, await switched_on(firm, client_id))
    assert set(await lines(firm)) == {(one, "sent", None), (two, "sent", None)}
    mails = await outside.mails(firm.address(firm.tom))
    assert ["Eins" in mail["text"] for mail in mails] == [True, False]


async def test_the_preview_is_the_mail_byte_for_byte(firm: Firm, outside: Outside) -> None:
    """N15: but for the links that unsubscribe, which do nothing."""
    client_id = await firm.client("Müller & Söhne <Bau>", firm.tom)
    await missing(outside, firm, client_id, 2)
    path = f"/v1/clients/{client_id}/notifications/preview?format="
    assert (await firm.get(f"{path}html", firm.accountant)).headers["Portal-Would-Send"] == "no; reason=switched_off"
    first = await switched_on(firm, client_id)
    text, html = await firm.get(f"{path}text", firm.accountant), await firm.get(f"{path}html", firm.accountant)
    assert (text.status, text.headers["Portal-Would-Send"]) == (200, "yes")
    assert text.headers["Content-Type"].startswith("text/plain")
    await ticked(outside, first)
    (mail,) = await outside.mails(firm.address(firm.tom))
    for shown, sent in ((text.text, mail["text"]), (html.text, mail["html"])):
        links = set(re.findall(r"http[^\s\"]*/u/[^\s\"]+", sent))
        assert len(links) == 1
        assert shown.rstrip("\n") == sent.replace(links.pop(), f"{outside.url}/u/preview").rstrip("\n")
    assert (await firm.get(f"{path}pdf", firm.accountant)).status == 422


async def test_the_preview_says_why_nothing_would_be_sent(firm: Firm) -> None:
    """N15: in the words of N10, and it still shows the mail."""
    client_id = await firm.client("Still & Leise", firm.tom)
    path = f"/v1/clients/{client_id}/notifications/preview"
    await switched_on(firm, client_id)
    quiet = await firm.get(path, firm.accountant)
    assert quiet.headers["Portal-Would-Send"] == "no; reason=nothing_outstanding"
    assert "Still &amp; Leise" in quiet.text
    await firm.put("/v1/me/notification-settings", {"paused_until": "2099-01-01"}, firm.accountant)
    assert (await firm.get(path, firm.accountant)).headers["Portal-Would-Send"] == "no; reason=paused"
    await switched_on(firm, client_id, firm.admin, even_if_nothing=True)
    assert (await firm.get(path)).headers["Portal-Would-Send"] == "yes"
    unseen = await firm.client("Fremd")
    assert (await firm.get(f"/v1/clients/{unseen}/notifications/preview", firm.accountant)).status == 404


async def test_what_is_unassigned_a_moment_before_the_tick_is_not_mailed(firm: Firm, outside: Outside) -> None:
    """N9: from the moment the command succeeded; twenty clients at once are twenty tries, one of them stays."""
    ids = [await firm.client(f"Bau {number}", firm.tom) for number in range(20)]
    all_of_them = {"client_ids": ids, **WEEKLY, "even_if_nothing": True}
    assert (await firm.put("/v1/notifications", all_of_them, firm.accountant)).status == 200
    shown = (await firm.get(f"/v1/clients/{ids[0]}/notifications", firm.accountant)).body
    answer = await firm.post("/v1/assignments", {"client_ids": ids[1:], "unassign": [firm.tom]})
    assert {item["status"] for item in answer.body["result"]["items"]} == {"succeeded"}
    await ticked(outside, datetime.fromisoformat(shown["next_deliveries"][0]))
    (mail,) = await outside.mails(firm.address(firm.tom))
    assert re.findall(r"^Bau \d+$", mail["text"], re.MULTILINE) == ["Bau 0"]
    lost = [(client_id, "skipped", "access_lost") for client_id in ids[1:]]
    assert set(await lines(firm)) == {(ids[0], "sent", None), *lost}


@pytest.mark.parametrize(("late", "status"), [(timedelta(hours=48), "sent"), (timedelta(hours=48, milliseconds=1), "missed")])
async def test_a_weekly_digest_is_delivered_at_most_48_hours_late(
    firm: Firm, outside: Outside, late: timedelta, status: str
) -> None:
    """N11: measured against the tick's instant, and "at most" holds at the limit itself."""
    client_id = await firm.client("Müller Bau", firm.tom)
    await missing(outside, firm, client_id)
    await ticked(outside, await switched_on(firm, client_id) + late)
    assert await lines(firm) == [(client_id, status, None)]
    assert len(await outside.mails(firm.address(firm.tom))) == (status == "sent")


@pytest.mark.parametrize(
    ("locale", "limit", "format"), [("fr", "must be a number", "must be html or text"), ("de-AT", "liegt", "ist")]
)
async def test_what_is_wrong_with_a_question_is_told_in_the_members_language(
    outside: Outside, locale: str, limit: str, format: str
) -> None:
    """G1: problem texts are in German or English, whichever part of the system says them."""
    firm = await outside.firm(locale=locale)
    client_id = await firm.client("Bau 1", firm.tom)
    cursor = (await firm.get("/v1/me/deliveries?cursor=odd", firm.accountant)).body
    assert cursor["detail"].startswith("Diese Seite" if locale.startswith("de") else "This page")
    for path, said in (("me/deliveries?limit=0", limit), (f"clients/{client_id}/notifications/preview?format=pdf", format)):
        (error,) = (await firm.get(f"/v1/{path}", firm.accountant)).body["errors"]
        assert error["detail"].startswith(said), error
