"""A part away, seen from the gateway: an answer within five seconds, and one outcome afterwards (contract, section 1)."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import monotonic
from typing import Any

import pytest

from tests.e2e.portal import Answer, Firm, Outside
from tests.system import Ground, eventually

WITHIN = 5.0


@asynccontextmanager
async def away(ground: Ground, part: str, outside: Outside) -> AsyncIterator[None]:
    """Keep *part* away; it is back and serves when the block is left."""
    async with ground.gone(part):
        await asyncio.sleep(1.0)
        yield
    if part not in ("kafka", "mongo", "mail"):
        url = outside.endpoints[f"{part.upper()}_METRICS_URL"].removesuffix("/metrics") + "/health/ready"
        await eventually(lambda: _answers(outside, url), 60)


async def _answers(outside: Outside, url: str) -> bool:
    async with outside.http.get(url) as answer:
        return answer.status == 200


async def timed(asked: Any) -> Answer:
    """Return the answer, which must come in time."""
    began = monotonic()
    answer: Answer = await asked
    assert monotonic() - began < WITHIN, answer
    return answer


def is_unavailable(answer: Answer) -> None:
    """Assert that *answer* says so, and when to ask again."""
    assert (answer.status, answer.code) == (503, "unavailable"), answer
    assert int(answer.headers["Retry-After"]) > 0
    assert answer.headers["Content-Type"] == "application/problem+json"


async def health(outside: Outside, page: str) -> Answer:
    """Return one of the gateway's health pages."""
    return await outside.call("GET", f"/health/{page}")


async def same_command(firm: Firm, path: str, body: Any, key: str, before: Answer) -> Answer:
    """Return the success of the same request afterwards; the id told before is the one it has."""

    async def succeeded() -> Answer | None:
        again = await firm.post(path, body, Idempotency_Key=key)
        return again if again.status in (200, 201) else None

    again = await eventually(succeeded, 60)
    assert again is not None
    assert again.body["command_id"] == before.body.get("command_id", again.body["command_id"])
    return again


async def test_the_broker_away(firm: Firm, outside: Outside, ground: Ground) -> None:
    """Contract: reads go on; a command is 503 with its id, and the same key gets its one outcome afterwards."""
    client_id = await firm.client("Kühn Bau", firm.tom)
    path, body, key = f"/v1/clients/{client_id}/reminders", {"tasks": ["export_ready"]}, uuid.uuid4().hex
    async with away(ground, "kafka", outside):
        answer, shown = await asyncio.gather(
            timed(firm.post(path, body, Idempotency_Key=key)), timed(firm.get(f"/v1/clients/{client_id}"))
        )
        is_unavailable(answer)
        assert answer.body["command_id"]
        assert (shown.status, shown.body["unavailable"]) == (200, [])
        assert (await health(outside, "live")).status == 200
    again = await same_command(firm, path, body, key, answer)
    assert (await firm.get(f"/v1/commands/{answer.body['command_id']}")).body["status"] == "succeeded"

    async def mailed() -> bool:
        return len(await outside.mails(firm.address(firm.tom))) == 1

    await eventually(mailed, 60)
    (reminder,) = (await firm.get(f"/v1/clients/{client_id}")).body["reminders"]
    assert reminder["reminder_id"] == again.body["result"]["reminder_id"]

    async def ready() -> bool:
        return (await health(outside, "ready")).status == 200

    await eventually(ready, 60)


async def test_the_database_away(firm: Firm, outside: Outside, ground: Ground) -> None:
    """Contract: everything that must know the caller is 503; the gateway lives on and is ready again by itself."""
    client_id = await firm.invited_by("Weber Bau")
    path, key = f"/v1/invitations/{client_id}/accept", uuid.uuid4().hex
    async with away(ground, "mongo", outside):
        asked = ["/v1/me", "/v1/tabs", f"/v1/clients/{client_id}", "/v1/commands/x", "/v1/clients/export?tab=all", "/v1/stream"]
        answers = await asyncio.gather(
            timed(firm.post(path, {"assign": []}, Idempotency_Key=key)), *(timed(firm.get(one)) for one in asked)
        )
        for answer in answers:
            is_unavailable(answer)
        assert (await outside.call("GET", "/v1/me")).status == 401
        assert (await health(outside, "live")).status == 200
    await same_command(firm, path, {"assign": []}, key, answers[0])

    async def ready() -> bool:
        return (await health(outside, "ready")).status == 200

    await eventually(ready, 60)


