"""Who is looking: role and membership come from here, never from the token (T10)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from starlette.requests import Request

from services.clients.documents import client_from
from services.clients.domain.states import Client
from services.clients.store import FIRMS, MEMBERS, ROWS
from shared.auth import Tokens
from shared.clock import now
from shared.contracts.base import Role
from shared.door import caller_of
from shared.mongo import Database, Document
from shared.problems import Problem

READABLE = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Viewer:
    """An active member of a registered firm."""

    member_id: str
    firm_id: str
    name: str
    email: str
    role: Role
    locale: str | None
    firm_name: str
    firm_locale: str | None

    @property
    def admin(self) -> bool:
        """Whether they may do what an admin may."""
        return self.role is Role.ADMIN

    @property
    def tabs(self) -> tuple[str, ...]:
        """The tabs of their role, in order (T1)."""
        return ("invitations", "onboarding", "mine", "all") if self.admin else ("onboarding", "mine")

    def list_of(self, tab: str) -> str:
        """Return the list behind one of their tabs (T2–T5)."""
        if tab == "mine":
            return f"mine:{self.member_id}"
        if tab == "onboarding" and not self.admin:
            return f"onboarding:{self.member_id}"
        return tab

    def sees(self, client: Client, now: datetime) -> bool:
        """Whether a client stands in one of their tabs; ended ones stay readable for admins for 90 days (O7)."""
        if not client.known:
            return False
        if self.admin:
            return client.gone_since is None or now < client.gone_since + READABLE
        return self.member_id in client.assignees and (client.connected or client.onboards)


class Viewers:
    """Finds out who a request comes from, and what they see."""

    def __init__(self, database: Database, tokens: Tokens) -> None:
        self._database = database
        self._tokens = tokens

    async def of(self, request: Request) -> Viewer:
        """Return the viewer; raises 401, or 403 ``not_a_member``."""
        presumed = await self.presumed(request)
        found = await self._database.told(MEMBERS, who(presumed.member_id, presumed.firm_id))
        return viewer_from({name: told for document in found for name, told in document.items()})

    async def presumed(self, request: Request) -> Viewer:
        """Return who the viewer is if they are an admin, by their token alone: for reading ahead, never for showing (T10)."""
        caller = await caller_of(request, self._tokens)
        if caller.firm_id is None:
            raise Problem(403, "not_a_member")
        return Viewer(caller.subject, caller.firm_id, "", "", Role.ADMIN, None, "", None)

    async def client(self, viewer: Viewer, client_id: str) -> Client | None:
        """Return a client the viewer sees; unknown, foreign and unseen ones are None alike (E1)."""
        found = await self._database[ROWS].find_one({"_id": f"{viewer.firm_id}.{client_id}", "firm_id": viewer.firm_id})
        if found is None:
            return None
        client = client_from(found)
        return client if viewer.sees(client, now()) else None

    async def known(self, firm_id: str, ids: Iterable[str]) -> dict[str, Document]:
        """Return those of *ids* who are, or were, members of a firm."""
        wanted = sorted(set(ids))
        if not wanted:
            return {}
        found = self._database[MEMBERS].find({"_id": {"$in": wanted}, "firm_id": firm_id}, {"name": 1, "active": 1})
        return {m["_id"]: m for m in await found.to_list(None)}

    async def members(self, firm_id: str, ids: Iterable[str]) -> dict[str, Document]:
        """Return the active members of a firm among *ids*: no row ever shows another (M4)."""
        return {i: m for i, m in (await self.known(firm_id, ids)).items() if m["active"]}

    async def addressed(self, firm_id: str, addresses: Iterable[str]) -> dict[str, Document]:
        """Return the active members of a firm by mail address, case ignored (I1)."""
        wanted = sorted({a.casefold() for a in addresses})
        if not wanted:
            return {}
        found: Any = self._database[MEMBERS].find({"firm_id": firm_id, "address": {"$in": wanted}, "active": True})
        return {m["address"]: m async for m in found}


def who(member_id: str, firm_id: str) -> list[Document]:
    """Return the pipeline over the members that tells who looks: the ``member``, and their ``firm``."""
    firm: list[Document] = [{"$match": {"_id": firm_id}}, {"$project": {"_id": 0, "firm": "$$ROOT"}}]
    member: list[Document] = [{"$match": {"_id": member_id, "firm_id": firm_id}}, {"$project": {"_id": 0, "member": "$$ROOT"}}]
    return [*member, {"$unionWith": {"coll": FIRMS, "pipeline": firm}}]


def viewer_from(told: Mapping[str, Document]) -> Viewer:
    """Return the viewer whom `who` told; raises 403 ``not_a_member`` if it is no active member of a registered firm."""
    member, firm = told.get("member"), told.get("firm")
    if member is None or not member["active"] or firm is None or firm["name"] is None:
        raise Problem(403, "not_a_member")
    return Viewer(
        member["_id"],
        firm["_id"],
        member["name"],
        member["email"],
        Role(member["role"]),
        member["locale"],
        firm["name"],
        firm["locale"],
    )
