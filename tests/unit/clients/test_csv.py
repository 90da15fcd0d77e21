"""Rows as cells of a file: exact money, no zero for what is unknown, and nothing that a spreadsheet would run (L9)."""

from __future__ import annotations

import csv
import io

import pytest

from services.clients.queries import export
from shared.contracts import pleo
from tests.unit.clients.story import CONNECTED, LEYLA, TOM, about, accept, added, assign, balance, client_of, clock, shown, told


def rows_of(text: bytes, locale: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text.decode(), newline=""), delimiter=";" if locale == "de" else ","))


@pytest.mark.parametrize("locale", ["de", "en"])
def test_a_file_reads_as_it_was_written(locale: str) -> None:
    """L9: separators, quotes and line breaks in names are those of the names."""
    name = 'Müller; "Bau", Söhne'
    row = {**shown(client_of(told(added(number="0047"), accept(TOM, LEYLA)))), "name": name}
    ((found, number, *_),) = rows_of(export.lines([row], locale), locale)
    assert (found, number) == (name, "0047")
    assert export.lines([row], locale).endswith(b"\r\n")


@pytest.mark.parametrize(
    ("locale", "begins", "name"),
    [("de-AT", "Name;Mandantennummer;", "mandanten.csv"), ("en", "Name,Client number,", "clients.csv")],
)
def test_columns_are_named_in_the_viewers_language(locale: str, begins: str, name: str) -> None:
    """L9, G1: UTF-8 with BOM, `;` in German and `,` in English."""
    assert export.head(locale).decode("utf-8-sig").startswith(begins)
    assert export.head(locale).startswith(b"\xef\xbb\xbf")
    assert export.filename(locale) == name


def test_a_row_has_a_cell_for_every_figure_and_its_time() -> None:
    """L7, L9: what the tab shows."""
    facts = (about(pleo.ReceiptMissing, "a", clock(1)), balance(-123_456, clock(2), low=True))
    row = shown(client_of(told(*CONNECTED, assign(TOM), *facts)))
    named = dict(zip((german for german, _ in export.COLUMNS), export.cells(row, "de"), strict=True))
    assert named["Zuständig"] == "Tom Weber"
    assert (named["Status"], named["Grund"]) == ("verbunden", "verbunden seit 12.03.2026")
    assert (named["Fehlende Quittungen"], named["Stand der Quittungen"]) == ("1", "2026-03-11T10:00:01Z")
    assert (named["Exportbereit"], named["Stand der Exporte"]) == ("", "")
    assert (named["Kontostand"], named["Währung"], named["Kontostand niedrig"]) == ("-1234,56", "EUR", "ja")


def test_what_was_never_heard_of_is_no_zero() -> None:
    """L7: an empty cell."""
    assert export.cells(shown(client_of(told(*CONNECTED))), "en")[5:] == [""] * 8


@pytest.mark.parametrize(
    ("minor", "currency", "german", "english"),
    [
        (123_456, "EUR", "1234,56", "1234.56"),
        (-5, "EUR", "-0,05", "-0.05"),
        (0, "EUR", "0,00", "0.00"),
        (1_234, "JPY", "1234", "1234"),
        (1_234, "KWD", "1,234", "1.234"),
        (1_234, "RSD", "12,34", "12.34"),
        (12_345, "CLF", "1,2345", "1.2345"),
        (2**63 - 1, "EUR", "92233720368547758,07", "92233720368547758.07"),
        (-(2**63), "JPY", "-9223372036854775808", "-9223372036854775808"),
    ],
)
def test_money_is_exact_in_the_unit_of_its_currency(minor: int, currency: str, german: str, english: str) -> None:
    """L9: by ISO 4217's minor units; never by way of a float."""
    assert (export.amount(minor, currency, "de"), export.amount(minor, currency, "en")) == (german, english)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "=1+1",
            "+1",
            "-1",
            "@SUM(A1)",
            "\tx",
            "\rx",
            "\n=1",
            " =1",
            "\u00a0=1",
            "\u3000=1",
            "'=1",
            '"=1',
            "\ufeff=1",
            "\u200b=1",
        ),
        *("＝1", "＋1", "－1", "＠SUM", "-5+cmd|' /C calc'!A0", "--x", ' " =x'),
    ],
)
def test_a_formula_is_made_harmless(text: str) -> None:
    """L9: it stands as text, whatever it hides behind."""
    assert export.harmless(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "Müller-Bau", "A=B", "4711", "1+1", "'s-Hertogenbosch BV", '"Zur Post" KG', "–", "  "])
def test_a_text_that_is_none_stays_as_it_is(text: str) -> None:
    """L9: nothing is changed without need."""
    assert export.harmless(text) == text
