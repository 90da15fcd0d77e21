"""The way into a client's Pleo account, as attackers and retries try it (section 4 of the behaviour)."""

from __future__ import annotations

import asyncio
import base64
import json
import re
from collections.abc import Iterable
from typing import Any

import pytest
from pymongo import MongoClient

from tests.e2e.portal import Answer, Firm, Outside
from tests.e2e.records import records
from tests.system import eventually

REDEEM = "/v1/access-grants/redeem"
FORM = re.compile(rb"(?<![A-Za-z0-9_-])[A-Za-z0-9_-]{43}(?![A-Za-z0-9_-])")  # what a token looks like


async def granted(firm: Firm, client_id: str, by: str) -> str:
    """Return the token of a new grant."""
    answer = await firm.post(f"/v1/clients/{client_id}/access", token=by)
    assert answer.status == 201, answer
    return str(answer.body["result"]["url"].split("#token=")[1])


async def redeemed(outside: Outside, product: str, token: str, **headers: str) -> Answer:
    """Redeem *token* as the product does."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return await outside.call("POST", REDEEM, product, {"token": token}, sent)


async def test_of_a_thousand_redemptions_one_wins(firm: Firm, outside: Outside) -> None:
    """A3: and its retry with the same key gets the same answer, a loser's the same refusal."""
    client_id = await firm.client("Lindner Bau", firm.tom)
    token, product = await granted(firm, client_id, firm.accountant), await outside.service_token()
    keys = [f"key-{n}" for n in range(1000)]
    at_once = asyncio.Semaphore(200)  # a client has that many connections, not a thousand

    async def attempt(key: str) -> Answer:
        async with at_once:
            return await redeemed(outside, product, token, Idempotency_Key=f"{key}-{firm.id}")

    answers = dict(zip(keys, await asyncio.gather(*map(attempt, keys)), strict=True))
    winners = [key for key, answer in answers.items() if answer.status == 200]
    assert len(winners) == 1
    assert {(a.status, a.code) for a in answers.values()} == {(200, None), (410, "grant_invalid")}
    wanted = {"member_id": firm.tom, "client_id": client_id, "firm_id": firm.id, "role": "accountant"}
    for _ in range(2):
        again = await attempt(winners[0])
        assert (again.status, again.body) == (200, wanted)
    assert (await attempt(next(key for key in keys if key not in winners))).status == 410
    assert (await redeemed(outside, product, token)).status == 410


@pytest.mark.parametrize("meanwhile", ["unassigned", "removed", "disconnected", "demoted"])
async def test_rights_are_looked_at_again_when_it_is_redeemed(firm: Firm, outside: Outside, meanwhile: str) -> None:
    """A3: role, assignment, membership and connection, as they are then."""
    client_id = await firm.client("Vogt Bau", firm.tom)
    who, token = (firm.leyla, firm.admin) if meanwhile == "demoted" else (firm.tom, firm.accountant)
    grant, product = await granted(firm, client_id, token), await outside.service_token()
    match meanwhile:
        case "unassigned":
            await firm.post("/v1/assignments", {"client_ids": [client_id], "assign": [], "unassign": [firm.tom]})
        case "disconnected":
            await firm.post(f"/v1/clients/{client_id}/disconnect", {"confirm": True})
        case "removed":
            await outside.event("pleo.partners", "pleo.member.removed.v1", {"firm_id": firm.id, "member_id": who, "sequence": 2})
        case _:
            await firm.member(who, "Leyla Özdemir", "accountant", sequence=2)

    async def lost() -> bool:
        return (await firm.get(f"/v1/clients/{client_id}", token)).status in (403, 404)

    await eventually(lost)
    refused = await redeemed(outside, product, grant)
    assert (refused.status, refused.code) == (410, "grant_invalid")


@pytest.mark.parametrize("token", ["", "x", "a" * 43, "ü" * 43, "a" * 5000, "../../etc"])
async def test_an_odd_token_is_as_invalid_as_any(outside: Outside, token: str) -> None:
    """A3, contract 1: also one of odd form; and a GET never consumes."""
    product = await outside.service_token()
    answer = await redeemed(outside, product, token)
    assert (answer.status, answer.code) == (410, "grant_invalid")
    assert (await outside.call("GET", REDEEM, product)).code == "method_not_allowed"


