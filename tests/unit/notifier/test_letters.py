"""The mails are what was looked at: golden files, and what no mail may hold (N6-N8, R4, G1)."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from services.notifier.letters import invitation_letter, isolated
from tests.unit.notifier.letters import _invitation, golden, letters

LETTERS = letters()


@pytest.mark.parametrize("name", LETTERS)
def test_a_mail_says_what_its_golden_file_says(name: str) -> None:
    """After a look: ``python -m tests.unit.notifier.letters record`` writes them anew."""
    for path, text in golden(name, LETTERS[name]).items():
        assert path.read_bytes().decode() == text, path.name


class Reader(HTMLParser):
    """Collects tags, what they load, and the text."""

    def __init__(self) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.links: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.loads += [str(given[name]) for name in ("src", "background", "srcset") if name in given]
        self.loads += [tag] if tag in ("img", "script", "iframe", "object", "form", "link") else []
        self.links += [str(given["href"])] if tag == "a" else []

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("name", LETTERS)
def test_no_mail_loads_anything_and_both_parts_hold_the_same_links(name: str) -> None:
    """No remote images; the text part is as good as the HTML."""
    reader, letter = Reader(), LETTERS[name]
    reader.feed(letter.html)
    assert reader.loads == []
    assert "url(" not in letter.html
    assert set(reader.links) == set(re.findall(r"https://\S+", letter.text))


def test_figures_stand_below_one_another_in_the_text_part() -> None:
    """Every known figure ends in the same column, its change right behind."""
    rows = [line for line in LETTERS["digest-de"].text.split("\n") if re.match(r"  (Kontostand|Fehlende|Ausgaben)", line)]
    figures = [re.match(r"  [^:]+: +(?:−|-)?[\d.,]*\d(?:\xa0€)?", row) for row in rows if "noch keine" not in row]
    assert len({match.end() for match in figures if match}) == 1
    assert any("12 +2, seit" in row for row in rows)


def test_a_name_turns_nothing_around_it() -> None:
    """Marks that reorder text stay within the name; others are as they are."""
    assert isolated("Müller") == "Müller"
    assert isolated("a\u202eb\u2069c") == "\u2068a\u202ebc\u2069"


def test_an_invitation_holds_every_name_apart() -> None:
    """E4: what a name turns around ends with it, also in mails to people who do not know the sender yet."""
    letter = invitation_letter(_invitation("Nord\u202etfahcslleseG"), "Berg\u202e & Partner", "de", "https://portal.example/x")
    for part in (letter.subject, letter.text, letter.html):
        assert "\u2068Nord\u202etfahcslleseG\u2069" in part
        assert "\u2068Berg\u202e &" in part
