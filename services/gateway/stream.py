"""Doorbells for whoever watches: something that concerns you changed, look again (W3); never what changed."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Iterable
from dataclasses import dataclass, field

import orjson
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from services.gateway.bells import EVERYTHING, TABS, Bells, Listener
from services.gateway.endpoints import Endpoint, Who
from services.gateway.gate import Ask, Gate, Viewer
from services.gateway.owners import Owners, unavailable
from shared.problems import Problem

RECHECK_SECONDS = 60.0
APART_SECONDS = 1.0
STALLED_SECONDS = 10.0
GATHERING_SECONDS = 0.02
LAST_WORD_SECONDS = 0.5
MOST_DOUBTFUL = 20
RETRY_SECONDS = "5"


def event(name: str, data: object) -> bytes:
    """Return one server-sent event."""
    return b"event: %s\ndata: %s\n\n" % (name.encode(), orjson.dumps(data))


RESET = event("reset", {})
TABS_MOVED = event("tabs", {})
COMMENT = b": still here\n\n"


def _event_of(subject: str) -> bytes:
    return {TABS: TABS_MOVED, EVERYTHING: RESET}.get(subject) or event("client", {"client_id": subject})


@dataclass(slots=True)
class Spacing:
    """At most one ring per subject and second: the first at once, the rest of its second as one."""

    last: dict[str, float] = field(default_factory=dict)

    def due(self, waiting: Iterable[str], now: float) -> list[str]:
        """Return what of *waiting* may ring now."""
        self.last = {subject: at for subject, at in self.last.items() if now - at < APART_SECONDS}
        return [subject for subject in waiting if subject not in self.last]

    def rang(self, subjects: Iterable[str], now: float) -> None:
        """Note that *subjects* rang: seconds count from when the reader was told, not from when we began to."""
        self.last.update(dict.fromkeys(subjects, now))

    def pause(self, now: float) -> float:
        """Return the seconds until something more may ring."""
        return max(0.02, min((at + APART_SECONDS - now for at in self.last.values()), default=APART_SECONDS))


class Stream:
    """One viewer's open stream: rings what waits for it, ends with the token or with the membership (T10)."""

    def __init__(self, gate: Gate, authorization: str, viewer: Viewer, listener: Listener) -> None:
        self._owners: Owners = gate.owners
        self._closing = gate.closing
        self._comment_seconds = gate.settings.portal_stream_comment_seconds
        self._authorization = authorization
        self._viewer = viewer
        self._listener = listener
        self._spacing = Spacing()

    async def run(self, send: Send) -> None:
        """Send until the token expires, the viewer is somebody else, nobody reads any more, or this process ends."""
        await _write(send, b"retry: 2000\n" + RESET)
        loop = asyncio.get_running_loop()
        comment_at, recheck_at = loop.time() + self._comment_seconds, loop.time() + RECHECK_SECONDS
        while not self._closing.is_set() and time.time() < self._viewer.caller.expires_at:
            if self._listener.doubted or loop.time() >= recheck_at:
                self._listener.doubted = False
                recheck_at = loop.time() + RECHECK_SECONDS
                if not await self._same():
                    return
            await self._ring(send)
            if loop.time() >= comment_at:
                comment_at = loop.time() + self._comment_seconds
                await _write(send, COMMENT)
            pause = self._spacing.pause(loop.time()) if self._listener.waiting else self._comment_seconds
            await self._listener.wait(min(pause, comment_at - loop.time(), self._viewer.caller.expires_at - time.time()))
            await asyncio.sleep(GATHERING_SECONDS)  # what comes together rings together

    async def _ring(self, send: Send) -> None:
        """Ring what may ring now; one whose concern cannot be told at present waits on, so that none is lost."""
        waiting = self._listener.waiting
        due = self._spacing.due(waiting, asyncio.get_running_loop().time())
        doubtful = [subject for subject in due if not waiting[subject]]
        if len(doubtful) > MOST_DOUBTFUL:
            self._listener.begin_anew()
            return
        for subject in due:
            del waiting[subject]
        concerned = dict(zip(doubtful, await asyncio.gather(*map(self._assigned, doubtful)), strict=True))
        for subject in [subject for subject in doubtful if concerned[subject] is None]:
            self._listener.ring(subject, sure=False)
        if ringing := b"".join(_event_of(subject) for subject in due if concerned.get(subject, True)):
            await _write(send, ringing)
        self._spacing.rang(due, asyncio.get_running_loop().time())

    async def _assigned(self, client_id: str) -> bool | None:
        """Ask whether an accountant is concerned by news that do not say who works on the client; None if nobody can say."""
        try:
            said = await self._owners.caller(self._authorization, client_id)
        except Problem as problem:
            return None if problem.status == 503 else False
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
            with contextlib.suppress(TimeoutError):
                await self._stream.run(send)
        finally:
            with contextlib.suppress(TimeoutError):  # the server drops whoever does not take even this
                async with asyncio.timeout(LAST_WORD_SECONDS):
                    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _write(send: Send, body: bytes) -> None:
    """Send *body*; raises TimeoutError when nobody has been reading for a while, as nothing is kept for them (E4)."""
    async with asyncio.timeout(STALLED_SECONDS):
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
        media=("text/event-stream",),
    ),
)
