"""What a mail says, to whom, in which order and language, and that no header can be broken into (N6-N9, R4, G1)."""

from __future__ import annotations

import email
import re
from datetime import timedelta
from email import policy

import bson
import pytest
from pydantic import TypeAdapter

from services.notifier.domain.mail import Digest, Knowledge, Part, plan_digest
from services.notifier.domain.subscription import Mailed, Subscription
from services.notifier.envelope import Unmailable, message_id, seal
from services.notifier.letters import Letter, digest_letter, invitation_letter, reminder_letter
from services.notifier.links import Links
from services.notifier.words import words_for
from shared.contracts.base import ClientId, FirmId, MemberId, Money
from shared.contracts.clients import ClientState, ReminderRequested
from shared.contracts.notifier import Frequency
from shared.contracts.onboarding import InvitationMailed
from tests.unit.notifier.world import FIRM, LEYLA, MONDAY, MUELLER, THURSDAY, WEBER, client

URL = "https://portal.example"
INERT = Links(URL, "secret-of-the-tests").inert
FROM = "Pleo Partnerportal <partner@pleo.example>"
LATER = MONDAY + timedelta(hours=6)


def spaced(text: str) -> str:
    """Return *text* without the runs of spaces that align its figures."""
    return re.sub(" +", " ", text)


def hers(client_id: str, *, even_if_nothing: bool = False, mailed: Mailed | None = None, on: bool = True) -> Subscription:
    return Subscription(
        FirmId(FIRM), MemberId(LEYLA), ClientId(client_id), on, Frequency.DAILY, even_if_nothing, since=THURSDAY, mailed=mailed
    )


def known(state: ClientState, subscription: Subscription | None = None, *, allowed: bool = True) -> Knowledge:
    return Knowledge(allowed, subscription or hers(state.client_id), state)


def planned(*knowledge: Knowledge) -> Digest:
    by_id: dict[str, Knowledge] = {k.client.client_id: k for k in knowledge if k.client}
    return plan_digest([Part(ClientId(id), LATER) for id in by_id], MONDAY, by_id, MONDAY)


def became(digest: Digest) -> dict[str, tuple[str, str | None]]:
    return {d.client_id: (d.status.value, d.reason.value if d.reason else None) for d in digest.deliveries}


def test_the_most_urgent_client_comes_first() -> None:
    """N8: low balance, then most missing, then most ready, then name as in a directory."""
    digest = planned(
        known(client("c-1", "Zoo", missing=1, ready=5)),
        known(client("c-2", "Ährenhof", missing=1, ready=5)),
        known(client("c-3", "Bau", missing=1, ready=9)),
        known(client("c-4", "Café", missing=7)),
        known(client("c-5", "Dach", low=True, balance=Money(amount_minor=1, currency="EUR"))),
    )
    assert [told.client_id for told in digest.told] == ["c-5", "c-4", "c-3", "c-2", "c-1"]


def test_nothing_outstanding_is_left_out_unless_asked_for() -> None:
    """N7: unknown is not outstanding; zeros are shown to who wants them."""
    quiet, unknown = client(MUELLER), client(WEBER, missing=None, ready=None)
    digest = planned(known(quiet), known(unknown))
    assert (digest.told, set(became(digest).values())) == ((), {("skipped", "nothing_outstanding")})
    digest = planned(known(quiet, hers(MUELLER, even_if_nothing=True)))
    assert "Fehlende Quittungen: 0" in spaced(digest_letter(digest, "Leyla", "de", URL, INERT).text)


def test_access_lost_switched_off_and_too_late_are_told_apart() -> None:
    """N9-N11: access counts first."""
    assert became(planned(known(client(missing=1), allowed=False))) == {MUELLER: ("skipped", "access_lost")}
    assert became(planned(known(client(missing=1, connected=False)))) == {MUELLER: ("skipped", "access_lost")}
    assert became(planned(known(client(missing=1), hers(MUELLER, on=False)))) == {MUELLER: ("skipped", "switched_off")}
    late = plan_digest(
        [Part(ClientId(MUELLER), LATER)], MONDAY, {MUELLER: known(client(missing=1))}, LATER + timedelta(seconds=1)
    )
    assert became(late) == {MUELLER: ("missed", None)}


def test_a_mail_holds_a_hundred_clients_and_says_how_many_more() -> None:
    """N8: all of them count as told."""
    digest = planned(*(known(client(f"c-{n}", f"Bau {n}", missing=1)) for n in range(103)))
    assert (len(digest.told), digest.more, set(became(digest).values())) == (100, 3, {("sent", None)})
    assert f"und 3 weitere: {URL}" in digest_letter(digest, "Leyla", None, URL, INERT).text
    assert "and 3 more" in digest_letter(digest, "Leyla", "en-GB", URL, INERT).html


BEFORE = Mailed(THURSDAY, 12, 7, 10_000, "EUR")
STATE = client(missing=14, ready=5, balance=Money(amount_minor=123_456, currency="EUR"), low=True)


