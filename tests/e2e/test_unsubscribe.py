"""The links in a digest: one click of a mail program, a page for people, and the way back (N13)."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

import pytest

from tests.e2e.portal import Answer, Firm, Outside
from tests.e2e.test_notifications import missing, switched_on, ticked

ONE_CLICK = b"List-Unsubscribe=One-Click"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
NAMES = ("Eins", "Zwei", "Drei")


async def digest(firm: Firm, outside: Outside) -> tuple[dict[str, str], Any]:
    """Let Tom get a digest about two clients and subscribe to a third afterwards; return the ids by name, and the mail."""
    ids = {name: await firm.client(name, firm.tom) for name in NAMES}
    for name in NAMES[:2]:
        await missing(outside, firm, ids[name])
    first, second = [await switched_on(firm, ids[name]) for name in NAMES[:2]]
    assert first == second
    await ticked(outside, first)
    await switched_on(firm, ids["Drei"])
    (mail,) = await outside.mails(firm.address(firm.tom))
    return ids, mail


def header_link(outside: Outside, mail: Any) -> str:
    """Return the path of the header's link."""
    return str(mail["headers"]["list-unsubscribe"]).strip("<>").removeprefix(outside.url)


def client_link(outside: Outside, mail: Any, name: str) -> str:
    """Return the path of a client's own link in the text part."""
    (link,) = re.findall(rf"^{name}\n(?:  .*\n)*?  .*(http\S+/u/\S+)", mail["text"], re.MULTILINE)
    return str(link).removeprefix(outside.url)


async def on(firm: Firm, ids: dict[str, str]) -> set[str]:
    """Return the clients that are switched on."""
    shown = {name: (await firm.get(f"/v1/clients/{id}/notifications", firm.accountant)).body["email"] for name, id in ids.items()}
    return {name for name, email in shown.items() if email}


async def post(outside: Outside, path: str, body: bytes = b"", kind: str = FORM["Content-Type"]) -> Answer:
    """POST as a mail program or a browser does, without who one is."""
    return await outside.call("POST", path, None, body, {"Content-Type": kind})


