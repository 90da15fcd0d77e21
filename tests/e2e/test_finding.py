"""Finding clients in a tab, from outside: search, filter, order, pages, and what wrong questions get (section 3)."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest

from tests.e2e.portal import Firm, Outside
from tests.system import eventually

NAMES = (
    *("Müller Bau 10", "MUELLER Bau 9", "muller bau 100", "Öl & Söhne", "Olbrich KG", "Straße 7", "STRASSE 007", "Baur AG"),
    *("Äpfel GmbH", "Apfel GmbH", "Zebra e. K.", "Ørsted ApS"),
)
IN_ORDER = (
    *(("Äpfel GmbH", "Apfel GmbH"), ("Baur AG",), ("MUELLER Bau 9",), ("Müller Bau 10",), ("muller bau 100",), ("Öl & Söhne",)),
    *(("Olbrich KG",), ("Ørsted ApS",), ("Straße 7", "STRASSE 007"), ("Zebra e. K.",)),
)
MISSING = (3, 0, None, 1, 0, None, 0, 2, 1, None, 14, 0)
IDS = [f"{n:02d}" for n in (7, 3, 11, 5, 9, 12, 1, 10, 4, 2, 8, 6)]  # of NAMES: neither their order nor that of letters


@dataclass(frozen=True)
class Office:
    """A firm with named clients: their ids, and what each misses."""

    firm: Firm
    ids: dict[str, str]

    def name(self, client_id: str) -> str:
        return next(name for name, id in self.ids.items() if id == client_id)

    async def found(self, query: str, tab: str = "all", token: str | None = None) -> list[str]:
        return [self.name(row["client_id"]) for row in await self.firm.rows(tab, token, query)]


@pytest.fixture
async def office(firm: Firm, outside: Outside) -> Office:
    """Twelve connected clients with facts about most; Tom works on every second one."""
    ids = {name: f"c{number}-{firm.id}" for name, number in zip(NAMES, IDS, strict=True)}
    for n, (name, client_id) in enumerate(ids.items()):
        added = {"client_id": client_id, "firm_id": firm.id, "company_name": name, "client_number": f"N-{n}", "sequence": 1}
        await outside.event("pleo.companies", "pleo.accountant.added.v1", added)

    async def invited() -> bool:
        return (await firm.tabs()).get("invitations") == len(NAMES)

    await eventually(invited)
    for n, client_id in enumerate(ids.values()):
        answer = await firm.post(f"/v1/invitations/{client_id}/accept", {"assign": [firm.tom] if n % 2 == 0 else []})
        assert answer.status == 200, answer
    at = datetime.now(UTC) - timedelta(hours=1)
    for client_id, missing in zip(ids.values(), MISSING, strict=True):
        kind = "pleo.receipt.missing.v1" if missing else "pleo.receipt.attached.v1"
        for expense in range(missing or 1) if missing is not None else ():
            await outside.event("pleo.receipts", kind, {"client_id": client_id, "expense_id": f"e{expense}"}, time=at)
    wanted = sorted((-1 if missing is None else missing) for missing in MISSING)

    async def counted() -> bool:
        rows = await firm.rows("all")
        return sorted(-1 if r["missing_receipts"] is None else r["missing_receipts"] for r in rows) == wanted

    await eventually(counted)
    return Office(firm, ids)


async def test_a_search_finds_every_spelling_and_the_number(office: Office) -> None:
    """L1: case, diacritics and umlauts in every spelling, infix; the client number, too; combined with filter and tab by AND."""
    mueller = {"Müller Bau 10", "MUELLER Bau 9", "muller bau 100"}
    for search in ("mueller", "MÜLLER", "muller", "Müller", "mu\u0308ller", "ul", "  müller "):
        assert set(await office.found(f"&search={quote(search)}")) == mueller, search
    for search in ("strasse", "Straße", "STRAẞE", "tras"):
        assert set(await office.found(f"&search={quote(search)}")) == {"Straße 7", "STRASSE 007"}, search
    assert await office.found("&search=bauer") == ["Baur AG"]
    assert await office.found("&search=n-11") == ["Ørsted ApS"]
    assert await office.found("&search=mueller&missing_receipts=true") == ["Müller Bau 10"]
    assert set(await office.found("&search=mueller", "mine", office.firm.accountant)) == {"Müller Bau 10", "muller bau 100"}
    for search in (".*", "$", "(", "müllerx", "bau 9 "):
        assert set(await office.found(f"&search={quote(search)}")) == ({"MUELLER Bau 9"} if search == "bau 9 " else set()), search


async def test_missing_receipts_keep_those_that_miss_one(office: Office) -> None:
    """L2, T8: zero is filtered out, and so is unknown; the total is that of the filter."""
    wanted = {name for name, missing in zip(NAMES, MISSING, strict=True) if missing}
    assert set(await office.found("&missing_receipts=true")) == wanted
    answer = await office.firm.get("/v1/clients?tab=all&missing_receipts=true&limit=2")
    assert (len(answer.body["items"]), answer.body["total"]) == (2, len(wanted))


async def test_names_stand_as_in_a_german_directory(office: Office) -> None:
    """L3: ä like a, ß like ss, case ignored, numbers by value; ties by id ascending, in both directions."""
    ties = [sorted(names, key=office.ids.__getitem__) for names in IN_ORDER]
    assert await office.found("&sort=name") == await office.found("") == [name for names in ties for name in names]
    assert await office.found("&sort=-name") == [name for names in reversed(ties) for name in names]


async def test_missing_receipts_sort_unknown_below_zero(office: Office) -> None:
    """L4: both ways; ties by id ascending."""
    rank = {name: -1 if missing is None else missing for name, missing in zip(NAMES, MISSING, strict=True)}
    by_id = sorted(NAMES, key=office.ids.__getitem__)
    assert await office.found("&sort=missing_receipts") == sorted(by_id, key=rank.__getitem__)
    assert await office.found("&sort=-missing_receipts") == sorted(by_id, key=lambda name: -rank[name])


@pytest.mark.parametrize("sort", ["name", "-name", "missing_receipts", "-missing_receipts"])
async def test_paging_meets_every_row_once(office: Office, sort: str) -> None:
    """L5, T8: whatever the size of a page; the total is told with the first one."""
    for query in ("", "&search=u", "&missing_receipts=true"):
        asked = f"{query}&sort={sort}"
        whole = await office.found(asked)
        assert await office.found(f"{asked}&limit=3") == whole
        assert await office.found(f"{asked}&limit={len(whole)}") == whole
        first = (await office.firm.get(f"/v1/clients?tab=all{asked}&limit=1")).body
        second = (await office.firm.get(f"/v1/clients?tab=all{asked}&limit=1&cursor={first['next_cursor']}")).body
        assert [office.name(page["items"][0]["client_id"]) for page in (first, second)] == whole[:2]
        assert (first["total"], second["total"]) == (len(whole), None)


async def test_a_cursor_is_for_its_question_alone(office: Office, outside: Outside) -> None:
    """L5, contract 1: of another tab, search, filter, sort, firm or viewer's list, or no cursor at all: 400 bad_cursor."""
    firm, other = office.firm, await outside.firm()
    cursor = (await firm.get("/v1/clients?tab=all&limit=2")).body["next_cursor"]
    for query in (
        "tab=mine",
        *(f"tab=all&{more}" for more in ("search=b", "missing_receipts=true", "sort=-name", "unassigned=true")),
    ):
        answer = await firm.get(f"/v1/clients?{query}&cursor={cursor}")
        assert (answer.status, answer.code) == (400, "bad_cursor"), query
    for wrong in ("", "x", cursor[:-2], cursor + "A", "%C3%A4", "%00", "W10", "e30", "null", quote('["a","b","c"]'), "A" * 4000):
        answer = await firm.get(f"/v1/clients?tab=all&cursor={wrong}")
        assert (answer.status, answer.code) == (400, "bad_cursor"), wrong
    assert (await other.get(f"/v1/clients?tab=all&cursor={cursor}")).code == "bad_cursor"
    mine = (await firm.get("/v1/clients?tab=mine&limit=2", firm.accountant)).body["next_cursor"]
    assert (await firm.get(f"/v1/clients?tab=mine&cursor={mine}")).code == "bad_cursor"
    assert (await firm.get(f"/v1/clients?tab=all&limit=7&cursor={cursor}")).status == 200


