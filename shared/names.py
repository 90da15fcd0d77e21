"""Names as people look for them: folded for search, ordered as in a German directory (L1, L3). Pure and versioned.

Rows carry what these functions return; a change of theirs needs a new VERSION and a rebuild of the rows.
"""

from __future__ import annotations

import re
import unicodedata

VERSION = 1
_SPELLED = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "ø": "oe", "æ": "ae", "œ": "oe", "å": "a", "ł": "l", "đ": "d", "ı": "i"}
)
_DIGITS = re.compile(r"\d+")
_UMLAUT = re.compile(r"([aou])e+")  # every e: Säemann is saeemann, and Saemann must find it
SHORTEST_LOOSE = 3


def fold(text: str) -> str:
    """Return *text* without case and diacritics, umlauts spelled out: ``Müller`` → ``mueller``, ``Straße`` → ``strasse`` (L1)."""
    composed = unicodedata.normalize("NFC", unicodedata.normalize("NFKC", text).casefold().replace("ß", "ss"))
    return " ".join(_bare(composed.lower().translate(_SPELLED)).split())


def loose(folded: str) -> str:
    """Return a folded text with the spelled umlauts taken back: ``mueller`` and ``muller`` become one."""
    return _UMLAUT.sub(r"\1", folded)


def matches(query: str, text: str) -> bool:
    """Say whether a search for *query* finds *text*; both as people write them. Below three characters only exact folds count."""
    asked, there = fold(query), fold(text)
    return asked in there or (len(asked) >= SHORTEST_LOOSE and loose(asked) in loose(there))


def sort_key(name: str) -> str:
    """Return a text whose code points order names by DIN 5007-1, numbers by value, the name itself last (L3).

    Marks are stripped, ß is ss; a run of digits is led by its length without zeros, so 9 comes before 10.
    """
    plain = _bare(unicodedata.normalize("NFKC", name).casefold())
    numbered = _DIGITS.sub(lambda m: _number(m[0]), plain)
    return f"{numbered}\x01{name}"


def _number(digits: str) -> str:
    significant = "".join(str(unicodedata.digit(d)) for d in digits).lstrip("0") or "0"
    return f"{len(significant):03d}{significant}"


def _bare(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
