"""Names as people look for them and as a German directory orders them (L1, L3)."""

from __future__ import annotations

import itertools
import re
import unicodedata

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from shared.names import TAIL, fold, matches, pattern, sort_key, sought, tails

NAMES = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1, max_size=40)
GERMAN = st.text(alphabet="aäeoöuüsßAÄEOÖUÜSbr 019", min_size=1, max_size=12)
SPELLED = (("ä", "ae"), ("ö", "oe"), ("ü", "ue"), ("ß", "ss"))


def found(query: str, text: str) -> bool:
    """Say what the index says: the tails first, the pattern where the query is longer than they are."""
    asked = sought(query)
    may = any(tail.startswith(asked[:TAIL]) for tail in tails(text)) or not asked
    return may and (len(asked) <= TAIL or re.search(pattern(query), fold(text)) is not None)


@pytest.mark.parametrize(
    ("asked", "there"),
    [
        *itertools.product(["mueller", "MÜLLER", "muller", "Müller", "MUELLER"], ["Müller Bau", "Mueller Bau", "Muller Bau"]),
        *itertools.product(["strasse", "Straße", "STRASSE", "STRAẞE"], ["Hauptstraße 1", "Hauptstrasse 1", "HAUPTSTRASSE 1"]),
        *itertools.product(["mü", "mu", "mue", "ul", "ül", "uel", "ü", "u"], ["Müller", "Mueller", "Muller"]),
        ("bauer", "Baur & Söhne"),
        ("er mull", "Bauer Müller"),
        ("er müll", "Bauer Muller"),
        ("eller", "Müller"),
        ("societe", "Société Générale"),
        ("øst", "Oestgaard"),
        ("ost", "Østgaard"),
        ("gro", "Groß"),
        ("  bau   gmbh ", "Bau GmbH"),
        ("ﬁ", "Finanz"),
        ("yilmaz", "Yılmaz"),
        ("YILMAZ", "Yılmaz"),
        ("istanbul", "İstanbul Export"),
        ("lodz", "Łódź Handel"),
        (unicodedata.normalize("NFD", "Müller"), "Müller"),
        ("müller", unicodedata.normalize("NFD", "MÜLLER")),
        ("müller", "Mül\u00adler"),
        ("❤", "Café ❤\ufe0f"),
        ("🙂 bau", "🙂 Bau"),
        ("12", "Bau ١٢"),
        ("株式", "株式会社"),
        ("", "Bau"),
        (" \u00ad ", "Bau"),
    ],
)
def test_a_search_finds_every_spelling(asked: str, there: str) -> None:
    """L1: infix, ignoring case and diacritics, umlauts in every spelling, at every length."""
    assert matches(asked, there)
    assert found(asked, there)


@pytest.mark.parametrize(
    ("asked", "there"),
    [
        ("muller", "Miller"),
        ("mueller", "Mller"),
        ("bau 9", "Bau 10"),
        ("erl", "Karl"),
        ("el", "Muller"),
        (".*", "Bau"),
        ("b", "a"),
    ],
)
def test_a_search_does_not_find_what_is_another_name(asked: str, there: str) -> None:
    """L1: an umlaut is taken back where one may stand, not anywhere; nothing is an operator."""
    assert not matches(asked, there)
    assert not found(asked, there)


@given(NAMES, st.data())
def test_every_part_of_a_name_finds_it(name: str, data: st.DataObject) -> None:
    """L1: infix, of the name as it is folded."""
    folded = fold(name)
    start = data.draw(st.integers(0, len(folded)))
    end = data.draw(st.integers(start, len(folded)))
    assert matches(name, name)
    assert matches(folded[start:end], name)


@given(GERMAN, st.data())
def test_every_part_finds_a_name_without_its_marks(name: str, data: st.DataObject) -> None:
    """L1: ignoring diacritics, as somebody types who has no umlauts, wherever they begin."""
    bare = name.translate(str.maketrans("äöüÄÖÜ", "aouAOU"))
    start = data.draw(st.integers(0, len(bare)))
    asked = bare[start : data.draw(st.integers(start, len(bare)))]
    assert matches(asked, name)
    assert matches(name, bare)


