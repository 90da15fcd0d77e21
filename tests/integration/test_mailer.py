"""A mail's way through every death it may meet, against a mail server and a database that are real (N11, N12, invariant 9)."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from services.notifier.domain.preferences import Preferences, Suppressed
from services.notifier.domain.world import MailsHurried
from services.notifier.mailer import AT_ONCE as AT_A_LOOK
from services.notifier.mailer import CREWS, TOGETHER, Policy
from services.notifier.post import LEASE, Post
from services.notifier.smtp import AT_ONCE
from services.notifier.store import MAILS, hurried
from services.notifier.together import Together
from shared.contracts.base import ClientId
from shared.mongo import Database
from tests.integration.listing import Overheard
from tests.integration.office import ADDRESS, AMBIGUOUS, FIRM, LEYLA, MONDAY, POINTS, Office, opened
from tests.system import Ground, eventually


@pytest.fixture
async def office(ground: Ground) -> AsyncIterator[Office]:
    """One digest of Leyla's waits to be sent."""
    async with opened(ground) as office:
        yield office


@pytest.mark.parametrize("pipelines", [False, True])
@pytest.mark.parametrize("point", POINTS)
async def test_a_notifier_killed_at_any_point_loses_nothing_and_doubles_only_at_the_dot(
    office: Office, point: str, pipelines: bool
) -> None:
    """N12: whoever comes after the lease sends it, with the same Message-ID; also where commands go in one breath."""
    office.at(point)
    if pipelines:
        office.server.answers["ehlo"] = b"250-real enough\r\n250 PIPELINING\r\n"
    victim = await office.starts()
    await asyncio.wait_for(office.server.reached.wait(), 10)
    await office.dies(victim)
    office.server.goes_on.set()
    office.now += LEASE + timedelta(seconds=1)
    await office.starts()
    await office.ends("sent")
    assert len(office.message_ids) == (2 if point == AMBIGUOUS else 1)
    assert len(set(office.message_ids)) == 1


@pytest.mark.parametrize("point", POINTS)
async def test_under_hold_a_killed_notifiers_mail_is_never_sent_twice(office: Office, point: str) -> None:
    """N12: what may have been taken is recorded as unknown; before a connection stood, nothing can have been."""
    office.at(point)
    victim = await office.starts(Policy.HOLD)
    await asyncio.wait_for(office.server.reached.wait(), 10)
    await office.dies(victim)
    office.server.goes_on.set()
    office.now += LEASE + timedelta(seconds=1)
    await office.starts(Policy.HOLD)
    before_any_byte = point in ("connect", "ehlo")
    await office.ends("sent" if before_any_byte else "outcome_unknown")
    assert len(office.message_ids) == (1 if before_any_byte or point == AMBIGUOUS else 0)


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("policy", list(Policy))
async def test_a_mail_server_that_hangs_up_at_any_point_gets_the_mail_once(office: Office, point: str, policy: Policy) -> None:
    """N12: before the dot it is tried again under either policy; at the dot the policy speaks."""
    office.at(point)
    office.server.hangs_up = True
    office.server.goes_on.set()
    await office.starts(policy)
    await asyncio.wait_for(office.server.reached.wait(), 10)

    async def moves_on() -> bool:
        office.now += timedelta(seconds=1)
        return bool((await office.mail())["status"] in ("sent", "outcome_unknown"))

    await eventually(moves_on)
    ambiguous = point == AMBIGUOUS
    await office.ends("outcome_unknown" if ambiguous and policy is Policy.HOLD else "sent")
    assert len(office.message_ids) == (2 if ambiguous and policy is Policy.RESEND else 1)
    assert len(set(office.message_ids)) == 1


async def test_of_two_notifiers_the_one_frozen_past_its_lease_sends_nothing(office: Office) -> None:
    """Invariant 9: it looks at its lease right before the final dot, and finds that it is over."""
    office.at("data")
    seconds = 0.0
    frozen = await office.starts(clock=lambda: seconds)
    await asyncio.wait_for(office.server.reached.wait(), 10)
    office.now += LEASE
    seconds += LEASE.total_seconds()
    await office.starts()
    await office.ends("sent")
    office.server.goes_on.set()
    await eventually(lambda: frozen._pool._free._value == AT_ONCE)
    assert len(office.server.taken) == 1
    assert [settled.deliveries[0].status for settled in office.settled] == ["sent"]


async def test_two_notifiers_at_once_send_one_mail(office: Office) -> None:
    """N12: who comes second finds the claim taken."""
    await asyncio.gather(*(office.starts() for _ in range(4)))
    await office.ends("sent")
    assert len(office.server.taken) == 1


async def test_a_flood_goes_out_by_several_crews_and_every_mail_once(office: Office) -> None:
    """N12: whoever takes it, and whatever else is in hand."""
    await office.waits(300)
    await asyncio.gather(*(office.starts() for _ in range(2)))
    await eventually(lambda: len(office.settled) == 300)
    assert len(set(office.message_ids)) == len(office.message_ids) == 300


async def test_a_mailer_that_is_told_to_stop_ends_what_it_has_in_hand_and_begins_nothing(office: Office) -> None:
    """Invariant 9: nothing is left to its lease, and what waits is left to who comes next."""
    await office.waits(AT_A_LOOK)
    office.at("connect")  # else all of them might be gone before it is told
    mailer = await office.starts()
    await asyncio.wait_for(office.server.reached.wait(), 10)
    stopping = asyncio.create_task(mailer.stop())
    await asyncio.sleep(0)
    office.server.goes_on.set()
    await stopping
    found = [mail["status"] async for mail in office.database[MAILS].find({}, {"status": 1})]
    assert set(found) == {"sent", "due"}
    assert found.count("sent") == len(office.server.taken) <= CREWS * TOGETHER


