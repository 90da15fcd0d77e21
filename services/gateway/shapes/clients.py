"""A client as it is shown: rows, and details joined from three owners (L7, L8)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, Field

from shared.contracts.base import Id, Money, Task
from shared.contracts.notifier import DeliveryStatus, Frequency, SkipReason

Count = Annotated[int, Field(ge=0)]
Verification = Literal["pending", "in_review", "information_required", "verified", "rejected"]
RowStatus = Literal["connected", "invitation", "accepted", "invited", "ended"]


class Person(BaseModel):
    """A member by id and name."""

    id: Id
    name: str | None


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
