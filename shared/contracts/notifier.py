"""What notifier hears and says: subscriptions, what falls due, and what became of mails."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

from pydantic import AwareDatetime

from shared.contracts.base import AClientId, AFirmId, AMemberId, Command, Event, Id, Tick, Topic, Wire


class Frequency(StrEnum):
    """How often a member wishes to be mailed about a client."""

    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"


class SetNotifications(Command):
    """A member sets the e-mail notifications of one client; *connected* is what clients' door said (N1)."""

    ce_type: ClassVar[str] = "portal.notifier.set_notifications.v1"

    client_id: AClientId
    connected: bool
    email: bool
    frequency: Frequency | None = None
    even_if_nothing: bool = False


class DigestFellDue(Tick):
    """A member's subscriptions may be due by *at* (N2, N3, N11)."""

    ce_type: ClassVar[str] = "portal.notifier.digest_fell_due.v1"

    member_id: AMemberId


class DeliveryStatus(StrEnum):
    """What became of an instant or of a mail (N10)."""

    PENDING = "pending"
    SENT = "sent"
    SKIPPED = "skipped"
    MISSED = "missed"
    FAILED = "failed"
    OUTCOME_UNKNOWN = "outcome_unknown"


class SkipReason(StrEnum):
    """Why nothing was sent (N10)."""

    NOTHING_OUTSTANDING = "nothing_outstanding"
    ACCESS_LOST = "access_lost"
    SWITCHED_OFF = "switched_off"
    PAUSED = "paused"
    SUPPRESSED = "suppressed"


class ClientDelivery(Wire):
    """What one mail meant for one client in it."""

    client_id: AClientId
    status: DeliveryStatus
    reason: SkipReason | None = None
    missing_receipts: int | None = None
    export_ready: int | None = None
    balance_minor: int | None = None
    currency: str | None = None


class MailKind(StrEnum):
    """What a mail is about."""

    DIGEST = "digest"
    REMINDER = "reminder"
    INVITATION = "invitation"
    END = "end"
    UNDELIVERED = "undelivered"


class MailSettled(Event):
    """The mailer is done with a member's mail: ledger or reminder take it from here (N10, R5); key ``member_id``."""

    ce_type: ClassVar[str] = "portal.notifier.mail_settled.v1"

    mail_id: str
    kind: MailKind = MailKind.DIGEST
    reminder_id: Id | None = None
    firm_id: AFirmId
    member_id: AMemberId
    due_at: AwareDatetime
    sent_at: AwareDatetime | None
    message_id: str | None
    deliveries: tuple[ClientDelivery, ...]


class ContactMailSettled(Event):
    """The mailer is done with a mail to a contact (O10); *number* is its link's. Key ``client_id``."""

    ce_type: ClassVar[str] = "portal.notifier.contact_mail_settled.v1"

    mail_id: str
    client_id: AClientId
    address: str
    number: int
    delivered: bool


class DeliveryMoved(Event):
    """Something a member may see of a client's deliveries changed: a doorbell for the stream."""

    ce_type: ClassVar[str] = "portal.notifier.delivery_moved.v1"

    firm_id: AFirmId
    client_id: Id


class InvitationUndelivered(Event):
    """A mail to a contact did not reach them; *number* is its link's, None where only the address is known (O10)."""

    ce_type: ClassVar[str] = "portal.notifier.invitation_undelivered.v1"

    client_id: AClientId
    address: str
    number: int | None
    at: AwareDatetime


COMMANDS = Topic(name="notifier.commands", carries=(SetNotifications, DigestFellDue, MailSettled, ContactMailSettled))
EVENTS = Topic(name="notifier.events", carries=(DeliveryMoved, InvitationUndelivered))

TOPICS = (COMMANDS, EVENTS)