async def test_admins_ask_for_one_assignee_or_for_none(office: Office) -> None:
    """L10, M4: in `all` and `onboarding`; together they find nothing, for they are combined with AND."""
    firm = office.firm
    toms = {name for n, name in enumerate(NAMES) if n % 2 == 0}
    assert set(await office.found(f"&assignee={firm.tom}")) == toms
    assert set(await office.found("&unassigned=true")) == set(NAMES) - toms
    assert await office.found(f"&unassigned=true&assignee={firm.tom}") == []
    assert await office.found(f"&assignee={firm.leyla}") == []
    assert (await firm.get(f"/v1/clients?tab=onboarding&assignee={firm.tom}")).body == {
        "items": [],
        "next_cursor": None,
        "total": 0,
    }
    answer = await firm.get(f"/v1/clients?tab=onboarding&assignee={firm.tom}", firm.accountant)
    assert (answer.status, answer.code) == (403, "admin_only")


WRONG = {
    "": ["tab"],
    "tab=": ["tab"],
    "tab=everything": ["tab"],
    "tab[$gt]=": ["tab[$gt]", "tab"],
    "tab=all&tab=mine": ["tab"],
    "tab=all&search[$ne]=x": ["search[$ne]"],
    f"tab=all&search={'x' * 101}": ["search"],
    "tab=all&search=%00": ["search"],
    "tab=all&search=a%0Ab": ["search"],
    "tab=all&missing_receipts=maybe": ["missing_receipts"],
    "tab=mine&unassigned=true": ["unassigned"],
    "tab=mine&assignee=tom": ["assignee"],
    "tab=all&assignee=%24ne": ["assignee"],
    "tab=all&sort=balance": ["sort"],
    **{f"tab=all&limit={limit}": ["limit"] for limit in ("0", "201", "-1", "1e3", "%D9%A3", "", "+5", "5.0")},
    "tab=all&limit=5&limit=5": ["limit"],
    "tab=nope&limit=0&sort=x&missing_receipts=1": ["tab", "sort", "missing_receipts", "limit"],
}


