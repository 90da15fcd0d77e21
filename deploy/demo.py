"""The demo firm, loaded through the public topics and API only: ``python -m deploy.demo``.

Loading it again changes nothing: ids and sequences are fixed, and what is done already is not asked for again.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import orjson
from aiokafka import AIOKafkaProducer

from deploy.demo_companies import (
    ADMIN,
    INVITED,
    NINA,
    PENDING,
    SPAN,
    STARTED,
    TOM,
    VERIFICATIONS,
    Company,
    Invited,
    companies,
    facts,
)
from shared.settings import Settings, load

FIRM, NINAS = "demo", "nina@sommer-partner.example"
MEMBERS = (
    (ADMIN, "Leyla Özdemir", "leyla@sommer-partner.example", "admin"),
    (TOM, "Tom Brandt", "tom@sommer-partner.example", "accountant"),
    (NINA, "Nina Weiß", NINAS, "accountant"),
)
NOTIFIED: Mapping[str, Mapping[str, str]] = {
    TOM: {"demo-002": "weekly", "demo-005": "daily", "demo-010": "weekly", "demo-036": "monthly", "demo-043": "weekly"},
    NINA: {"demo-018": "weekly", "demo-032": "daily"},
    ADMIN: {"demo-005": "weekly", "demo-047": "monthly"},
}
BUSY = "demo-005"
"""The client at which most has happened."""
REMINDED = (("missing_receipts", "Bitte bis Freitag, dann schließen wir den Monat ab."), ("export_ready", None))
WAIT_SECONDS = 90


class Loader:
    """Sends events and commands as other services and the page would."""

    def __init__(self, settings: Settings, producer: AIOKafkaProducer, http: aiohttp.ClientSession) -> None:
        self._url = settings.portal_url
        self._producer = producer
        self._http = http
        self._tokens: dict[str, str] = {}
        self._number = 0

    async def event(self, topic: str, kind: str, data: Mapping[str, Any], at: datetime = STARTED) -> None:
        """Send one CloudEvent; its id depends on how many were sent before, so a second load repeats the first."""
        self._number += 1
        key = next(data[name] for name in ("client_id", "firm_id", "member_id") if name in data)
        headers = {
            "ce_specversion": "1.0",
            "ce_id": f"demo-{self._number}",
            "ce_source": "demo",
            "ce_type": kind,
            "ce_time": at.isoformat(),
            "content-type": "application/json",
        }
        await self._producer.send(
            topic, orjson.dumps(data), str(key).encode(), headers=[(k, v.encode()) for k, v in headers.items()]
        )

    async def log_in(self, body: Mapping[str, str]) -> None:
        """Become a member, or a service, as soon as the portal knows who that is."""
        (name,) = body.values()
        async for _ in _patiently(f"the demo firm's {name}"):
            async with self._http.post(f"{self._url}/dev/login", json=body) as answer:
                if answer.status == 200:
                    self._tokens[name] = (await answer.json())["access_token"]
                    if "service" in body or (await self.get("/v1/me", name)) is not None:
                        return

    async def get(self, path: str, who: str = ADMIN) -> Any:
        """Return what the API says at *path*, or None unless it answers 200."""
        status, said = await self._asked("GET", path, None, who)
        return said if status == 200 else None

    async def command(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, who: str = ADMIN, unless: str | None = None
    ) -> Any:
        """Issue a command, wait for its outcome and return its result; a refusal ends the loading, but *unless* is None."""
        status, said = await self._asked(method, path, body, who)
        if unless is not None and said.get("code") == unless:
            return None
        if status not in (200, 201):
            raise SystemExit(f"the demo firm was refused {method} {path}: {said}")
        return said.get("result")

    async def _asked(self, method: str, path: str, body: Mapping[str, Any] | None, who: str) -> tuple[int, Any]:
        """Return status and body of an answer; who asks too often waits as told: how often is a setting (E4)."""
        headers = {"Authorization": f"Bearer {self._tokens[who]}", "Prefer": "wait=10"}
        while True:
            async with self._http.request(method, self._url + path, json=body, headers=headers) as answer:
                said = await answer.json()
                if said.get("code") != "too_many_requests":
                    return answer.status, said
                await asyncio.sleep(float(answer.headers["Retry-After"]))

    async def rows(self, tab: str) -> list[Any]:
        """Return every row of a tab."""
        page = await self.get(f"/v1/clients?tab={tab}&limit=200")
        return list(page["items"]) if page else []


async def load_firm(loader: Loader) -> None:
    """Load the firm, its clients and what is true of them; return when every row stands."""
    firm = {"firm_id": FIRM, "name": "Sommer & Partner", "locale": "de-DE"}
    await loader.event("pleo.partners", "pleo.firm.registered.v1", firm)
    for member_id, name, email, role in MEMBERS:
        member = {"firm_id": FIRM, "member_id": member_id, "name": name, "email": email, "role": role, "locale": "de-DE"}
        await loader.event("pleo.partners", "pleo.member.added.v1", {**member, "sequence": 1})
    wanted = companies()
    for number, company in enumerate(wanted):
        await _add(loader, company, number)
    for member_id, *_ in MEMBERS:
        await loader.log_in({"member_id": member_id})
    await loader.log_in({"service": "product"})
    await _accept(loader, wanted[:-PENDING])
    await _invite(loader)
    await _work(loader, wanted[:-PENDING])


async def _add(loader: Loader, company: Company, number: int) -> None:
    """Let a company add the firm, and other services say what they know of it."""
    named = {"client_id": company.client_id, "firm_id": FIRM, "company_name": company.name, "client_number": company.number}
    addressed = {"addressed_to": "tom@sommer-partner.example"} if number % 3 else {}
    data = {**named, **addressed, "country": "DE", "sequence": 1}
    await loader.event("pleo.companies", "pleo.accountant.added.v1", data, STARTED + timedelta(hours=5 * number))
    for told in facts(company):
        await loader.event(told.topic, told.kind, told.data, told.at)
    if state := VERIFICATIONS.get(number + 1):
        verified = {"client_id": company.client_id, "sequence": 1, "state": state}
        await loader.event("pleo.verification", "pleo.verification.changed.v1", verified, STARTED + SPAN / 2)


async def _accept(loader: Loader, wanted: list[Company]) -> None:
    async for _ in _patiently("the demo firm's invitations"):
        there = {r["client_id"] for tab in ("invitations", "all") for r in await loader.rows(tab)}
        if {company.client_id for company in wanted} <= there:
            break
    waiting = {r["client_id"] for r in await loader.rows("invitations")}
    for company in wanted:
        if company.client_id in waiting:
            await loader.command("POST", f"/v1/invitations/{company.client_id}/accept", {"assign": company.assignees})


async def _invite(loader: Loader) -> None:
    if await loader.rows("onboarding"):
        return  # they are invited already; their ids are not ours to choose
    for number, company in enumerate(INVITED):
        address = f"kontakt{number}@mandant.example"
        body = {
            "company_name": company.name,
            "contact_name": company.contact,
            "contact_email": address,
            "country": "DE",
            "assign": company.assign,
        }
        invited = await loader.command("POST", "/v1/onboarding", body, unless="too_many_invitations")
        if invited is None:
            return  # so many a day are a setting, too
        client_id = invited["client_id"]
        if company.withdrawn:
            await loader.command("POST", f"/v1/onboarding/{client_id}/withdraw")
        if company.undelivered:
            await _came_back(loader, address, client_id=client_id)
        await _verify(loader, client_id, company)
    await _came_back(loader, NINAS, member_id=NINA)


async def _came_back(loader: Loader, address: str, **whose: str) -> None:
    """Let the mail provider tell that a mail to *address* could not be delivered."""
    data = {**whose, "address": address, "kind": "hard"}
    await loader.event("pleo.mail", "pleo.mail.bounced.v1", data, datetime.now(UTC))


async def _verify(loader: Loader, client_id: str, company: Invited) -> None:
    for sequence, state in enumerate(company.states, start=1):
        data: dict[str, Any] = {"client_id": client_id, "sequence": sequence, "state": state}
        if state == "information_required":
            data["missing"] = [{"code": code, "text": text} for code, text in company.missing]
        after = datetime.now(UTC) + timedelta(milliseconds=sequence)  # nothing is verified before it was invited
        await loader.event("pleo.verification", "pleo.verification.changed.v1", data, after)


async def _work(loader: Loader, wanted: list[Company]) -> None:
    """Let the members have done what they do: notifications, reminders, a look into a client's account."""
    for who, wishes in NOTIFIED.items():
        for client_id, frequency in wishes.items():
            assigned = who == ADMIN or any(c.client_id == client_id and who in c.assignees for c in wanted)
            if assigned:
                body = {"email": True, "frequency": frequency}
                await loader.command("PUT", f"/v1/clients/{client_id}/notifications", body, who)
    seen = await loader.get(f"/v1/clients/{BUSY}")
    if not seen["reminders"]:
        for task, comment in REMINDED:
            path = f"/v1/clients/{BUSY}/reminders"
            await loader.command("POST", path, {"tasks": [task], "comment": comment})
    if not seen["access_log"]:
        grant = await loader.command("POST", f"/v1/clients/{BUSY}/access", who=TOM)
        token = grant["url"].partition("#token=")[2]
        await loader.command("POST", "/v1/access-grants/redeem", {"token": token}, "product")


async def _patiently(what: str) -> Any:
    end = asyncio.get_running_loop().time() + WAIT_SECONDS
    while asyncio.get_running_loop().time() < end:
        yield
        await asyncio.sleep(0.3)
    raise SystemExit(f"{what} did not appear within {WAIT_SECONDS} s: look at `make logs`")


async def main() -> None:
    """Load the demo firm into the running system."""
    settings = load()
    producer = AIOKafkaProducer(bootstrap_servers=settings.kafka_bootstrap_servers, acks="all", enable_idempotence=True)
    await producer.start()
    try:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20)) as http:
            await load_firm(Loader(settings, producer, http))
    finally:
        await producer.stop()
    print(f"demo firm loaded: sign in as {ADMIN}, {TOM} or {NINA}")


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
