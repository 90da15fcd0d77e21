"""Mails: their states, what is outstanding, what is urgent, and what a digest says as a pure function of figures (N6-N10)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from hashlib import sha256
from typing import Any

from services.notifier.domain.preferences import Preferences, Suppressed
from services.notifier.domain.subscription import Mailed, Subscription
from shared.contracts.base import ClientId, FirmId, MemberId
from shared.contracts.clients import ClientState, EndTold, Figures, ReminderRequested
from shared.contracts.notifier import ClientDelivery, DeliveryStatus, MailKind, SkipReason
from shared.contracts.onboarding import InvitationMailed, UndeliveredMailed
from shared.names import sort_key

MOST_IN_A_MAIL = 100  # N8
PATIENCE = timedelta(days=5)  # how long a mail about one client waits for the mail server; digests have N11
OfOne = ReminderRequested | InvitationMailed | UndeliveredMailed | EndTold
"""What asks for mails about one client."""


class MailStatus(StrEnum):
    """Where a mail stands (invariant 9); *due* waits to be planned."""

    DUE = "due"
    PLANNED = "planned"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    SKIPPED = "skipped"
    MISSED = "missed"
    OUTCOME_UNKNOWN = "outcome_unknown"


WAITING = (MailStatus.DUE, MailStatus.PLANNED)
OPEN = (*WAITING, MailStatus.SENDING)


@dataclass(frozen=True, slots=True)
class Part:
    """A client that a mail is about, and until when the mail may wait for the mail server (N11)."""

    client_id: ClientId
    give_up_at: datetime


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail as the transaction queues it; from then on only the mailer changes it. *matter* is what is frozen from the start."""

    id: str
    kind: MailKind
    firm_id: FirmId
    member_id: MemberId | None
    due_at: datetime
    created_at: datetime
    parts: tuple[Part, ...]
    trace: str | None
    matter: Mapping[str, Any] = field(default_factory=dict)
    status: MailStatus = MailStatus.DUE
    not_before: datetime | None = None  # more clients are about to join it

    def about(self, parts: Iterable[Part]) -> Mail:
        """Return this mail with *parts* in it, each client once."""
        held = {part.client_id for part in self.parts}
        return replace(self, parts=(*self.parts, *(part for part in parts if part.client_id not in held)))

    def holds(self, client_id: str) -> bool:
        """Say whether the mail is about that client."""
        return any(part.client_id == client_id for part in self.parts)


def about_one(id: str, kind: MailKind, about: OfOne, to: MemberId | None, at: datetime, now: datetime, trace: str | None) -> Mail:
    """Return the mail of *kind* that *about* asks for; the other recipients are none of its matter."""
    matter = about.model_dump(mode="json", exclude={"recipients"})
    return Mail(id, kind, about.firm_id, to, at, now, (Part(about.client_id, now + PATIENCE),), trace, matter)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the ledger: what became of one instant of one subscription (N10)."""

    firm_id: FirmId
    member_id: MemberId
    client_id: ClientId
    due_at: datetime
    status: DeliveryStatus
    reason: SkipReason | None = None
    sent_at: datetime | None = None
    message_id: str | None = None
    mail_id: str | None = None

    @property
    def id(self) -> str:
        """One line per subscription and instant."""
        return f"{self.member_id}.{self.client_id}.{self.due_at:%Y%m%dT%H%M%SZ}"


def digest_id(member_id: str, instant: datetime, number: int = 1) -> str:
    """Return the id of the one mail that answers *instant* for a member (N12).

    A client whose switch-on was handled when that mail was on its way already is answered by another *number*.
    """
    again = f".{number}" if number > 1 else ""
    return f"digest:{member_id}:{instant:%Y%m%dT%H%M%SZ}{again}:{member_id}"


def message_key(mail_id: str) -> str:
    """Return what makes a mail's Message-ID unique, the same at every attempt; a bounce may name it (N12, R6)."""
    return sha256(mail_id.encode()).hexdigest()[:40]


