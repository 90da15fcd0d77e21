"""The mailer: takes what is due, asks who may see it, freezes it, and hands it to the mail server once (N9, N12, invariant 9)."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from time import monotonic, perf_counter
from typing import TypeVar, cast

from services.notifier.access import Access, DoorAway, View
from services.notifier.domain.mail import MailStatus, whole_status
from services.notifier.envelope import Envelope, Unmailable, message_id, seal
from services.notifier.links import Links
from services.notifier.pile import Pile
from services.notifier.planning import letter_of, overtaken, plan, readdressed, reply_to
from services.notifier.post import Lease, Post, Posted, Settled
from services.notifier.smtp import Away, Line, NotTaken, Pool, Result, Taken, Turned, Unknown
from shared import telemetry
from shared.contracts.notifier import ClientDelivery, DeliveryStatus, MailKind
from shared.mongo import transient

AT_ONCE = 400
TOGETHER = 100  # what is asked, planned and claimed in company
CREWS = 3
LOOK_SECONDS = 0.25
LONGEST_PAUSE_SECONDS = 5.0
NOT_YET = timedelta(seconds=1)
LAST_TURN_SECONDS = 8.0
Report = Callable[[Settled, str | None], Awaitable[None]]
T = TypeVar("T")
log = telemetry.Log("mailer")


class Policy(StrEnum):
    """What becomes of a mail that the mail server may or may not have (N12)."""

    RESEND = "resend"
    HOLD = "hold"


@dataclass(frozen=True, slots=True)
class Sender:
    """What every mail of ours carries."""

    mail_from: str
    portal_url: str
    secret: str


class Mailer:
    """Sends mails, a handful at a time; what it cannot send now it looks at again later."""

    def __init__(
        self,
        post: Post,
        access: Access,
        pool: Pool,
        sender: Sender,
        report: Report,
        now: Callable[[], datetime],
        policy: Policy = Policy.RESEND,
    ) -> None:
        self._post = post
        self._access = access
        self._pool = pool
        self._sender = sender
        self._report = report
        self._now = now
        self._policy = policy
        self._task: asyncio.Task[None] | None = None
        self._last_turn = monotonic()
        self._asking = asyncio.Lock()
        self._stopping = asyncio.Event()

    async def start(self) -> None:
        """Begin to send."""
        self._last_turn = monotonic()
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Stop once the mails in hand are sent; what takes too long is left to its lease."""
        self._stopping.set()
        if self._task is not None:
            await asyncio.wait({self._task}, timeout=LAST_TURN_SECONDS)
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._pool.close()

    def stuck(self, seconds: float) -> list[str]:
        """Return why this process should be started anew; empty is good."""
        if self._task is not None and self._task.done():
            return ["the mailer has ended"]
        silent = monotonic() - self._last_turn
        return [f"the mailer has not turned for {silent:.0f} s"] if silent > seconds else []

    async def _run(self) -> None:
        pause = LOOK_SECONDS
        while not self._stopping.is_set():
            self._last_turn = monotonic()
            try:
                found = await self.turn()
                pause = 0 if found else LOOK_SECONDS
            except DoorAway as away:
                pause = min(max(pause, LOOK_SECONDS) * 2, LONGEST_PAUSE_SECONDS)
                log.warning("door_away", why=str(away))
            except Exception as error:
                pause = min(max(pause, LOOK_SECONDS) * 2, LONGEST_PAUSE_SECONDS)
                if transient(error):
                    log.warning("database_away", why=repr(error)[:300])
                else:
                    log.error("mailer_failed", error)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), pause)

    async def turn(self) -> int:
        """Carry out what waits until a look finds little; return how many mails there were."""
        pile = Pile(self._look, AT_ONCE)
        await _finished([self._crew(pile) for _ in range(CREWS)])
        return pile.count

    async def _look(self, in_hand: Collection[str], count: int) -> list[Posted]:
        """Return what waits, and say again what nobody recorded."""
        self._last_turn = monotonic()
        for settled, trace in await self._post.unrecorded(AT_ONCE):
            await self._report(settled, trace)
        return await self._post.waiting(in_hand, count)

    async def _crew(self, pile: Pile) -> None:
        """Carry out batch after batch: while one crew waits for the database, another one writes letters."""
        while not self._stopping.is_set():
            async with pile.batch(TOGETHER) as batch:
                if not batch:
                    return
                await self._carried_out(batch)

    async def _carried_out(self, batch: Sequence[Posted]) -> None:
        async with self._asking:  # in turns: the mails of one crew are on their way while the next one asks
            view = await self._access.view([posted.mail for posted in batch])
            planned = [posted for posted in await self._each(self._planned, batch, view) if posted is not None]
            if planned:  # asked again, right before the claim: an answer from before the planning is old by now (N9)
                view = await self._access.view([posted.mail for posted in planned], view)
        await self._each(self._dispatched, planned, view)

    async def _each(
        self, step: Callable[[Posted, View], Awaitable[Posted | None]], mails: Sequence[Posted], view: View
    ) -> list[Posted | None]:
        """Take *step* with every mail; one that fails by a fault of ours is put off and holds up no other."""

        async def careful(posted: Posted) -> Posted | None:
            try:
                return await step(posted, view)
            except Exception as error:
                if transient(error):
                    raise
                log.error("mail_failed", error, mail=posted.mail.id)
                await self._post.put_off(posted, posted.pause, type(error).__name__)
                return None

        return await _finished([careful(posted) for posted in mails])

    async def _planned(self, posted: Posted, view: View) -> Posted | None:
        """Return *posted* with its letter, None if nothing is to be sent now."""
        if not view.caught_up(posted.mail):
            await self._post.put_off(posted, NOT_YET, "our copy is behind")
            return None
        if posted.mail.status is not MailStatus.DUE:
            return posted
        made = plan(posted.mail, view, self._now())
        if made.letter is None:
            await self._settle(posted, whole_status(made.deliveries), made.deliveries)
            return None
        return replace(posted, letter=made.letter, digest=made.digest)

    async def _dispatched(self, posted: Posted, view: View) -> None:
        """Send *posted* unless it must not go any more."""
        if not view.caught_up(posted.mail):
            await self._post.put_off(posted, NOT_YET, "our copy is behind")
        elif gone := overtaken(posted, view, self._now()):
            await self._overtaken(posted, gone)
        elif readdressed(posted, view) and not _may_be_taken(posted):
            await self._anew(posted)
        elif self._policy is Policy.HOLD and _may_be_taken(posted):
            await self._settle(posted, MailStatus.OUTCOME_UNKNOWN, _all(posted, DeliveryStatus.OUTCOME_UNKNOWN))
        else:
            await self._send(posted)

    async def _overtaken(self, posted: Posted, gone: Sequence[ClientDelivery]) -> None:
        log.info("mail_overtaken", mail=posted.mail.id, clients=len(gone), ambiguous=posted.ambiguous)
        if _may_be_taken(posted):
            await self._settle(posted, MailStatus.OUTCOME_UNKNOWN, _all(posted, DeliveryStatus.OUTCOME_UNKNOWN))
        else:
            await self._anew(posted)

    async def _anew(self, posted: Posted) -> None:
        if posted.mail.status is not MailStatus.DUE:  # else nothing of it is frozen yet: the next look plans it anew
            await self._post.replan(posted)

    async def _send(self, posted: Posted) -> None:
        try:
            envelope = self._sealed(posted)
        except Unmailable as wrong:
            await self._settle(posted, MailStatus.FAILED, _all(posted, DeliveryStatus.FAILED), why=str(wrong))
            return
        try:
            sent = await (self._carefully(posted, envelope) if self._policy is Policy.HOLD else self._ahead(posted, envelope))
        except Away as away:
            log.warning("mail_server_away", why=str(away))
            await self._post.put_off(posted, posted.pause, str(away))
            return
        self._last_turn = monotonic()
        if sent is not None:
            await self._after(*sent)

    async def _carefully(self, posted: Posted, envelope: Envelope) -> tuple[Lease, Result] | None:
        """Claim a mail once a connection stands for it alone: what a crash leaves claimed is held, so it should be little."""
        async with self._pool.line() as line:
            lease = await self._post.claim(posted)
            return (lease, await self._handed(line, lease, envelope)) if lease is not None else None

    async def _ahead(self, posted: Posted, envelope: Envelope) -> tuple[Lease, Result] | None:
        """Claim a mail while others are on the connections, so that claims travel together; the mail server is known to be there.

        A mail that waited too long for its connection gives its lease back.
        """
        await self._pool.reached()
        lease = await self._post.claim(posted)
        if lease is None:
            return None
        try:
            async with self._pool.line() as line:
                if lease.may_begin():
                    return lease, await self._handed(line, lease, envelope)
        except Away as away:
            return lease, NotTaken(str(away))
        await self._post.give_back(lease)
        return None

    async def _handed(self, line: Line, lease: Lease, envelope: Envelope) -> Result:
        started = perf_counter()
        result = await line.send(envelope.sender, envelope.recipient, envelope.message, lease.may_finish)
        telemetry.MAIL.observe(perf_counter() - started)
        return result

    async def _after(self, lease: Lease, result: Result) -> None:
        posted = lease.posted
        match result:
            case Taken():
                await self._settle(lease, MailStatus.SENT, posted.deliveries, sent_at=self._now())
            case Turned(why, nobody_there):
                refused = posted.letter["address"] if nobody_there and posted.letter else None
                await self._settle(
                    lease, MailStatus.FAILED, _all(posted, DeliveryStatus.FAILED), why=why, refused_address=refused
                )
            case NotTaken(why):
                log.warning("mail_not_taken", mail=posted.mail.id, why=why)
                await self._post.release(lease, ambiguous=False, why=why)
            case Unknown(why):
                log.warning("mail_outcome_unknown", mail=posted.mail.id, why=why, policy=self._policy.value)
                await self._post.release(lease, ambiguous=True, why=why)  # the policy speaks at the next look

    def _sealed(self, posted: Posted) -> Envelope:
        assert posted.letter is not None
        links = Links(self._sender.portal_url, self._sender.secret)
        letter = letter_of(posted, links, self._sender.portal_url, self._sender.secret)
        return seal(
            posted.mail.id,
            self._sender.mail_from,
            (posted.letter["name"], posted.letter["address"]),
            letter,
            posted.letter["date"],
            telemetry.continued(posted.mail.trace),
            reply_to(posted.mail),
            links.of_mail(posted.mail)(None) if posted.mail.kind is MailKind.DIGEST else None,
        )

    async def _settle(
        self,
        of: Posted | Lease,
        status: MailStatus,
        deliveries: Sequence[ClientDelivery],
        sent_at: datetime | None = None,
        why: str | None = None,
        refused_address: str | None = None,
    ) -> None:
        """End a mail and say so; tried until the database takes it, since forgetting an accepted mail would send it twice."""
        mail = (of.posted if isinstance(of, Lease) else of).mail
        id = message_id(mail.id, self._sender.mail_from)
        settled = await self._surely(lambda: self._post.settle(of, status, deliveries, sent_at, id, why, refused_address))
        log.info("mail_settled", mail=mail.id, status=status.value, why=why, trace_id=telemetry.trace_id(mail.trace))
        if mail.kind is MailKind.DIGEST:
            telemetry.DIGESTS.labels(status.value).inc()
        if settled is not None:
            await self._report(settled, mail.trace)

    async def _surely(self, step: Callable[[], Awaitable[Settled | None]]) -> Settled | None:
        while True:
            try:
                return await step()
            except Exception as error:
                if not transient(error):
                    raise
                log.warning("settling_waits", why=repr(error)[:300])
            self._last_turn = monotonic()  # being started anew would forget it
            await asyncio.sleep(LOOK_SECONDS)


async def _finished(steps: Sequence[Awaitable[T]]) -> list[T]:
    """Return what *steps* return once all of them have ended, whatever one raised: nothing goes on behind our back."""
    found = await asyncio.gather(*steps, return_exceptions=True)
    for one in found:
        if isinstance(one, BaseException):
            raise one
    return cast("list[T]", found)


def _may_be_taken(posted: Posted) -> bool:
    """Say whether the mail server may have the letter as it was frozen, from an attempt before."""
    return posted.ambiguous or posted.mail.status is MailStatus.SENDING


def _all(posted: Posted, status: DeliveryStatus) -> list[ClientDelivery]:
    """Return the deliveries of a letter that was to be sent and became *status* instead."""
    return [d.model_copy(update={"status": status}) if d.status is DeliveryStatus.SENT else d for d in posted.deliveries]
