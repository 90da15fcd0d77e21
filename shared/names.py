"""Names as people look for them: folded for search, ordered as in a German directory (L1, L3). Pure and versioned.

Rows carry what these functions return, and the VERSION they were made by; a change of theirs needs a new one.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

VERSION = 2
TAIL = 16
BEGINNING = 3
_SPELLED = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "æ": "ae", "å": "a"})
_PLAIN = str.maketrans({"ß": "ss", "ø": "o", "æ": "ae", "œ": "oe", "ł": "l", "đ": "d", "ð": "d", "ħ": "h", "ı": "i", "þ": "th"})
_DIGITS = re.compile(r"[0-9]+")
_UMLAUT = re.compile(r"([aou])e+")  # every e: Säemann is saeemann, and Saemann must find it
_SELECTORS = range(0xFE00, 0xFE10)  # they choose a character's picture


def fold(text: str) -> str:
    """Return *text* without case and diacritics, umlauts spelled out: ``Müller`` → ``mueller``, ``Straße`` → ``strasse`` (L1)."""
    composed = unicodedata.normalize("NFC", _shown(text).casefold())
    return " ".join(_bare(composed.lower().translate(_SPELLED)).split())


def loose(folded: str) -> str:
    """Return a folded text with the spelled umlauts taken back: ``mueller`` and ``muller`` become one."""
    return _UMLAUT.sub(r"\1", folded)


@lru_cache(maxsize=1_000)
def sought(query: str) -> str:
    """Return what a search looks for: it finds a text of which one of the ends begins so. Empty finds everything."""
    return loose(fold(query))


def ends(text: str) -> Sequence[str]:
    """Return every end of a text, each with its own umlauts taken back: an infix of the text is a prefix of one of them."""
    folded = fold(text)
    return [loose(folded[i:]) for i in range(len(folded))]


def tails(name: str, number: str = "") -> frozenset[str]:
    """Return the ends of a name and a number, cut to TAIL characters: what is kept to be searched by index.

    The whole name's is behind a blank, with which no other begins. Of a query longer than TAIL they say which texts may
    match; `pattern` says which do.
    """
    whole, *rest = ends(name) or [""]
    return frozenset((f" {whole[:TAIL]}", *(end[:TAIL] for end in (*rest, *ends(number)) if end[0] != " ")))


def beginning(text: str) -> str:
    """Return the first BEGINNING characters of a text as a search for it begins, however it is spelled."""
    return sought(text)[:BEGINNING]


def matches(query: str, text: str) -> bool:
    """Say whether a search for *query* finds *text*, both as people write them: `mueller`, `müller`, `muller` are one (L1)."""
    asked = sought(query)
    return not asked or any(end.startswith(asked) for end in ends(text))


def pattern(query: str) -> str:
    """Return a regular expression that finds *query* in folded texts exactly where `matches` does."""
    return re.sub(r"([aou])", r"\1e*", re.escape(sought(query)))


def sort_key(name: str) -> str:
    """Return a text whose code points order names by DIN 5007-1, numbers by value (L3); names alike in that have the same.

    Marks are stripped, ß is ss; a run of digits is led by its length without zeros, so 9 comes before 10.
    """
    plain = _bare(_shown(name).casefold())
    return _DIGITS.sub(lambda run: _number(run[0]), " ".join(plain.split()))


def _number(digits: str) -> str:
    significant = digits.lstrip("0") or "0"
    return f"{len(significant):03d}{significant}"


def _shown(text: str) -> str:
    """Return *text* without what nobody sees: soft hyphens, joiners, marks of direction."""
    seen = (c for c in text if unicodedata.category(c) != "Cf" and ord(c) not in _SELECTORS)
    return unicodedata.normalize("NFKC", "".join(seen))


def _bare(text: str) -> str:
    """Return *text* in base letters, without marks, digits of every script as ours."""
    apart = unicodedata.normalize("NFKD", text)
    kept = (str(unicodedata.digit(c)) if c.isdecimal() else c for c in apart if not unicodedata.combining(c))
    return "".join(kept).translate(_PLAIN)
