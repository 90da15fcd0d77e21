"""What is kept how long (E5)."""

from __future__ import annotations

from datetime import timedelta

from services.notifier.post import CONTENT_KEPT
from services.notifier.store import INDEXES, LEDGER, MAILS, REMINDERS


def test_ledger_and_reminders_are_kept_for_24_months_and_mails_for_30_days() -> None:
    """E5: by the database itself, counted from the instant, the sending, the settling."""
    kept = {name: index.document for name, some in INDEXES.items() for index in some if index.document["name"] == "kept"}
    ages = {name: (list(index["key"]), timedelta(seconds=index["expireAfterSeconds"])) for name, index in kept.items()}
    two_years = timedelta(days=731)
    assert ages == {LEDGER: (["due_at"], two_years), REMINDERS: (["sent_at"], two_years), MAILS: (["expires_at"], timedelta(0))}
    assert timedelta(days=30) == CONTENT_KEPT
