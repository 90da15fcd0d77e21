"""Names as people look for them and as a German directory orders them (L1, L3)."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.names import fold, matches, sort_key

NAMES = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1, max_size=40)
GERMAN = st.text(alphabet="aäeoöuüsßAÄEOÖUÜSbr 019", min_size=1, max_size=12)
SPELLED = (("ä", "ae"), ("ö", "oe"), ("ü", "ue"), ("ß", "ss"))


@pytest.mark.parametrize(
    ("asked", "there"),
    [
        *itertools.product(["mueller", "MÜLLER", "muller", "Müller", "MUELLER"], ["Müller Bau", "Mueller Bau", "Muller Bau"]),
        *itertools.product(["strasse", "Straße", "STRASSE", "STRAẞE"], ["Hauptstraße 1", "Hauptstrasse 1", "HAUPTSTRASSE 1"]),
        ("bauer", "Baur & Söhne"),
        ("societe", "Société Générale"),
        ("øst", "Oestgaard"),
        ("gro", "Groß"),
        ("  bau   gmbh ", "Bau GmbH"),
        ("ﬁ", "Finanz"),
    ],
)
def test_a_search_finds_every_spelling(asked: str, there: str) -> None:
    """L1: infix, ignoring case and diacritics, umlauts in every spelling."""
    assert matches(asked, there)


@pytest.mark.parametrize(("asked", "there"), [("muller", "Miller"), ("ue", "Ulm"), ("mueller", "Mller"), ("bau 9", "Bau 10")])
def test_a_search_does_not_find_what_is_another_name(asked: str, there: str) -> None:
    """L1: umlauts taken back below three characters would find everything."""
    assert not matches(asked, there)


@given(NAMES, st.data())
def test_every_part_of_a_name_finds_it(name: str, data: st.DataObject) -> None:
    """L1: infix. A part that begins within one character of several code points is the exception we exclude."""
    folded = fold(name)
    start = data.draw(st.integers(0, len(folded)))
    end = data.draw(st.integers(start, len(folded)))
    assert matches(name, name)
    assert folded[start:end].strip() in folded
    assert matches(folded[start:end].strip(), name)


@given(GERMAN)
def test_no_spelling_of_umlauts_or_case_hides_a_name(name: str) -> None:
    """L1: `mueller`, `MÜLLER`, `muller`, `Müller`, each way round, from three characters on."""
    spelled = name
    for umlaut, pair in SPELLED:
        spelled = spelled.replace(umlaut, pair).replace(umlaut.upper(), pair.upper())
    bare = name.translate(str.maketrans("äöüÄÖÜ", "aouAOU"))
    for asked, there in itertools.permutations((name, spelled, name.lower(), spelled.upper()), 2):
        assert matches(asked, there)
    if len(fold(bare)) >= 3:
        assert matches(bare, name)
        assert matches(name, bare)


@given(NAMES)
def test_a_folded_name_folds_to_itself(name: str) -> None:
    """Rows keep the folded name: folding it again must not lose it."""
    assert fold(fold(name)) == fold(name)


DIRECTORY = [
    *("Aal", "Äffchen", "Afrika", "Apfel", "äpfel", "Bau 9", "Bau 10", "Bau 10a", "Bau 100"),
    *("Goethe", "Göthe", "Gott", "Groß", "grosse", "Müll", "Müller", "Mulm", "Öl", "Zebra"),
]


def test_names_stand_as_in_a_german_directory() -> None:
    """L3: DIN 5007-1 (ä like a, ß like ss, case ignored), numbers by value."""
    assert sorted(sorted(DIRECTORY), key=sort_key) == DIRECTORY


@given(NAMES, NAMES)
def test_no_two_names_share_a_place(one: str, other: str) -> None:
    """L3: the key ends in the name itself, so that an order is total and pages meet every row."""
    assert (sort_key(one) == sort_key(other)) == (one == other)


@given(st.integers(0, 10**30), st.integers(0, 10**30), st.sampled_from(["", "0", "000"]))
def test_numbers_stand_by_value_however_many_zeros_lead_them(one: int, other: int, zeros: str) -> None:
    """L3: "Bau 9" before "Bau 10"; "Bau 007" is where "Bau 7" is."""
    if one != other:
        assert (sort_key(f"Bau {zeros}{one} GmbH") < sort_key(f"Bau {other} GmbH")) == (one < other)


@given(NAMES)
def test_keys_order_alike_as_text_and_as_bytes(name: str) -> None:
    """Invariant 7: MongoDB compares bytes, Python code points; UTF-8 keeps their order."""
    assert (sort_key(name) < sort_key("m")) == (sort_key(name).encode() < sort_key("m").encode())
