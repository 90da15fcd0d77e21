"""The demo firm, loaded through the public topics and API only: ``python -m deploy.demo``.

Loading it again changes nothing: ids, sequences and times are fixed, and what is done already is not asked for again.
"""

from __future__ import annotations

import asyncio
import random
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import orjson
from aiokafka import AIOKafkaProducer

from shared.settings import Settings, load

FIRM = "demo"
ADMIN, TOM, NINA = "demo-leyla", "demo-tom", "demo-nina"
MEMBERS = (
    (ADMIN, "Leyla Özdemir", "leyla@sommer-partner.example", "admin"),
    (TOM, "Tom Brandt", "tom@sommer-partner.example", "accountant"),
    (NINA, "Nina Weiß", "nina@sommer-partner.example", "accountant"),
)
FAMILIES = (
    "Müller", "Schmidt", "Schäfer", "Öztürk", "Weber", "Kühn", "Hoffmann", "Jäger", "Krüger", "Großmann",
    "Baur", "Lindner", "Yılmaz", "Vogt", "Strauß", "Reuter", "Niehaus", "Petersen", "Ahrens", "Falkner",
)  # fmt: skip
TRADES = ("Bau GmbH", "Elektrotechnik GmbH", "Gastronomie UG")
ONBOARDING = (
    ("Atelier Nordlicht GmbH", None),
    ("Fahrradladen Speiche 9", "accepted"),
    ("Bäckerei Kornblume", "connected"),
    ("Praxis Dr. Sömmering", "in_review"),
    ("Weingut Rebstock KG", "information_required"),
    ("Kaffeerösterei Bohne 10", "verified"),
)
PENDING = 4
STARTED = datetime(2026, 9, 1, 8, 0, tzinfo=UTC)
WAIT_SECONDS = 90


@dataclass(frozen=True, slots=True)
class Company:
    """A demo company and what is true of it."""

    client_id: str
    name: str
    number: str
    missing: int
    ready: int
    balance: int | None
    assignees: tuple[str, ...]


def companies() -> list[Company]:
    """Return the companies that added the firm: the same at every call."""
    dice = random.Random(20)
    names = [f"{family} {trade}" for trade in TRADES for family in FAMILIES]
    found = []
    for number, name in enumerate(names[:58], start=1):
        known = dice.random() > 0.1
        found.append(
            Company(
                f"demo-{number:03d}",
                name,
                f"{10_000 + number * 7}",
                dice.choice((0, 0, 1, 2, 3, 14)) if known else -1,
                dice.choice((0, 1, 4, 9)) if known else -1,
                dice.choice((12_345, 250_000, 1_999_900, 4_200)) if known else None,
                dice.choice(((TOM,), (NINA,), (TOM, NINA), (ADMIN,), ())),
            )
        )
    return found


