"""The mails on their way: the one place that changes lease, attempt and status of a mail (invariants 1 and 9).

Every change is one conditional update of one document: who comes second finds the condition gone and does nothing.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from time import monotonic
from typing import Any

from pydantic import TypeAdapter

from services.notifier import documents
from services.notifier.domain.mail import OPEN, Digest, Mail, MailStatus
from services.notifier.smtp import SEND_SECONDS
from services.notifier.store import MAILS
from services.notifier.together import Together
from shared.contracts.notifier import ClientDelivery, ContactMailSettled, DeliveryStatus, MailKind, MailSettled
from shared.mongo import Database, Document

LEASE = timedelta(seconds=75)  # outlives smtp.SEND_SECONDS
LEASE_TO_FINISH_SECONDS = 10.0
CONTENT_KEPT = timedelta(days=30)  # E5
REPORT_AGAIN = timedelta(seconds=10)
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=1), timedelta(seconds=30)
Settled = MailSettled | ContactMailSettled
DELIVERIES = TypeAdapter(list[ClientDelivery])


@dataclass(frozen=True, slots=True)
class Posted:
    """A mail as it stands on its way. *letter* is frozen when planned; *ambiguous*: the mail server may have it already."""

    mail: Mail
    attempt: int
    ambiguous: bool
    waits: int
    not_before: datetime
    letter: Mapping[str, Any] | None
    digest: Digest | None = None  # what the letter freezes, while it is at hand

    @property
    def deliveries(self) -> Sequence[ClientDelivery]:
        """What sending this letter will mean for every client of the mail."""
        if self.digest is not None:
            return self.digest.deliveries
        return DELIVERIES.validate_python(self.letter["deliveries"], strict=False) if self.letter else []

    @property
    def pause(self) -> timedelta:
        """How long to wait before the next try."""
        return min(FIRST_PAUSE * (1 << min(self.waits, 10)), LONGEST_PAUSE)


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to send one mail, once, until *ends* by *clock* (seconds that never go back)."""

    posted: Posted
    token: str
    ends: float
    clock: Callable[[], float]

    def may_begin(self) -> bool:
        """Say whether enough is left for a whole mail, however slow the mail server is."""
        return self.ends - self.clock() >= SEND_SECONDS + LEASE_TO_FINISH_SECONDS

    def may_finish(self) -> bool:
        """Say whether enough is left for the final dot: another sender must not start meanwhile."""
        return self.ends - self.clock() >= LEASE_TO_FINISH_SECONDS


