"""What a caller is told when something is refused: RFC 9457 problems with stable codes, in German and English (E1, G1)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from pydantic import ValidationError
from starlette.responses import Response

from shared import telemetry

_TEXTS: dict[str, tuple[str, str]] = {
    "malformed": ("Die Anfrage ist kein gültiges JSON.", "The request is not valid JSON."),
    "invalid": ("Einige Angaben sind ungültig.", "Some of the values are not valid."),
    "bad_cursor": (
        "Diese Seite gehört zu einer anderen Suche. Bitte beginnen Sie von vorn.",
        "This page belongs to another question. Please start again.",
    ),
    "unauthenticated": ("Bitte melden Sie sich an.", "Please sign in."),
    "not_a_member": ("Sie gehören nicht (mehr) zu dieser Firma.", "You are not a member of this firm."),
    "service_only": ("Dieser Aufruf ist Diensten vorbehalten.", "This call is for services only."),
    "admin_only": ("Das dürfen nur Administratoren.", "Only an administrator may do this."),
    "tab_not_allowed": ("Diesen Reiter gibt es für Ihre Rolle nicht.", "Your role does not have this tab."),
    "not_found": ("Das gibt es hier nicht.", "There is no such thing here."),
    "no_route": ("Diese Adresse gibt es nicht.", "There is no such address."),
    "method_not_allowed": ("Das geht an dieser Adresse nicht.", "This address does not allow that method."),
    "too_large": ("Die Anfrage ist zu groß.", "The request is too large."),
    "unsupported_media_type": ("Bitte senden Sie application/json.", "Please send application/json."),
    "too_many_requests": ("Zu viele Anfragen. Bitte warten Sie einen Moment.", "Too many requests. Please wait a moment."),
    "unavailable": (
        "Das geht gerade nicht. Bitte versuchen Sie es gleich noch einmal.",
        "This is not possible right now. Please try again shortly.",
    ),
    "idempotency_key_reused": (
        "Dieser Idempotency-Key gehört zu einer anderen Anfrage.",
        "This Idempotency-Key belongs to another request.",
    ),
    "not_connected": ("Der Mandant ist nicht verbunden.", "The client is not connected."),
    "grant_invalid": ("Dieser Zugang gilt nicht (mehr).", "This grant is not valid (any more)."),
    "link_invalid": ("Dieser Link gilt nicht (mehr).", "This link is not valid (any more)."),
    "unknown_member": ("Diese Person gehört nicht zu Ihrer Firma.", "This person is not a member of your firm."),
    "too_many_assignees": ("Mehr als 50 Zuständige je Mandant gehen nicht.", "A client can have 50 assignees at most."),
    "invitation_withdrawn": ("Der Mandant hat die Einladung zurückgezogen.", "The client has withdrawn the invitation."),
    "already_answered": ("Diese Einladung ist schon beantwortet.", "This invitation has been answered already."),
    "already_invited": ("Dieses Unternehmen ist schon eingeladen.", "This company has been invited already."),
    "too_many_invitations": ("Zu viele Einladungen. Bitte später noch einmal.", "Too many invitations. Please try again later."),
    "not_open": ("Diese Einladung ist nicht mehr offen.", "This invitation is not open any more."),
    "no_task": ("Bitte wählen Sie mindestens eine Aufgabe.", "Please choose at least one task."),
    "no_assignee": ("Diesem Mandanten ist niemand zugewiesen.", "Nobody is assigned to this client."),
    "too_many_reminders": ("Für heute sind genug Erinnerungen verschickt.", "Enough reminders were sent for today."),
    "internal_error": ("Das hat nicht geklappt; wir sehen es uns an.", "This did not work; we are looking into it."),
}


_FIELD_TEXTS: dict[str, tuple[str, str]] = {
    "missing": ("wird gebraucht", "is required"),
    "string_type": ("muss ein Text sein", "must be a string"),
    "bool_type": ("muss true oder false sein", "must be true or false"),
    "int_type": ("muss eine ganze Zahl sein", "must be an integer"),
    "tuple_type": ("muss eine Liste sein", "must be an array"),
    "dict_type": ("muss ein Objekt sein", "must be an object"),
    "model_type": ("muss ein Objekt sein", "must be an object"),
    "string_too_short": ("muss mindestens {min_length} Zeichen haben", "must have {min_length} characters at least"),
    "string_too_long": ("darf höchstens {max_length} Zeichen haben", "must have {max_length} characters at most"),
    "too_short": ("muss mindestens {min_length} Einträge haben", "must have {min_length} entries at least"),
    "too_long": ("darf höchstens {max_length} Einträge haben", "must have {max_length} entries at most"),
    "string_pattern_mismatch": ("hat nicht die richtige Form", "has not the right form"),
    "enum": ("ist keiner der möglichen Werte: {expected}", "is none of the possible values: {expected}"),
    "literal_error": ("muss {expected} sein", "must be {expected}"),
    "control_characters": ("darf keine Steuerzeichen enthalten", "must not contain control characters"),
    "blank": ("darf nicht leer sein", "must not be blank"),
    "url_not_allowed": ("darf keine Webadresse enthalten", "must not contain a web address"),
    "email": ("ist keine gültige E-Mail-Adresse", "is not a valid e-mail address"),
    "country": ("ist kein Ländercode nach ISO 3166-1 alpha-2", "is not a country code of ISO 3166-1 alpha-2"),
    "assigned_and_unassigned": (
        "dieselbe Person steht in assign und in unassign",
        "a member is both in assign and in unassign",
    ),
    "one_of": ("braucht entweder {one} oder {other}", "must have either {one} or {other}"),
    "date": ("ist kein Tag wie 2026-12-24", "is not a day like 2026-12-24"),
    "unknown": ("gibt es hier nicht", "is not known here"),
    "repeated": ("darf nur einmal angegeben werden", "must be given once"),
    "out_of_range": ("liegt außerhalb des Möglichen", "is out of range"),
    "invalid": ("ist ungültig", "is not valid"),
}
_CODES = {"must not contain control characters": "control_characters", "must not be blank": "blank"}
"""What the contracts' own checks say, which pydantic calls ``value_error`` all alike."""