def test_figures_come_with_their_time_and_the_change_since_the_last_mail() -> None:
    """N6 in German: +2 and −2 behind the figure, money and times as written there."""
    letter = digest_letter(planned(known(STATE, hers(MUELLER, mailed=BEFORE))), "Leyla", "de-DE", URL, INERT)
    assert letter.subject == "1 Mandant braucht Sie: 14 Quittungen fehlen"
    assert "Fehlende Quittungen: 14 +2, seit 20.11.26, 09:12" in spaced(letter.text)
    assert "Ausgaben bereit zum Export: 5 −2, seit" in spaced(letter.text)
    assert "Kontostand: 1.234,56\xa0€ +1.134,56\xa0€ (niedrig), seit" in spaced(letter.text)


def test_english_is_for_everybody_else() -> None:
    """G1: also for a locale that is neither; figures as in English then."""
    for locale in ("en", "fr-FR", "not a locale"):
        letter = digest_letter(planned(known(STATE, hers(MUELLER, mailed=BEFORE))), "Leyla", locale, URL, INERT)
        assert letter.subject == "1 client needs you: 14 receipts missing"
        assert "Missing receipts: 14 +2, since Nov 20, 2026" in spaced(letter.text)
        assert "€1,234.56 +€1,134.56 (low)" in spaced(letter.text)


def test_an_unchanged_figure_has_no_change_and_an_unknown_one_no_number() -> None:
    """N6."""
    unheard = client(missing=14, ready=None)
    letter = digest_letter(
        planned(known(unheard, hers(MUELLER, mailed=Mailed(THURSDAY, 14, 1, None, None)))), "Leyla", "de", URL, INERT
    )
    assert "Fehlende Quittungen: 14, seit" in spaced(letter.text)
    assert "Ausgaben bereit zum Export: noch keine Angaben\n" in spaced(letter.text)
    assert "Kontostand: noch keine Angaben\n" in spaced(letter.text)
    assert "no data yet" in digest_letter(planned(known(unheard)), "Leyla", "en", URL, INERT).html


def test_names_are_shown_as_they_are() -> None:
    """Markup in a name is text; a preview has the same bytes (N15)."""
    digest = planned(known(client(name="<b>Bau & Co</b>", missing=1)))
    letter = digest_letter(digest, "<i>Leyla</i>", "de", URL, INERT)
    assert "&lt;b&gt;Bau &amp; Co&lt;/b&gt;" in letter.html
    assert "&lt;i&gt;Leyla" in letter.html
    assert "<b>Bau & Co</b>" in letter.text
    assert letter == digest_letter(digest, "<i>Leyla</i>", "de", URL, INERT)


def test_a_name_is_never_taken_for_a_form() -> None:
    """E1: digests are forms that are filled in; what looks like a slot of one is text like any other."""
    for odd in ("100 %s Bau", "%(url)s & %d %", "{0} {name}", "{{ w.language }}"):
        letter = digest_letter(planned(known(client(name=odd, missing=1))), odd, "de", URL, INERT)
        assert (letter.text.count(odd), letter.html.count(odd.replace("&", "&amp;"))) == (2, 2)


def reminder(comment: str | None = None) -> ReminderRequested:
    body = {"command_id": "k", "reminder_id": "r", "firm_id": FIRM, "client_id": MUELLER, "client_name": "Müller Bau"}
    tasks = [
        {"task": "missing_receipts", "count": 3, "outstanding": True},
        {"task": "low_balance", "balance": {"amount_minor": 1250, "currency": "EUR"}, "outstanding": True},
    ]
    more = {"requested_at": MONDAY, "by": {"id": "m-anna", "name": "Anna Berg"}, "reply_to": "anna@firm.example"}
    return ReminderRequested.model_validate(
        {**body, **more, "tasks": tasks, "comment": comment, "recipients": [{"id": LEYLA, "name": "Leyla"}]}, strict=False
    )


def test_a_reminder_names_admin_client_tasks_and_comment() -> None:
    """R4, R2: the comment is literal, line breaks and all, and in no header."""
    letter = reminder_letter(reminder("Bitte <b>heute</b>\nDanke & Gruß"), "Leyla", "de", URL)
    assert letter.subject == "Anna Berg erinnert Sie an Müller Bau: 3 Quittungen fehlen"
    assert "Bitte <b>heute</b>\nDanke & Gruß" in letter.text
    assert "Bitte &lt;b&gt;heute&lt;/b&gt;\nDanke &amp; Gruß" in letter.html
    assert "Kontostand niedrig (12,50\xa0€)" in letter.text
    assert "Anna Berg asks you to look after Müller Bau:" in reminder_letter(reminder(), "Leyla", "en", URL).text


def test_an_invitation_brings_its_link_and_loads_nothing_from_afar() -> None:
    """O1: in the firm's language."""
    body = {
        "firm_id": FIRM,
        "client_id": MUELLER,
        "company_name": "Neu AG",
        "contact_name": "Ida",
        "contact_email": "ida@neu.example",
    }
    more = {"number": 1, "occasion": "invite", "by": "m-anna", "reply_to": "anna@firm.example", "at": MONDAY}
    invitation = InvitationMailed.model_validate({**body, **more}, strict=False)
    letter = invitation_letter(invitation, "Berg & Partner", "de", f"{URL}/onboarding/token")
    assert letter.subject == "Berg & Partner lädt Neu AG zu Pleo ein"
    assert f'href="{URL}/onboarding/token"' in letter.html
    assert f"{URL}/onboarding/token" in letter.text
    assert "<img" not in letter.html
    assert "invites Neu AG to Pleo" in invitation_letter(invitation, None, "en", URL).subject


