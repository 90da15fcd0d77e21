"""What endpoints answer with, for those who build against the contract (section 1); additions are welcome, so more may come."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from types import MappingProxyType
from typing import Literal

from pydantic import AwareDatetime, BaseModel

from services.gateway.shapes.clients import Details, NotificationsShown, Person, Rows, Suppression, Tabs
from shared.contracts.base import Id, Role, Status
from shared.contracts.notifier import DeliveryStatus, Frequency, SkipReason


class Member(BaseModel):
    """Who calls."""

    id: Id
    name: str
    email: str
    role: Role
    locale: str | None


class FirmShown(BaseModel):
    """The caller's firm."""

    id: Id
    name: str


class Me(BaseModel):
    """Who calls, and of which firm."""

    member: Member
    firm: FirmShown


class MemberLine(BaseModel):
    """A member of the firm."""

    id: Id
    name: str
    email: str
    role: Role
    active: bool
    suppressed: Suppression | None


class Members(BaseModel):
    """Everybody of the firm."""

    items: list[MemberLine]


class Delivery(BaseModel):
    """A line of one's ledger (N10)."""

    client_id: Id
    client_name: str | None
    due_at: AwareDatetime
    status: DeliveryStatus
    reason: SkipReason | None
    sent_at: AwareDatetime | None
    message_id: str | None


class Deliveries(BaseModel):
    """A page of one's ledger, newest first."""

    items: list[Delivery]
    next_cursor: str | None


class SettingsShown(BaseModel):
    """What counts for all one's digests (N16, N17)."""

    default_frequency: Frequency | None
    paused_until: date | None


class CommandStatus(BaseModel):
    """What became of a command."""

    command_id: Id
    status: Status
    code: str | None
    detail: str | None
    result: dict[str, object] | None


class LetIn(BaseModel):
    """Whom a grant lets in where."""

    member_id: Id
    client_id: Id
    firm_id: Id
    role: Role


class Resolved(BaseModel):
    """Whom a mailed link invites."""

    client_id: Id
    firm_id: Id
    company_name: str
    contact_email: str


class Granted(BaseModel):
    """A link that works once; null once it has worked or expired (A3)."""

    url: str | None
    expires_at: AwareDatetime


class Invited(BaseModel):
    """The id that the portal minted (O1)."""

    client_id: Id


class Reminded(BaseModel):
    """A reminder, and to whom it goes (R1)."""

    reminder_id: Id
    recipients: list[Person]


class Item(BaseModel):
    """What became of one client of many."""

    client_id: Id
    status: Literal["succeeded", "refused"]
    code: str | None


class Items(BaseModel):
    """What became of each."""

    items: list[Item]


_CLIENT = "/v1/clients/{client_id}"
SHAPES: Mapping[tuple[str, str], type[BaseModel]] = MappingProxyType(
    {
        ("GET", "/v1/me"): Me,
        ("GET", "/v1/tabs"): Tabs,
        ("GET", "/v1/clients"): Rows,
        ("GET", _CLIENT): Details,
        ("GET", "/v1/members"): Members,
        ("GET", "/v1/me/deliveries"): Deliveries,
        ("GET", "/v1/me/notification-settings"): SettingsShown,
        ("PUT", "/v1/me/notification-settings"): SettingsShown,
        ("GET", f"{_CLIENT}/notifications"): NotificationsShown,
        ("PUT", f"{_CLIENT}/notifications"): NotificationsShown,
        ("PUT", "/v1/notifications"): Items,
        ("POST", "/v1/assignments"): Items,
        ("POST", f"{_CLIENT}/access"): Granted,
        ("POST", f"{_CLIENT}/reminders"): Reminded,
        ("POST", "/v1/onboarding"): Invited,
        ("POST", "/v1/access-grants/redeem"): LetIn,
        ("POST", "/v1/onboarding-links/resolve"): Resolved,
        ("GET", "/v1/commands/{command_id}"): CommandStatus,
    }
)
"""By method and path; of a command it is the shape of its ``result``, and a command without one has an empty result."""
