"""What clients hears, says and shows: assignments, invitations, grants, figures, and who belongs to a firm."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import AwareDatetime, Field, StringConstraints

from shared.contracts.base import (
    DAY,
    AClientId,
    AFirmId,
    AMemberId,
    Cleanup,
    Command,
    CommandId,
    Event,
    Id,
    Money,
    Role,
    Sequence,
    State,
    Task,
    Tick,
    Topic,
    Wire,
)

TokenHash = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
MOST_ASSIGNEES = 50  # on one client (M3)
Members = Annotated[tuple[AMemberId, ...], Field(max_length=500)]


class AssignMember(Command):
    """An admin assigns a member to a client (M2)."""

    ce_type: ClassVar[str] = "portal.clients.assign_member.v1"

    client_id: AClientId
    member_id: AMemberId


class UnassignMember(Command):
    """An admin, or the member, ends an assignment (M2)."""

    ce_type: ClassVar[str] = "portal.clients.unassign_member.v1"

    client_id: AClientId
    member_id: AMemberId


class AssignMany(Command):
    """An admin assigns and unassigns members at many clients at once (M2)."""

    ce_type: ClassVar[str] = "portal.clients.assign_many.v1"

    client_ids: Annotated[tuple[AClientId, ...], Field(min_length=1, max_length=500)]
    assign: Members = ()
    unassign: Members = ()

    @property
    def weight(self) -> int:
        """One for each client."""
        return len(self.client_ids)


class AcceptInvitation(Command):
    """An admin accepts a company's invitation and names who works on it (I2)."""

    ce_type: ClassVar[str] = "portal.clients.accept_invitation.v1"

    client_id: AClientId
    assign: Members = ()


class DeclineInvitation(Command):
    """An admin declines a company's invitation (I2)."""

    ce_type: ClassVar[str] = "portal.clients.decline_invitation.v1"

    client_id: AClientId


class DisconnectClient(Command):
    """An admin ends the connection with a client (I5)."""

    ce_type: ClassVar[str] = "portal.clients.disconnect_client.v1"

    client_id: AClientId


class GrantAccess(Command):
    """A member asks for a link into a client's Pleo account; only the token's hash travels (A3)."""

    ce_type: ClassVar[str] = "portal.clients.grant_access.v1"

    client_id: AClientId
    grant_id: Id
    token_hash: TokenHash


class RedeemGrant(Command):
    """The product redeems a grant by its token's hash (A3); the actor is the service."""

    ce_type: ClassVar[str] = "portal.clients.redeem_grant.v1"

    token_hash: TokenHash


class RemindAssignees(Command):
    """An admin reminds everyone assigned to a client (R1)."""

    ce_type: ClassVar[str] = "portal.clients.remind_assignees.v1"

    client_id: AClientId
    reminder_id: Id
    tasks: tuple[Task, ...]
    comment: str | None = None


class LeaverFellDue(Tick):
    """Assignments from before a member's removal are to be ended, a step at a time (M4).

    *sequence* is the removal's; *after* the client at which the step before this one stopped.
    """

    ce_type: ClassVar[str] = "portal.clients.leaver_fell_due.v1"

    firm_id: AFirmId
    member_id: AMemberId
    sequence: Sequence
    after: str = ""

    @property
    def weight(self) -> int:
        """A whole step."""
        return 500


class Figure(Wire):
    """A ticked task with its figure at that moment: a count, or for ``low_balance`` the balance."""

    task: Task
    count: int | None = None
    balance: Money | None = None
    outstanding: bool


class Person(Wire):
    """A member as a mail or a row names them."""

    id: AMemberId
    name: str


class ReminderRequested(Event):
    """A reminder was decided: the notifier plans its mails and finishes the command (R1)."""

    ce_type: ClassVar[str] = "portal.clients.reminder_requested.v1"

    command_id: CommandId
    reminder_id: Id
    firm_id: AFirmId
    client_id: AClientId
    client_version: int = 0  # of the client's state as this left it: what is newer came after the reminder
    client_name: str
    requested_at: AwareDatetime
    by: Person
    reply_to: str
    tasks: tuple[Figure, ...]
    comment: str | None
    recipients: tuple[Person, ...]


class EndTold(Event):
    """An onboarding ended, or its end was corrected: these members are to be mailed (O5, O7)."""

    ce_type: ClassVar[str] = "portal.clients.end_told.v1"

    firm_id: AFirmId
    client_id: AClientId
    client_name: str
    state: str
    corrects: str | None
    at: AwareDatetime
    recipients: tuple[AMemberId, ...]


class AssignmentsMoved(Event):
    """Who is assigned to a client changed; *viewers* are those whose tabs may show it differently now."""

    ce_type: ClassVar[str] = "portal.clients.assignments_moved.v1"

    firm_id: AFirmId
    client_id: AClientId
    assigned: tuple[AMemberId, ...]
    unassigned: tuple[AMemberId, ...]
    at: AwareDatetime


class ClientEnded(Event):
    """A client is no longer connected: subscriptions and waiting mails about it end (I5)."""

    ce_type: ClassVar[str] = "portal.clients.client_ended.v1"

    firm_id: AFirmId
    client_id: AClientId


class MemberLeft(Event):
    """A member was removed: their subscriptions end (M4)."""

    ce_type: ClassVar[str] = "portal.clients.member_left.v1"

    firm_id: AFirmId
    member_id: AMemberId


class Figures(Wire):
    """What the facts say about a company; ``None`` was never heard of, ``*_at`` is RFC 3339 to the nanosecond.

    ``*_resolved`` is when a figure lately came to 0 (the balance: to be low no more), oldest first, whatever it is by now (R5).
    """

    missing_receipts: int | None = None
    missing_receipts_at: str | None = None
    export_ready: int | None = None
    export_ready_at: str | None = None
    balance: Money | None = None
    low_balance: bool = False
    balance_at: str | None = None
    missing_receipts_resolved: tuple[str, ...] = ()
    export_ready_resolved: tuple[str, ...] = ()
    low_balance_resolved: tuple[str, ...] = ()


class ClientState(State):
    """One client of one firm as it is now; key ``firm_id.client_id``. *parted*: firm and company were disconnected (I5)."""

    ce_type: ClassVar[str] = "portal.clients.client.v1"

    firm_id: AFirmId
    client_id: AClientId
    name: str
    client_number: str | None
    status: str
    connected: bool
    assignees: tuple[AMemberId, ...]
    figures: Figures
    parted: bool = False


class MemberState(State):
    """One member of a firm as they are now; key ``member_id``."""

    ce_type: ClassVar[str] = "portal.clients.member.v1"

    firm_id: AFirmId
    member_id: AMemberId
    name: str
    email: str
    role: Role
    locale: str | None
    active: bool


COMMANDS = Topic(
    name="clients.commands",
    carries=(
        AssignMember,
        UnassignMember,
        AssignMany,
        AcceptInvitation,
        DeclineInvitation,
        DisconnectClient,
        GrantAccess,
        RedeemGrant,
        RemindAssignees,
        LeaverFellDue,
    ),
)
EVENTS = Topic(
    name="clients.events", retention=30 * DAY, carries=(ReminderRequested, EndTold, AssignmentsMoved, ClientEnded, MemberLeft)
)
STATE = Topic(name="clients.state", cleanup=Cleanup.COMPACT, retention=None, carries=(ClientState, MemberState))

TOPICS = (COMMANDS, EVENTS, STATE)
