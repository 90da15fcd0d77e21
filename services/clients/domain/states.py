"""What clients keeps: firms, members, companies, and clients, which are companies as one firm sees them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from services.clients.domain.figures import Expense, Ledger
from services.clients.domain.sequences import Seen
from shared.contracts.base import Role
from shared.values import value

FINAL = frozenset({"verified", "rejected", "expired", "withdrawn"})
STEP = 500  # clients in one step of what touches thousands (invariant 14)
NOTHING = Ledger()


@value
class Firm:
    """An accounting firm; without a name it is not registered yet, and nobody is its member (M1)."""

    firm_id: str
    name: str | None = None
    locale: str | None = None
    told: tuple[str, str] = ("", "")  # time and id of the fact that said so: these have no sequence, the newest counts


@value
class Member:
    """A person of a firm, as the fact with the highest sequence says (M1).

    Who was removed counts as removed until the last of their assignments has ended, also if they are employed again
    by then: so nothing of the time before can show in the time after (M4).
    """

    member_id: str
    firm_id: str | None = None
    name: str = ""
    email: str = ""
    role: Role = Role.ACCOUNTANT
    locale: str | None = None
    employed: bool = False
    sequence: int = -1
    described: int = -1  # the sequence of the newest fact that tells who they are: a removal does not
    leaving: int = -1  # the sequence of the removal that is being carried out
    seen: Seen = ()
    version: int = 0

    @property
    def active(self) -> bool:
        """Whether they count as a member of their firm."""
        return self.employed and self.leaving < 0

    def works_for(self, firm_id: str) -> bool:
        """Whether this is an active member of that firm."""
        return self.active and self.firm_id == firm_id


@value
class Company:
    """A company on Pleo, or on its way there: its figures count for every firm it is a client of."""

    client_id: str
    firms: tuple[str, ...] = ()
    ledger: Ledger = field(default_factory=Ledger)
    facts_since: datetime | None = None  # when the first fact about an expense was heard: nothing older was ever forgotten
    name: str | None = None
    name_sequence: int = -1
    names_seen: Seen = ()
    verification: str | None = None
    onboarding_firm: str | None = None
    onboarding_state: str | None = None
    onboarding_at: str | None = None
    onboarding_connected: bool = False
    onboarding_undelivered: bool = False
    onboarding_version: int = -1


class Invitation(StrEnum):
    """Where a company's invitation to the firm stands (section 5 of the behaviour)."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


