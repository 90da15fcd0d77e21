"""Several gateways are one: keys, outcomes, reads and doorbells (contract, "Commands"; W3)."""

from __future__ import annotations

import asyncio
import signal
import uuid
from pathlib import Path

import aiohttp

from tests.e2e.listening import listening, next_bell
from tests.e2e.portal import Answer, Firm, Outside
from tests.e2e.replica import Replica
from tests.system import eventually

WAIT = {"Prefer": "wait=10"}


async def test_fifty_requests_with_one_key_are_one_command(firm: Firm, outside: Outside, beside: Outside) -> None:
    """R3, Idempotency-Key: at once and through two gateways, one command id, one reminder, one mail."""
    client_id = await firm.client("Müller Bau", firm.tom)
    path, headers = f"/v1/clients/{client_id}/reminders", {"Idempotency-Key": uuid.uuid4().hex, "Prefer": "wait=10"}

    async def ask(number: int) -> Answer:
        through, token = (outside, firm.admin) if number % 5 else (beside, firm.admin)
        return await through.call("POST", path, token, {"tasks": ["export_ready"]}, headers)

    answers = await asyncio.gather(*map(ask, range(50)))
    assert {answer.status for answer in answers} == {201}, [answer for answer in answers if answer.status != 201]
    assert len({answer.body["command_id"] for answer in answers}) == 1
    assert len({answer.body["result"]["reminder_id"] for answer in answers}) == 1

    async def mailed() -> bool:
        return len(await outside.mails(firm.address(firm.tom))) == 1

    await eventually(mailed)
    assert len((await firm.get(f"/v1/clients/{client_id}")).body["reminders"]) == 1


async def test_what_one_gateway_did_the_other_shows(firm: Firm, outside: Outside, beside: Outside) -> None:
    """Read your writes, also through another replica: at once after "succeeded", and the status, too."""
    client_id = await firm.client("Baur Gastronomie")
    for _ in range(5):
        path = f"/v1/clients/{client_id}/assignments"
        done = await outside.call("POST", path, firm.admin, {"member_id": firm.tom}, WAIT)
        assert done.status == 200, done
        shown, status = await asyncio.gather(
            beside.call("GET", f"/v1/clients/{client_id}", firm.admin),
            beside.call("GET", done.headers["Location"], firm.admin),
        )
        assert [member["id"] for member in shown.body["assignees"]] == [firm.tom]
        assert status.body["status"] == "succeeded"
        gone = await beside.call("DELETE", f"{path}/{firm.tom}", firm.admin, headers=WAIT)
        assert gone.status == 200, gone
        assert (await outside.call("GET", f"/v1/clients/{client_id}", firm.admin)).body["assignees"] == []


async def test_a_grant_of_one_gateway_is_redeemed_through_the_other(firm: Firm, outside: Outside, beside: Outside) -> None:
    """A3: both derive the same token, and both show the link as spent."""
    client_id = await firm.client("Lindner Elektrotechnik")
    key = {"Idempotency-Key": uuid.uuid4().hex, **WAIT}
    path = f"/v1/clients/{client_id}/access"
    granted = await outside.call("POST", path, firm.admin, headers=key)
    repeated = await beside.call("POST", path, firm.admin, headers=key)
    assert repeated.body == granted.body
    token = granted.body["result"]["url"].split("#token=")[1]
    product = await outside.service_token()
    assert (await beside.call("POST", "/v1/access-grants/redeem", product, {"token": token})).status == 200
    for through in (outside, beside):
        assert (await through.call("POST", path, firm.admin, headers=key)).body["result"]["url"] is None
        assert (await through.call("GET", granted.headers["Location"], firm.admin)).body["result"]["url"] is None


async def test_a_key_outlives_its_gateway(firm: Firm, outside: Outside, home: Path) -> None:
    """A gateway started anew knows what was asked of the one before: same command, same outcome, same refusal."""
    client_id = await firm.invited_by("Vogt Elektrotechnik")
    path, headers = f"/v1/invitations/{client_id}/accept", {"Idempotency-Key": uuid.uuid4().hex, **WAIT}
    async with Replica(home) as replica:
        first = await outside.at(replica.url).call("POST", path, firm.admin, {"assign": [firm.tom]}, headers)
        assert first.status == 200, first
        await replica.stop()
        await replica.start()
        again = await outside.at(replica.url).call("POST", path, firm.admin, {"assign": [firm.tom]}, headers)
        other = await outside.at(replica.url).call("POST", path, firm.admin, {"assign": []}, headers)
    assert (again.status, again.body) == (200, first.body)
    assert (other.status, other.code) == (422, "idempotency_key_reused")


async def test_a_gateway_that_ends_lets_everybody_go_at_once(firm: Firm, outside: Outside, home: Path) -> None:
    """A rollout: streams close, and the process ends well before it would be killed."""
    async with Replica(home) as replica:
        bells = listening(outside.at(replica.url), firm.admin)
        assert (await next_bell(bells))[0] == "reset"
        ending = asyncio.create_task(replica.stop())
        try:
            assert [bell async for bell in bells] == []
        except aiohttp.ClientPayloadError as cut:
            raise AssertionError("the stream was cut off, not closed") from cut
        await asyncio.wait_for(ending, 8)
    assert replica.process.returncode in (0, -signal.SIGTERM)  # the server raises the signal again once all is shut down
    assert "Application shutdown complete" in replica.log.read_text()


async def test_a_doorbell_rings_at_every_gateway(firm: Firm, outside: Outside, beside: Outside) -> None:
    """W3: a change made through one gateway rings at the streams of the other, both ways."""
    client_id = await firm.client("Ahrens Bau")
    for change, watch in ((outside, beside), (beside, outside)):
        bells = listening(watch, firm.accountant)
        assert await next_bell(bells) == ("reset", "{}")
        path = f"/v1/clients/{client_id}/assignments"
        assert (await change.call("POST", path, firm.admin, {"member_id": firm.tom}, WAIT)).status == 200
        heard = {await next_bell(bells), await next_bell(bells)}
        assert heard == {("tabs", "{}"), ("client", f'{{"client_id":"{client_id}"}}')}
        assert (await change.call("DELETE", f"{path}/{firm.tom}", firm.admin, headers=WAIT)).status == 200
        await bells.aclose()