@given(GERMAN)
def test_no_spelling_of_umlauts_or_case_hides_a_name(name: str) -> None:
    """L1: `mueller`, `MÜLLER`, `muller`, `Müller`, each way round."""
    spelled = name
    for umlaut, pair in SPELLED:
        spelled = spelled.replace(umlaut, pair).replace(umlaut.upper(), pair.upper())
    bare = name.translate(str.maketrans("äöüÄÖÜ", "aouAOU"))
    for asked, there in itertools.permutations((name, spelled, bare, name.lower(), spelled.upper()), 2):
        assert matches(asked, there)


@given(st.one_of(GERMAN, NAMES), st.one_of(GERMAN, NAMES))
def test_tails_and_pattern_find_exactly_what_matches(asked: str, there: str) -> None:
    """Invariant 7: what the database is asked is the rule itself."""
    assert found(asked, there) == matches(asked, there)
    assert (re.search(pattern(asked), fold(there)) is not None) == matches(asked, there)


@given(st.text(alphabet="aäeuüm ", min_size=TAIL, max_size=30), st.data())
def test_a_long_search_is_found_to_its_end(name: str, data: st.DataObject) -> None:
    """L1: tails are cut; what is beyond the cut counts all the same."""
    start = data.draw(st.integers(0, len(name)))
    asked = data.draw(st.sampled_from(["", "m", "ü"])).join([name[start:], ""])
    assert found(asked, name) == matches(asked, name)


@given(NAMES)
def test_a_folded_name_folds_to_itself(name: str) -> None:
    """Rows keep the folded name: folding it again must not lose it."""
    assert fold(fold(name)) == fold(name)


DIRECTORY = [
    *("Aal", "Äffchen", "Afrika", "Apfel", "Bau", "Bau 9", "Bau 10", "Bau 10a", "Bau 100", "Bauer"),
    *("Goethe", "Göthe", "Gott", "Großer", "Grosserie", "Łódź", "Müll", "Müller", "Mulm", "Öl", "Østgaard", "Zebra"),
]


def test_names_stand_as_in_a_german_directory() -> None:
    """L3: DIN 5007-1 (ä like a, ß like ss, case ignored), numbers by value."""
    assert sorted(DIRECTORY, key=sort_key) == DIRECTORY


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Müller", "muller"),
        ("Groß", "GROSS"),
        ("GROẞ", "gross"),
        ("Bau 007", "Bau 7"),
        ("Bau ١٢", "Bau 12"),
        ("Müller", unicodedata.normalize("NFD", "Müller")),
        ("  Bau   GmbH", "Bau GmbH"),
        ("Bau\u00adhof", "Bauhof"),
        ("ﬁnanz", "Finanz"),
    ],
)
def test_names_alike_are_ties(one: str, other: str) -> None:
    """L3: what the rule does not tell apart stands by id, in both directions."""
    assert sort_key(one) == sort_key(other)


def test_spelled_umlauts_stand_as_they_are_spelled() -> None:
    """L3: DIN 5007-1, the order of words, not that of telephone books."""
    assert sort_key("Goethe") < sort_key("Göthe")
    assert sort_key("Mueller") < sort_key("Müller")


@given(st.integers(0, 10**30), st.integers(0, 10**30), st.sampled_from(["", "0", "000"]))
def test_numbers_stand_by_value_however_many_zeros_lead_them(one: int, other: int, zeros: str) -> None:
    """L3: "Bau 9" before "Bau 10"; "Bau 007" is where "Bau 7" is."""
    assume(one != other)
    assert (sort_key(f"Bau {zeros}{one} GmbH") < sort_key(f"Bau {other} GmbH")) == (one < other)


@given(NAMES, NAMES)
def test_keys_order_alike_as_text_and_as_bytes(one: str, other: str) -> None:
    """Invariant 7: MongoDB compares bytes, Python code points; UTF-8 keeps their order."""
    first, second = sort_key(one), sort_key(other)
    assert (first < second) == (first.encode() < second.encode())
