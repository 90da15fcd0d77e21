"""Doorbells for whoever watches: something that concerns you changed, look again (W3); never what changed."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field

import orjson
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from services.gateway.bells import Bells, Listener
from services.gateway.endpoints import Endpoint, Who
from services.gateway.gate import Ask, Gate, Viewer
from services.gateway.owners import Owners, unavailable
from shared.problems import Problem

COMMENT_SECONDS = 15.0
RECHECK_SECONDS = 60.0
APART_SECONDS = 1.0
TOO_MANY_AT_ONCE = 500
RETRY_SECONDS = "5"


def event(name: str, data: object) -> bytes:
    """Return one server-sent event."""
    return b"event: %s\ndata: %s\n\n" % (name.encode(), orjson.dumps(data))


RESET = event("reset", {})
TABS = event("tabs", {})
COMMENT = b": still here\n\n"


@dataclass(slots=True)
class Spacing:
    """At most one ring per subject and second: the first at once, the rest of its second as one."""

    last: dict[str, float] = field(default_factory=dict)

    def ready(self, waiting: dict[str, bool], now: float) -> list[tuple[str, bool]]:
        """Take out of *waiting* and return what may ring now."""
        self.last = {subject: at for subject, at in self.last.items() if now - at < APART_SECONDS}
        due = [(subject, sure) for subject, sure in waiting.items() if subject not in self.last]
        for subject, _ in due:
            del waiting[subject]
            self.last[subject] = now
        return due

    def pause(self, now: float) -> float:
        """Return the seconds until something more may ring."""
        return max(0.02, min((at + APART_SECONDS - now for at in self.last.values()), default=APART_SECONDS))


class Stream:
    """One viewer's open stream: rings what waits for it, ends with the token or with the membership (T10)."""

    def __init__(self, gate: Gate, authorization: str, viewer: Viewer, listener: Listener) -> None:
        self._owners: Owners = gate.owners
        self._closing = gate.closing
        self._authorization = authorization
        self._viewer = viewer
        self._listener = listener
        self._spacing = Spacing()

    async def run(self, send: Send) -> None:
        """Send until the token expires, the viewer is somebody else, or this process ends."""
        await _write(send, b"retry: 2000\n" + RESET)
        loop = asyncio.get_running_loop()
        comment_at, recheck_at = loop.time() + COMMENT_SECONDS, loop.time() + RECHECK_SECONDS
        while not self._closing.is_set() and time.time() < self._viewer.caller.expires_at:
            now = loop.time()
            if self._listener.doubted or now >= recheck_at:
                self._listener.doubted = False
                recheck_at = now + RECHECK_SECONDS
                if not await self._same():
                    return
            if ringing := await self._ringing(now):
                await _write(send, ringing)
            if now >= comment_at:
                comment_at += COMMENT_SECONDS
                await _write(send, COMMENT)
            expires_in = self._viewer.caller.expires_at - time.time()
            pause = self._spacing.pause(now) if self._listener.waiting else COMMENT_SECONDS
            await self._listener.wait(min(pause, comment_at - loop.time(), expires_in))

    async def _ringing(self, now: float) -> bytes:
        waiting = self._listener.waiting
        if len(waiting) > TOO_MANY_AT_ONCE or self._listener.lost:
            waiting.clear()
            self._listener.lost = False
            return RESET
        rung = bytearray()
        for client_id, sure in self._spacing.ready(waiting, now):
            if not client_id:
                rung += TABS
            elif sure or self._viewer.admin or await self._assigned(client_id):
                rung += event("client", {"client_id": client_id})
        return bytes(rung)

    async def _assigned(self, client_id: str) -> bool:
        """Ask whether an accountant is concerned by news that do not say who works on the client."""
        try:
            said = await self._owners.caller(self._authorization, client_id)
        except Problem:
            return False
        return bool(said.get("client") and said["client"]["assigned"])

    async def _same(self) -> bool:
        """Say whether the viewer is who they were; a door that cannot say so ends the stream, and the page asks again."""
        try:
            said = await self._owners.caller(self._authorization)
        except Problem:
            return False
        return bool(said["member"]["role"] == self._viewer.role and said["firm"]["id"] == self._viewer.firm_id)


class EventStream(Response):
    """The answer that goes on; a listener that hangs up frees its place at once."""

    media_type = "text/event-stream"

    def __init__(self, stream: Stream, bells: Bells, listener: Listener) -> None:
        self.status_code = 200
        self.background = None
        self._stream = stream
        self._bells = bells
        self._listener = listener
        self.init_headers({"Cache-Control": "no-store", "X-Accel-Buffering": "no"})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Stream until either side ends it."""
        running = asyncio.create_task(self._run(send))
        leaving = asyncio.create_task(_left(receive))
        try:
            await asyncio.wait([running, leaving], return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._bells.leave(self._listener)
            for task in (running, leaving):
                task.cancel()
            await asyncio.gather(running, leaving, return_exceptions=True)

    async def _run(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        try:
            await self._stream.run(send)
        finally:
            await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _write(send: Send, body: bytes) -> None:
    await send({"type": "http.response.body", "body": body, "more_body": True})


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def serve(gate: Gate, ask: Ask) -> Response:
    """Serve the stream; who listens is noted before the door is asked, so no change falls between the two."""
    caller = await gate.member(ask)
    if not gate.bells.tail.ready or gate.closing.is_set():
        raise unavailable()
    listener = gate.bells.join(caller.firm_id or "", caller.subject)
    if listener is None:
        await gate.seen_by_door(ask, caller)  # not_a_member comes first (E2)
        raise Problem(429, "too_many_requests", headers={"Retry-After": RETRY_SECONDS})
    try:
        viewer = await gate.seen_by_door(ask, caller)
    except BaseException:
        gate.bells.leave(listener)
        raise
    listener.admin, listener.role = viewer.admin, viewer.role
    return EventStream(Stream(gate, ask.authorization, viewer, listener), gate.bells, listener)


TABLE = (
    Endpoint(
        method="GET",
        path="/v1/stream",
        summary="Server-sent events: `reset`, `tabs`, `client`.",
        who=Who.MEMBER,
        serve=serve,
        media="text/event-stream",
    ),
)