@value
class Client:
    """One company as one firm sees it; *version* rises with every change."""

    firm_id: str
    client_id: str
    version: int = 0
    given_name: str = ""
    name: str = ""
    client_number: str | None = None
    invitation: Invitation | None = None
    sequence: int = -1  # of the newest fact with which the company added the firm, or withdrew
    accepted: int = -1  # the sequence of the invitation that connects it: an older withdrawal is not about it
    withdrew: bool = False  # whether the company ever parted from the firm: an onboarding that is heard of later is over
    seen: Seen = ()
    addressed_to: str | None = None
    added_at: datetime | None = None
    begun_at: datetime | None = None  # when the firm invited it through the portal: that happens once
    connected: bool = False
    connected_at: datetime | None = None
    disconnected: bool = False
    ended_at: datetime | None = None
    left_at: datetime | None = None  # when that was heard of, which may be long after
    onboarding: str | None = None
    onboarding_at: str | None = None
    undelivered: bool = False
    end_told: tuple[str, ...] = ()  # who was mailed the end of the onboarding
    verified: str | None = None  # what the verification says, whether or not the firm may read it
    assignees: tuple[str, ...] = ()
    tenures: tuple[int, ...] = ()  # what each assignee's newest fact was when they were assigned: a removal ends older ones
    reminded: tuple[tuple[str, int], ...] = ()  # reminders by day, the newest days (R3)
    ledger: Ledger = field(default_factory=Ledger)

    @property
    def verification(self) -> str | None:
        """What the firm may read of the verification: nothing before the power of attorney (contract, Row)."""
        return self.verified if self.onboarding is None or self.connected_at is not None else None

    @property
    def onboards(self) -> bool:
        """Whether it stands in the tab Onboarding: invited by the firm, not final, not parted (T3, O7)."""
        return self.onboarding is not None and self.onboarding not in FINAL and not self.disconnected

    @property
    def invites(self) -> bool:
        """Whether its invitation waits for the firm's answer (T2)."""
        return self.invitation is Invitation.PENDING and not self.connected

    @property
    def known(self) -> bool:
        """Whether it ever was more than a withdrawal that came before its invitation, which leaves nothing to see."""
        return self.name != ""

    @property
    def ended(self) -> bool:
        """Whether it has left its last tab (O7)."""
        return not (self.connected or self.onboards or self.invites)

    @property
    def gone_since(self) -> datetime | None:
        """When it left its last tab: an end of long ago that is heard of only now takes it away only now (O7)."""
        if not self.ended or self.ended_at is None:
            return None
        return max(self.ended_at, self.left_at or self.ended_at)

    @property
    def readable(self) -> Ledger:
        """The figures the firm may read: none before the client granted it access, none after it parted (I5)."""
        return self.ledger if self.connected else NOTHING

    @property
    def status(self) -> str:
        """As the contract words it."""
        if self.connected:
            return "connected"
        if self.invites:
            return "invitation"
        if self.onboards:
            return "invited" if self.onboarding == "invited" else "accepted"
        return "ended"

    @property
    def lists(self) -> tuple[str, ...]:
        """Every list it stands in: a tab of a viewer is one of them (invariant 7)."""
        found: list[str] = []
        if self.invites:
            found.append("invitations")
        if self.onboards:
            found += ["onboarding", *(f"onboarding:{member}" for member in self.assignees)]
        if self.connected:
            found += ["all", *(f"mine:{member}" for member in self.assignees)]
            if not self.assignees:
                found.append("unassigned")
        return tuple(found)


@value
class Grant:
    """A link into a client's Pleo account, by its token's hash (A3)."""

    token_hash: str
    grant_id: str
    firm_id: str
    client_id: str
    member_id: str
    expires_at: datetime
    redeemed_at: datetime | None = None


@dataclass(slots=True)
class World:
    """The states that one batch touches: read by decide, replaced by evolve, written by the store."""

    firms: dict[str, Firm] = field(default_factory=dict)
    members: dict[str, Member] = field(default_factory=dict)
    companies: dict[str, Company] = field(default_factory=dict)
    clients: dict[tuple[str, str], Client] = field(default_factory=dict)
    expenses: dict[tuple[str, str], Expense] = field(default_factory=dict)
    grants: dict[str, Grant] = field(default_factory=dict)
    ledgers: dict[str, Ledger] = field(default_factory=dict)  # those that moved in this batch
    leaving: dict[tuple[str, str, str], list[tuple[str, str]]] = field(default_factory=dict)  # by firm, leaver, client before
    accesses: list[Access] = field(default_factory=list)
    admins: dict[str, tuple[str, ...]] = field(default_factory=dict)
    relied_on: set[str] = field(default_factory=set)
    clients_relied_on: set[tuple[str, str]] = field(default_factory=set)

    def member(self, member_id: str) -> Member:
        """Return a member, an unknown one as nobody's; it counts as relied on (invariant 8)."""
        self.relied_on.add(member_id)
        return self.members.get(member_id) or Member(member_id)

    def rely_on(self, client: Client) -> None:
        """Note that a decision about something else stands on how this client is (invariant 8)."""
        self.clients_relied_on.add((client.firm_id, client.client_id))

    def client(self, firm_id: str, client_id: str) -> Client | None:
        """Return the client, or None if this firm has none such."""
        return self.clients.get((firm_id, client_id))

    def company(self, client_id: str) -> Company:
        """Return the company, a new one if nothing was heard of it."""
        return self.companies.get(client_id) or Company(client_id)

    def ledger(self, client_id: str) -> Ledger:
        """Return the figures of a company as of the last fact of this batch."""
        return self.ledgers.get(client_id) or self.company(client_id).ledger


@value
class Access:
    """A line of a client's access log (A4); the name is the member's at that moment: they may be another firm's by now."""

    firm_id: str
    client_id: str
    member_id: str
    name: str
    event: str
    at: datetime
    grant_id: str
