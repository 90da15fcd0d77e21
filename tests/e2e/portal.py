"""An outsider's hands: other Pleo services' events, a member's requests, the mail catcher, and patience."""

from __future__ import annotations

import asyncio
import copy
import json
import os
import uuid
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from tests.system import eventually

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Answer:
    """What an HTTP call came back with."""

    status: int
    body: Any
    headers: Mapping[str, str]
    text: str

    @property
    def code(self) -> str | None:
        """The code of a problem."""
        return self.body.get("code") if isinstance(self.body, dict) else None


class Outside:
    """Everything an outsider has of a running system: its endpoints."""

    def __init__(self, endpoints: Mapping[str, str], home: Path) -> None:
        self.endpoints = endpoints
        self.home = home
        self.url = endpoints["PORTAL_URL"]

    async def __aenter__(self) -> Outside:
        """Connect."""
        self.http = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30))
        self.producer = AIOKafkaProducer(
            bootstrap_servers=self.endpoints["KAFKA_BOOTSTRAP_SERVERS"], acks="all", max_request_size=2 * 1024 * 1024
        )
        await self.producer.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Disconnect."""
        await self.producer.stop()
        await self.http.close()

    def at(self, url: str) -> Outside:
        """Return the same hands at another gateway."""
        other = copy.copy(self)
        other.url = url
        return other

    async def event(
        self,
        topic: str,
        kind: str,
        data: Mapping[str, Any],
        *,
        time: datetime | str | None = None,
        id: str | None = None,
        key: str | None = None,
        value: bytes | None = None,
        **more: str,
    ) -> tuple[int, int]:
        """Send one CloudEvent in binary mode, with *more* headers; return its partition and offset."""
        moment = time.isoformat() if isinstance(time, datetime) else time or datetime.now(UTC).isoformat()
        headers = {
            "ce_specversion": "1.0",
            "ce_id": id or uuid.uuid4().hex,
            "ce_source": "tests",
            "ce_type": kind,
            "ce_time": moment,
            "content-type": "application/json",
            **more,
        }
        body = json.dumps(data).encode() if value is None else value
        named = key or str(data.get("client_id") or data.get("firm_id") or "k")
        sent = await self.producer.send_and_wait(
            topic, body, key=named.encode(), headers=[(name, text.encode()) for name, text in headers.items()]
        )
        return sent.partition, sent.offset

    async def call(
        self, method: str, path: str, token: str | None = None, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Make one HTTP call; *body* goes as JSON unless it is bytes."""
        sent = dict(headers or {})
        if token:
            sent["Authorization"] = f"Bearer {token}"
        if body is not None:
            sent.setdefault("Content-Type", "application/json")
        data = body if isinstance(body, bytes) else json.dumps(body).encode() if body is not None else None
        async with self.http.request(method, self.url + path, data=data, headers=sent, allow_redirects=False) as answer:
            text = await answer.text()
            is_json = "json" in answer.headers.get("Content-Type", "")
            return Answer(answer.status, json.loads(text) if is_json and text else None, answer.headers, text)

    async def token(self, member_id: str, **claims: Any) -> str:
        """Return a token of the developer login, once the member is known."""
        body: dict[str, Any] = {"member_id": member_id, **({"claims": claims} if claims else {})}

        async def login() -> Any:
            answer = await self.call("POST", "/dev/login", body=body)
            return answer.status == 200 and answer.body["access_token"]

        return str(await eventually(login))

    async def service_token(self) -> str:
        """Return a service credential."""
        return str((await self.call("POST", "/dev/login", body={"service": "product"})).body["access_token"])

    async def firm(self, *, locale: str | None = None) -> Firm:
        """Return a new firm of its own with an admin and an accountant, known to the system."""
        name = uuid.uuid4().hex[:10]
        firm = Firm(self, f"f-{name}", f"leyla-{name}", f"tom-{name}", "", "")
        await self.event("pleo.partners", "pleo.firm.registered.v1", {"firm_id": firm.id, "name": "Sommer & Partner"})
        await firm.member(firm.leyla, "Leyla Özdemir", "admin", locale)
        await firm.member(firm.tom, "Tom Brandt", "accountant", locale)
        firm.admin = await self.token(firm.leyla)
        firm.accountant = await self.token(firm.tom)
        for token in (firm.admin, firm.accountant):
            await eventually(lambda token=token: self._known(token))  # type: ignore[misc]
        return firm

    async def _known(self, token: str) -> bool:
        return (await self.call("GET", "/v1/me", token)).status == 200

    async def python(self, *arguments: str) -> tuple[int, str]:
        """Run a module of the project as the contract's section 4 says; return exit code and output."""
        keep = {k: v for k, v in os.environ.items() if not k.startswith(("PORTAL_", "KAFKA_", "MONGODB_", "SMTP_"))}
        process = await asyncio.create_subprocess_exec(
            self.endpoints["PYTHON"],
            "-m",
            *arguments,
            cwd=ROOT,
            env={**keep, "PORTAL_HOME": str(self.home)},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        out, _ = await process.communicate()
        assert process.returncode is not None
        return process.returncode, out.decode()

    async def mails(self, address: str) -> list[Any]:
        """Return the mails the catcher holds for *address*, oldest first."""
        async with self.http.get(self.endpoints["MAIL_URL"] + "/email") as answer:
            return [mail for mail in await answer.json() if any(to["address"] == address for to in mail["to"])]

    async def metrics(self, service: str) -> str:
        """Return what a service tells of itself."""
        async with self.http.get(self.endpoints[f"{service.upper()}_METRICS_URL"]) as answer:
            assert answer.status == 200
            return await answer.text()

    async def dead(self, topic: str) -> list[Any]:
        """Return every record set aside from *topic*."""
        return [record async for record in self.records(f"{topic}.dead")]

    @staticmethod
    def data(record: Any) -> Any:
        """Return what an event carries."""
        return json.loads(record.value)

    async def records(self, topic: str) -> AsyncIterator[Any]:
        """Yield every record of *topic*, partition by partition."""
        consumer = AIOKafkaConsumer(
            topic, bootstrap_servers=self.endpoints["KAFKA_BOOTSTRAP_SERVERS"], max_partition_fetch_bytes=3 * 1024 * 1024
        )
        await consumer.start()
        try:
            everything = sorted(consumer.assignment())
            ends = await consumer.end_offsets(everything)
            for tp, start in (await consumer.beginning_offsets(everything)).items():
                consumer.seek(tp, start)
            for tp, end in ends.items():
                while await consumer.position(tp) < end:
                    for record in (await consumer.getmany(tp, timeout_ms=500)).get(tp, []):
                        yield record
        finally:
            await consumer.stop()


@dataclass(slots=True)
class Firm:
    """A firm of one test, with an admin (Leyla) and an accountant (Tom)."""

    outside: Outside
    id: str
    leyla: str
    tom: str
    admin: str
    accountant: str
    _number: int = 0

    def address(self, member_id: str) -> str:
        """Return the mail address of a member."""
        return f"{member_id}@sommer.example"

    async def member(self, member_id: str, name: str, role: str, locale: str | None = None, sequence: int = 1) -> None:
        """Tell of a member."""
        kind = "pleo.member.added.v1" if sequence == 1 else "pleo.member.changed.v1"
        about = {"name": name, "email": self.address(member_id), "role": role, **({"locale": locale} if locale else {})}
        ids = {"firm_id": self.id, "member_id": member_id, "sequence": sequence}
        await self.outside.event("pleo.partners", kind, {**ids, **about})

    def new_client_id(self) -> str:
        """Return an id no other test uses."""
        self._number += 1
        return f"c{self._number}-{self.id}"

    async def invited_by(self, name: str, client_id: str | None = None, **more: Any) -> str:
        """Let a company add the firm; return its id once the invitation is there."""
        client_id = client_id or self.new_client_id()
        data = {"client_id": client_id, "firm_id": self.id, "company_name": name, "sequence": 1, **more}
        await self.outside.event("pleo.companies", "pleo.accountant.added.v1", data)

        async def there() -> bool:
            return client_id in [row["client_id"] for row in await self.rows("invitations")]

        await eventually(there)
        return client_id

    async def client(self, name: str, *assign: str) -> str:
        """Return a connected client's id."""
        client_id = await self.invited_by(name)
        answer = await self.post(f"/v1/invitations/{client_id}/accept", {"assign": list(assign)})
        assert answer.status == 200, answer
        return client_id

    async def missing(self, client_id: str, expense_id: str) -> None:
        """Tell that a receipt is missing."""
        data = {"client_id": client_id, "expense_id": expense_id}
        await self.outside.event("pleo.receipts", "pleo.receipt.missing.v1", data)

    async def get(self, path: str, token: str | None = None) -> Answer:
        """GET as the admin, or as whom *token* says."""
        return await self.outside.call("GET", path, token or self.admin)

    async def post(self, path: str, body: Any = None, token: str | None = None, **headers: str) -> Answer:
        """Issue a command as the admin, or as whom *token* says, and wait for its outcome."""
        sent = {"Prefer": "wait=10", **{name.replace("_", "-"): value for name, value in headers.items()}}
        return await self.outside.call("POST", path, token or self.admin, body, sent)

    async def put(self, path: str, body: Any, token: str | None = None) -> Answer:
        """PUT and wait for the outcome."""
        return await self.outside.call("PUT", path, token or self.admin, body, {"Prefer": "wait=10"})

    async def rows(self, tab: str, token: str | None = None, query: str = "") -> list[Any]:
        """Return every row of a tab, page by page."""
        found: list[Any] = []
        cursor = ""
        while True:
            answer = await self.get(f"/v1/clients?tab={tab}{query}{cursor}", token)
            assert answer.status == 200, answer
            found += answer.body["items"]
            if answer.body["next_cursor"] is None:
                return found
            cursor = f"&cursor={answer.body['next_cursor']}"

    async def tabs(self, token: str | None = None) -> dict[str, int]:
        """Return the visible tabs with their counts."""
        answer = await self.get("/v1/tabs", token)
        return {tab["id"]: tab["count"] for tab in answer.body["tabs"]}

    async def figure(self, client_id: str, name: str, value: Any) -> Any:
        """Return the client's row once a figure of it is *value*."""

        async def shown() -> Any:
            row = (await self.get(f"/v1/clients/{client_id}")).body
            return row if row.get(name) == value else None

        return await eventually(shown)
