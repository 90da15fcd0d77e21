"""The bodies of the contract: what they take and which field is at fault."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from pydantic import BaseModel

from services.gateway.bodies import (
    Acceptance,
    Assignments,
    DevLogin,
    Disconnection,
    Invitation,
    Notifications,
    Reminder,
    countries,
)
from services.gateway.reading import checked
from shared.problems import Problem

COMPANY = {
    "company_name": "Müller Bau GmbH",
    "contact_name": "Ada Müller",
    "contact_email": "ada@mueller.example",
    "country": "DE",
}


def faults(model: type[BaseModel], body: Any) -> list[str]:
    """Return the fields that are wrong in *body*."""
    try:
        checked(model, orjson.dumps(body))
    except Problem as refused:
        return [error.field for error in refused.errors]
    return []


@pytest.mark.parametrize("body", [[], "x", 1, None, True])
def test_a_body_that_is_no_object_is_invalid(body: Any) -> None:
    """422, not 400: it is JSON."""
    assert faults(Acceptance, body) == ["body"]


def test_an_unknown_field_is_ignored() -> None:
    """Section 1: so that clients of tomorrow can talk to us."""
    assert faults(Invitation, {**COMPANY, "colour": "blue"}) == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("company_name", ""),
        ("company_name", " "),
        ("company_name", "a\r\nBcc: x@y.example"),
        ("company_name", "a\u2028b"),
        ("company_name", "x" * 201),
        ("company_name", "Pay at https://evil.example"),
        ("company_name", "www.evil.example"),
        ("company_name", "evil.example/login"),
        ("company_name", "ｈｔｔｐｓ：／／evil"),
        ("contact_name", "evil.com"),
        ("contact_name", 7),
        ("contact_email", "ada"),
        ("contact_email", "ada@localhost"),
        ("contact_email", "Ada <ada@mueller.example>"),
        ("contact_email", "ada@mueller.example\nBcc: x@y.example"),
        ("contact_email", "ädä@mueller.example"),
        ("country", "XX"),
        ("country", "de"),
        ("country", "EU"),
        ("country", "DEU"),
        ("assign", ["a b"]),
        ("assign", "m-1"),
        ("client_number", "1\n2"),
    ],
)
def test_an_invitation_names_the_wrong_field(field: str, value: Any) -> None:
    """E4: names and addresses that reach a mail are checked before anything is published."""
    assert [fault.partition(".")[0] for fault in faults(Invitation, {**COMPANY, field: value})] == [field]


@pytest.mark.parametrize("name", ["Booking.com B.V.", "Dr. Ada Müller", "C&A", "3M Deutschland", "Fa. Groß: Söhne"])
def test_a_company_may_be_called_as_it_is(name: str) -> None:
    """A name with a dot or a colon is no web address."""
    assert faults(Invitation, {**COMPANY, "company_name": name}) == []


def test_every_country_is_one_of_iso_3166() -> None:
    """ISO 3166-1 has 249 codes."""
    assert len(countries()) == 249
    assert {"DE", "AT", "DK", "GB", "US"} <= countries()


def test_a_frequency_is_needed_to_switch_on_only() -> None:
    """N1: a full replacement; frequency required when email is true."""
    assert faults(Notifications, {"email": True}) == ["frequency"]
    assert faults(Notifications, {"email": True, "frequency": None}) == ["frequency"]
    assert faults(Notifications, {"email": False}) == []
    assert faults(Notifications, {"email": True, "frequency": "hourly"}) == ["frequency"]
    assert faults(Notifications, {"email": "true", "frequency": "daily"}) == ["email"]


def test_a_comment_is_plain_text_of_2000_characters() -> None:
    """R2: lines and tabs, no other control characters."""
    assert faults(Reminder, {"tasks": ["low_balance"], "comment": "a\r\n\tb" + "x" * 1995}) == []
    assert faults(Reminder, {"tasks": ["low_balance"], "comment": "x" * 2001}) == ["comment"]
    assert faults(Reminder, {"tasks": ["low_balance"], "comment": "a\u0000"}) == ["comment"]


def test_no_task_is_for_clients_to_refuse() -> None:
    """R2: an empty list is a refusal with a command, an unknown word is invalid."""
    assert faults(Reminder, {"tasks": []}) == []
    assert faults(Reminder, {"tasks": ["everything"]}) == ["tasks.0"]
    assert faults(Reminder, {}) == ["tasks"]


def test_nobody_is_assigned_and_unassigned_at_once() -> None:
    """A member in both is 422; repeats within one count once."""
    assert faults(Assignments, {"client_ids": ["c"], "assign": ["m"], "unassign": ["m"]}) == ["body"]
    assert faults(Assignments, {"client_ids": []}) == ["client_ids"]
    assert faults(Assignments, {"client_ids": [f"c{n}" for n in range(501)]}) == ["client_ids"]
    assert checked(Assignments, b'{"client_ids": ["c", "c"], "assign": ["m", "m"]}').assign == ("m",)


@pytest.mark.parametrize("body", [{}, {"confirm": False}, {"confirm": "true"}, {"confirm": 1}])
def test_a_disconnect_must_be_meant(body: Any) -> None:
    """Only {"confirm": true} confirms."""
    assert faults(Disconnection, body) == ["confirm"]


def test_a_developer_is_a_member_or_a_service() -> None:
    """One of them."""
    assert faults(DevLogin, {}) == faults(DevLogin, {"member_id": "m", "service": "s"}) == ["body"]
