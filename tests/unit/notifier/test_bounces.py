"""Addresses that turn us away, and links that are none of ours (N13, N14, R6)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from services.notifier.domain.mail import MailStatus, digest_id, message_key
from services.notifier.domain.world import World
from services.notifier.links import Click, Links
from shared.contracts.base import ClientId, MemberId
from shared.contracts.notifier import (
    LiftSuppression,
)
from shared.contracts.pleo import MailBounced
from shared.decider import Counted
from tests.unit.notifier.test_settings import hers, leyla, stamp
from tests.unit.notifier.world import (
    FIRM,
    LEYLA,
    MONDAY,
    MUELLER,
    lines,
    tell,
    tick,
)

HOUR = timedelta(hours=1)
SECRET = "a secret of the tests alone"


def bounce(kind: str = "hard", mail_id: str | None = None, member_id: str | None = LEYLA) -> MailBounced:
    name = f"<{message_key(mail_id)}@pleo.example>" if mail_id else None
    body = {"member_id": member_id, "address": "Leyla@Firm.example", "kind": kind, "message_id": name}
    return MailBounced.model_validate(body, strict=False)


def reason(world: World) -> str | None:
    known = world.preferences_of(LEYLA).suppressed("leyla@firm.example")
    return known.reason.value if known and known.reason else None


def test_bounces_count_in_any_order_and_a_lifted_one_does_not_come_back() -> None:
    """N14: a hard bounce says more than a complaint; an old one told again says nothing new."""
    world = hers()
    assert list(tell(world, bounce("soft"))) == [Counted("soft")]
    for kind in ("complaint", "hard", "complaint"):
        tell(world, bounce(kind), MONDAY)
    assert reason(world) == "hard_bounce"
    body = {**stamp(MONDAY + HOUR), "member_id": LEYLA}
    tell(world, LiftSuppression.model_validate(body, strict=False))
    tell(world, bounce(), MONDAY)
    assert reason(world) is None
    tell(world, bounce(), MONDAY + 2 * HOUR)
    assert reason(world) == "hard_bounce"


def test_a_bounce_of_a_member_not_yet_known_is_kept() -> None:
    """M1: the firm is told later."""
    world = World()
    tell(world, bounce())
    assert world.preferences[LEYLA].firm_id is None
    tell(world, leyla())
    assert (world.preferences[LEYLA].firm_id, reason(world)) == (FIRM, "hard_bounce")


def test_a_bounce_heard_before_the_mail_is_recorded_makes_it_failed() -> None:
    """R6: whichever comes first; who it was for may be told by the mail alone."""
    from tests.unit.notifier.test_subscriptions import settled

    for bounce_first in (True, False):
        world = hers(MUELLER)
        tell(world, tick(MONDAY), MONDAY)
        id = digest_id(LEYLA, MONDAY)
        world.mails[id] = replace(world.mails[id], status=MailStatus.SENT)
        told = [bounce(mail_id=id, member_id=None), settled("sent")]
        for message in told if bounce_first else reversed(told):
            tell(world, message, MONDAY)
        assert [line.status.value for line in lines(world)] == ["failed"]
        assert reason(world) == "hard_bounce"


def test_a_link_is_read_as_it_was_made_and_no_other() -> None:
    """N13, invariant 12: every character counts, and the secret."""
    links = Links("https://portal.example", SECRET)
    click = Click(MemberId(LEYLA), MONDAY, 1, ClientId(MUELLER))
    token = links.token(click)
    assert links.read(token) == click
    assert links.read(links.token(replace(click, client_id=None, number=2))) == replace(click, client_id=None, number=2)
    assert Links("https://portal.example", "another secret").read(token) is None
    for n in range(len(token)):
        other = "A" if token[n] != "A" else "B"
        assert links.read(token[:n] + other + token[n + 1 :]) is None
        assert links.read(token[:n]) is None
    assert links.read("preview") is None
