"""What a row tells people: why it stands there, who works on it, what may be done (L7, L8; contract, Row)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from services.clients.queries.question import Page, page_of, question_of
from services.clients.queries.rows import reason, reason_code
from shared.contracts.base import Message
from shared.contracts.pleo import ReceiptMissing
from shared.messages import Heard
from shared.problems import Problem
from tests.spec import heard
from tests.unit.clients.story import (
    ANNA,
    CONNECTED,
    LEYLA,
    TOM,
    Somebody,
    about,
    accept,
    added,
    assign,
    balance,
    client_of,
    clock,
    decline,
    disconnect,
    invited,
    shown,
    stated,
    taken_back,
    told,
    withdrawn,
)

LATER = datetime(2026, 3, 20, 23, 30, tzinfo=UTC)  # in Berlin it is the 21st
REASONS: dict[str, tuple[tuple[Message | Heard[Any], ...], str, str]] = {
    "invitation_pending": ((added(),), "Einladung vom 12.03.2026", "invitation of 12 March 2026"),
    "onboarding_invited": (
        (invited(),),
        "eingeladen am 12.03.2026, Vollmacht fehlt",
        "invited on 12 March 2026, power of attorney missing",
    ),
    "onboarding_accepted": (
        (invited(), stated("accepted", at=LATER)),
        "angenommen am 21.03.2026, Vollmacht fehlt",
        "accepted on 21 March 2026, power of attorney missing",
    ),
    "onboarding_connected": (
        (invited(), stated("connected", connected=True, at=LATER)),
        "verbunden seit 21.03.2026, Prüfung steht aus",
        "connected since 21 March 2026, verification pending",
    ),
    "onboarding_in_review": (
        (invited(), stated("in_review", connected=True, at=LATER)),
        "in Prüfung seit 21.03.2026",
        "in review since 21 March 2026",
    ),
    "onboarding_information_required": (
        (invited(), stated("information_required", connected=True, at=LATER)),
        "Angaben fehlen seit 21.03.2026",
        "information required since 21 March 2026",
    ),
    "connected": (CONNECTED, "verbunden seit 12.03.2026", "connected since 12 March 2026"),
    "ended_declined": ((added(), decline()), "Einladung abgelehnt am 12.03.2026", "invitation declined on 12 March 2026"),
    "ended_withdrawn": (
        (added(), heard(withdrawn(), LATER)),
        "Einladung zurückgezogen am 21.03.2026",
        "invitation withdrawn on 21 March 2026",
    ),
    "ended_disconnected": ((*CONNECTED, disconnect()), "Verbindung beendet am 12.03.2026", "disconnected on 12 March 2026"),
    "ended_rejected": (
        (invited(), stated("expired"), stated("rejected", 2, at=LATER)),
        "Prüfung abgelehnt am 21.03.2026",
        "verification rejected on 21 March 2026",
    ),
    "ended_expired": (
        (invited(), stated("expired", at=LATER)),
        "Einladung abgelaufen am 21.03.2026",
        "invitation expired on 21 March 2026",
    ),
}


@pytest.mark.parametrize("code", REASONS)
def test_a_row_says_why_it_stands_there(code: str) -> None:
    """L8, G1: in the viewer's language, German if they have none; days are Berlin's."""
    history, german, english = REASONS[code]
    client = client_of(told(*history))
    assert reason_code(client) == shown(client)["reason_code"] == code
    assert {reason(client, locale, None) for locale in (None, "de", "de-AT")} == {german}
    assert {reason(client, locale, None) for locale in ("en-GB", "fr")} == {english}


def test_an_invitation_taken_back_by_the_firm_says_so() -> None:
    """O7: a withdrawn onboarding reads like a withdrawn invitation."""
    assert shown(client_of(told(invited(), taken_back())))["reason"] == "Einladung zurückgezogen am 12.03.2026"


@pytest.mark.parametrize("state", ["verified", "rejected"])
def test_a_connected_client_stays_connected_whatever_its_verification(state: str) -> None:
    """O7: and its reason is the connection."""
    assert shown(client_of(told(invited(), stated(state, connected=True))))["reason_code"] == "connected"


def test_a_row_says_why_it_stands_in_this_tab() -> None:
    """L8: a client in several tabs has a reason for each; in its details, the one that says most."""
    both = client_of(told(invited(), heard(added(), LATER)))
    assert reason_code(both, "invitations") == "invitation_pending"
    assert reason(both, "de", None, "invitations") != reason(both, "de", None, "onboarding")
    assert reason(both, "de", None, "onboarding") == "eingeladen am 12.03.2026, Vollmacht fehlt"
    in_review = client_of(told(invited(), stated("in_review", connected=True)))
    assert [reason_code(in_review, tab) for tab in ("onboarding", "all", None)] == [
        "onboarding_in_review",
        "connected",
        "onboarding_in_review",
    ]


def test_who_it_was_addressed_to_is_named_in_both_languages() -> None:
    """I1, G1."""
    client = client_of(told(added(to=TOM.email)))
    assert shown(client)["reason"] == "Einladung vom 12.03.2026 an Tom Weber"
    assert shown(client, locale="en")["reason"] == "invitation of 12 March 2026 to Tom Weber"
    assert shown(client)["reason_code"] == "invitation_pending"


def test_a_row_has_exactly_what_the_contract_says() -> None:
    """Contract 1, Row: proposed_assignees only with a pending invitation."""
    facts = (about(ReceiptMissing, "a", clock(1, 500_000_000)), balance(-123, clock(2), low=True))
    assert shown(client_of(told(added(number="4711"), accept(TOM, ANNA), *facts))) == {
        "client_id": "mueller-bau",
        "name": "Müller Bau",
        "client_number": "4711",
        "status": "connected",
        "reason": "verbunden seit 12.03.2026",
        "reason_code": "connected",
        "verification": None,
        "assignees": [{"id": "tom", "name": "Tom Weber"}, {"id": "anna", "name": "Anna Groß"}],
        "missing_receipts": 1,
        "export_ready": None,
        "balance": {"amount_minor": -123, "currency": "EUR"},
        "low_balance": True,
        "as_of": {"missing_receipts": "2026-03-11T10:00:01.500000Z", "export_ready": None, "balance": "2026-03-11T10:00:02Z"},
        "actions": {name: {"allowed": True, "reason": None} for name in ("access", "notify", "remind")},
    }


@pytest.mark.parametrize(
    ("history", "who", "reasons"),
    [
        ((added(), accept(TOM)), LEYLA, (None, None, None)),
        (CONNECTED, LEYLA, (None, None, "no_assignee")),
        ((added(), accept(TOM)), TOM, (None, None, "admin_only")),
        ((added(), assign(TOM)), LEYLA, ("not_connected", "not_connected", "not_connected")),
        ((invited(TOM),), TOM, ("not_connected", "not_connected", "admin_only")),
    ],
)
def test_a_row_says_what_may_be_done_and_why_not(
    history: tuple[Message, ...], who: Somebody, reasons: tuple[str | None, ...]
) -> None:
    """A2, N1, R1, R2: the menu item is disabled and says why."""
    actions = shown(client_of(told(*history)), who)["actions"]
    wanted = zip(("access", "notify", "remind"), reasons, strict=True)
    assert actions == {name: {"allowed": code is None, "reason": code} for name, code in wanted}


def asked(who: Somebody = LEYLA, **query: str) -> Page:
    return page_of(query.items(), who.viewer())


def refused_fields(who: Somebody, *query: tuple[str, str]) -> list[str]:
    """Return which fields of a question are told to be wrong."""
    with pytest.raises(Problem) as caught:
        page_of(query, who.viewer())
    assert (caught.value.status, caught.value.code) == (422, "invalid")
    return [e.field for e in caught.value.errors]


def test_a_question_is_read_as_the_contract_words_it() -> None:
    """Contract 1: the defaults are name and 50."""
    page = asked(tab="all", search=" Müller ", missing_receipts="true")
    assert (page.limit, page.cursor) == (50, None)
    assert (page.question.tab, page.question.search, page.question.missing, page.question.sort) == ("all", "Müller", True, "name")


@pytest.mark.parametrize(
    ("who", "query", "code"),
    [
        (TOM, {"tab": "invitations"}, "tab_not_allowed"),
        (TOM, {"tab": "all"}, "tab_not_allowed"),
        (TOM, {"tab": "all", "limit": "0", "sort": "?"}, "tab_not_allowed"),
        (TOM, {"tab": "onboarding", "assignee": "tom"}, "admin_only"),
    ],
)
def test_what_is_another_roles_is_refused_before_anything_else(who: Somebody, query: dict[str, str], code: str) -> None:
    """T9, L10, E2: 403."""
    with pytest.raises(Problem) as caught:
        asked(who, **query)
    assert (caught.value.status, caught.value.code) == (403, code)


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ({}, ["tab"]),
        ({"tab": "everything", "limit": "0"}, ["tab", "limit"]),
        *(
            ({"tab": "all", "limit": limit}, ["limit"])
            for limit in ("0", "201", "-1", "1e3", "٣", "²", "", "1.0", "0050", " 5", "NaN")
        ),
        ({"tab": "all", "sort": "balance"}, ["sort"]),
        ({"tab": "all", "sort": ""}, ["sort"]),
        ({"tab": "all", "search": "x" * 101}, ["search"]),
        ({"tab": "all", "search": "a\x00b"}, ["search"]),
        ({"tab": "all", "search": "a\tb"}, ["search"]),
        ({"tab": "mine", "unassigned": "true"}, ["unassigned"]),
        ({"tab": "all", "missing_receipts": "maybe"}, ["missing_receipts"]),
        ({"tab": "all", "missing_receipts": ""}, ["missing_receipts"]),
        ({"tab": "mine", "assignee": "tom"}, ["assignee"]),
        ({"tab": "all", "assignee": "$ne"}, ["assignee"]),
        ({"tab": "all", "assignee": ""}, ["assignee"]),
        ({"tab": "all", "search[$ne]": "x"}, ["search[$ne]"]),
        ({"tab[$gt]": "", "limit": "9"}, ["tab[$gt]", "tab"]),
        ({"tab": "all", "<b>": "x"}, ["?b?"]),
    ],
)
def test_a_wrong_question_is_told_field_by_field(query: dict[str, str], fields: list[str]) -> None:
    """E1, L10: 422 invalid with an entry per wrong parameter, and no echo of markup."""
    assert refused_fields(LEYLA, *query.items()) == fields


def test_a_parameter_counts_once() -> None:
    """E1: which of two would count is nobody's guess."""
    assert refused_fields(LEYLA, ("tab", "all"), ("tab", "mine")) == ["tab"]
    assert refused_fields(LEYLA, ("tab", "all"), ("limit", "5"), ("limit", "5")) == ["limit"]


def test_an_export_has_no_pages() -> None:
    """Contract 1: as the page, without limit and cursor."""
    assert question_of([("tab", "all"), ("sort", "-name")], LEYLA.viewer()).sort == "-name"
    with pytest.raises(Problem) as caught:
        question_of([("tab", "all"), ("limit", "5")], LEYLA.viewer())
    assert [e.field for e in caught.value.errors] == ["limit"]


def test_nobodys_client_is_not_somebodys() -> None:
    """L10: the filters are combined with AND, so together they find nothing."""
    assert asked(tab="all", unassigned="true").question.list_for(LEYLA.viewer()) == "unassigned"
    assert asked(tab="all", assignee="tom").question.list_for(LEYLA.viewer()) == "mine:tom"
    assert asked(tab="onboarding", assignee="tom").question.list_for(LEYLA.viewer()) == "onboarding:tom"
    assert asked(tab="all", assignee="tom", unassigned="true").question.list_for(LEYLA.viewer()) is None
