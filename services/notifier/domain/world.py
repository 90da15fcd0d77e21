"""What a batch of the notifier may touch, and what may happen to it: the world, its events, and how they change it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeVar

from services.notifier.domain.mail import Line, Mail
from services.notifier.domain.preferences import Preferences
from services.notifier.domain.reminder import Reminder
from services.notifier.domain.subscription import Subscription
from shared.contracts.base import ClientId, FirmId, MemberId
from shared.contracts.clients import ClientState, MemberState

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class SubscriptionChanged:
    """A subscription is now as it stands here."""

    subscription: Subscription


@dataclass(frozen=True, slots=True)
class LineWritten:
    """The ledger has this line now."""

    line: Line


@dataclass(frozen=True, slots=True)
class MailQueued:
    """A mail waits for the mailer, or a waiting one is about more clients now."""

    mail: Mail


@dataclass(frozen=True, slots=True)
class MailRecorded:
    """What became of a mail stands in ledger or reminder: the mailer need not say it again."""

    mail_id: str


@dataclass(frozen=True, slots=True)
class MailBouncedBack:
    """A mail that was taken came back: whatever the mailer says of it, it failed (R6)."""

    mail_id: str


@dataclass(frozen=True, slots=True)
class PreferencesChanged:
    """A member's preferences are now as they stand here."""

    preferences: Preferences


@dataclass(frozen=True, slots=True)
class MailsHurried:
    """Waiting mails about a client, or to a member, are looked at again at once: access was lost (I5, M4)."""

    firm_id: FirmId
    client_id: ClientId | None = None
    member_id: str | None = None


@dataclass(frozen=True, slots=True)
class ReminderChanged:
    """A reminder is now as it stands here."""

    reminder: Reminder


@dataclass(frozen=True, slots=True)
class StateLearnt:
    """A newer state of a client or a member was heard."""

    state: ClientState | MemberState


@dataclass(slots=True)
class World:
    """Every state that a batch touches; *written* names what is to be saved, by kind and id.

    *bounced* are mails that came back, *came_back* those of them heard of in this batch.
    """

    subscriptions: dict[str, Subscription] = field(default_factory=dict)
    mails: dict[str, Mail] = field(default_factory=dict)
    lines: dict[str, Line] = field(default_factory=dict)
    reminders: dict[str, Reminder] = field(default_factory=dict)
    clients: dict[str, ClientState] = field(default_factory=dict)
    members: dict[str, MemberState] = field(default_factory=dict)
    preferences: dict[str, Preferences] = field(default_factory=dict)
    bounced: set[str] = field(default_factory=set)
    came_back: set[str] = field(default_factory=set)
    recorded: set[str] = field(default_factory=set)
    hurried: set[MailsHurried] = field(default_factory=set)
    written: set[tuple[str, str]] = field(default_factory=set)

    def preferences_of(self, member_id: str) -> Preferences:
        """Return what counts for all digests of a member."""
        return self.preferences.get(member_id) or Preferences(MemberId(member_id))


def client_key(firm_id: str, client_id: str) -> str:
    """Return the id of a client as one firm has it."""
    return f"{firm_id}.{client_id}"


def evolve(world: World, event: Any) -> None:
    """Apply *event* to *world*."""
    match event:
        case SubscriptionChanged(subscription):
            _keep(world.subscriptions, world, "subscriptions", subscription.id, subscription)
        case LineWritten(line):
            _keep(world.lines, world, "lines", line.id, line)
        case MailQueued(mail):
            _keep(world.mails, world, "mails", mail.id, mail)
        case ReminderChanged(reminder):
            _keep(world.reminders, world, "reminders", reminder.id, reminder)
        case StateLearnt(ClientState() as state):
            _keep(world.clients, world, "clients", client_key(state.firm_id, state.client_id), state)
        case StateLearnt(MemberState() as state):
            _keep(world.members, world, "members", state.member_id, state)
        case PreferencesChanged(preferences):
            _keep(world.preferences, world, "preferences", preferences.member_id, preferences)
        case MailRecorded() | MailBouncedBack() | MailsHurried():
            _mark(world, event)
        case _:
            pass


def _mark(world: World, event: MailRecorded | MailBouncedBack | MailsHurried) -> None:
    """Note what is to be marked on a mail, which the mailer may be at work on."""
    match event:
        case MailBouncedBack(mail_id):
            world.bounced.add(mail_id)
            world.came_back.add(mail_id)
        case MailRecorded(mail_id):
            world.recorded.add(mail_id)
        case MailsHurried():
            world.hurried.add(event)


def _keep(kept: dict[str, T], world: World, kind: str, id: str, value: T) -> None:
    kept[id] = value
    world.written.add((kind, id))
