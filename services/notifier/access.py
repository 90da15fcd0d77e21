"""Who may see what, asked at clients' door at sending time, and how it stands, from our own copies (N9, invariant 9)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from services.notifier import documents
from services.notifier.domain.mail import Knowledge, Mail
from services.notifier.domain.preferences import Preferences
from services.notifier.domain.subscription import Subscription, subscription_id
from services.notifier.domain.world import client_key
from services.notifier.store import CLIENTS, PREFERENCES, SUBSCRIPTIONS
from shared.contracts.clients import ClientState
from shared.contracts.notifier import MailKind
from shared.door import DOOR_KEY_HEADER
from shared.mongo import Database, Document
from shared.telemetry import Log

PAIRS_AT_ONCE = 500
DOOR_SECONDS = 5.0
CATCHING_UP_SECONDS = 3.0  # how long we wait for our copy before the mail is put off
LOOK_AGAIN_SECONDS = 0.02
log = Log("access")


class DoorAway(Exception):
    """Clients' door cannot be had at present: nothing is decided, nothing is sent."""


@dataclass(slots=True)
class View:
    """What is known at one moment about the members and clients of some mails."""

    members: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    allowed: dict[tuple[str, str], bool] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=dict)
    clients: dict[str, ClientState] = field(default_factory=dict)
    subscriptions: dict[str, Subscription] = field(default_factory=dict)
    preferences: dict[str, Preferences] = field(default_factory=dict)

    def recipient(self, mail: Mail) -> Mapping[str, Any] | None:
        """Return who is to be mailed, None if they are no active member of the firm (any more)."""
        member = self.members.get(mail.member_id or "")
        return member if member and member["active"] and member["firm_id"] == mail.firm_id else None

    def inviter(self, mail: Mail) -> Mapping[str, Any]:
        """Return who invited the contact; nothing if they are not known, which changes no more than the mail's words."""
        return self.members.get(_asked_for(mail), {})

    def known(self, mail: Mail) -> dict[str, Knowledge]:
        """Return what is known of every client of *mail*. A reminder goes out unassigned, too (R1)."""
        recipient = self.recipient(mail)
        present = recipient is not None
        return {
            part.client_id: Knowledge(
                allowed=present
                and (mail.kind is MailKind.REMINDER or self.allowed.get((mail.member_id or "", part.client_id), False)),
                subscription=self.subscriptions.get(subscription_id(mail.member_id or "", part.client_id)),
                client=self.clients.get(client_key(mail.firm_id, part.client_id)),
                preferences=self.preferences.get(mail.member_id or ""),
                address=recipient["email"] if recipient else "",
            )
            for part in mail.parts
        }

    def behind(self) -> list[str]:
        """Return the clients of which our copy is older than what the door said."""
        return [key for key in self.versions if self._lags(key)]

    def caught_up(self, mail: Mail) -> bool:
        """Say whether our copies are as new as the door's answer, for every client of *mail*."""
        return not any(self._lags(client_key(mail.firm_id, part.client_id)) for part in mail.parts)

    def _lags(self, key: str) -> bool:
        said, copy = self.versions.get(key), self.clients.get(key)
        return said is not None and (copy is None or copy.version < said)


class Access:
    """Asks clients' door in bulk, and waits for our copy to reach what the door has seen."""

    def __init__(self, database: Database, clients_url: str, door_key: str) -> None:
        self._database = database
        self._url = f"{clients_url}/door/access"
        self._headers = {DOOR_KEY_HEADER: door_key}
        self._session: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        """Open the connection pool."""
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=DOOR_SECONDS))

    async def stop(self) -> None:
        """Close the connection pool."""
        if self._session is not None:
            await self._session.close()

    async def view(self, mails: Sequence[Mail], before: View | None = None) -> View:
        """Return what is known now about *mails*; raises DoorAway.

        With a view from a moment *before*, only the door is asked again, and our copies where it knows newer ones.
        """
        view = (
            View(clients=before.clients, subscriptions=before.subscriptions, preferences=before.preferences) if before else View()
        )
        firm_of = {(_asked_for(mail), part.client_id): mail.firm_id for mail in mails for part in mail.parts}
        pairs = sorted(firm_of)
        for start in range(0, len(pairs), PAIRS_AT_ONCE):
            answer = await self._ask(pairs[start : start + PAIRS_AT_ONCE])
            view.members |= answer["members"]
            for pair in answer["pairs"]:
                key = (pair["member_id"], pair["client_id"])
                view.allowed[key] = pair["allowed"]
                if pair["version"]:
                    view.versions[client_key(firm_of[key], pair["client_id"])] = pair["version"]
        firms = sorted({mail.firm_id for mail in mails})
        if before is None:
            await self._subscriptions(view, pairs, firms)
            await self._preferences(view, {member_id for member_id, _ in pairs}, firms)
        keys = {client_key(firm_id, client_id) for (_, client_id), firm_id in firm_of.items()}
        await self._copies(view, keys if before is None else set(view.behind()), firms)
        return view

    async def _ask(self, pairs: Sequence[tuple[str, str]]) -> Mapping[str, Any]:
        assert self._session is not None
        try:
            async with self._session.post(self._url, json={"pairs": pairs}, headers=self._headers) as answer:
                if answer.status != 200:
                    raise DoorAway(f"{self._url} answers {answer.status}")
                found: Mapping[str, Any] = await answer.json()
                return found
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise DoorAway(f"{self._url}: {type(error).__name__}: {error}"[:300]) from error

    async def _subscriptions(self, view: View, pairs: Iterable[tuple[str, str]], firms: Sequence[str]) -> None:
        ids = [subscription_id(member, client) for member, client in pairs]
        for found in await self._found(SUBSCRIPTIONS, ids, firms):
            view.subscriptions[found["_id"]] = documents.subscription_of(found)

    async def _preferences(self, view: View, member_ids: Iterable[str], firms: Sequence[str]) -> None:
        whose = [*firms, None]  # a bounce may be heard before its member
        for found in await self._found(PREFERENCES, sorted(member_ids), whose):
            view.preferences[found["_id"]] = documents.preferences_of(found)

    async def _copies(self, view: View, keys: set[str], firms: Sequence[str]) -> None:
        """Read our copies, and those behind again until they have caught up or patience ends."""
        wanted, tries = sorted(keys), int(CATCHING_UP_SECONDS / LOOK_AGAIN_SECONDS)
        for _ in range(tries if wanted else 0):
            for found in await self._found(CLIENTS, wanted, firms):
                view.clients[found["_id"]] = documents.client_of(found)
            wanted = view.behind()
            if not wanted:
                return
            await asyncio.sleep(LOOK_AGAIN_SECONDS)
        if wanted:
            log.warning("copy_behind", clients=wanted[:5], count=len(wanted))

    async def _found(self, collection: str, ids: Sequence[str], firms: Sequence[str | None]) -> list[Document]:
        """Return documents by id, all in one answer."""
        where = {"_id": {"$in": ids}, "firm_id": {"$in": firms}}
        found: list[Document] = await self._database[collection].find(where, batch_size=len(ids) + 1).to_list(None)
        return found


def _asked_for(mail: Mail) -> str:
    """Return whom the door is asked about: the recipient, or who invited the contact (their firm's name and language)."""
    return mail.member_id or str(mail.matter["by"])