async def test_a_server_that_says_yes_and_resets_has_the_mail(office: Office) -> None:
    """N12: what was answered counts; errors afterwards are noise."""
    office.server.resets_after = True
    await office.starts()
    await office.ends("sent")
    assert len(office.server.taken) == 1


@pytest.mark.parametrize(
    ("answer", "status", "address"),
    [
        (b"550 5.1.1 no such mailbox\r\n", "failed", ADDRESS),
        (b"550 5.7.1 we do not like you\r\n", "failed", None),
        (b"553 5.1.8 who is that sender\r\n", "failed", None),
        (b"550 no such mailbox\r\n", "failed", None),
    ],
)
async def test_an_address_that_is_none_is_told_apart(office: Office, answer: bytes, status: str, address: str | None) -> None:
    """N14: by the mail server's enhanced status 5.1.x about the recipient, never by anything else."""
    office.server.answers["rcpt"] = answer
    await office.starts()
    await office.ends(status)
    assert [settled.refused_address for settled in office.settled] == [address]


async def test_a_server_away_longer_than_the_grace_makes_it_missed(office: Office) -> None:
    """N11: the same limits bound a mail that waits for the mail server."""
    office.server.answers["rcpt"] = b"451 4.7.1 later\r\n"
    await office.starts()
    await office.is_put_off()
    office.now = MONDAY + timedelta(hours=6, seconds=1)
    await office.ends("missed")
    assert office.server.taken == []


@pytest.mark.parametrize(("lost", "reason"), [(True, "access_lost"), (False, "suppressed")])
async def test_what_was_planned_is_looked_at_again_before_it_goes(office: Office, lost: bool, reason: str) -> None:
    """N9, N14: a letter that waits for the mail server is not sent once it must not be."""
    office.server.answers["rcpt"] = b"451 4.7.1 later\r\n"
    await office.starts()
    await office.is_put_off()
    bounced = Preferences(LEYLA, FIRM).turned_away(ADDRESS, Suppressed.HARD_BOUNCE, MONDAY)
    office.access.lost, office.access.preferences = lost, {} if lost else {LEYLA: bounced}
    office.server.answers.clear()
    office.now += timedelta(minutes=1)
    await office.ends("skipped")
    assert [delivery.reason for settled in office.settled for delivery in settled.deliveries] == [reason]
    assert office.server.taken == []


async def test_a_letter_to_an_address_that_is_no_more_is_written_anew(office: Office) -> None:
    """N14: nothing goes to an address that turned us away because it waited, and the new one starts clean."""
    office.server.answers["rcpt"] = b"451 4.7.1 later\r\n"
    await office.starts()
    await office.is_put_off()
    office.access.preferences = {LEYLA: Preferences(LEYLA, FIRM).turned_away(ADDRESS, Suppressed.HARD_BOUNCE, MONDAY)}
    office.access.address = "leyla@new.example"
    office.server.answers.clear()
    office.now += timedelta(minutes=1)
    await office.ends("sent")
    (taken,) = office.server.taken
    assert b"<leyla@new.example>" in taken
    assert ADDRESS.encode() not in taken


async def test_changes_in_company_are_each_told_their_own_outcome(office: Office) -> None:
    """Invariant 9: of many that want the same document one gets it; the others, and those of nobody, learn so."""
    mails = office.database[MAILS]
    await mails.insert_many([{"_id": f"m{n}", "firm_id": FIRM, "status": "due"} for n in range(3)])
    together = Together(mails)
    wanted = [("m0", 1), ("m0", 2), ("m1", 3), ("m2", 4), ("gone", 5)]
    told = await asyncio.gather(
        *(together.change({"_id": id, "status": "due"}, {"status": "taken", "by": n}) for id, n in wanted)
    )
    assert (told[0] + told[1], told[2:]) == (1, [True, True, False])
    winner = (await mails.find_one({"_id": "m0"}))["by"]
    assert told[winner - 1]


async def test_what_is_asked_of_few_mails_walks_an_index_of_those_few(ground: Ground, office: Office) -> None:
    """Invariant 13: those that wait about a client, to a member, and those that are settled and not recorded."""
    await office.waits(100)
    overheard = Overheard()
    database = Database(ground.mongodb, office.database._database.name, overheard)
    try:
        await Post(database, lambda: office.now).unrecorded(10)
        await database[MAILS].find(hurried(MailsHurried(FIRM, client_id=ClientId("c-other")))).to_list(None)
        await database[MAILS].find(hurried(MailsHurried(FIRM, member_id="m-other"))).to_list(None)
        asked = [command for command in overheard.commands if "find" in command]
        plans = [await database._database.command("explain", command, verbosity="executionStats") for command in asked]
    finally:
        database.close()
    walked = [re.findall("'indexName': '([a-z_]+)'", str(plan["queryPlanner"]["winningPlan"])) for plan in plans]
    assert walked == [["settled_unrecorded"], ["waiting_of_client"], ["of_member"]]
    assert [plan["executionStats"]["totalDocsExamined"] for plan in plans] == [0, 0, 0]
