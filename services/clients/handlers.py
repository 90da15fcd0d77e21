"""What clients hears: one subscriber a topic, all of them handled in the one transaction of `shared.handling`."""

from __future__ import annotations

from shared.contracts import clients, onboarding, pleo

HEARD = (
    clients.COMMANDS,  # wishes of members, and our own ticks
    pleo.PARTNERS,  # firms and members
    pleo.COMPANIES,  # invitations, withdrawals, new names
    pleo.RECEIPTS,  # receipts missing, attached, waived: the newest fact per expense counts
    pleo.EXPENSES,  # expenses ready, exported, deleted
    pleo.BALANCES,  # balances, and whether they are low
    onboarding.EVENTS,  # companies invited, invitations taken back: we finish those commands
    onboarding.STATE,  # how far an onboarding or a verification is
)
