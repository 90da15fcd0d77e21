"""A firm as large as they come, told through the public topics only: ``python -m deploy.demo_large [--clients N] [--facts N]``.

Its clients are invitations, for topics can say no more; ``--accept N`` answers some of them as its admins would, over the
API. Loading it again changes nothing: ids, sequences and times are fixed.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import re
import sys
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import perf_counter
from typing import Any

import aiohttp
import orjson
from aiokafka import AIOKafkaProducer

from shared.producer import producer
from shared.settings import Settings, load

FIRM, ADMINS = "demo-large", 20
STARTED = datetime(2026, 9, 1, 6, 0, tzinfo=UTC)
FAMILIES = (
    *("Müller", "Schmidt", "Schäfer", "Öztürk", "Weber", "Kühn", "Hoffmann", "Jäger", "Krüger", "Großmann"),
    *("Baur", "Lindner", "Yılmaz", "Vogt", "Strauß", "Reuter", "Niehaus", "Petersen", "Ahrens", "Falkner"),
)
TRADES = ("Bau GmbH", "Elektrotechnik GmbH", "Gastronomie UG", "Immobilien KG", "Logistik AG", "Apotheke e. K.", "Beratung")
KINDS = (
    *(("pleo.receipts", "pleo.receipt.missing.v1"), ("pleo.receipts", "pleo.receipt.attached.v1")),
    *(("pleo.expenses", "pleo.expense.export_ready.v1"), ("pleo.expenses", "pleo.expense.exported.v1")),
)
AT_ONCE = 5_000
ANSWERED_AT_ONCE = 32
LATER = (429, 503)  # a machine this busy may answer late
LONGEST = 1800.0
SURE = 3  # what is told of lags is a second old
LAG = re.compile(rb'^portal_consumer_lag_records\{[^}]*topic="pleo\.[^}]*\} ([0-9.e+]+)$', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Size:
    """How large the firm is."""

    clients: int
    facts: int
    members: int
    accept: int


Told = tuple[str, str, Mapping[str, Any]]


def people(size: Size) -> Iterator[Told]:
    """Yield topic, type and data of the firm and its members; the first ones are its admins."""
    yield "pleo.partners", "pleo.firm.registered.v1", {"firm_id": FIRM, "name": "Groß & Partner", "locale": "de-DE"}
    for n in range(size.members):
        who = {"member_id": member(n), "name": f"Kollegin {n}", "email": f"{member(n)}@gross-partner.example"}
        role = "admin" if n < ADMINS else "accountant"
        yield "pleo.partners", "pleo.member.added.v1", {"firm_id": FIRM, **who, "role": role, "locale": "de-DE", "sequence": 1}


def member(number: int) -> str:
    """Return the id of a member."""
    return f"{FIRM}-m{number:03d}"


def company(number: int) -> str:
    """Return the id of a company."""
    return f"{FIRM}-{number:06d}"


def invitations(size: Size) -> Iterator[Told]:
    """Yield what the companies say that add the firm."""
    dice = random.Random(7)
    for n in range(size.clients):
        named = {"company_name": f"{dice.choice(FAMILIES)} {dice.choice(TRADES)} {n}", "client_number": f"{10_000 + 7 * n}"}
        yield "pleo.companies", "pleo.accountant.added.v1", {"client_id": company(n), "firm_id": FIRM, **named, "sequence": 1}


def facts(size: Size) -> Iterator[Told]:
    """Yield what other services say of the companies: every fourth fact a balance, the others about expenses."""
    dice = random.Random(8)
    for n in range(size.facts):
        about = {"client_id": company(dice.randrange(size.clients))}
        if n % 4 == 0:
            minor = dice.randrange(-50_000, 2_000_000)
            balance = {"balance": {"amount_minor": minor, "currency": "EUR"}, "low": minor < 10_000}
            yield "pleo.balances", "pleo.balance.changed.v1", {**about, **balance}
        else:
            yield *dice.choice(KINDS), {**about, "expense_id": f"e{dice.randrange(12)}"}


class Loader:
    """Sends what is told, and asks the portal what it shows."""

    def __init__(self, settings: Settings, letters: AIOKafkaProducer, http: aiohttp.ClientSession) -> None:
        self._settings = settings
        self._letters = letters
        self._http = http
        self._tokens: list[str] = []

    async def tell(self, what: str, told: Iterable[Told]) -> None:
        """Send every event, in order, and print the rate at which the broker took them."""
        started, number, sent = perf_counter(), 0, []
        for number, (topic, kind, data) in enumerate(told, start=1):
            key = str(data.get("client_id") or data["firm_id"]).encode()
            headers = {
                "ce_specversion": "1.0",
                "ce_id": f"large-{what}-{number}",
                "ce_source": "demo-large",
                "ce_type": kind,
                "ce_time": (STARTED + timedelta(seconds=number)).isoformat(),
                "content-type": "application/json",
            }
            encoded = [(name, value.encode()) for name, value in headers.items()]
            sent.append(await self._letters.send(topic, orjson.dumps(data), key, headers=encoded))
            if len(sent) == AT_ONCE:
                await asyncio.gather(*sent)
                sent.clear()
        await asyncio.gather(*sent)
        _rate("sent", number, what, perf_counter() - started)

    async def log_in(self) -> None:
        """Become each of the admins, as soon as the portal knows them."""
        for n in range(ADMINS):
            async for _ in _patiently(f"the admin {member(n)}"):
                async with self._http.post(f"{self._settings.portal_url}/dev/login", json={"member_id": member(n)}) as answer:
                    if answer.status == 200:
                        self._tokens.append((await answer.json())["access_token"])
                        break

    async def counted(self, tab: str, wanted: int) -> float:
        """Return when a tab first held exactly *wanted* clients and nothing that was told was still to be handled."""
        since: list[float] = []
        async for _ in _patiently(f"a count of {wanted:,} in {tab}"):
            since = [*since, perf_counter()] if (await self.count(tab), await self._lag()) == (wanted, 0) else []
            if len(since) == SURE:
                print(f"{tab} holds exactly {wanted:,} clients", flush=True)
                break
        return since[0]

    async def accept(self, size: Size) -> None:
        """Answer the first invitations, as fast as the admins may."""
        waiting = iter(range(size.accept))

        async def somebody(token: str) -> None:
            for n in waiting:
                path, body = f"/v1/invitations/{company(n)}/accept", {"assign": [member(n % size.members)]}
                while await self._post(path, body, token) in LATER:
                    await asyncio.sleep(1)

        await asyncio.gather(*(somebody(self._tokens[n % ADMINS]) for n in range(ANSWERED_AT_ONCE)))

    async def count(self, tab: str) -> int:
        """Return how many clients a tab holds."""
        tabs = (await self._get("/v1/tabs"))["tabs"]
        return int(next((found["count"] for found in tabs if found["id"] == tab), 0))

    async def _lag(self) -> int:
        async with self._http.get(f"{self._settings.clients_url}/metrics") as answer:
            return int(sum(float(lag) for lag in LAG.findall(await answer.read())))

    async def _get(self, path: str) -> Any:
        async for _ in _patiently(path):
            async with self._http.get(self._settings.portal_url + path, headers=_bearer(self._tokens[0])) as answer:
                if answer.status not in LATER:
                    answer.raise_for_status()
                    return await answer.json()
        return None

    async def _post(self, path: str, body: Mapping[str, Any], token: str) -> int:
        async with self._http.post(self._settings.portal_url + path, json=body, headers=_bearer(token)) as answer:
            if answer.status not in (200, 202, 409, *LATER):
                raise SystemExit(f"{path} was refused: {await answer.text()}")
            return answer.status


async def load_firm(loader: Loader, size: Size) -> None:
    """Load the firm and return when its counts are exact."""
    await loader.tell("people", people(size))
    await loader.log_in()
    answered, started = await loader.count("all"), perf_counter()
    await loader.tell("companies", invitations(size))
    await loader.tell("facts", facts(size))
    counted = await loader.counted("invitations", size.clients - answered)
    _rate("handled", size.clients + size.facts, "records from the first that was sent", counted - started)
    if size.accept > answered:
        started = perf_counter()
        await loader.accept(size)
        _rate("accepted", size.accept - answered, "invitations", await loader.counted("all", size.accept) - started)


def _bearer(token: str) -> Mapping[str, str]:
    return {"Authorization": f"Bearer {token}"}


def _rate(done: str, number: int, what: str, seconds: float) -> None:
    print(f"{done} {number:,} {what} in {seconds:.0f} s: {number / seconds:,.0f}/s", flush=True)


async def _patiently(what: str) -> AsyncIterator[None]:
    end = perf_counter() + LONGEST
    while perf_counter() < end:
        yield
        await asyncio.sleep(1)
    raise SystemExit(f"{what} did not appear within {LONGEST / 60:.0f} minutes: look at `make logs`")


def _size() -> Size:
    asked = argparse.ArgumentParser(prog="python -m deploy.demo_large", description=__doc__)
    asked.add_argument("--clients", type=int, default=100_000)
    asked.add_argument("--facts", type=int, default=1_000_000)
    asked.add_argument("--members", type=int, default=300)
    asked.add_argument("--accept", type=int, default=0, help="how many invitations are answered, over the API")
    size = Size(**vars(asked.parse_args()))
    if size.members < ADMINS or size.clients < max(1, size.accept):
        asked.error(f"at least {ADMINS} members, a client, and no more to accept than there are")
    return size


async def main() -> None:
    """Load the firm into the running system."""
    size, settings = _size(), load()
    letters = producer(settings.kafka_bootstrap_servers)
    await letters.start()
    try:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30)) as http:
            await load_firm(Loader(settings, letters, http), size)
    finally:
        await letters.stop()
    print(f"sign in as {member(0)} (admin) or {member(ADMINS)} (accountant)")


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
