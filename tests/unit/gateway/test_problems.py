"""What a refusal says, in both languages (E1, G1)."""

from __future__ import annotations

import orjson
import pytest
from pydantic import BaseModel

from services.gateway.bodies import Assignments, Disconnection, Invitation, Notifications, Reminder
from services.gateway.languages import REMEMBERED, Languages
from services.gateway.reading import checked
from services.gateway.routes.notifications import ManyNotifications, NotificationSettings
from shared.auth import Caller
from shared.problems import FieldError, Problem

NO_DAYS = (b'"1767225600"', b"1767225600", b'"2026-13-01"', b'"2026-12-01T00:00:00Z"', b'"20261201"', b'""', b"[]")
BODIES: list[tuple[type[BaseModel], bytes, set[tuple[str, str]]]] = [
    (
        Invitation,
        b'{"company_name":"a\\u0000","contact_name":" ","contact_email":"x@","country":"XX","client_number":5,"assign":[1]}',
        {
            ("company_name", "control_characters"),
            ("contact_name", "blank"),
            ("contact_email", "string_too_short"),
            ("country", "country"),
            ("client_number", "string_type"),
            ("assign.0", "string_type"),
        },
    ),
    (Invitation, b"[]", {("body", "model_type")}),
    (Notifications, b'{"email":true,"frequency":"x"}', {("frequency", "enum")}),
    (Notifications, b'{"email":true}', {("frequency", "missing")}),
    (Disconnection, b'{"confirm":false}', {("confirm", "literal_error")}),
    (Reminder, b'{"tasks":["x"],"comment":"\\u0001"}', {("tasks.0", "enum"), ("comment", "control_characters")}),
    (Assignments, b'{"client_ids":[],"assign":"a"}', {("client_ids", "too_short"), ("assign", "tuple_type")}),
    (Assignments, b'{"client_ids":["a b"]}', {("client_ids.0", "string_pattern_mismatch")}),
    (Assignments, b'{"client_ids":["b"],"assign":["a"],"unassign":["a"]}', {("body", "assigned_and_unassigned")}),
    (ManyNotifications, b'{"email":false}', {("body", "one_of")}),
    *((NotificationSettings, b'{"paused_until":%s}' % odd, {("paused_until", "date")}) for odd in NO_DAYS),
]


@pytest.mark.parametrize(("model", "body", "expected"), BODIES)
def test_each_wrong_field_has_its_code_and_a_sentence_in_both_languages(
    model: type[BaseModel], body: bytes, expected: set[tuple[str, str]]
) -> None:
    """E1, G1: one entry per wrong field; German for German readers, English for the others."""
    with pytest.raises(Problem) as refused:
        checked(model, body)
    told = {}
    for locale in ("de-AT", None, "fr"):
        refused.value.locale = locale
        told[locale] = orjson.loads(bytes(refused.value.response().body))
    for problem in told.values():
        assert {(error["field"], error["code"]) for error in problem["errors"]} == expected
    assert told["de-AT"] == {**told[None]}
    for german, english in zip(told[None]["errors"], told["fr"]["errors"], strict=True):
        assert german["detail"] != english["detail"]
        assert english["detail"].startswith(("must", "is", "has", "a "))
    assert told[None]["detail"] != told["fr"]["detail"]


def test_a_detail_nobody_put_into_german_is_still_said_in_german() -> None:
    """G1: less is said, but in the reader's language."""
    assert FieldError("limit", "odd", "must be 1 to 200").text("de") == "ist ungültig"
    assert FieldError("limit", "odd", "must be 1 to 200").text("en") == "must be 1 to 200"


def caller(subject: str, firm_id: str = "kanzlei") -> Caller:
    return Caller(subject, firm_id, frozenset(), "", 0.0)


def test_a_language_is_remembered_for_one_member_of_one_firm() -> None:
    """A token of another firm for the same member says nothing about the language."""
    languages = Languages()
    languages.note(caller("leyla"), "en-GB")
    assert languages.of(caller("leyla")) == "en-GB"
    assert languages.of(caller("leyla", "other")) is None
    for number in range(REMEMBERED):
        languages.note(caller(f"m-{number}"), "de")
    assert languages.of(caller("leyla")) is None
