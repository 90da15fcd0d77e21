"""A mail's letter is the same whether it was planned a moment ago or lay in the database meanwhile (N12, invariant 9)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from bson import decode, encode
from hypothesis import given
from hypothesis import strategies as some

from services.notifier.access import View
from services.notifier.domain.mail import Mail, Part, digest_id
from services.notifier.domain.subscription import subscription_id
from services.notifier.domain.world import client_key
from services.notifier.links import Links
from services.notifier.planning import letter_of, plan
from services.notifier.post import Posted
from services.notifier.smtp import _stuffed
from shared.contracts.base import ClientId, FirmId, MemberId
from shared.contracts.notifier import MailKind
from tests.unit.notifier.letters import KNOWN, URL
from tests.unit.notifier.world import FIRM, LEYLA, MONDAY

SECRET = "a secret of the tests alone"
MEMBER = {"firm_id": FIRM, "name": "Leyla", "email": "leyla@firm.example", "locale": "de", "active": True, "role": "admin"}


def test_a_letter_reads_the_same_from_memory_and_from_the_database() -> None:
    """Invariant 9: what was claimed is what is frozen, figures, changes and what it means for every client."""
    parts = tuple(Part(ClientId(id), MONDAY + timedelta(hours=6)) for id in KNOWN)
    mail = Mail(digest_id(LEYLA, MONDAY), MailKind.DIGEST, FirmId(FIRM), MemberId(LEYLA), MONDAY, MONDAY, parts, None)
    known = {id: (knowledge.client, knowledge.subscription) for id, knowledge in KNOWN.items()}
    view = View(
        members={LEYLA: MEMBER},
        allowed={(LEYLA, id): True for id in known},
        clients={client_key(FIRM, id): client for id, (client, _) in known.items() if client is not None},
        subscriptions={subscription_id(LEYLA, id): subscription for id, (_, subscription) in known.items() if subscription},
    )
    made = plan(mail, view, MONDAY)
    fresh = Posted(mail, attempt=0, ambiguous=False, waits=0, not_before=MONDAY, letter=made.letter, digest=made.digest)
    again = replace(fresh, letter=decode(encode({"letter": made.letter}))["letter"], digest=None)
    assert made.digest is not None
    assert len(made.digest.told) == len(KNOWN)
    assert letter_of(fresh, Links(URL, SECRET), URL, SECRET) == letter_of(again, Links(URL, SECRET), URL, SECRET)
    assert list(fresh.deliveries) == list(again.deliveries) == list(made.deliveries)


@given(some.text(alphabet=".\r\na").map(str.encode))
def test_no_line_of_a_mail_is_taken_for_its_end(message: bytes) -> None:
    """RFC 5321, 4.5.2: every dot at the start of a line is doubled, and no other."""
    whole = message if message.endswith(b"\r\n") else message + b"\r\n"
    assert _stuffed(message).split(b"\n") == [b"." + line if line.startswith(b".") else line for line in whole.split(b"\n")]
