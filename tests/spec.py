"""How a rule is told, the same for every service: given a world and its history, when this is heard, then that is decided."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from shared.clock import stamp_of
from shared.contracts.base import Message
from shared.decider import Decider, Said
from shared.messages import Heard

W = TypeVar("W")
NOW = datetime(2026, 3, 12, 9, tzinfo=UTC)
"""A Thursday morning: the moment of everything that does not say its own."""


def heard(message: Message | Heard[Any], at: datetime = NOW, id: str = "1") -> Heard[Any]:
    """Return *message* in an envelope, or the envelope it came in."""
    return message if isinstance(message, Heard) else Heard(message, id, "test", stamp_of(at))


@dataclass
class Story(Generic[W]):
    """A world, and what the last message led to."""

    decider: Decider[W]
    world: W
    now: datetime = NOW
    decided: Sequence[Any] = ()

    def at(self, now: datetime) -> Story[W]:
        """Let it be *now* from here on."""
        self.now = now
        return self

    def when(self, *messages: Message | Heard[Any]) -> Story[W]:
        """Hear *messages*, each decided on what those before it led to."""
        for message in messages:
            self.decided = list(self.decider.decide(heard(message), self.world, self.now))
            for event in self.decided:
                self.decider.evolve(self.world, event)
            self.decider.follow(self.world)
        return self

    def then(self, *events: Any) -> Story[W]:
        """Assert that exactly *events* were decided; what is said counts by its message, a type stands for any of its kind."""
        decided = [e.message if isinstance(e, Said) else e for e in self.decided]
        assert len(decided) == len(events), decided
        for one, wanted in zip(decided, events, strict=True):
            assert isinstance(one, wanted) if isinstance(wanted, type) else one == wanted
        return self


def given(decider: Decider[W], world: W, *history: Message | Heard[Any]) -> Story[W]:
    """Begin a story in *world* with *history* behind it."""
    return Story(decider, world).when(*history)
