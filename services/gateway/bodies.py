"""The bodies of the public contract: strict in types, deaf to unknown fields (section 1)."""

from __future__ import annotations

import re
import unicodedata
from contextlib import suppress
from datetime import date
from functools import cache
from typing import Annotated, Any

from babel import Locale
from email_validator import EmailNotValidError, validate_email
from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

from shared.contracts.base import Id, Name, ShortText, Task, Wire
from shared.contracts.notifier import Frequency

MAX_COMMENT = 2000
MAX_MEMBERS = 500
MAX_CLIENTS = 500
_NO_COUNTRIES = frozenset({"AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "XK", "ZZ"})
_URL = re.compile(r"[a-z][a-z0-9+.-]*://|\bwww\.|\b(?:mailto|javascript|data|tel):|[\w-]\.[a-z]{2,}[/:?#]", re.IGNORECASE)
_ENDINGS = "com|net|org|info|biz|io|de|eu|at|ch|fr|uk|dk|se|nl|ru|cn|xyz|top|site|online|app|link"
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_BARE_DOMAIN = re.compile(rf"[\w-]{{2,}}\.(?:{_ENDINGS})\b", re.IGNORECASE)


@cache
def countries() -> frozenset[str]:
    """Return the codes of ISO 3166-1 alpha-2: CLDR's territories without its groups and reserved codes."""
    codes = (str(code) for code in Locale("en").territories)
    return frozenset(code for code in codes if re.fullmatch("[A-Z]{2}", code)) - _NO_COUNTRIES


def without_url(value: str) -> str:
    """Return *value* unless a mail program would make a link of it (E4)."""
    if _URL.search(unicodedata.normalize("NFKC", value)):
        raise PydanticCustomError("url_not_allowed", "must not contain a web address")
    return value


def without_domain(value: str) -> str:
    """Return *value* unless it names a site: a person is not called example.com (E4)."""
    if _BARE_DOMAIN.search(unicodedata.normalize("NFKC", value)):
        raise PydanticCustomError("url_not_allowed", "must not contain a web address")
    return value


def address(value: str) -> str:
    """Return the e-mail address *value*, its domain as people write it, if a mail server takes it; nothing is looked up."""
    try:
        valid = validate_email(value, check_deliverability=False, allow_smtputf8=False, globally_deliverable=False)
    except EmailNotValidError as wrong:
        raise PydanticCustomError("email", "is not a valid e-mail address") from wrong
    if "." not in valid.domain or valid.ascii_email is None:
        raise PydanticCustomError("email", "is not a valid e-mail address")
    return str(valid.normalized)


def country(value: str) -> str:
    """Return *value* if it is a country's code."""
    if value not in countries():
        raise PydanticCustomError("country", "is not a country code of ISO 3166-1 alpha-2")
    return value


def prose(value: str) -> str:
    """Return *value* if it is plain text of some lines: of the control characters only tab and line ends (R2)."""
    if any(unicodedata.category(c) in ("Cc", "Cs") and c not in "\t\r\n" for c in value):
        raise PydanticCustomError("control_characters", "must not contain control characters")
    return value


def day(value: Any) -> date:
    """Return the day *value*, written as ISO 8601 writes a date and in no other way: pydantic would take seconds, too."""
    with suppress(ValueError):
        if isinstance(value, str) and _DAY.fullmatch(value):
            return date.fromisoformat(value)
    raise PydanticCustomError("date", "is not a day like 2026-12-24")


def once(values: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return *values* without repeats, in their order."""
    return tuple(dict.fromkeys(values))


MailedName = Annotated[Name, AfterValidator(without_url)]
PersonName = Annotated[Name, AfterValidator(without_url), AfterValidator(without_domain)]
Address = Annotated[str, StringConstraints(min_length=3, max_length=254), AfterValidator(address)]
Country = Annotated[str, StringConstraints(min_length=2, max_length=2), AfterValidator(country)]
Day = Annotated[date, BeforeValidator(day)]
Comment = Annotated[str, StringConstraints(max_length=MAX_COMMENT), AfterValidator(prose)]
MemberIds = Annotated[tuple[Id, ...], Field(max_length=MAX_MEMBERS), AfterValidator(once)]
ClientIds = Annotated[tuple[Id, ...], Field(min_length=1, max_length=MAX_CLIENTS), AfterValidator(once)]


class Assignment(Wire):
    """Who is to be assigned."""

    member_id: Id


class Assignments(Wire):
    """Who is to be assigned and unassigned where."""

    client_ids: ClientIds
    assign: MemberIds = ()
    unassign: MemberIds = ()

    @model_validator(mode="after")
    def _not_both(self) -> Assignments:
        if set(self.assign) & set(self.unassign):
            raise PydanticCustomError("assigned_and_unassigned", "a member is both in assign and in unassign")
        return self


class Acceptance(Wire):
    """Who works on the client from now on; may be nobody (I2)."""

    assign: MemberIds = ()


class Disconnection(Wire):
    """That the end of a connection is meant (I5)."""

    confirm: bool

    @field_validator("confirm")
    @classmethod
    def _meant(cls, value: bool) -> bool:
        if not value:
            raise PydanticCustomError("literal_error", "must be {expected}", {"expected": "true"})
        return value


class Invitation(Wire):
    """A company to be invited to Pleo (O1)."""

    company_name: MailedName
    contact_name: PersonName
    contact_email: Address
    country: Country
    client_number: ShortText | None = None
    assign: MemberIds = ()


class Reminder(Wire):
    """What the assignees are reminded of; no task at all is clients' to refuse (R2)."""

    tasks: Annotated[tuple[Task, ...], Field(max_length=50), AfterValidator(once)]
    comment: Comment | None = None


class Notifications(Wire):
    """The e-mail notifications of one client, replaced as a whole (N1)."""

    email: bool
    frequency: Annotated[Frequency | None, Field(validate_default=True)] = None
    even_if_nothing: bool = False

    @field_validator("frequency")
    @classmethod
    def _told_when_on(cls, value: Frequency | None, info: ValidationInfo) -> Frequency | None:
        if value is None and info.data.get("email") is True:
            raise PydanticCustomError("missing", "is required when email is true")
        return value


class Token(Wire):
    """A token that a service presents."""

    token: str


class DevLogin(Wire):
    """Who the local run's developer wants to be; *claims* override any claim, null takes it away."""

    member_id: str | None = None
    service: str | None = None
    claims: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _one(self) -> DevLogin:
        if (self.member_id is None) == (self.service is None):
            raise PydanticCustomError("one_of", "must have either {one} or {other}", {"one": "member_id", "other": "service"})
        return self