async def test_clients_away(firm: Firm, outside: Outside, ground: Ground) -> None:
    """Contract: nobody can say who calls, so whoever calls is told to come back; the gateway itself stays ready."""
    client_id = await firm.invited_by("Vogt Bau")
    path, key = f"/v1/invitations/{client_id}/accept", uuid.uuid4().hex
    async with away(ground, "clients", outside):
        asked = ["/v1/me", "/v1/tabs", f"/v1/clients/{client_id}", "/v1/commands/x", "/v1/clients/export?tab=all", "/v1/stream"]
        answers = await asyncio.gather(
            timed(firm.post(path, {"assign": []}, Idempotency_Key=key)), *(timed(firm.get(one)) for one in asked)
        )
        for answer in answers:
            is_unavailable(answer)
        assert ((await health(outside, "live")).status, (await health(outside, "ready")).status) == (200, 200)
    await same_command(firm, path, {"assign": []}, key, answers[0])


async def test_a_grant_redeemed_while_clients_is_away(firm: Firm, outside: Outside, ground: Ground) -> None:
    """A3, contract: the redemption was taken; its retry with the same key is the one that lets in, once."""
    client_id = await firm.client("Lindner Bau")
    granted = await firm.post(f"/v1/clients/{client_id}/access")
    body = {"token": granted.body["result"]["url"].split("#token=")[1]}
    product = await outside.service_token()
    path, headers = "/v1/access-grants/redeem", {"Idempotency-Key": uuid.uuid4().hex}
    async with away(ground, "clients", outside):
        answer = await timed(outside.call("POST", path, product, body, headers))
        is_unavailable(answer)
        assert answer.body["command_id"]

    async def let_in() -> Answer | None:
        again = await outside.call("POST", path, product, body, headers)
        return again if again.status == 200 else None

    again = await eventually(let_in, 60)
    assert again is not None
    assert again.body["member_id"] == firm.leyla
    other = await outside.call("POST", path, product, body)
    assert (other.status, other.code) == (410, "grant_invalid")


@pytest.mark.parametrize(("part", "missing"), [("onboarding", {"onboarding"}), ("notifier", {"reminders", "notifications"})])
async def test_details_are_shown_without_a_part(
    firm: Firm, outside: Outside, ground: Ground, part: str, missing: set[str]
) -> None:
    """Contract: a missing part is null and named, the rest is shown; commands for others go on."""
    client_id = await firm.client("Strauß Bau", firm.tom)
    async with away(ground, part, outside):
        shown = await timed(firm.get(f"/v1/clients/{client_id}"))
        assert shown.status == 200, shown
        assert set(shown.body["unavailable"]) == missing
        assert all(shown.body[name] is None for name in missing)
        assert shown.body["name"] == "Strauß Bau"
        path = f"/v1/clients/{client_id}/assignments"
        assert (await timed(firm.post(path, {"member_id": firm.leyla}))).status == 200
        assert ((await health(outside, "live")).status, (await health(outside, "ready")).status) == (200, 200)

    async def whole() -> bool:
        return bool((await firm.get(f"/v1/clients/{client_id}")).body["unavailable"] == [])

    await eventually(whole, 60)


async def test_a_setting_while_notifier_is_away(firm: Firm, outside: Outside, ground: Ground) -> None:
    """Contract: its reads are 503; its commands are taken, and said to be so: 202, never lost."""
    client_id = await firm.client("Jäger Bau", firm.tom)
    path, body, key = f"/v1/clients/{client_id}/notifications", {"email": True, "frequency": "weekly"}, uuid.uuid4().hex
    headers = {"Idempotency-Key": key, "Prefer": "wait=1"}
    async with away(ground, "notifier", outside):
        is_unavailable(await timed(firm.get(path)))
        is_unavailable(await timed(firm.get("/v1/me/deliveries")))
        taken = await timed(outside.call("PUT", path, firm.admin, body, headers))
        assert (taken.status, taken.body["status"]) == (202, "pending")
        is_unavailable(await timed(firm.get(taken.headers["Location"])))

    async def set_once() -> bool:
        again = await outside.call("PUT", path, firm.admin, body, headers)
        return again.status == 200 and bool(again.body["command_id"] == taken.body["command_id"])

    await eventually(set_once, 60)
    assert (await firm.get(path)).body["frequency"] == "weekly"
