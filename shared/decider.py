"""The pure core every service has: decide what a message means, evolve the state by what was decided."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar

from shared.contracts.base import Command, Message, Topic
from shared.messages import Heard

W = TypeVar("W")


@dataclass(frozen=True, slots=True)
class Refused:
    """A command was refused; *code* is stable and public (E2). Subclass it to name the refusal."""

    code: str
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class Succeeded:
    """A command is done: the reads of this service show its effect."""

    result: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Finished:
    """A command that another service decided, or an earlier step of ours, is done here: its reads show the effect now."""

    command_id: str
    member_id: str
    outcome: Succeeded | Refused
    command: type[Command]


@dataclass(frozen=True, slots=True)
class Said:
    """Something that happened and is told to others, on *topic* under *key*."""

    topic: Topic
    key: str
    message: Message
    source: str | None = None


@dataclass(frozen=True, slots=True)
class Counted:
    """A record that changed nothing for a reason worth a metric, e.g. ``conflict`` (contract, section 2)."""

    outcome: str


@dataclass(frozen=True, slots=True)
class Decider(Generic[W]):
    """*decide* says what a message leads to, given the states *W* it touches; *evolve* applies it to them.

    *follow*, called once a batch is decided, brings what changed in one state to those that show it, too. All are pure
    but for *W* itself: no I/O, clock, randomness, logging. So a batch may be decided again.
    A command that yields neither Refused nor Succeeded is passed on: its finisher is another service.
    """

    decide: Callable[[Heard[Any], W, datetime], Sequence[Any]]
    evolve: Callable[[W, Any], None]
    follow: Callable[[W], None] = lambda world: None
