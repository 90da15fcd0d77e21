"""How far a company is: one table of states and transitions, and the state as a function of the set of facts (O2, O4, O5)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from shared.clock import Stamp
from shared.contracts.pleo import MissingItem, VerificationChanged, VerificationState


class Stage(StrEnum):
    """The state of an onboarding (O2)."""

    INVITED = "invited"
    ACCEPTED = "accepted"
    CONNECTED = "connected"
    IN_REVIEW = "in_review"
    INFORMATION_REQUIRED = "information_required"
    VERIFIED = "verified"
    REJECTED = "rejected"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


_STEPS = frozenset({Stage.ACCEPTED, Stage.CONNECTED, Stage.IN_REVIEW, Stage.INFORMATION_REQUIRED})
_ENDS = frozenset({Stage.VERIFIED, Stage.REJECTED})


@dataclass(frozen=True, slots=True)
class Moves:
    """Where a state leads: *in_order* as things happen, *late* only by a fact that should have been here before (O5, O6)."""

    in_order: frozenset[Stage] = frozenset()
    late: frozenset[Stage] = frozenset()


# A source may leave steps out and may step back; it never leaves a final state. What is left late is a correction.
TABLE: Mapping[Stage, Moves] = {
    Stage.INVITED: Moves(in_order=_STEPS | _ENDS | {Stage.EXPIRED, Stage.WITHDRAWN}),
    Stage.ACCEPTED: Moves(in_order=(_STEPS | _ENDS) - {Stage.ACCEPTED}),
    Stage.CONNECTED: Moves(in_order=(_STEPS | _ENDS) - {Stage.CONNECTED}),
    Stage.IN_REVIEW: Moves(in_order=(_STEPS | _ENDS) - {Stage.IN_REVIEW}),
    Stage.INFORMATION_REQUIRED: Moves(in_order=(_STEPS | _ENDS) - {Stage.INFORMATION_REQUIRED}),
    Stage.VERIFIED: Moves(late=frozenset({Stage.REJECTED})),
    Stage.REJECTED: Moves(late=frozenset({Stage.VERIFIED})),
    Stage.EXPIRED: Moves(late=_STEPS | _ENDS),
    Stage.WITHDRAWN: Moves(),
}
FINAL = frozenset(stage for stage, moves in TABLE.items() if not moves.in_order)
GRANTING = frozenset({Stage.CONNECTED, Stage.IN_REVIEW, Stage.INFORMATION_REQUIRED, Stage.VERIFIED})


@dataclass(frozen=True, slots=True)
class Fact:
    """What the source said under one sequence; *corrects* if it took the onboarding out of a final state when it came.

    *missing* is kept only while this fact decides: no other fact can ever decide again.
    """

    sequence: int
    state: VerificationState
    at: Stamp
    digest: str
    missing: tuple[MissingItem, ...] = ()
    corrects: bool = False

    @property
    def stage(self) -> Stage:
        """The state this fact speaks of."""
        return Stage(self.state.value)


def fact_of(said: VerificationChanged, at: Stamp) -> Fact:
    """Return what is kept of a verification event; equal digests mean equal data."""
    missing = said.missing or ()
    parts = (said.state.value, said.reason or "", *(text for item in missing for text in (item.code, item.text)))
    digest = hashlib.sha256("\x00".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]
    return Fact(said.sequence, said.state, at, digest, missing)


def path(facts: Iterable[Fact]) -> list[Fact]:
    """Return the facts that count, in the source's order: up to and with the first final one, else all.

    The last one decides. That is O4: the final fact with the lowest sequence, else the fact with the highest.
    """
    taken: list[Fact] = []
    for fact in sorted(facts, key=lambda fact: fact.sequence):
        taken.append(fact)
        if fact.stage in FINAL:
            break
    return taken


def decisive(facts: Iterable[Fact]) -> Fact | None:
    """Return the one fact of *facts* that says the state, or None without facts (O4)."""
    taken = path(facts)
    return taken[-1] if taken else None


def granted(facts: Iterable[Fact]) -> bool:
    """Say whether *facts* hold the power of attorney: any of them may bring it, a rejection alone never does (O3)."""
    return any(fact.stage in GRANTING for fact in facts)


def word(facts: Iterable[Fact]) -> str | None:
    """Return a row's ``verification``: None without a fact or before the power of attorney (contract, "Row")."""
    fact = decisive(facts)
    if fact is None or fact.stage is Stage.ACCEPTED:
        return None
    return "pending" if fact.stage is Stage.CONNECTED else fact.stage.value


def allowed(before: Stage, after: Stage) -> bool:
    """Say whether the table knows the way from *before* to *after*."""
    return after in TABLE[before].in_order or after in TABLE[before].late


def diagram() -> str:
    """Return the table as a Mermaid state diagram, corrections dotted by their label: the docs hold what this returns (O2)."""
    lines = ["stateDiagram-v2", "    [*] --> invited"]
    for stage, moves in TABLE.items():
        lines += [f"    {stage} --> {target}" for target in _sorted(moves.in_order)]
        lines += [f"    {stage} --> {target}: late fact" for target in _sorted(moves.late)]
        if stage in FINAL:
            lines.append(f"    {stage} --> [*]")
    return "\n".join(lines) + "\n"


def _sorted(stages: Iterable[Stage]) -> Sequence[Stage]:
    order = list(Stage)
    return sorted(stages, key=order.index)
