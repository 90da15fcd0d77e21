"""The owners' doors: who calls, what they may see, what became of a command; asked with the caller's own token (T10)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import quote, quote_from_bytes, urlencode

import aiohttp
import orjson
from starlette.responses import Response, StreamingResponse
from yarl import URL

from shared import telemetry
from shared.door import DOOR_KEY_HEADER, RETRY_AFTER
from shared.problems import Problem
from shared.settings import Settings

ANSWER_SECONDS = 3.0
CHUNK = 64 * 1024
PASSED_ON = ("Content-Type", "Content-Disposition", "Cache-Control", "Retry-After", "WWW-Authenticate", "Portal-Would-Send")
AWAY = frozenset({502, 503, 504})
_QUERY_SAFE = "!$&'()*+,-./:;=?@_~%[]|"
log = telemetry.Log("owners")


class Owner(StrEnum):
    """Who can be asked."""

    CLIENTS = "clients"
    ONBOARDING = "onboarding"
    NOTIFIER = "notifier"


def unavailable(**members: Any) -> Problem:
    """Return the problem of a part that is away."""
    return Problem(503, "unavailable", headers=RETRY_AFTER, **members)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a door said."""

    status: int
    body: bytes
    headers: Mapping[str, str]

    @property
    def ok(self) -> bool:
        """Whether it is the thing that was asked for."""
        return self.status == 200

    def json(self) -> Any:
        """Return the body as JSON; a door that says none is away."""
        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError as wrong:
            raise unavailable() from wrong

    def response(self) -> Response:
        """Return the answer as it came."""
        return Response(self.body, self.status, dict(self.headers))


class Owners:
    """One session to all doors; every question has three seconds, and a door that does not answer is a 503."""

    def __init__(self, settings: Settings) -> None:
        self._urls = {
            Owner.CLIENTS: settings.clients_url,
            Owner.ONBOARDING: settings.onboarding_url,
            Owner.NOTIFIER: settings.notifier_url,
        }
        self._door_key = settings.portal_door_key
        self._session: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        """Open the session."""
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=15),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=ANSWER_SECONDS),
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    async def stop(self) -> None:
        """Close the session."""
        if self._session is not None:
            await self._session.close()

    async def ask(
        self,
        owner: Owner,
        path: str,
        authorization: str | None = None,
        query: str = "",
        body: Any = None,
        seconds: float = ANSWER_SECONDS,
    ) -> Answer:
        """Return what *owner* says at *path*; with a *body* it is posted. Raises the 503 problem."""
        try:
            async with asyncio.timeout(seconds):
                answer = await self._send(owner, path, authorization, query, body)
                async with answer:
                    text = await answer.read()
        except (TimeoutError, aiohttp.ClientError, OSError) as away:
            log.warning("door_away", owner=owner, path=path, error=repr(away)[:200])
            raise unavailable() from away
        if answer.status in AWAY:
            raise unavailable()
        return Answer(answer.status, text, _passed_on(answer))

    async def stream(self, owner: Owner, path: str, authorization: str, query: str) -> Response:
        """Return *owner*'s answer, streamed; it begins within three seconds or is a 503, and breaks off if the door does."""
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                answer = await self._send(owner, path, authorization, query, None)
        except (TimeoutError, aiohttp.ClientError, OSError) as away:
            log.warning("door_away", owner=owner, path=path, error=repr(away)[:200])
            raise unavailable() from away
        if answer.status in AWAY:
            answer.release()
            raise unavailable()

        async def chunks() -> AsyncIterator[bytes]:
            async with answer:
                async for chunk in answer.content.iter_chunked(CHUNK):
                    yield chunk

        return StreamingResponse(chunks(), answer.status, _passed_on(answer))

    async def _send(self, owner: Owner, path: str, authorization: str | None, query: str, body: Any) -> aiohttp.ClientResponse:
        assert self._session is not None
        headers = {"traceparent": telemetry.continued(telemetry.trace.get())}
        if authorization:
            headers["Authorization"] = authorization
        if path.startswith("/door/"):
            headers[DOOR_KEY_HEADER] = self._door_key
        url = URL(f"{self._urls[owner].rstrip('/')}{quote(path)}{'?' + query if query else ''}", encoded=True)
        if body is None:
            return await self._session.get(url, headers=headers, allow_redirects=False)
        headers["Content-Type"] = "application/json"
        return await self._session.post(url, data=orjson.dumps(body), headers=headers, allow_redirects=False)

    async def caller(self, authorization: str, client_id: str | None = None, members: Sequence[str] = ()) -> dict[str, Any]:
        """Return who calls, whether they see *client_id*, and who of *members* is known; raises 401, 403 or 503 problems."""
        asked = {"client_id": client_id, "members": ",".join(members)}
        query = urlencode({name: value for name, value in asked.items() if value})
        answer = await self.ask(Owner.CLIENTS, "/door/caller", authorization, query)
        if answer.status == 401:
            raise Problem(401, "unauthenticated", headers={"WWW-Authenticate": 'Bearer error="invalid_token"'})
        if answer.status == 403:
            raise Problem(403, "not_a_member")
        if not answer.ok:
            log.warning("caller_not_told", status=answer.status)
            raise unavailable()
        said: dict[str, Any] = answer.json()
        return said


def query_of(raw: bytes) -> str:
    """Return a query string as it came, with whatever does not belong in one percent-encoded."""
    return quote_from_bytes(raw, safe=_QUERY_SAFE)


def _passed_on(answer: aiohttp.ClientResponse) -> dict[str, str]:
    return {name: answer.headers[name] for name in PASSED_ON if name in answer.headers}
