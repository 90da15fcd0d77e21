"""Mails of onboarding: what became of a contact's mail, and the mails to admins and assignees (O7, O10)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from services.notifier.domain.mail import message_key
from services.notifier.domain.world import MailQueued, MailRecorded, World
from services.notifier.letters import ENDS, end_letter, undelivered_letter
from services.onboarding.domain.verification import FINAL, Stage
from shared.contracts.clients import EndTold
from shared.contracts.notifier import ContactMailSettled, InvitationUndelivered, MailKind
from shared.contracts.onboarding import UndeliveredMailed
from shared.contracts.pleo import MailBounced
from shared.decider import Said
from tests.unit.notifier.letters import _invitation
from tests.unit.notifier.world import FIRM, LEYLA, MONDAY, MUELLER, tell

URL = "https://portal.example"


def end(state: str = "verified", corrects: str | None = None) -> EndTold:
    body = {"firm_id": FIRM, "client_id": MUELLER, "client_name": "Müller Bau", "state": state, "corrects": corrects}
    at = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
    return EndTold.model_validate({**body, "at": at, "recipients": [LEYLA, "m-tom"]}, strict=False)


def undelivered() -> UndeliveredMailed:
    body = {"firm_id": FIRM, "client_id": MUELLER, "company_name": "Müller Bau", "number": 1, "by": LEYLA, "at": MONDAY}
    return UndeliveredMailed.model_validate(
        {**body, "contact_name": "Max <b>Müller", "contact_email": "max@mueller.example"}, strict=False
    )


def contacted(*, delivered: bool) -> ContactMailSettled:
    return ContactMailSettled.model_validate(
        {"mail_id": "m", "client_id": MUELLER, "address": "max@mueller.example", "number": 1, "delivered": delivered}
    )


def test_everybody_concerned_gets_one_mail_a_state() -> None:
    """O5: however often it is told."""
    world = World()
    queued = [e.mail for e in tell(world, end()) if isinstance(e, MailQueued)]
    assert [(mail.kind, mail.member_id) for mail in queued] == [(MailKind.END, LEYLA), (MailKind.END, "m-tom")]
    assert list(tell(world, end())) == []
    assert len(tell(world, end("rejected", "verified"))) == 2


def test_a_contacts_mail_that_came_back_is_told_to_onboarding() -> None:
    """O10."""
    (recorded, told) = tell(World(), contacted(delivered=False))
    assert isinstance(recorded, MailRecorded)
    assert isinstance(told, Said)
    assert isinstance(told.message, InvitationUndelivered)
    assert (told.message.number, told.message.address) == (1, "max@mueller.example")
    assert [type(e) for e in tell(World(), contacted(delivered=True))] == [MailRecorded]


@pytest.mark.parametrize(("kind", "told"), [("hard", 1), ("soft", 0), ("complaint", 0)])
def test_only_a_hard_bounce_says_that_the_contact_cannot_be_reached(kind: str, told: int) -> None:
    """O10: a soft one may arrive yet."""
    bounced = MailBounced.model_validate({"client_id": MUELLER, "address": "max@mueller.example", "kind": kind}, strict=False)
    assert len([e for e in tell(World(), bounced) if isinstance(e, Said)]) == told


def test_a_bounce_may_name_no_more_than_the_contacts_mail() -> None:
    """O10; contract, section 2: whose it was is known by its Message-ID."""
    world = World()
    (queued,) = [e.mail for e in tell(world, _invitation()) if isinstance(e, MailQueued)]
    name = f"<{message_key(queued.id)}@pleo.example>"
    body = {"address": "ida@neu.example", "kind": "hard", "message_id": name}
    (told,) = tell(world, MailBounced.model_validate(body, strict=False))
    assert isinstance(told, Said)
    assert isinstance(told.message, InvitationUndelivered)
    assert told.message.client_id == MUELLER


def test_the_inviting_admin_is_mailed_once_a_link() -> None:
    """O10: with what to do about it; values are escaped."""
    world = World()
    (queued,) = tell(world, undelivered())
    assert queued.mail.member_id == LEYLA
    assert list(tell(world, undelivered())) == []
    letter = undelivered_letter(undelivered(), "Leyla", "de", URL)
    assert letter.subject == "Einladung an Müller Bau nicht zustellbar"
    assert "Max <b>Müller (max@mueller.example)" in letter.text
    assert "<b>" not in letter.html
    assert "could not be delivered" in undelivered_letter(undelivered(), "Leyla", "en", URL).subject


def test_there_is_a_mail_for_every_end_but_a_withdrawal() -> None:
    """O7."""
    assert set(ENDS) == {str(stage) for stage in FINAL} - {str(Stage.WITHDRAWN)}
    assert end_letter(end("expired"), "Leyla", "de", URL).subject == "Müller Bau hat nicht geantwortet"
    corrected = end_letter(end("rejected", "verified"), "Leyla", "en", URL)
    assert corrected.subject == "Correction: Müller Bau was rejected"
    assert "corrects an earlier one" in corrected.text
    assert "Stand 23.11.26, 10:30" in end_letter(end(), "Leyla", "de", URL).text
