"""The words every contract is made of: ids, names, money, and the shapes of commands, events and states."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Any, ClassVar, NewType

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

ID_PATTERN = r"^[A-Za-z0-9_-]{1,64}$"
MAX_NAME = 200

FirmId = NewType("FirmId", str)
MemberId = NewType("MemberId", str)
ClientId = NewType("ClientId", str)
CommandId = NewType("CommandId", str)

Id = Annotated[str, StringConstraints(pattern=ID_PATTERN)]
AFirmId = Annotated[FirmId, StringConstraints(pattern=ID_PATTERN)]
AMemberId = Annotated[MemberId, StringConstraints(pattern=ID_PATTERN)]
AClientId = Annotated[ClientId, StringConstraints(pattern=ID_PATTERN)]
ACommandId = Annotated[CommandId, StringConstraints(pattern=ID_PATTERN)]
Sequence = Annotated[int, Field(ge=0, le=2**63 - 1)]


def plain_text(value: str) -> str:
    """Return *value* if it holds no control or format-breaking character, else raise ValueError (E4).

    Line and paragraph separators count as control characters: a mail header would break at them.
    """
    if any(unicodedata.category(c) in ("Cc", "Zl", "Zp", "Cs") for c in value):
        raise ValueError("must not contain control characters")
    return value


def not_blank(value: str) -> str:
    """Return *value* unless it is only white space, then raise ValueError."""
    if not value.strip():
        raise ValueError("must not be blank")
    return value


Name = Annotated[str, StringConstraints(min_length=1, max_length=MAX_NAME), AfterValidator(plain_text), AfterValidator(not_blank)]
ShortText = Annotated[str, StringConstraints(min_length=1, max_length=MAX_NAME), AfterValidator(plain_text)]


class Wire(BaseModel):
    """A value that travels: frozen, strict in its types, unknown fields ignored."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")


class Role(StrEnum):
    """What a member of a firm may do."""

    ADMIN = "admin"
    ACCOUNTANT = "accountant"


class Task(StrEnum):
    """An outstanding task of a client."""

    MISSING_RECEIPTS = "missing_receipts"
    EXPORT_READY = "export_ready"
    LOW_BALANCE = "low_balance"


class Money(Wire):
    """An amount in the minor unit of its currency: ``{"amount_minor": 123456, "currency": "EUR"}`` is 1,234.56 EUR."""

    amount_minor: Annotated[int, Field(ge=-(2**63), le=2**63 - 1)]
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]


_NO_DIGITS = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_THREE_DIGITS = "BHD IQD JOD KWD LYD OMR TND"
_DIGITS_OF = {**dict.fromkeys(_NO_DIGITS.split(), 0), **dict.fromkeys(_THREE_DIGITS.split(), 3), "CLF": 4, "UYW": 4}


def minor_digits(currency: str) -> int:
    """Return the digits of the minor unit by ISO 4217; what people are used to see, as CLDR knows it, may be fewer."""
    return _DIGITS_OF.get(currency, 2)


class Message(Wire):
    """Anything with a CloudEvents type of its own."""

    ce_type: ClassVar[str]

    @property
    def weight(self) -> int:
        """How many documents it touches, about: what a transaction may carry is limited by it (invariant 14)."""
        return 1


class Actor(Wire):
    """Who issued a command, as clients' door knew them at that moment; only the gateway stamps it."""

    member_id: AMemberId
    firm_id: AFirmId
    role: Role
    name: str
    email: str
    locale: str | None = None


class Command(Message):
    """A wish, decided once: *command_id* makes it unique, *issued_at* is when the user did it."""

    command_id: ACommandId
    issued_at: AwareDatetime
    actor: Actor


class Tick(Message):
    """Time speaking: a scheduler says that something may be due by *at*; the state decides."""

    at: AwareDatetime


class Event(Message):
    """Something that happened; unique by its CloudEvents id."""


class State(Message):
    """The whole state of one thing; the newest *version* counts."""

    version: int


class Status(StrEnum):
    """Where a command stands."""

    PENDING = "pending"
    SUCCEEDED = "succeeded"
    REFUSED = "refused"


class Outcome(Event):
    """What became of a command, told by its finisher once its reads show the effect."""

    ce_type: ClassVar[str] = "portal.command.settled.v1"

    command_id: ACommandId
    member_id: str
    status: Status
    code: str | None = None
    detail: str | None = None
    result: Mapping[str, Any] | None = None


class Cleanup(StrEnum):
    """What the broker does with old records of a topic."""

    DELETE = "delete"
    COMPACT = "compact"


DAY = timedelta(days=1)


class Topic(BaseModel):
    """A topic as it must stand on the broker; *reads* are the message types it carries."""

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)

    name: str
    partitions: int = 6
    cleanup: Cleanup = Cleanup.DELETE
    retention: timedelta | None = 7 * DAY
    max_message_bytes: int = 1024 * 1024 + 64 * 1024  # a record of 1 MiB with its key and headers
    carries: tuple[type[Message], ...] = ()
    dead: bool = True

    @cached_property
    def types(self) -> dict[str, type[Message]]:
        """The models by CloudEvents type."""
        return {model.ce_type: model for model in self.carries}

    @property
    def dead_name(self) -> str:
        """Where records are set aside that cannot be handled (E3)."""
        return f"{self.name}.dead"
