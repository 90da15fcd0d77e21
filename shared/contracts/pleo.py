"""What other Pleo services say to the portal, as CloudEvents 1.0 (contract, section 2)."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field, StringConstraints

from shared.contracts.base import (
    DAY,
    AClientId,
    AFirmId,
    AMemberId,
    Id,
    Message,
    Money,
    Name,
    Role,
    Sequence,
    ShortText,
    Topic,
    Wire,
)

Address = Annotated[str, StringConstraints(min_length=1, max_length=320)]
Locale = Annotated[str, StringConstraints(min_length=1, max_length=35)]


class FirmRegistered(Message):
    """An accounting firm joined the partner programme."""

    ce_type: ClassVar[str] = "pleo.firm.registered.v1"

    firm_id: AFirmId
    name: Name
    locale: Locale | None = None


class MemberFact(Message):
    """What the identity service knows of a member; the highest sequence wins (M1)."""

    firm_id: AFirmId
    member_id: AMemberId
    name: Name
    email: Address
    role: Role
    locale: Locale | None = None
    sequence: Sequence


class MemberAdded(MemberFact):
    """A person joined a firm."""

    ce_type: ClassVar[str] = "pleo.member.added.v1"


class MemberChanged(MemberFact):
    """A person's name, address, role or language changed."""

    ce_type: ClassVar[str] = "pleo.member.changed.v1"


class MemberRemoved(Message):
    """A person left a firm."""

    ce_type: ClassVar[str] = "pleo.member.removed.v1"

    firm_id: AFirmId
    member_id: AMemberId
    sequence: Sequence


class AccountantAdded(Message):
    """A company added the firm as its external accountant: an invitation (I1)."""

    ce_type: ClassVar[str] = "pleo.accountant.added.v1"

    client_id: AClientId
    firm_id: AFirmId
    company_name: Name
    client_number: ShortText | None = None
    country: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")] | None = None
    addressed_to: Address | None = None
    sequence: Sequence


class AccountantWithdrawn(Message):
    """A company took its invitation back, or ended the connection (I4, I5)."""

    ce_type: ClassVar[str] = "pleo.accountant.withdrawn.v1"

    client_id: AClientId
    firm_id: AFirmId
    sequence: Sequence


class CompanyRenamed(Message):
    """A company has a new name; it beats the name in ``added`` and in an invite."""

    ce_type: ClassVar[str] = "pleo.company.renamed.v1"

    client_id: AClientId
    company_name: Name
    sequence: Sequence


class VerificationState(StrEnum):
    """What the verification service reports of a company."""

    ACCEPTED = "accepted"
    CONNECTED = "connected"
    IN_REVIEW = "in_review"
    INFORMATION_REQUIRED = "information_required"
    VERIFIED = "verified"
    REJECTED = "rejected"


class MissingItem(Wire):
    """Something the verification still needs, with a text for people (O5)."""

    code: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    text: Annotated[str, StringConstraints(min_length=1, max_length=1000)]


class VerificationChanged(Message):
    """A step of a company's verification; order by *sequence* (O4)."""

    ce_type: ClassVar[str] = "pleo.verification.changed.v1"

    client_id: AClientId
    sequence: Sequence
    state: VerificationState
    missing: Annotated[tuple[MissingItem, ...], Field(max_length=50)] | None = None
    reason: Annotated[str, StringConstraints(max_length=1000)] | None = None


class ExpenseFact(Message):
    """Anything said about one expense of a company."""

    client_id: AClientId
    expense_id: Id


class ReceiptFact(ExpenseFact):
    """Where the receipt of an expense stands; the newest fact counts."""

    amount: Money | None = None
    merchant: str | None = None
    spent_at: str | None = None


class ReceiptMissing(ReceiptFact):
    """The expense misses its receipt."""

    ce_type: ClassVar[str] = "pleo.receipt.missing.v1"


class ReceiptAttached(ReceiptFact):
    """The receipt is there."""

    ce_type: ClassVar[str] = "pleo.receipt.attached.v1"


class ReceiptWaived(ReceiptFact):
    """The receipt is declared lost or not needed."""

    ce_type: ClassVar[str] = "pleo.receipt.waived.v1"


class ExpenseExportReady(ExpenseFact):
    """The expense is ready to be exported."""

    ce_type: ClassVar[str] = "pleo.expense.export_ready.v1"


class ExpenseExported(ExpenseFact):
    """The expense was exported."""

    ce_type: ClassVar[str] = "pleo.expense.exported.v1"


class ExpenseDeleted(ExpenseFact):
    """The expense is gone, and with it every fact about it, for good."""

    ce_type: ClassVar[str] = "pleo.expense.deleted.v1"


class BalanceChanged(Message):
    """A company's balance, and whether the product calls it low."""

    ce_type: ClassVar[str] = "pleo.balance.changed.v1"

    client_id: AClientId
    balance: Money
    low: bool


class BounceKind(StrEnum):
    """How an address turned a mail away."""

    HARD = "hard"
    SOFT = "soft"
    COMPLAINT = "complaint"


class MailBounced(Message):
    """The mail provider reports a bounce or a complaint (N14)."""

    ce_type: ClassVar[str] = "pleo.mail.bounced.v1"

    member_id: AMemberId | None = None
    client_id: AClientId | None = None
    address: Address
    kind: BounceKind
    message_id: Annotated[str, StringConstraints(max_length=998)] | None = None


KEPT = 400 * DAY  # facts may be replayed for as long as they count (E5)

PARTNERS = Topic(name="pleo.partners", retention=KEPT, carries=(FirmRegistered, MemberAdded, MemberChanged, MemberRemoved))
COMPANIES = Topic(name="pleo.companies", retention=KEPT, carries=(AccountantAdded, AccountantWithdrawn, CompanyRenamed))
VERIFICATION = Topic(name="pleo.verification", retention=KEPT, carries=(VerificationChanged,))
RECEIPTS = Topic(name="pleo.receipts", retention=KEPT, carries=(ReceiptMissing, ReceiptAttached, ReceiptWaived))
EXPENSES = Topic(name="pleo.expenses", retention=KEPT, carries=(ExpenseExportReady, ExpenseExported, ExpenseDeleted))
BALANCES = Topic(name="pleo.balances", retention=KEPT, carries=(BalanceChanged,))
MAIL = Topic(name="pleo.mail", retention=30 * DAY, carries=(MailBounced,))

TOPICS = (PARTNERS, COMPANIES, VERIFICATION, RECEIPTS, EXPENSES, BALANCES, MAIL)
