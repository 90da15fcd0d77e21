"""The gateway's means, and the order in which a caller is checked (E2)."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from starlette.requests import Request

from services.gateway.bells import Bells
from services.gateway.languages import Languages
from services.gateway.limits import Limiter
from services.gateway.owners import Owners
from services.gateway.reading import read_body
from shared.auth import Caller, Tokens
from shared.contracts.base import ID_PATTERN, Actor, FirmId, MemberId, Role
from shared.door import caller_of
from shared.problems import Problem
from shared.settings import Settings

if TYPE_CHECKING:
    from services.gateway.commands import Commands

UPLOAD_SECONDS = 30.0
_ID = re.compile(ID_PATTERN)


def is_id(text: str) -> bool:
    """Say whether *text* has the form of an id; what has not is as unknown as any other id (E1)."""
    return _ID.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class SeenClient:
    """A client that the viewer sees."""

    client_id: str
    name: str
    connected: bool
    assigned: bool
    status: str


@dataclass(frozen=True, slots=True)
class Viewer:
    """A member who calls, as clients' door knows them now (T10)."""

    caller: Caller
    member_id: str
    firm_id: str
    name: str
    email: str
    role: Role
    locale: str | None
    client: SeenClient | None
    members: dict[str, bool]

    @property
    def admin(self) -> bool:
        """Whether this member may do what an admin may."""
        return self.role is Role.ADMIN

    def actor(self) -> Actor:
        """Return the stamp that this member's commands carry."""
        return Actor(
            member_id=MemberId(self.member_id),
            firm_id=FirmId(self.firm_id),
            role=self.role,
            name=self.name,
            email=self.email,
            locale=self.locale,
        )


@dataclass(slots=True)
class Ask:
    """A request being served: whose language it is answered in, how long it may take, which command it may have become."""

    request: Request
    patience: asyncio.Timeout
    longest: int
    locale: str | None = None
    taken: str | None = None

    @property
    def authorization(self) -> str:
        """The caller's own token, to be passed on."""
        return self.request.headers.get("authorization", "")

    async def body(self, required: bool) -> bytes:
        """Return the body; the time a slow caller takes is not counted as ours."""
        loop = asyncio.get_running_loop()
        began, due = loop.time(), self.patience.when()
        self.patience.reschedule(None)
        try:
            async with asyncio.timeout(UPLOAD_SECONDS):
                return await read_body(self.request, required, self.longest)
        except TimeoutError as slow:
            raise Problem(400, "malformed") from slow
        finally:
            if due is not None:
                self.patience.reschedule(due + loop.time() - began)


@dataclass(frozen=True, slots=True)
class Gate:
    """What endpoints work with."""

    settings: Settings
    tokens: Tokens
    owners: Owners
    limiter: Limiter
    languages: Languages
    commands: Commands
    bells: Bells
    closing: asyncio.Event = field(default_factory=asyncio.Event)

    async def caller(self, ask: Ask) -> Caller:
        """Return whose token came, a member's or a service's; raises 401, 429, 503."""
        caller = await caller_of(ask.request, self.tokens)
        ask.locale = self.languages.of(caller)
        seconds = 0 if caller.is_service else self.limiter.wait(caller.subject)
        if seconds:
            raise Problem(429, "too_many_requests", headers={"Retry-After": str(seconds)})
        return caller

    async def service(self, ask: Ask) -> Caller:
        """Return the service that calls; anybody else is told ``service_only``."""
        caller = await self.caller(ask)
        if not caller.is_service:
            raise Problem(403, "service_only")
        return caller

    async def viewer(self, ask: Ask, client_id: str | None = None, members: Sequence[str] = ()) -> Viewer:
        """Return the member who calls; whether they see *client_id* is in the answer. Raises 401, 403, 429, 503."""
        return await self.seen_by_door(ask, await self.member(ask), client_id, members)

    async def seen_by_door(self, ask: Ask, caller: Caller, client_id: str | None = None, members: Sequence[str] = ()) -> Viewer:
        """Return who *caller* is, as clients' door knows them now (T10)."""
        asked = client_id if client_id is not None and is_id(client_id) else None
        said = await self.owners.caller(ask.authorization, asked, [member for member in members if is_id(member)])
        viewer = _viewer(caller, said)
        ask.locale = viewer.locale
        self.languages.note(caller, viewer.locale)
        return viewer

    async def member(self, ask: Ask) -> Caller:
        """Return a caller who says to be a member; the owners' doors check whether it is true."""
        caller = await self.caller(ask)
        if caller.firm_id is None:
            raise Problem(403, "not_a_member")
        return caller


def seen(viewer: Viewer) -> SeenClient:
    """Return the client in question, or raise the 404 that unknown, foreign and unseen ones get alike (E1)."""
    if viewer.client is None:
        raise Problem(404, "not_found")
    return viewer.client


def admins_only(viewer: Viewer) -> None:
    """Raise 403 unless *viewer* is an admin; asked after the path's id (E2)."""
    if not viewer.admin:
        raise Problem(403, "admin_only")


def _viewer(caller: Caller, said: dict[str, Any]) -> Viewer:
    member, client = said["member"], said.get("client")
    return Viewer(
        caller=caller,
        member_id=member["id"],
        firm_id=said["firm"]["id"],
        name=member["name"],
        email=member["email"],
        role=Role(member["role"]),
        locale=member.get("locale"),
        client=None if client is None else SeenClient(**{name: client[name] for name in SeenClient.__slots__}),
        members=dict(said.get("members") or {}),
    )
