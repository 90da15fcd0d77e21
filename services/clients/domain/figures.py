"""Figures of a company: the newest fact per expense counts, whatever the order facts arrive in (contract, section 2)."""

from __future__ import annotations

from dataclasses import field
from datetime import datetime

from shared.contracts.base import Money
from shared.contracts.clients import Figures
from shared.contracts.pleo import BalanceChanged, ExpenseDeleted, ExpenseExportReady, ExpenseFact, ReceiptFact, ReceiptMissing
from shared.values import replace, value

RESOLVED_KEPT = 4
"""So many times a figure may come to be 0 between two tellings of its client's state, and none is lost."""

Told = tuple[str, str, str]
"""A fact as it is compared: its time, its id, its type. The newest is the greatest."""


@value
class Expense:
    """What was heard of one expense: the newest fact about its receipt and about its export, and its deletion."""

    client_id: str
    expense_id: str
    receipt: Told | None = None
    export: Told | None = None
    deleted: str | None = None
    heard_at: datetime | None = field(default=None, compare=False)  # of what this batch heard: says how long it is kept

    @property
    def newest(self) -> str:
        """The time of the newest fact about it."""
        told = (self.receipt, self.export)
        return max(self.deleted or "", *(one[0] for one in told if one is not None), "")

    @property
    def counts(self) -> bool:
        """Whether a figure holds it: then it is never forgotten, for no figure changes because time goes by (E5)."""
        return self.misses_receipt or self.ready

    @property
    def misses_receipt(self) -> bool:
        """Whether it counts as missing a receipt."""
        return self.deleted is None and self.receipt is not None and self.receipt[2] == ReceiptMissing.ce_type

    @property
    def ready(self) -> bool:
        """Whether it counts as ready to export."""
        return self.deleted is None and self.export is not None and self.export[2] == ExpenseExportReady.ce_type


@value
class Ledger:
    """The figures of one company: ``None`` was never heard of; times are those of the newest fact of the kind.

    A state is told as it is after a batch; so when a figure lately came to be 0 is remembered, oldest first (R5).
    """

    missing: int | None = None
    missing_at: str | None = None
    ready: int | None = None
    ready_at: str | None = None
    balance: tuple[int, str] | None = None
    low: bool = False
    balance_told: tuple[str, str, int, str, bool] | None = None
    missing_resolved: tuple[str, ...] = ()
    ready_resolved: tuple[str, ...] = ()
    low_resolved: tuple[str, ...] = ()

    @property
    def figures(self) -> Figures:
        """As they are shown to others."""
        return Figures(
            missing_receipts=self.missing,
            missing_receipts_at=self.missing_at,
            export_ready=self.ready,
            export_ready_at=self.ready_at,
            balance=Money(amount_minor=self.balance[0], currency=self.balance[1]) if self.balance else None,
            low_balance=self.low,
            balance_at=self.balance_told[0] if self.balance_told else None,
            missing_receipts_resolved=self.missing_resolved,
            export_ready_resolved=self.ready_resolved,
            low_balance_resolved=self.low_resolved,
        )


def hear(expense: Expense, ledger: Ledger, fact: ExpenseFact, stamp: str, id: str, now: datetime) -> tuple[Expense, Ledger]:
    """Return expense and figures after *fact*; an older fact than the known one moves no count, a deletion is for good.

    A deletion speaks for the kinds the expense was heard of in, and a late fact of a deleted expense is as of the
    deletion: so the figures are the same in any order.
    """
    new = (stamp, id, fact.ce_type)
    deletes, of_receipt = isinstance(fact, ExpenseDeleted), isinstance(fact, ReceiptFact)
    if deletes:
        after = replace(expense, deleted=max(expense.deleted or "", stamp), heard_at=now)
    elif of_receipt:
        after = _told(expense, max(expense.receipt or new, new), expense.export, now)
    else:
        after = _told(expense, expense.receipt, max(expense.export or new, new), now)
    if after == expense:
        return expense, ledger
    at = max(stamp, after.deleted or "")
    if after.receipt is not None and (of_receipt or deletes):
        count = (ledger.missing or 0) + after.misses_receipt - expense.misses_receipt
        as_of = max(ledger.missing_at or "", at)
        resolved = _lately(ledger.missing_resolved, as_of) if count == 0 and ledger.missing != 0 else ledger.missing_resolved
        rest = (ledger.ready, ledger.ready_at, ledger.balance, ledger.low, ledger.balance_told)
        ledger = Ledger(count, as_of, *rest, resolved, ledger.ready_resolved, ledger.low_resolved)
    if after.export is not None and not of_receipt:
        count = (ledger.ready or 0) + after.ready - expense.ready
        as_of = max(ledger.ready_at or "", at)
        resolved = _lately(ledger.ready_resolved, as_of) if count == 0 and ledger.ready != 0 else ledger.ready_resolved
        ledger = replace(ledger, ready=count, ready_at=as_of, ready_resolved=resolved)
    return after, ledger


def _told(expense: Expense, receipt: Told | None, export: Told | None, now: datetime) -> Expense:
    """Most facts come through here: `replace` costs four times as much."""
    return Expense(expense.client_id, expense.expense_id, receipt, export, expense.deleted, now)


def balanced(ledger: Ledger, fact: BalanceChanged, stamp: str, id: str) -> Ledger:
    """Return the figures after a balance was told; the newest by time, then id, stays."""
    new = (stamp, id, fact.balance.amount_minor, fact.balance.currency, fact.low)
    if ledger.balance_told is not None and new <= ledger.balance_told:
        return ledger
    is_over = not fact.low and (ledger.low or ledger.balance is None)
    resolved = _lately(ledger.low_resolved, stamp) if is_over else ledger.low_resolved
    return replace(ledger, balance=(new[2], new[3]), low=fact.low, balance_told=new, low_resolved=resolved)


def _lately(before: tuple[str, ...], at: str) -> tuple[str, ...]:
    return (*before[1 - RESOLVED_KEPT :], at)
