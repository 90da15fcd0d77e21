"""What endpoints answer with, for those who build against the contract (section 1); additions are welcome, so more may come."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from types import MappingProxyType
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, Field

from shared.contracts.base import Id, Money, Role, Status, Task
from shared.contracts.notifier import DeliveryStatus, Frequency, SkipReason

Count = Annotated[int, Field(ge=0)]
Verification = Literal["pending", "in_review", "information_required", "verified", "rejected"]
RowStatus = Literal["connected", "invitation", "accepted", "invited", "ended"]


class Person(BaseModel):
    """A member by id and name."""

    id: Id
    name: str | None


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


class Tab(BaseModel):
    """A tab with its exact count (T8)."""

    id: Literal["invitations", "onboarding", "mine", "all"]
    label: str
    count: Count


class Tabs(BaseModel):
    """The visible tabs, in their order (T1, T7)."""

    tabs: list[Tab]


class AsOf(BaseModel):
    """Since when each figure is true; null was never heard of (L7)."""

    missing_receipts: AwareDatetime | None
    export_ready: AwareDatetime | None
    balance: AwareDatetime | None


class Action(BaseModel):
    """Whether a menu item is enabled, and the code of why it is not (A2)."""

    allowed: bool
    reason: str | None


class Actions(BaseModel):
    """What the viewer may do with a client."""

    access: Action
    notify: Action
    remind: Action


class Row(BaseModel):
    """A client as the viewer sees it (L7, L8)."""

    client_id: Id
    name: str
    client_number: str | None
    status: RowStatus
    reason: str
    reason_code: str
    verification: Verification | None
    assignees: list[Person]
    missing_receipts: Count | None
    export_ready: Count | None
    balance: Money | None
    low_balance: bool
    as_of: AsOf
    actions: Actions
    proposed_assignees: list[Person] = Field(default=[], description="with a pending invitation only (I1)")


class Rows(BaseModel):
    """A page of a tab; the total is on the first one only (L5)."""

    items: list[Row]
    next_cursor: str | None
    total: Count | None


class Step(BaseModel):
    """A state of the verification, and whether a late fact corrected it (O5)."""

    state: str
    at: AwareDatetime
    corrected: bool


class MissingItem(BaseModel):
    """What the company has to hand in."""

    code: str
    text: str


class OnboardingShown(BaseModel):
    """How far a company is on its way to Pleo (O8)."""

    state: str
    timeline: list[Step]
    missing: list[MissingItem]
    usual_duration_days: float | None


class TickedTask(BaseModel):
    """A task of a reminder, with its figure at that moment."""

    task: Task
    figure: Count | Money | None
    resolved_at: AwareDatetime | None


class Recipient(Person):
    """Who was reminded, and what became of the mail."""

    status: DeliveryStatus
    reason: SkipReason | str | None


class ReminderShown(BaseModel):
    """A reminder that was sent (R5)."""

    reminder_id: Id
    sent_at: AwareDatetime
    by: Person
    tasks: list[TickedTask]
    comment: str | None
    recipients: list[Recipient]


class AccessLine(BaseModel):
    """A grant or a redemption (A4)."""

    at: AwareDatetime
    member: Person
    event: Literal["granted", "redeemed"]


class Suppression(BaseModel):
    """Why nothing is mailed to an address, and since when (N14)."""

    reason: str
    since: AwareDatetime


class NotificationsShown(BaseModel):
    """One's notifications of a client; the next instants carry their offset (N5)."""

    email: bool
    frequency: Frequency | None
    even_if_nothing: bool
    next_deliveries: Annotated[list[AwareDatetime], Field(max_length=3)]
    suppressed: Suppression | None


class Details(Row):
    """A client's row with what the other owners know; a part that is away is null and named."""

    onboarding: OnboardingShown | None
    reminders: list[ReminderShown] | None
    access_log: list[AccessLine]
    notifications: NotificationsShown | None
    unavailable: list[Literal["onboarding", "reminders", "notifications"]]


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
