"""A client as the API shows it: figures with their times, people by name, a reason in the viewer's language (L7, L8)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from services.clients.domain.states import Client
from services.clients.queries.viewer import Viewer
from shared.clock import moment_of, shown
from shared.mongo import Document
from shared.problems import german

BERLIN = ZoneInfo("Europe/Berlin")
_TIME = re.compile(r"{(invited|step|connected|ended)}")

_REASONS: dict[str, tuple[str, str]] = {
    "invitation_pending": ("Einladung vom {invited}", "invitation of {invited}"),
    "invitation_pending_addressed": ("Einladung vom {invited} an {addressed}", "invitation of {invited} to {addressed}"),
    "onboarding_invited": ("eingeladen am {invited}, Vollmacht fehlt", "invited on {invited}, power of attorney missing"),
    "onboarding_undelivered": (
        "eingeladen am {invited}, E-Mail nicht zustellbar",
        "invited on {invited}, email could not be delivered",
    ),
    "onboarding_accepted": ("angenommen am {step}, Vollmacht fehlt", "accepted on {step}, power of attorney missing"),
    "onboarding_connected": (
        "verbunden seit {connected}, Prüfung steht aus",
        "connected since {connected}, verification pending",
    ),
    "onboarding_in_review": ("in Prüfung seit {step}", "in review since {step}"),
    "onboarding_information_required": ("Angaben fehlen seit {step}", "information required since {step}"),
    "connected": ("verbunden seit {connected}", "connected since {connected}"),
    "ended_withdrawn": ("Einladung zurückgezogen am {ended}", "invitation withdrawn on {ended}"),
    "ended_declined": ("Einladung abgelehnt am {ended}", "invitation declined on {ended}"),
    "ended_disconnected": ("Verbindung beendet am {ended}", "disconnected on {ended}"),
    "ended_rejected": ("Prüfung abgelehnt am {step}", "verification rejected on {step}"),
    "ended_expired": ("Einladung abgelaufen am {step}", "invitation expired on {step}"),
    "ended_verified": ("Prüfung abgeschlossen am {step}", "verification completed on {step}"),
}
_NAMED = {code: next(time[1] for time in _TIME.finditer(german)) for code, (german, _) in _REASONS.items()}
"""The moment each reason names; both languages name the same."""


def reason_code(client: Client, tab: str | None = None) -> str:
    """Return why a client stands in *tab*, as a code; without one, where it stands at all (L8)."""
    if tab == "invitations":
        return "invitation_pending"
    if tab in ("mine", "all"):
        return "connected"
    if client.onboards and client.undelivered:
        return "onboarding_undelivered"
    if client.onboards:
        return f"onboarding_{client.onboarding}"
    if client.connected:
        return "connected"
    if client.invites:
        return "invitation_pending"
    if client.disconnected:
        return "ended_disconnected"
    if client.invitation is not None:
        return f"ended_{client.invitation.value}"
    return f"ended_{client.onboarding}"


def reason(client: Client, locale: str | None, addressed: str | None, tab: str | None = None) -> str:
    """Return why a client stands in *tab*, for people."""
    return _told(reason_code(client, tab), client, locale, addressed)


def _told(code: str, client: Client, locale: str | None, addressed: str | None) -> str:
    if code == "invitation_pending" and addressed is not None:
        code = "invitation_pending_addressed"
    text, named = _REASONS[code][0 if german(locale) else 1], _NAMED[code]
    moment = client.added_at if code.startswith("invitation_") else _moment(client, named)
    return text.format(addressed=addressed, **{named: _day(moment, locale)})


def _moment(client: Client, named: str) -> datetime | None:
    match named:
        case "connected":
            return client.connected_at
        case "invited":
            return client.begun_at
        case "ended":
            return client.ended_at
        case _:
            return moment_of(client.onboarding_at) if client.onboarding_at else None


def _day(moment: datetime | None, locale: str | None) -> str:
    if moment is None:
        return "–"
    day = moment.astimezone(BERLIN)
    return f"{day.day:02}.{day.month:02}.{day.year}" if german(locale) else f"{day.day} {day:%B %Y}"


def row(
    client: Client,
    viewer: Viewer,
    members: Mapping[str, Document],
    addressed: Mapping[str, Document],
    tab: str | None = None,
) -> dict[str, Any]:
    """Return the contract's Row as it stands in *tab*; *members* are the active ones by id, *addressed* by mail address."""
    ledger, code = client.readable, reason_code(client, tab)
    proposed = addressed.get(client.addressed_to.casefold()) if client.invites and client.addressed_to else None
    assignees = [{"id": m, "name": members[m]["name"]} for m in client.assignees if m in members]
    shown_row: dict[str, Any] = {
        "client_id": client.client_id,
        "name": client.name,
        "client_number": client.client_number,
        "status": client.status,
        "reason": _told(code, client, viewer.locale, proposed["name"] if proposed else None),
        "reason_code": code,
        "verification": _verification(client.verification),
        "assignees": assignees,
        "missing_receipts": ledger.missing,
        "export_ready": ledger.ready,
        "balance": {"amount_minor": ledger.balance[0], "currency": ledger.balance[1]} if ledger.balance else None,
        "low_balance": ledger.low,
        "as_of": {
            "missing_receipts": shown(ledger.missing_at) if ledger.missing_at else None,
            "export_ready": shown(ledger.ready_at) if ledger.ready_at else None,
            "balance": shown(ledger.balance_told[0]) if ledger.balance_told else None,
        },
        "actions": _actions(client.connected, viewer.admin, bool(assignees)),
    }
    if client.invites:
        shown_row["proposed_assignees"] = [{"id": proposed["_id"], "name": proposed["name"]}] if proposed else []
    return shown_row


def _verification(state: str | None) -> str | None:
    if state == "accepted":
        return None
    return "pending" if state == "connected" else state


@cache
def _actions(connected: bool, admin: bool, assigned: bool) -> Mapping[str, Any]:
    connection = None if connected else "not_connected"
    if not admin:
        remind: str | None = "admin_only"
    else:
        remind = connection or (None if assigned else "no_assignee")
    return {"access": _action(connection), "notify": _action(connection), "remind": _action(remind)}


def _action(reason: str | None) -> Mapping[str, Any]:
    return {"allowed": reason is None, "reason": reason}
