"""What a tab shows, as a file for a spreadsheet (L9)."""

from __future__ import annotations

import asyncio
import csv
import io
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest

from tests.e2e.portal import Answer, Firm, Outside
from tests.system import eventually

MANY = 450


def table(answer: Answer, delimiter: str) -> list[dict[str, str]]:
    """Return the rows of an exported file by the names of its columns."""
    return list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"), newline=""), delimiter=delimiter))


async def exported(firm: Firm, query: str, token: str | None = None) -> Answer:
    answer = await firm.get(f"/v1/clients/export?{query}", token)
    assert answer.status == 200, answer
    return answer


@pytest.mark.parametrize(
    ("locale", "delimiter", "columns", "name", "amount"),
    [
        (None, ";", ["Name", "Mandantennummer", "Fehlende Quittungen", "Kontostand"], "mandanten.csv", "-1234,56"),
        ("en-GB", ",", ["Name", "Client number", "Missing receipts", "Balance"], "clients.csv", "-1234.56"),
    ],
)
async def test_a_file_is_in_the_viewers_language(
    outside: Outside, locale: str | None, delimiter: str, columns: list[str], name: str, amount: str
) -> None:
    """L9, L7, G1: BOM, delimiter, columns, money; what was never heard of is empty and no zero."""
    firm = await outside.firm(locale=locale)
    client_id = await firm.client('Müller; "Bau", Söhne', firm.tom)
    told = {"client_id": client_id, "balance": {"amount_minor": -123_456, "currency": "EUR"}, "low": True}
    await outside.event("pleo.balances", "pleo.balance.changed.v1", told, time=datetime.now(UTC) - timedelta(hours=1))
    await firm.figure(client_id, "low_balance", True)
    answer = await exported(firm, "tab=all")
    assert answer.headers["Content-Type"].startswith("text/csv")
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{name}"'
    assert answer.text.startswith("\ufeff")
    (row,) = table(answer, delimiter)
    assert [row[column] for column in columns] == ['Müller; "Bau", Söhne', "", "", amount]


@pytest.mark.parametrize(
    ("currency", "minor", "shown"), [("JPY", 1234, "1234"), ("KWD", 1234, "1,234"), ("EUR", 2**63 - 1, "92233720368547758,07")]
)
async def test_money_is_exact_in_every_currency(firm: Firm, outside: Outside, currency: str, minor: int, shown: str) -> None:
    """L9: minor units are the currency's own, and no amount passes through a float."""
    client_id = await firm.client("Weber")
    told = {"client_id": client_id, "balance": {"amount_minor": minor, "currency": currency}, "low": True}
    await outside.event("pleo.balances", "pleo.balance.changed.v1", told, time=datetime.now(UTC) - timedelta(hours=1))
    await firm.figure(client_id, "low_balance", True)
    (row,) = table(await exported(firm, "tab=all"), ";")
    assert (row["Kontostand"], row["Währung"]) == (shown, currency)


async def test_a_formula_stands_as_text(firm: Firm) -> None:
    """L9: in names and numbers, whatever it hides behind."""
    names = ("=1+1", "+1", "-2", "@SUM(A1)", ' "=1', "＝1")
    for name in names:
        await firm.invited_by(name, client_number="=cmd")
    rows = table(await exported(firm, "tab=invitations"), ";")
    assert {row["Name"] for row in rows} == {f"'{name}" for name in names}
    assert {row["Mandantennummer"] for row in rows} == {"'=cmd"}


async def test_a_file_holds_every_page_of_what_is_shown(firm: Firm, outside: Outside) -> None:
    """L9: tab, search, filter and order as on the page; all pages of it."""
    for n in range(MANY):
        added = {"client_id": f"c{n:03d}-{firm.id}", "firm_id": firm.id, "company_name": f"{'Müller' if n % 3 else 'Weber'} {n}"}
        await outside.event("pleo.companies", "pleo.accountant.added.v1", {**added, "sequence": 1})

    async def all_there() -> bool:
        return (await firm.tabs()).get("invitations") == MANY

    await eventually(all_there)
    for query in ("", "&sort=-name", f"&search={quote('mueller')}", "&search=weber&sort=-missing_receipts"):
        names = [row["Name"] for row in table(await exported(firm, f"tab=invitations{query}"), ";")]
        assert names == [row["name"] for row in await firm.rows("invitations", query=f"{query}&limit=200")], query
        assert len(names) >= MANY // 3
    assert table(await exported(firm, "tab=invitations&missing_receipts=true"), ";") == []


async def test_an_export_is_refused_like_a_page(firm: Firm) -> None:
    """T9, E1: a tab of another role 403, wrong parameters 422; it has no limit and no cursor."""
    answer = await firm.get("/v1/clients/export?tab=all", firm.accountant)
    assert (answer.status, answer.code) == (403, "tab_not_allowed")
    wrong = ("tab=nope", "tab=all&limit=5", "tab=all&cursor=x", "tab=all&search=%00")
    answers = await asyncio.gather(*(firm.get(f"/v1/clients/export?{query}") for query in wrong))
    assert [(a.status, a.code, len(a.body["errors"])) for a in answers] == [(422, "invalid", 1)] * len(wrong)
    assert (await firm.outside.call("GET", "/v1/clients/export?tab=all")).status == 401