def german(locale: str | None) -> bool:
    """Say whether *locale* reads German: ``de…`` and absent do (G1)."""
    return locale is None or locale.lower().startswith("de")


def text_of(code: str, locale: str | None) -> str:
    """Return what a person is told about *code*, in their language."""
    de, en = _TEXTS.get(code, _TEXTS["invalid"])
    return de if german(locale) else en


@dataclass(frozen=True, slots=True)
class FieldError:
    """One wrong field of a request."""

    field: str
    code: str
    detail: str
    german: str | None = None

    def text(self, locale: str | None) -> str:
        """Return what is wrong, in the reader's language."""
        if not german(locale):
            return self.detail
        told = _FIELD_TEXTS.get(self.code, _FIELD_TEXTS["invalid"])[0]
        return self.german or (_FIELD_TEXTS["invalid"][0] if "{" in told else told)


class Problem(Exception):
    """A refusal on its way to the caller."""

    def __init__(
        self,
        status: int,
        code: str,
        *,
        locale: str | None = None,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
        **members: Any,
    ) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.locale = locale
        self.errors = errors
        self.headers = dict(headers or {})
        self.members = members

    def response(self) -> Response:
        """Return the problem as ``application/problem+json``."""
        body: dict[str, Any] = {
            "type": f"urn:portal:problem:{self.code}",
            "title": text_of(self.code, "en"),
            "status": self.status,
            "code": self.code,
            "detail": text_of(self.code, self.locale),
            "trace_id": telemetry.trace_id(telemetry.trace.get()),
            **self.members,
        }
        if self.errors:
            body["errors"] = [{"field": e.field, "code": e.code, "detail": e.text(self.locale)} for e in self.errors]
        headers = {"Cache-Control": "no-store", **self.headers}
        if self.status == 401:
            headers.setdefault("WWW-Authenticate", "Bearer")
        return Response(orjson.dumps(body), self.status, headers, "application/problem+json")


def field_errors(wrong: ValidationError) -> list[FieldError]:
    """Return one entry per wrong field of a pydantic error, without echoing what was sent.

    A list with wrong entries is said to be too short as well, for pydantic counts the good ones only: that is left out.
    """
    found: dict[str, FieldError] = {}
    errors = wrong.errors(include_url=False, include_input=False)
    wrong_within = {error["loc"][:-1] for error in errors}
    for error in errors:
        if error["type"] == "too_short" and error["loc"] in wrong_within:
            continue
        name = ".".join(str(part) for part in error["loc"]) or "body"
        found.setdefault(name, _field_error(name, error["type"], error["msg"], error.get("ctx", {})))
    return list(found.values())


def _field_error(field: str, kind: str, said: str, context: Mapping[str, Any]) -> FieldError:
    code = _CODES.get(str(context.get("error")), kind)
    texts = _FIELD_TEXTS.get(code)
    if texts is None:
        return FieldError(field, code, said)
    de, en = (text.format_map(defaultdict(lambda: "…", context)) for text in texts)
    return FieldError(field, code, en, de.replace("' or '", "' oder '"))
