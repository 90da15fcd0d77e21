"""Facts that carry a sequence: what is new among them, what a repeat, what a conflict (contract, section 2)."""

from __future__ import annotations

from hashlib import sha256

from shared.contracts.base import Message
from shared.decider import Counted

Seen = tuple[tuple[int, str], ...]
"""The sequences heard of one thing, ascending, each with a digest of the fact that came first under it."""

REMEMBERED = 100  # far more than a member or a client is told of; older ones count as repeats


def fault_of(seen: Seen, sequence: int, fact: Message) -> Counted | None:
    """Return why *fact* changes nothing: its sequence was heard, with other data or the same; None if it is new."""
    for known, digest in seen:
        if known == sequence:
            return Counted("stale" if digest == digest_of(fact) else "conflict")
    forgotten = len(seen) >= REMEMBERED and sequence < seen[0][0]
    return Counted("stale") if forgotten else None


def noted(seen: Seen, sequence: int, fact: Message) -> Seen:
    """Return *seen* with *fact*, which stays the one under its sequence."""
    return tuple(sorted((*seen, (sequence, digest_of(fact)))))[-REMEMBERED:]


def digest_of(fact: Message) -> str:
    """Return what tells facts apart: equal for equal data of one type."""
    return sha256(f"{fact.ce_type}:{fact.model_dump_json()}".encode("utf-8", "surrogatepass")).hexdigest()[:16]