def facts(company: Company) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Yield topic, type and data of what other services say of a company."""
    for n in range(max(company.missing, 0)):
        yield "pleo.receipts", "pleo.receipt.missing.v1", {"client_id": company.client_id, "expense_id": f"m{n}"}
    if company.missing == 0:
        yield "pleo.receipts", "pleo.receipt.attached.v1", {"client_id": company.client_id, "expense_id": "m0"}
    for n in range(max(company.ready, 0)):
        yield "pleo.expenses", "pleo.expense.export_ready.v1", {"client_id": company.client_id, "expense_id": f"r{n}"}
    if company.balance is not None:
        balance = {"amount_minor": company.balance, "currency": "EUR"}
        data = {"client_id": company.client_id, "balance": balance, "low": company.balance < 10_000}
        yield "pleo.balances", "pleo.balance.changed.v1", data


class Loader:
    """Sends events and commands as other services and the page would."""

    def __init__(self, settings: Settings, producer: AIOKafkaProducer, http: aiohttp.ClientSession) -> None:
        self._url = settings.portal_url
        self._producer = producer
        self._http = http
        self._token = ""

    async def event(self, topic: str, kind: str, data: Mapping[str, Any], number: int) -> None:
        """Send one CloudEvent whose id and time depend on *number* only."""
        key = data.get("client_id") or data["firm_id"]
        headers = {
            "ce_specversion": "1.0",
            "ce_id": f"demo-{number}",
            "ce_source": "demo",
            "ce_type": kind,
            "ce_time": (STARTED + timedelta(minutes=7 * number)).isoformat(),
            "content-type": "application/json",
        }
        await self._producer.send(
            topic, orjson.dumps(data), str(key).encode(), headers=[(k, v.encode()) for k, v in headers.items()]
        )

    async def log_in(self) -> None:
        """Become the admin, as soon as the firm is known."""
        async for _ in _patiently("the demo firm's admin"):
            async with self._http.post(f"{self._url}/dev/login", json={"member_id": ADMIN}) as answer:
                if answer.status == 200:
                    self._token = (await answer.json())["access_token"]
                    if (await self.get("/v1/me")) is not None:
                        return

    async def get(self, path: str) -> Any:
        """Return what the API says at *path*, or None unless it answers 200."""
        async with self._http.get(self._url + path, headers={"Authorization": f"Bearer {self._token}"}) as answer:
            return await answer.json() if answer.status == 200 else None

    async def post(self, path: str, body: Mapping[str, Any]) -> tuple[int, Any]:
        """Issue a command and wait for its outcome."""
        headers = {"Authorization": f"Bearer {self._token}", "Prefer": "wait=10"}
        async with self._http.post(self._url + path, json=body, headers=headers) as answer:
            return answer.status, await answer.json()

    async def rows(self, tab: str) -> list[Any]:
        """Return every row of a tab."""
        page = await self.get(f"/v1/clients?tab={tab}&limit=200")
        return list(page["items"]) if page else []


async def load_firm(loader: Loader) -> None:
    """Load the firm, its clients and what is true of them; return when every row stands."""
    number = 0
    await loader.event(
        "pleo.partners", "pleo.firm.registered.v1", {"firm_id": FIRM, "name": "Sommer & Partner", "locale": "de-DE"}, 0
    )
    for member_id, name, email, role in MEMBERS:
        member = {"firm_id": FIRM, "member_id": member_id, "name": name, "email": email, "role": role, "locale": "de-DE"}
        await loader.event("pleo.partners", "pleo.member.added.v1", {**member, "sequence": 1}, 0)
    wanted = companies()
    for company in wanted:
        number += 1
        data = {"client_id": company.client_id, "firm_id": FIRM, "company_name": company.name, "client_number": company.number}
        extra = {"country": "DE", "addressed_to": "tom@sommer-partner.example", "sequence": 1}
        await loader.event("pleo.companies", "pleo.accountant.added.v1", {**data, **extra}, number)
    for company in wanted:
        for topic, kind, fact in facts(company):
            number += 1
            await loader.event(topic, kind, fact, number)
    await loader.log_in()
    await _accept(loader, wanted[:-PENDING])
    await _invite(loader)


async def _accept(loader: Loader, wanted: list[Company]) -> None:
    async for _ in _patiently("the demo firm's invitations"):
        there = {r["client_id"] for tab in ("invitations", "all") for r in await loader.rows(tab)}
        if {company.client_id for company in wanted} <= there:
            break
    waiting = {r["client_id"] for r in await loader.rows("invitations")}
    for company in wanted:
        if company.client_id in waiting:
            status, answer = await loader.post(f"/v1/invitations/{company.client_id}/accept", {"assign": company.assignees})
            if status != 200:
                raise SystemExit(f"the demo firm could not accept {company.client_id}: {answer}")


async def _invite(loader: Loader) -> None:
    known = {r["name"]: r["client_id"] for tab in ("onboarding", "all") for r in await loader.rows(tab)}
    for number, (name, state) in enumerate(ONBOARDING):
        if name in known:
            continue
        body = {
            "company_name": name,
            "contact_name": "Robin Sander",
            "contact_email": f"kontakt{number}@mandant.example",
            "country": "DE",
            "assign": [TOM if number % 2 else NINA],
        }
        status, answer = await loader.post("/v1/onboarding", body)
        if status != 201:
            raise SystemExit(f"the demo firm could not invite {name}: {answer}")
        if state is not None:
            data: dict[str, Any] = {"client_id": answer["result"]["client_id"], "sequence": 1, "state": state}
            if state == "information_required":
                data["missing"] = [{"code": "register_extract", "text": "Ein aktueller Handelsregisterauszug fehlt."}]
            await loader.event("pleo.verification", "pleo.verification.changed.v1", data, 10_000 + number)


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