def mail_named(message_id: str) -> str:
    """Return the key within a Message-ID; of somebody else's it is the key of no mail of ours."""
    return message_id.strip().strip("<>").partition("@")[0]


def reminder_mail_id(reminder_id: str, member_id: str) -> str:
    """Return the id of a reminder's one mail to one recipient (R3)."""
    return f"reminder:{reminder_id}:1:{member_id}"


def invitation_mail_id(client_id: str, number: int, occasion: str, reminder: int) -> str:
    """Return the id of the one mail that tells a contact link *number* on one occasion, each reminder being one (O1, O6)."""
    return f"invitation:{client_id}:{number}.{occasion}.{reminder}:contact"


def end_mail_id(client_id: str, state: str, member_id: str) -> str:
    """Return the id of the one mail that tells a member a final state of an onboarding (O5)."""
    return f"end:{client_id}:{state}:{member_id}"


def undelivered_mail_id(client_id: str, number: int, member_id: str) -> str:
    """Return the id of the one mail that tells the inviting admin that link *number* reached nobody (O10)."""
    return f"undelivered:{client_id}:{number}:{member_id}"


def outstanding(figures: Figures) -> bool:
    """Say whether anything waits to be done for a client; unknown does not (N7)."""
    return bool(figures.missing_receipts) or bool(figures.export_ready) or figures.low_balance


def urgency(name: str, figures: Figures) -> tuple[bool, int, int, str]:
    """Return a key that sorts the most urgent first: low balance, most missing, most ready, name (N8)."""
    return (not figures.low_balance, -(figures.missing_receipts or 0), -(figures.export_ready or 0), _place(name))


_place = lru_cache(maxsize=8192)(sort_key)  # the same clients stand in many members' mails


@dataclass(frozen=True, slots=True)
class Told:
    """What a digest says about one client: each figure, and the change since the last mail where there is one (N6)."""

    client_id: str
    name: str
    figures: Figures
    missing_change: int | None
    ready_change: int | None
    balance_before: int | None  # in the same currency; the change may be more than a database can count

    @property
    def balance_change(self) -> int | None:
        """The change of the balance, in its minor unit."""
        balance = self.figures.balance
        return _change(balance.amount_minor if balance else None, self.balance_before)