async def test_a_wrong_question_is_told_field_by_field(firm: Firm) -> None:
    """E1, contract 1: 422 `invalid` with an entry per wrong parameter, never a 5xx."""
    answers = await asyncio.gather(*(firm.get(f"/v1/clients?{query}") for query in WRONG))
    for (query, fields), answer in zip(WRONG.items(), answers, strict=True):
        assert (answer.status, answer.code) == (422, "invalid"), query
        assert [e["field"] for e in answer.body["errors"]] == fields, query
        assert all(e["code"] and e["detail"] for e in answer.body["errors"])


@pytest.mark.parametrize("search", ["%FF%FE", "%ED%A0%80", "%F0%9F%99%82", "x" * 100, "%25", "a%20b", "%C2%AD", "%5B%24ne%5D"])
async def test_odd_searches_are_answered(firm: Firm, search: str) -> None:
    """E1: whatever bytes somebody looks for."""
    assert (await firm.get(f"/v1/clients?tab=all&search={search}")).status == 200


async def test_a_tab_of_another_role_is_refused_for_whatever_is_asked(firm: Firm) -> None:
    """T9, E2: 403 before anything else is looked at."""
    for query in ("tab=all", "tab=invitations", "tab=all&limit=0", "tab=all&cursor=x"):
        answer = await firm.get(f"/v1/clients?{query}", firm.accountant)
        assert (answer.status, answer.code) == (403, "tab_not_allowed"), query
