"""What bad records get, and what SREs see (E3; contract, sections 2 and 3)."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pytest

from tests.e2e.portal import Firm, Outside
from tests.system import eventually


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b"\xff{", "not_json"),
        (b'{"client_id": 5, "expense_id": "e"}', "invalid"),
        (b"null", "invalid"),
        (b'{"client_id": "$id", "expense_id": "' + b"x" * 1_000_000 + b'"}', "invalid"),
    ],
)
async def test_a_bad_record_is_set_aside_once_and_those_behind_it_go_on(
    firm: Firm, outside: Outside, value: bytes, reason: str
) -> None:
    """E3: key and bytes unchanged, its origin in the headers."""
    client_id = await firm.client("Niehaus Bau", firm.tom)
    where = await outside.event("pleo.receipts", "pleo.receipt.missing.v1", {"client_id": client_id}, value=value)
    await outside.event("pleo.receipts", "pleo.receipt.missing.v1", {"client_id": client_id, "expense_id": "good"})
    await firm.figure(client_id, "missing_receipts", 1)

    async def aside() -> list[dict[str, str]]:
        found = []
        for record in await outside.dead("pleo.receipts"):
            headers = {name: text.decode() for name, text in record.headers}
            if (int(headers["dead_partition"]), int(headers["dead_offset"])) == where:
                assert record.value == value
                assert record.key == client_id.encode()
                found.append(headers)
        return found

    (headers,) = await eventually(aside)
    assert headers["dead_reason"] == reason
    assert headers["dead_topic"] == "pleo.receipts"
    assert headers["dead_service"] == "clients"


@pytest.mark.parametrize("service", ["CLIENTS", "ONBOARDING", "NOTIFIER", "GATEWAY"])
async def test_every_service_tells_of_its_health(outside: Outside, service: str) -> None:
    """Contract, section 3: metrics and both health pages."""
    assert "portal_" in await outside.metrics(service)
    url = outside.endpoints[f"{service}_METRICS_URL"]
    for page in ("live", "ready"):
        async with outside.http.get(url.removesuffix("/metrics") + f"/health/{page}") as answer:
            assert answer.status == 200, await answer.text()


METRICS: Mapping[str, set[str] | None] = {
    "portal_consumer_lag_records": {"service", "topic", "partition"},
    "portal_records_handled_total": {"service", "topic", "outcome"},
    "portal_dead_letters_total": {"topic", "reason"},
    "portal_commands_total": {"command", "outcome"},
    "portal_digests_total": {"outcome"},
    "portal_http_requests_total": {"route", "method", "status"},
    **dict.fromkeys(("portal_handling_seconds", "portal_freshness_seconds", "portal_outbox_rows", "portal_records_lost_total")),
    **dict.fromkeys(("portal_mail_seconds", "portal_http_request_seconds")),
}
"""The contract's names, and the labels where it says which."""


@pytest.mark.parametrize("service", ["CLIENTS", "ONBOARDING", "NOTIFIER", "GATEWAY"])
async def test_metrics_have_the_names_and_labels_of_the_contract_and_no_others(outside: Outside, service: str) -> None:
    """Contract, section 3: beside these, there are the client library's own."""
    told = await outside.metrics(service)
    ours = set(re.findall(r"^# TYPE (portal_\w+) ", told, re.MULTILINE))
    assert ours == set(METRICS)
    for name, labels in re.findall(r"^(portal_\w+)\{(.*)\} ", told, re.MULTILINE):
        assert METRICS.get(name) in (None, set(re.findall(r'(\w+)="', labels))), (name, labels)


async def test_a_command_is_counted_under_its_own_name_whoever_finishes_it(firm: Firm, outside: Outside) -> None:
    """Contract, section 3: `portal_commands_total{command,outcome}`; an invitation is decided and finished in two services."""
    before = await commands_counted(outside)
    client_id = await firm.client("Gezählt Bau", firm.tom)
    company = {"company_name": "Gezählt", "contact_name": "Robin", "contact_email": "r@gezaehlt.example", "country": "DE"}
    invited = await firm.post("/v1/onboarding", company)
    await firm.post(f"/v1/onboarding/{invited.body['result']['client_id']}/withdraw")
    await firm.post(f"/v1/clients/{client_id}/reminders", {"tasks": ["low_balance"]})
    await firm.put("/v1/notifications", {"client_ids": [client_id], "email": True, "frequency": "daily"})
    told = await commands_counted(outside)
    named = {command for command, count in told.items() if count != before.get(command, 0)}
    assert named == {
        "accept_invitation",
        "invite_company",
        "withdraw_invitation",
        "remind_assignees",
        "set_many_notifications",
    }


async def commands_counted(outside: Outside) -> dict[str, float]:
    """Return how many commands succeeded by their name, over all services."""
    counted: dict[str, float] = {}
    for service in ("CLIENTS", "ONBOARDING", "NOTIFIER"):
        told = await outside.metrics(service)
        for command, count in re.findall(
            r'^portal_commands_total\{command="(\w+)",outcome="succeeded"\} (\S+)', told, re.MULTILINE
        ):
            counted[command] = counted.get(command, 0) + float(count)
    return counted


async def test_an_unknown_address_has_no_route(outside: Outside) -> None:
    """Contract, section 1: ``no_route`` and ``method_not_allowed``."""
    assert (await outside.call("GET", "/v1/nowhere")).code == "no_route"
    assert (await outside.call("PUT", "/v1/tabs")).code == "method_not_allowed"