@dataclass(frozen=True, slots=True)
class Digest:
    """What a digest is to say, in order, and what it means for every subscription it answers."""

    told: tuple[Told, ...]
    more: int
    missing_in_all: int
    ready_in_all: int
    low_in_all: int
    needing: int  # how many clients something is outstanding for, those behind "and N more" too
    deliveries: tuple[ClientDelivery, ...]


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What is known of one client at the moment of planning: may the member see it, what did they set, how does it stand.

    *preferences* and *address* are the member's.
    """

    allowed: bool
    subscription: Subscription | None
    client: ClientState | None
    preferences: Preferences | None = None
    address: str = ""

    def silent_for(self, due_at: datetime) -> SkipReason | None:
        """Return why the instant *due_at* is not answered, or None. Access counts first (N9, N14, N17)."""
        if not self.allowed or self.client is None or not self.client.connected:
            return SkipReason.ACCESS_LOST
        silent = self.subscription.silent_for(due_at) if self.subscription else SkipReason.SWITCHED_OFF
        return silent or self.withheld(due_at)

    def withheld(self, due_at: datetime) -> SkipReason | None:
        """Return why no digest of *due_at* goes to this member at all, or None."""
        if self.preferences is not None and self.preferences.pauses(due_at):
            return SkipReason.PAUSED
        return SkipReason.SUPPRESSED if self.preferences and self.preferences.suppressed(self.address) else None

    @property
    def bounces(self) -> bool:
        """Whether mails to this member come back (R6)."""
        known = self.preferences.suppressed(self.address) if self.preferences else None
        return known is not None and known.reason is Suppressed.HARD_BOUNCE

    @property
    def tells(self) -> bool:
        """Whether the digest has something to say about this client (N7)."""
        asked = self.subscription is not None and self.subscription.even_if_nothing
        return self.client is not None and (asked or outstanding(self.client.figures))


def barred(part: Part, due_at: datetime, known: Knowledge, now: datetime) -> ClientDelivery | None:
    """Return why *part* is not delivered at *now*, or None: what is lost is not called late (N9, N11)."""
    reason = known.silent_for(due_at)
    if reason is not None:
        return ClientDelivery(client_id=part.client_id, status=DeliveryStatus.SKIPPED, reason=reason)
    if now > part.give_up_at:
        return ClientDelivery(client_id=part.client_id, status=DeliveryStatus.MISSED)
    return None


def plan_digest(parts: Iterable[Part], due_at: datetime, known: Mapping[str, Knowledge], now: datetime) -> Digest:
    """Return what the digest of *parts* says, given what is *known* by client id (N6-N9). Nothing told: nothing is sent."""
    answered: list[tuple[ClientState, Subscription]] = []
    silent: list[ClientDelivery] = []
    for part in parts:
        knowledge = known[part.client_id]
        client, subscription = knowledge.client, knowledge.subscription
        if (why_not := barred(part, due_at, knowledge, now)) is not None:
            silent.append(why_not)
        elif client is not None and subscription is not None and knowledge.tells:
            answered.append((client, subscription))
        else:
            skipped, nothing = DeliveryStatus.SKIPPED, SkipReason.NOTHING_OUTSTANDING
            silent.append(ClientDelivery(client_id=part.client_id, status=skipped, reason=nothing))
    return digest_of(answered, silent)


def digest_of(answered: Sequence[tuple[ClientState, Subscription]], silent: Sequence[ClientDelivery] = ()) -> Digest:
    """Return a digest about *answered*, the most urgent first (N8); a preview is one about a single client (N15)."""
    ordered = sorted(answered, key=lambda pair: urgency(pair[0].name, pair[0].figures))
    figures = [client.figures for client, _ in ordered]
    return Digest(
        told=tuple(_told(client, subscription.mailed) for client, subscription in ordered[:MOST_IN_A_MAIL]),
        more=max(0, len(ordered) - MOST_IN_A_MAIL),
        missing_in_all=sum(f.missing_receipts or 0 for f in figures),
        ready_in_all=sum(f.export_ready or 0 for f in figures),
        low_in_all=sum(f.low_balance for f in figures),
        needing=sum(outstanding(f) for f in figures),
        deliveries=(*(_sent(client) for client, _ in ordered), *silent),
    )


def whole_status(deliveries: Sequence[ClientDelivery]) -> MailStatus:
    """Return what a mail that is not sent was as a whole: missed if every part was, else skipped."""
    missed = all(delivery.status is DeliveryStatus.MISSED for delivery in deliveries)
    return MailStatus.MISSED if missed and deliveries else MailStatus.SKIPPED


def _told(client: ClientState, last: Mailed | None) -> Told:
    figures, balance = client.figures, client.figures.balance
    same_currency = last is not None and balance is not None and balance.currency == last.currency
    return Told(
        client_id=client.client_id,
        name=client.name,
        figures=figures,
        missing_change=_change(figures.missing_receipts, last.missing_receipts if last else None),
        ready_change=_change(figures.export_ready, last.export_ready if last else None),
        balance_before=last.balance_minor if last and same_currency else None,
    )


def _change(now: int | None, before: int | None) -> int | None:
    return None if now is None or before is None or now == before else now - before


def _sent(client: ClientState) -> ClientDelivery:
    figures = client.figures
    return ClientDelivery(
        client_id=client.client_id,
        status=DeliveryStatus.SENT,
        missing_receipts=figures.missing_receipts,
        export_ready=figures.export_ready,
        balance_minor=figures.balance.amount_minor if figures.balance else None,
        currency=figures.balance.currency if figures.balance else None,
    )
