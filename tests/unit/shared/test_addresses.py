"""Mail addresses in either alphabet (N14, O10)."""

from __future__ import annotations

import pytest

from shared.addresses import ascii_domain, mailbox


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("Robin@Bau.example", "robin@bau.EXAMPLE", True),
        ("robin@müller.example", "robin@xn--mller-kva.example", True),
        ("robin@MÜLLER.example", "Robin@XN--MLLER-KVA.example", True),
        ("robin@straße.example", "robin@xn--strae-oqa.example", True),
        ("robin@straße.example", "robin@strasse.example", False),
        ("robin+1@bau.example", "robin@bau.example", False),
        ("ä@ö@ü", "Ä@ö@ü", True),
        ("nobody", "NOBODY", True),
        ("a@\ud800.example", "a@b.example", False),
    ],
)
def test_two_spellings_of_one_mailbox_are_alike(one: str, other: str, is_same: bool) -> None:
    """A bounce names the address as it was sent, a member as it is known; what is no address is compared as it stands."""
    assert (mailbox(one) == mailbox(other)) is is_same


def test_a_domain_is_asked_for_by_its_own_name() -> None:
    """IDNA 2008: a mail to straße.de is not for whoever has strasse.de."""
    assert ascii_domain("straße.example") == "xn--strae-oqa.example"
    with pytest.raises(UnicodeError):
        ascii_domain("\u2068.example")