LETTER = Letter(
    "Drei Mandanten brauchen Sie: 14 Quittungen fehlen – " + "sehr " * 20, "Grüße\u2028\n.\nEnde ", "<p>Grüße</p>\n" * 40
)


def test_an_envelope_is_the_same_at_every_attempt_and_reads_back() -> None:
    """N12: same Message-ID, same boundary, same bytes."""
    first, second = (
        seal("digest:m:i:m", FROM, ("Leyla Öz", "leyla@firm.example"), LETTER, MONDAY, "00-a-b-01") for _ in range(2)
    )
    assert first == second
    read = email.message_from_bytes(first.message, policy=policy.default)
    assert (read["To"], read["Auto-Submitted"]) == ("Leyla Öz <leyla@firm.example>", "auto-generated")
    assert read["Message-ID"] == message_id("digest:m:i:m", FROM)
    assert read["Subject"].split() == LETTER.subject.split()
    text, html = read.iter_parts()
    assert [part.get_content_type() for part in (text, html)] == ["text/plain", "text/html"]
    lines = text.get_content().replace("\r\n", "\n")  # a mail's own line ends
    assert (lines, html.get_content()) == (LETTER.text, LETTER.html)  # else the same bytes as a preview's (N15)
    assert (first.sender, first.recipient) == ("partner@pleo.example", "leyla@firm.example")


@pytest.mark.parametrize("bad", ["a\r\nBcc: x@y", "a\nb", "a\x00b", "a\x85b", "a\u2028b", "a\u2029b"])
def test_no_value_breaks_a_header(bad: str) -> None:
    """facts, "Mail": Python's own guards have had holes."""
    fine = ("Leyla", "leyla@firm.example")
    for to, subject in (((bad, fine[1]), "s"), ((fine[0], f"{bad}@x"), "s"), (fine, bad)):
        with pytest.raises(Unmailable):
            seal("id", FROM, to, Letter(subject, "t", "h"), MONDAY, "00-a-b-01")
    for reply_to in ((bad, "anna@firm.example"), ("Anna", bad)):
        sealed = seal("id", FROM, fine, LETTER, MONDAY, "00-a-b-01", reply_to=reply_to)
        assert sealed.message == seal("id", FROM, fine, LETTER, MONDAY, "00-a-b-01").message


@pytest.mark.parametrize("odd", ['"a b"@firm.example', "jörg@firm.example", "anna"])
def test_an_admin_whom_no_mail_reaches_still_reminds(odd: str) -> None:
    """R2: the reminder reaches its readers; answers to it have nowhere to go."""
    sealed = seal("id", FROM, ("Leyla", "leyla@firm.example"), LETTER, MONDAY, "00-a-b-01", reply_to=("Anna", odd))
    assert email.message_from_bytes(sealed.message)["Reply-To"] is None


@pytest.mark.parametrize("odd", ["", "leyla", "@firm.example", "leyla@", "a b@c", "<a@b>", "ä@b.example", "a@b, c@d.example"])
def test_an_address_that_is_none_is_refused(odd: str) -> None:
    """A mail that nobody can get is failed, not tried for ever."""
    with pytest.raises(Unmailable):
        seal("id", FROM, ("Leyla", odd), LETTER, MONDAY, "00-a-b-01")


@pytest.mark.parametrize(
    ("minor", "currency", "shown"),
    [
        (1_234, "RSD", "12,34\xa0RSD"),
        (1_500, "IQD", "1,500\xa0IQD"),
        (1_234, "KWD", "1,234\xa0KWD"),
        (1_234, "ISK", "1.234\xa0ISK"),
        (-5, "HUF", "−0,05\xa0HUF"),
        (12_345, "CLF", "1,2345\xa0CLF"),
        (2**63 - 1, "EUR", "92.233.720.368.547.758,07\xa0€"),
    ],
)
def test_money_has_the_digits_of_its_minor_unit(minor: int, currency: str, shown: str) -> None:
    """N6, contract: by ISO 4217 as in the export; CLDR, which is about what people are used to see, knows fewer for some."""
    assert words_for("de").money(minor, currency) == shown


def test_a_change_may_be_more_than_the_database_can_count() -> None:
    """N6: the digest of such a balance is frozen and sent like any other, with its change."""
    debt, wealth = Mailed(THURSDAY, None, None, -(2**63), "EUR"), Money(amount_minor=2**63 - 1, currency="EUR")
    digest = planned(known(client(missing=1, balance=wealth), hers(MUELLER, mailed=debt)))
    assert bson.encode(TypeAdapter(Digest).dump_python(digest))
    assert "+184.467.440.737.095.516,15\xa0€" in digest_letter(digest, "Leyla", "de", URL, INERT).text
