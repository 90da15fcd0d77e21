"""Rows as a CSV file that a spreadsheet opens and that does nothing there but stand (L9)."""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from shared.contracts.base import minor_digits
from shared.problems import german

BOM = b"\xef\xbb\xbf"
COLUMNS = (
    ("Name", "Name"),
    ("Mandantennummer", "Client number"),
    ("Status", "Status"),
    ("Grund", "Reason"),
    ("Zuständig", "Assignees"),
    ("Fehlende Quittungen", "Missing receipts"),
    ("Stand der Quittungen", "Receipts as of"),
    ("Exportbereit", "Ready to export"),
    ("Stand der Exporte", "Exports as of"),
    ("Kontostand", "Balance"),
    ("Währung", "Currency"),
    ("Kontostand niedrig", "Low balance"),
    ("Stand des Kontos", "Balance as of"),
)
STATUSES = {
    "connected": ("verbunden", "connected"),
    "invitation": ("Einladung", "invitation"),
    "accepted": ("angenommen", "accepted"),
    "invited": ("eingeladen", "invited"),
    "ended": ("beendet", "ended"),
}
_BREAKS = ("\t", "\r", "\n")
_FORMULAS = ("=", "+", "-", "@")


def filename(locale: str | None) -> str:
    """Return what the file is called."""
    return "mandanten.csv" if german(locale) else "clients.csv"


def head(locale: str | None) -> bytes:
    """Return how the file begins: the byte order mark, and the names of the columns in the viewer's language."""
    return BOM + _line([names[_language(locale)] for names in COLUMNS], locale)


def lines(rows: Iterable[Mapping[str, Any]], locale: str | None) -> bytes:
    """Return a line for each of *rows*, as the API shows them."""
    return b"".join(_line(cells(row, locale), locale) for row in rows)


def cells(row: Mapping[str, Any], locale: str | None) -> list[str]:
    """Return the cells of a row; a figure never heard of is an empty one, not a zero (L7)."""
    language, balance, as_of = _language(locale), row["balance"], row["as_of"]
    low = (("nein", "no"), ("ja", "yes"))[row["low_balance"]][language] if balance else ""
    return [
        harmless(row["name"]),
        harmless(row["client_number"] or ""),
        STATUSES[row["status"]][language],
        harmless(row["reason"]),
        harmless(", ".join(assignee["name"] for assignee in row["assignees"])),
        *(_count(row["missing_receipts"]), as_of["missing_receipts"] or ""),
        *(_count(row["export_ready"]), as_of["export_ready"] or ""),
        *(
            amount(balance["amount_minor"], balance["currency"], locale) if balance else "",
            balance["currency"] if balance else "",
        ),
        *(low, as_of["balance"] or ""),
    ]


def amount(minor: int, currency: str, locale: str | None) -> str:
    """Return an amount in its currency's unit, with as many digits as its minor unit has; exact, however large."""
    digits = minor_digits(currency)
    shown = f"{Decimal(minor).scaleb(-digits):.{digits}f}"
    return shown.replace(".", ",") if german(locale) else shown


def harmless(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula, whatever blanks, quotes or wide signs it begins with."""
    begins = next((c for c in unicodedata.normalize("NFKC", text) if not _passed_over(c)), "")
    return f"'{text}" if begins in _FORMULAS or text.startswith(_BREAKS) else text


def _passed_over(character: str) -> bool:
    return character.isspace() or character in "'\"`" or unicodedata.category(character) == "Cf"


def _count(value: int | None) -> str:
    return "" if value is None else str(value)


def _language(locale: str | None) -> int:
    return 0 if german(locale) else 1


def _line(cells: Sequence[str], locale: str | None) -> bytes:
    text = io.StringIO()
    csv.writer(text, delimiter=";" if german(locale) else ",", lineterminator="\r\n").writerow(cells)
    return text.getvalue().encode()