class Post:
    """Reads and moves mails."""

    def __init__(self, database: Database, now: Callable[[], datetime], clock: Callable[[], float] = monotonic) -> None:
        self._mails = database[MAILS]
        self._claims = Together(self._mails)  # a crew's claims need not wait for what other crews' mails became
        self._together = Together(self._mails)
        self._now = now
        self._clock = clock

    async def waiting(self, but: Collection[str], count: int) -> list[Posted]:
        """Return up to *count* mails to be looked at now: waiting ones, and those whose sender's lease ran out.

        Not those with the ids *but*.
        """
        where = {
            "status": {"$in": [status.value for status in OPEN]},
            "not_before": {"$lte": self._now()},
            "_id": {"$nin": sorted(but)},
        }
        found = await self._mails.find(where, batch_size=count).sort([("not_before", 1)]).limit(count).to_list(None)
        return [_posted(document) for document in found]

    async def replan(self, posted: Posted) -> None:
        """Let a mail be planned anew, under the same id: nobody can have it yet."""
        now = self._now()
        await self._change(
            {**_as_read(posted), "ambiguous": False}, {"status": MailStatus.DUE.value, "letter": None, "not_before": now}
        )

    async def claim(self, posted: Posted) -> Lease | None:
        """Take the right to send *posted*, and freeze what it says; None if it changed since it was read.

        Written (majority) before the first byte.
        """
        now, token = self._now(), secrets.token_hex(8)
        ends = self._clock() + LEASE.total_seconds()
        crashed = posted.mail.status is MailStatus.SENDING
        change = {
            "status": MailStatus.SENDING.value,
            "token": token,
            "attempt": posted.attempt + 1,
            "ambiguous": posted.ambiguous or crashed,
            "not_before": now + LEASE,
            "letter": posted.letter,
        }
        if not await self._claims.change(_as_read(posted), change):
            return None
        return Lease(replace(posted, ambiguous=posted.ambiguous or crashed), token, ends, self._clock)

    async def put_off(self, posted: Posted, pause: timedelta, why: str) -> None:
        """Look at an untouched mail again after *pause*."""
        await self._change(_as_read(posted), {"not_before": self._now() + pause, "waits": posted.waits + 1, "why": why})

    async def give_back(self, lease: Lease) -> None:
        """Give back a lease that is too short by now: no byte was sent."""
        change = {"status": MailStatus.PLANNED.value, "ambiguous": lease.posted.ambiguous, "not_before": self._now()}
        await self._change(_as_leased(lease), change)

    async def release(self, lease: Lease, ambiguous: bool, why: str) -> None:
        """Give a lease back after an attempt that did not succeed; it is tried again after a growing pause."""
        change = {
            "status": MailStatus.PLANNED.value,
            "ambiguous": lease.posted.ambiguous or ambiguous,
            "not_before": self._now() + lease.posted.pause,
            "waits": lease.posted.waits + 1,
            "why": why,
        }
        await self._change(_as_leased(lease), change)

    async def settle(
        self,
        of: Posted | Lease,
        status: MailStatus,
        deliveries: Sequence[ClientDelivery],
        sent_at: datetime | None = None,
        message_id: str | None = None,
        why: str | None = None,
        refused_address: str | None = None,
    ) -> Settled | None:
        """End a mail; return what is to be recorded, None if another sender was quicker."""
        posted = of.posted if isinstance(of, Lease) else of
        now = self._now()
        change = {
            "status": status.value,
            "deliveries": DELIVERIES.dump_python(list(deliveries), mode="json"),
            "sent_at": sent_at,
            "message_id": message_id,
            "why": why,
            "recorded": False,
            "settled_at": now,
            "refused_address": refused_address,
            "report_after": now + REPORT_AGAIN,
            "expires_at": now + CONTENT_KEPT,
        }
        if not await self._change(_as_leased(of) if isinstance(of, Lease) else _as_read(of), change):
            return None
        return _settled(posted.mail, deliveries, change)

    async def unrecorded(self, count: int) -> list[tuple[Settled, str | None]]:
        """Return settled mails, and their traces, that nobody has recorded though it is time."""
        now = self._now()
        where = {"recorded": False, "report_after": {"$lte": now}}  # what is open has no such moment yet
        found = await self._mails.find(where, {"letter": 0}).limit(count).to_list(None)
        for document in found:
            await self._change({"_id": document["_id"]}, {"report_after": now + REPORT_AGAIN})
        return [(_settled_again(document), document["trace"]) for document in found]

    async def _change(self, where: Document, change: Document) -> bool:
        return await self._together.change(where, change)


def _posted(document: Mapping[str, Any]) -> Posted:
    return Posted(
        mail=documents.mail_of(document),
        attempt=document["attempt"],
        ambiguous=document["ambiguous"],
        waits=document.get("waits", 0),
        not_before=document["not_before"],
        letter=document["letter"],
    )


def _as_read(posted: Posted) -> Document:
    """Name a mail as it was read; one that waits may have been made to be about more clients since."""
    mail = posted.mail
    about = {"parts": {"$size": len(mail.parts)}} if mail.status is MailStatus.DUE else {}
    return {"_id": mail.id, "firm_id": mail.firm_id, "status": mail.status.value, "attempt": posted.attempt, **about}


def _as_leased(lease: Lease) -> Document:
    mail = lease.posted.mail
    return {"_id": mail.id, "firm_id": mail.firm_id, "status": MailStatus.SENDING.value, "token": lease.token}


def _settled(mail: Mail, deliveries: Sequence[ClientDelivery], end: Mapping[str, Any]) -> Settled:
    if mail.kind is MailKind.INVITATION:
        return ContactMailSettled(
            mail_id=mail.id,
            client_id=mail.parts[0].client_id,
            address=mail.matter["contact_email"],
            number=mail.matter["number"],
            delivered=not any(d.status in (DeliveryStatus.FAILED, DeliveryStatus.MISSED) for d in deliveries),
        )
    assert mail.member_id is not None
    return MailSettled(
        mail_id=mail.id,
        kind=mail.kind,
        reminder_id=mail.matter.get("reminder_id"),
        firm_id=mail.firm_id,
        member_id=mail.member_id,
        due_at=mail.due_at,
        deliveries=tuple(deliveries),
        **{name: end[name] for name in ("sent_at", "message_id", "settled_at", "refused_address")},
    )


def _settled_again(document: Mapping[str, Any]) -> Settled:
    deliveries = DELIVERIES.validate_python(document["deliveries"], strict=False)
    return _settled(documents.mail_of(document), deliveries, document)