async def test_one_click_ends_what_the_mail_answered_and_undo_brings_exactly_it_back(firm: Firm, outside: Outside) -> None:
    """N13, RFC 8058: a GET changes nothing, a POST needs no cookie and can be repeated."""
    ids, mail = await digest(firm, outside)
    assert mail["headers"]["list-unsubscribe-post"] == "List-Unsubscribe=One-Click"
    path = header_link(outside, mail)
    before = (await firm.get(f"/v1/clients/{ids['Eins']}/notifications", firm.accountant)).body
    for _ in range(2):
        page = await outside.call("GET", path)
        assert (page.status, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert await on(firm, ids) == set(NAMES)
    for _ in range(2):
        done = await post(outside, path, ONE_CLICK)
        assert (done.status, "Set-Cookie" in done.headers) == (200, False)
    assert await on(firm, ids) == {"Drei"}
    assert (await post(outside, f"{path}/undo")).status == 200
    assert await on(firm, ids) == set(NAMES)
    assert (await firm.get(f"/v1/clients/{ids['Eins']}/notifications", firm.accountant)).body == before


async def test_a_clients_own_link_ends_that_one_and_all_ends_everything(firm: Firm, outside: Outside) -> None:
    """N13: the page offers this client, this mail, and all; by form, JSON or multipart."""
    ids, mail = await digest(firm, outside)
    path = client_link(outside, mail, "Zwei")
    page = (await outside.call("GET", path)).text
    assert "Nur zu Zwei" in page
    assert set(re.findall(r'action="(/u/[^"/]+)"', page)) == {path, header_link(outside, mail)}
    boundary = b'--b\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--b--\r\n'
    assert (await post(outside, path, boundary, "multipart/form-data; boundary=b")).status == 200
    assert await on(firm, ids) == {"Eins", "Drei"}
    assert (await post(outside, path, b'{"scope": "all"}', "application/json")).status == 200
    assert await on(firm, ids) == set()
    assert "Rückgängig" in (await outside.call("GET", path)).text
    assert (await post(outside, f"{path}/undo")).status == 200
    assert await on(firm, ids) == set(NAMES)


async def test_undo_leaves_out_what_access_was_lost_to_and_what_was_set_since(firm: Firm, outside: Outside) -> None:
    """N13: a disconnected client stays off, and a newer wish counts."""
    ids, mail = await digest(firm, outside)
    path = header_link(outside, mail)
    await post(outside, path, b"scope=all")
    assert (await firm.post(f"/v1/clients/{ids['Eins']}/disconnect", {"confirm": True})).status == 200
    await firm.put(f"/v1/clients/{ids['Drei']}/notifications", {"email": False}, firm.accountant)
    await post(outside, f"{path}/undo")
    del ids["Eins"]
    assert await on(firm, ids) == {"Zwei"}


async def test_a_waiting_instant_is_not_answered_after_the_click(firm: Firm, outside: Outside) -> None:
    """N13, N10: after a subscription's end there are no further lines."""
    ids, mail = await digest(firm, outside)
    shown = (await firm.get(f"/v1/clients/{ids['Eins']}/notifications", firm.accountant)).body
    await post(outside, header_link(outside, mail), ONE_CLICK)
    await ticked(outside, datetime.fromisoformat(shown["next_deliveries"][0]))
    assert len(await outside.mails(firm.address(firm.tom))) == 1
    items = (await firm.get(f"/v1/me/deliveries?client_id={ids['Eins']}", firm.accountant)).body["items"]
    assert [item["status"] for item in items] == ["sent"]


async def test_a_token_that_is_none_is_not_found(firm: Firm, outside: Outside) -> None:
    """N13: forged, truncated, of another secret, the preview's; nothing is told of why."""
    _, mail = await digest(firm, outside)
    path = header_link(outside, mail)
    body, signature = path.rsplit(".", 1)
    other = client_link(outside, mail, "Eins").rsplit(".", 1)[0]
    for wrong in (path[:-1], f"{path}a", f"{other}.{signature}", f"{body}", f"{body}!.{signature}", "/u/preview", "/u/%C3%A4"):
        for method in ("GET", "POST"):
            answer = await outside.call(method, wrong)
            assert (answer.status, answer.code) == (404, "not_found"), wrong
    assert (await outside.call("POST", f"{path[:-1]}/undo")).status == 404


async def test_the_link_is_looked_at_before_the_body_and_tells_in_whose_language_to_refuse(outside: Outside) -> None:
    """E2, G1: an unknown link is not found whatever is sent to it; what is wrong with a body is told as the member reads."""
    firm = await outside.firm(locale="en-GB")
    client_id = await firm.client("Eins", firm.tom)
    await missing(outside, firm, client_id)
    await ticked(outside, await switched_on(firm, client_id))
    (mail,) = await outside.mails(firm.address(firm.tom))
    path = header_link(outside, mail)
    for unknown in (path[:-1], f"{path[:-1]}/undo"):
        for body, kind in ((b"scope=none", FORM["Content-Type"]), (b"{", "application/json")):
            assert (await post(outside, unknown, body, kind)).code == "not_found"
    refused = await post(outside, path, b"scope=none")
    assert (refused.status, refused.body["detail"]) == (422, "Some of the values are not valid.")
    assert [(error["field"], error["detail"]) for error in refused.body["errors"]] == [("scope", "must be these or all")]


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"scope=none", FORM["Content-Type"], 422),
        (b'{"scope": ["all"]}', "application/json", 422),
        (b'["all"]', "application/json", 422),
        (b"{", "application/json", 400),
        (b"\xff\xfe", FORM["Content-Type"], 200),
        (b"x" * 70_000, FORM["Content-Type"], 413),
    ],
)
async def test_an_odd_body_ends_nothing_it_does_not_name(
    firm: Firm, outside: Outside, body: bytes, kind: str, status: int
) -> None:
    """E1: never a 5xx; a form without a scope means the link's own."""
    client_id = await firm.client("Eins", firm.tom)
    await missing(outside, firm, client_id)
    await ticked(outside, await switched_on(firm, client_id))
    (mail,) = await outside.mails(firm.address(firm.tom))
    assert (await post(outside, header_link(outside, mail), body, kind)).status == status
    assert await on(firm, {"Eins": client_id}) == (set() if status == 200 else {"Eins"})
