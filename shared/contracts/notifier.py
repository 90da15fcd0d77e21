"""What notifier hears and says: subscriptions, what falls due, and what became of mails."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import AwareDatetime, Field

from shared.contracts.base import AClientId, AFirmId, AMemberId, Command, Event, Id, Tick, Topic, Wire

STEP = 500  # subscriptions in one transaction; what touches more goes on by a tick of its own (invariant 14)
MOST_AT_ONCE = 5_000  # clients in one command: their outcomes must fit one record


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


class ClientSeen(Wire):
    """A client as clients' door knew it: *code* is null, or why its notifications cannot be set (N16)."""

    client_id: AClientId
    code: str | None = None


class SetManyNotifications(Command):
    """A member sets the e-mail notifications of many clients at once (N16)."""

    ce_type: ClassVar[str] = "portal.notifier.set_many_notifications.v1"

    clients: Annotated[tuple[ClientSeen, ...], Field(max_length=MOST_AT_ONCE)]
    email: bool
    frequency: Frequency | None = None
    even_if_nothing: bool = False

    @property
    def weight(self) -> int:
        """One for each client of a step."""
        return min(STEP, len(self.clients))


class SetNotificationSettings(Command):
    """A member says how clients assigned from now on are switched on, and until when all digests pause (N16, N17)."""

    ce_type: ClassVar[str] = "portal.notifier.set_notification_settings.v1"

    default_frequency: Frequency | None = None
    paused_until: date | None = None


class Unsubscribe(Command):
    """Somebody used a mail's link: *click* names the link, *client_ids* what it ends, null everything of the member (N13)."""

    ce_type: ClassVar[str] = "portal.notifier.unsubscribe.v1"

    click: str
    client_ids: tuple[AClientId, ...] | None

    @property
    def weight(self) -> int:
        """What a step may end."""
        return STEP if self.client_ids is None else min(STEP, max(1, len(self.client_ids)))


class UndoUnsubscribe(Command):
    """Somebody takes back what they ended by the link *click* (N13)."""

    ce_type: ClassVar[str] = "portal.notifier.undo_unsubscribe.v1"

    click: str

    @property
    def weight(self) -> int:
        """What a step may restore."""
        return STEP


class LiftSuppression(Command):
    """An admin lets mails go to a member's address again (N14)."""

    ce_type: ClassVar[str] = "portal.notifier.lift_suppression.v1"

    member_id: AMemberId


class DigestFellDue(Tick):
    """A member's subscriptions may be due by *at* (N2, N3, N11)."""

    ce_type: ClassVar[str] = "portal.notifier.digest_fell_due.v1"

    member_id: AMemberId

    @property
    def weight(self) -> int:
        """Usually some clients fall due together."""
        return 10


class CommandGoesOn(Tick):
    """The next step of a command that touches more than one transaction should: one of the fields is set (invariant 14)."""

    ce_type: ClassVar[str] = "portal.notifier.command_goes_on.v1"

    step: int
    many: SetManyNotifications | None = None
    settings: SetNotificationSettings | None = None
    unsubscribe: Unsubscribe | None = None
    undo: UndoUnsubscribe | None = None

    @property
    def weight(self) -> int:
        """A whole step."""
        return STEP


class AccessFellAway(Tick):
    """A member or a client is gone since *at*: their subscriptions end, a step at a time (N9, invariant 14)."""

    ce_type: ClassVar[str] = "portal.notifier.access_fell_away.v1"

    firm_id: AFirmId
    member_id: AMemberId | None = None
    client_id: AClientId | None = None

    @property
    def weight(self) -> int:
        """A whole step."""
        return STEP


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
    """The mailer is done with a mail: ledger or reminder take it from here (N10, R5); key ``member_id``."""

    ce_type: ClassVar[str] = "portal.notifier.mail_settled.v1"

    mail_id: str
    kind: MailKind = MailKind.DIGEST
    reminder_id: Id | None = None
    firm_id: AFirmId
    member_id: AMemberId
    due_at: AwareDatetime
    sent_at: AwareDatetime | None
    message_id: str | None
    settled_at: AwareDatetime | None = None
    refused_address: str | None = None  # the mail server says that nobody is there (N14)
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


COMMANDS = Topic(
    name="notifier.commands",
    carries=(
        SetNotifications,
        SetManyNotifications,
        SetNotificationSettings,
        Unsubscribe,
        UndoUnsubscribe,
        LiftSuppression,
        DigestFellDue,
        CommandGoesOn,
        AccessFellAway,
        MailSettled,
        ContactMailSettled,
    ),
)
EVENTS = Topic(name="notifier.events", carries=(DeliveryMoved, InvitationUndelivered))

TOPICS = (COMMANDS, EVENTS)
