"""The calendar by its command line, and a trace from the request to the mail (N2–N4; contract, sections 3 and 4)."""

from __future__ import annotations

import copy
import json
import uuid
from pathlib import Path

import pytest

from tests.e2e.portal import Firm, Outside
from tests.system import eventually

VECTORS = [
    ("2026-03-20T12:00:00Z", "weekly", None, ["2026-03-23T10:00:00+01:00", "2026-03-30T10:00:00+02:00"]),
    ("2026-10-16T12:00:00Z", "weekly", None, ["2026-10-19T10:00:00+02:00", "2026-10-26T10:00:00+01:00"]),
    (
        "2026-03-24T12:00:00Z",
        "monthly",
        None,
        ["2026-03-30T10:00:00+02:00", "2026-05-04T10:00:00+02:00", "2026-06-01T10:00:00+02:00"],
    ),
    ("2026-03-20T12:00:00Z", "daily", ("2026-04-01T12:00:00Z", "monthly"), ["2026-05-04T10:00:00+02:00"]),
    ("2026-03-20T12:00:00Z", "daily", ("2026-04-01T12:00:00Z", "weekly"), ["2026-04-06T10:00:00+02:00"]),
    ("2026-03-20", "weekly", None, ["2026-03-23T10:00:00+01:00", "2026-03-30T10:00:00+02:00"]),  # N3 names days: Berlin's
    ("2026-03-24", "monthly", ("2026-03-25", "daily"), ["2026-03-30T10:00:00+02:00", "2026-03-31T10:00:00+02:00"]),
    ("2026-11-23T09:59:59.999", "daily", None, ["2026-11-23T10:00:00+01:00"]),
    ("2026-11-23T09:59:59.999+01:00", "daily", None, ["2026-11-23T10:00:00+01:00"]),
    ("2026-11-23T10:00:00.000+01:00", "daily", None, ["2026-11-30T10:00:00+01:00"]),
]


@pytest.mark.parametrize(("switched_on", "frequency", "changed", "expected"), VECTORS)
async def test_the_vectors_of_the_calendar(
    outside: Outside, switched_on: str, frequency: str, changed: tuple[str, str] | None, expected: list[str]
) -> None:
    """N2–N4: what the scheduler computes, one instant with its offset a line."""
    asked = ["--switched-on", switched_on, "--frequency", frequency, "--count", str(len(expected))]
    code, out = await outside.python("services.notifier", "instants", *asked, *(("--changed", *changed) if changed else ()))
    assert code == 0, out
    assert out.split() == expected


@pytest.mark.parametrize(
    "asked",
    [
        ("--switched-on", "soon", "--frequency", "daily"),
        ("--switched-on", "2026-03-20", "--frequency", "yearly"),
        ("--switched-on", "2026-03-20", "--frequency", "daily", "--changed", "then", "weekly"),
        ("--switched-on", "2026-03-20", "--frequency", "daily", "--changed", "2026-03-21", "yearly"),
        ("--switched-on", "0001-01-01", "--frequency", "daily"),
        ("--switched-on", "2026-03-20", "--frequency", "daily", "--changed", "9999-12-31", "weekly"),
        ("--switched-on", "2026-03-20", "--frequency", "daily", "--count", "-1"),
    ],
)
async def test_what_the_calendar_cannot_read_is_named(outside: Outside, asked: tuple[str, ...]) -> None:
    """Contract, section 4: a wrong argument is told in a sentence, without a stack trace."""
    code, out = await outside.python("services.notifier", "instants", *asked)
    assert code == 2
    assert "error: argument --" in out
    assert "Traceback" not in out


@pytest.mark.parametrize("service", ["notifier", "onboarding"])
@pytest.mark.parametrize(
    "at", ["soon", "2026-11-30T10:00:00", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "9999-12-31T12:00:00Z"]
)
async def test_an_instant_that_no_tick_can_reach_is_named(outside: Outside, service: str, at: str) -> None:
    """Contract, section 4: in a sentence, without a stack trace; a tick past thousands of years would never be settled."""
    code, out = await outside.python(f"services.{service}", "tick", "--at", at)
    assert code == 2
    assert f"error: argument --at: '{at}' " in out
    assert "Traceback" not in out


@pytest.mark.parametrize("service", ["notifier", "onboarding"])
@pytest.mark.parametrize("away", ["KAFKA_BOOTSTRAP_SERVERS", "MONGODB_URL", ""])
async def test_a_tick_says_what_it_cannot_reach(outside: Outside, home: Path, tmp_path: Path, service: str, away: str) -> None:
    """Contract, section 4: in a sentence that says what to do, without a stack trace; also where nothing was ever started."""
    nowhere = {"KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1", "MONGODB_URL": "mongodb://127.0.0.1:1/?replicaSet=portal"}
    if away:
        kept = [line for line in (home / "portal.env").read_text().splitlines() if not line.startswith(f"{away}=")]
        (tmp_path / "portal.env").write_text("\n".join([*kept, f"{away}={nowhere[away]}"]))
    elsewhere = copy.copy(outside)
    elsewhere.home = tmp_path
    code, out = await elsewhere.python(f"services.{service}", "tick", "--at", "2026-11-30T10:00:00+01:00")
    assert code == 1
    assert "make up" in out.splitlines()[-1]
    assert "Traceback" not in out


async def test_a_trace_goes_from_the_request_to_the_mail(firm: Firm, outside: Outside) -> None:
    """Contract, section 3: W3C traceparent from HTTP through Kafka to the mail's headers."""
    client_id = await firm.client("Vogt Bau", firm.tom)
    trace = "0af7651916cd43dd8448eb211c80319c"
    answer = await firm.post(
        f"/v1/clients/{client_id}/reminders", {"tasks": ["export_ready"]}, traceparent=f"00-{trace}-b7ad6b7169203331-01"
    )
    assert answer.status == 201, answer

    async def mailed() -> list[str]:
        return [mail["headers"]["traceparent"] for mail in await outside.mails(firm.address(firm.tom))]

    (given,) = await eventually(mailed)
    assert given.split("-")[1] == trace


async def test_a_trace_is_found_in_the_logs_of_whoever_had_a_part(firm: Firm, outside: Outside, home: Path) -> None:
    """Contract, section 3: JSON logs with `trace_id`: a command, its mail, and a record that was set aside."""
    client_id = await firm.client("Vogt Bau", firm.tom)
    trace = uuid.uuid4().hex
    parent = f"00-{trace}-b7ad6b7169203331-01"
    reminded = await firm.post(f"/v1/clients/{client_id}/reminders", {"tasks": ["export_ready"]}, traceparent=parent)
    await firm.post(f"/v1/clients/{client_id}/assignments", {"member_id": "nobody"}, traceparent=parent)
    await outside.event("pleo.receipts", "pleo.receipt.missing.v1", {"client_id": client_id}, traceparent=parent)
    wanted = {
        ("gateway", "command_published", "remind_assignees"),
        ("gateway", "command_published", "assign_member"),
        ("clients", "command_settled", "unknown_member"),
        ("clients", "record_set_aside", "invalid"),
        ("notifier", "command_settled", "succeeded"),
        ("notifier", "mail_settled", "sent"),
    }

    async def logged() -> bool:
        lines = [line for path in (home / "logs").glob("*.log") for line in path.read_text().splitlines() if trace in line]
        told = [json.loads(line) for line in lines]
        assert {(t["service"], t["event"], word) for t in told for word in t.values() if isinstance(word, str)} >= wanted
        return all(t["trace_id"] == trace for t in told) and any(reminded.body["command_id"] in line for line in lines)

    await eventually(logged)