async def test_nothing_at_rest_opens_an_account(firm: Firm, outside: Outside) -> None:
    """A3: all of Kafka and MongoDB hold no token, in no common form, nor anything that is taken for one; the real one opens."""
    client_id = await firm.client("Krüger Bau", firm.tom)
    token, product = await granted(firm, client_id, firm.accountant), await outside.service_token()
    dump = [*await asyncio.to_thread(_databases, outside.endpoints["MONGODB_URL"]), *await _topics(outside)]
    assert any(client_id.encode() in text for text in dump)
    for form in _forms(token):
        assert not any(form in text for text in dump), form
    ours = [text for text in dump if client_id.encode() in text or firm.id.encode() in text]
    guesses = sorted({found.decode() for text in ours for found in FORM.findall(text)})
    async with Outside(outside.endpoints, outside.home) as fresh:  # the dump took its time: old connections may be closing
        for guess in guesses:
            assert (await redeemed(fresh, product, guess)).status == 410
        assert (await redeemed(fresh, product, token)).status == 200


def _forms(token: str) -> Iterable[bytes]:
    raw = base64.urlsafe_b64decode(token + "=")
    for text in (token.encode(), raw):
        yield from (text, text.hex().encode(), base64.b64encode(text).rstrip(b"="), base64.urlsafe_b64encode(text).rstrip(b"="))


def _databases(url: str) -> list[bytes]:
    client: MongoClient[dict[str, Any]] = MongoClient(url)
    try:
        names = [name for name in client.list_database_names() if name not in ("admin", "config", "local")]
        return [
            json.dumps(document, default=_text).encode()
            for name in names
            for collection in client[name].list_collection_names()
            for document in client[name][collection].find()
        ]
    finally:
        client.close()


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


async def _topics(outside: Outside) -> list[bytes]:
    parts = [
        [record.key or b"", record.value or b"", *(value for _, value in record.headers)] for record in await records(outside)
    ]
    return [b"\n".join(part) for part in parts]


async def test_every_way_in_is_in_the_access_log_with_the_members_name(firm: Firm, outside: Outside) -> None:
    """A4: granted and redeemed, newest first; also of somebody who has left since."""
    client_id, product = await firm.client("Ahrens Bau", firm.tom), await outside.service_token()
    await redeemed(outside, product, await granted(firm, client_id, firm.accountant))
    await granted(firm, client_id, firm.admin)
    await outside.event("pleo.partners", "pleo.member.removed.v1", {"firm_id": firm.id, "member_id": firm.tom, "sequence": 2})

    async def gone() -> bool:
        return (await firm.get("/v1/me", firm.accountant)).status == 403

    await eventually(gone)
    log = (await firm.get(f"/v1/clients/{client_id}")).body["access_log"]
    assert [(line["event"], line["member"]["name"]) for line in log] == [
        ("granted", "Leyla Özdemir"),
        ("redeemed", "Tom Brandt"),
        ("granted", "Tom Brandt"),
    ]


async def test_the_access_log_keeps_the_name_of_who_works_for_another_firm_now(firm: Firm, outside: Outside) -> None:
    """A4: members may move, what they did stays; M1: ids are unique over all firms."""
    client_id, elsewhere = await firm.client("Ahrens Bau", firm.tom), await outside.firm()
    await granted(firm, client_id, firm.accountant)
    about = {"firm_id": elsewhere.id, "member_id": firm.tom, "sequence": 2, "name": "Tom Brandt", "email": "t@else.example"}
    await outside.event("pleo.partners", "pleo.member.changed.v1", {**about, "role": "accountant"})

    async def moved() -> bool:
        return (await firm.get("/v1/me", firm.accountant)).status == 403

    await eventually(moved)
    (line,) = (await firm.get(f"/v1/clients/{client_id}")).body["access_log"]
    assert line["member"] == {"id": firm.tom, "name": "Tom Brandt"}


async def test_the_access_log_holds_more_than_a_days_work(firm: Firm, outside: Outside) -> None:
    """A4: every grant, not only the newest hundred."""
    client_id = await firm.client("Viel Bau")
    for _ in range(3):
        await asyncio.gather(*(granted(firm, client_id, firm.admin) for _ in range(34)))
        await asyncio.sleep(1)  # E4: so many requests a second, and no more
    assert len((await firm.get(f"/v1/clients/{client_id}")).body["access_log"]) == 102
