"""From a request to a settled command: remembered, then published, then waited for; the same again for a retry (R3)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.gateway.gate import Ask
from services.gateway.outcomes import Outcomes, Waiter
from services.gateway.owners import Owner, Owners, unavailable
from services.gateway.publisher import NotPublished, Publisher
from services.gateway.store import Request, RequestStore
from shared import telemetry
from shared.contracts import clients, notifier, onboarding
from shared.contracts.base import Command, Status, Topic
from shared.messages import write
from shared.problems import Problem

SOURCE = "portal.gateway"
LAST_LOOK_SECONDS = 0.8
log = telemetry.Log("commands")
_BEYOND_PATIENCE = 0.4  # a last look may end so much later than everything else
BY_CLIENTS = (Owner.CLIENTS,)
BY_ONBOARDING = (Owner.ONBOARDING,)
BY_NOTIFIER = (Owner.NOTIFIER,)
FINISHED_BY_CLIENTS = (Owner.CLIENTS, Owner.ONBOARDING)
FINISHED_BY_NOTIFIER = (Owner.NOTIFIER, Owner.CLIENTS)

KINDS: Mapping[type[Command], tuple[Topic, tuple[Owner, ...]]] = {
    clients.AssignMember: (clients.COMMANDS, BY_CLIENTS),
    clients.UnassignMember: (clients.COMMANDS, BY_CLIENTS),
    clients.AssignMany: (clients.COMMANDS, BY_CLIENTS),
    clients.AcceptInvitation: (clients.COMMANDS, BY_CLIENTS),
    clients.DeclineInvitation: (clients.COMMANDS, BY_CLIENTS),
    clients.DisconnectClient: (clients.COMMANDS, BY_CLIENTS),
    clients.GrantAccess: (clients.COMMANDS, BY_CLIENTS),
    clients.RedeemGrant: (clients.COMMANDS, BY_CLIENTS),
    clients.RemindAssignees: (clients.COMMANDS, FINISHED_BY_NOTIFIER),
    onboarding.InviteCompany: (onboarding.COMMANDS, FINISHED_BY_CLIENTS),
    onboarding.ResendInvitation: (onboarding.COMMANDS, BY_ONBOARDING),
    onboarding.WithdrawInvitation: (onboarding.COMMANDS, FINISHED_BY_CLIENTS),
    notifier.SetNotifications: (notifier.COMMANDS, BY_NOTIFIER),
    notifier.SetManyNotifications: (notifier.COMMANDS, BY_NOTIFIER),
    notifier.SetNotificationSettings: (notifier.COMMANDS, BY_NOTIFIER),
    notifier.LiftSuppression: (notifier.COMMANDS, BY_NOTIFIER),
    notifier.Unsubscribe: (notifier.COMMANDS, BY_NOTIFIER),
    notifier.UndoUnsubscribe: (notifier.COMMANDS, BY_NOTIFIER),
}
"""Where a command goes, and whose doors know what became of it: its finisher's first, then its decider's."""

_BY_TYPE = {model.ce_type: (topic, doors) for model, (topic, doors) in KINDS.items()}


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of a command; *grant_open* is known only from clients' door, and only of access grants."""

    status: Status
    code: str | None
    result: Mapping[str, Any] | None
    grant_open: bool | None = None


class Commands:
    """Carries commands to their deciders and brings back what became of them."""

    def __init__(self, requests: RequestStore, publisher: Publisher, outcomes: Outcomes, owners: Owners) -> None:
        self.requests = requests
        self.outcomes = outcomes
        self._publisher = publisher
        self._owners = owners

    async def carry(self, ask: Ask, request: Request, *, repeated: bool, wait: float | None) -> Settled | None:
        """Publish *request* and wait for its outcome; None if there is none in *wait* seconds, or in what is left of five.

        A repeated one is looked up first: the doors know more than we do, and what they do not know is published again.
        Raises 503 with the command's id if Kafka did not take it in time.
        """
        with self.outcomes.expect(request.command_id) as waiter:
            ask.taken = request.command_id
            settled = await self._quietly(ask, request) if repeated else None
            if settled is None:
                await self._publish(request)
                left = _left(ask) if wait is None else wait
                ask.patience.reschedule(None)  # from here on the caller says how long
                settled = await self._wait(ask, request, waiter, repeated, left)
        return settled

    async def _wait(self, ask: Ask, request: Request, waiter: Waiter, repeated: bool, wait: float) -> Settled | None:
        if wait <= 0:
            return None
        await asyncio.wait([waiter], timeout=wait)
        outcome = waiter.result() if waiter.done() else None
        if outcome is not None and not repeated:
            return Settled(outcome.status, outcome.code, outcome.result)
        known = await self._quietly(ask, request, LAST_LOOK_SECONDS)
        if known is None and outcome is not None:
            return Settled(outcome.status, outcome.code, outcome.result)
        return known

    async def _publish(self, request: Request) -> None:
        topic, _ = _BY_TYPE[request.kind]
        message = topic.types[request.kind].model_validate_json(request.command)
        letter = write(
            topic,
            request.key,
            message,
            id=request.command_id,
            source=SOURCE,
            time=request.issued_at,
            trace=telemetry.trace.get(),
        )
        try:
            await self._publisher.publish(letter)
        except NotPublished as lost:
            raise unavailable(command_id=request.command_id) from lost
        log.info("command_published", command=request.kind.split(".")[-2], command_id=request.command_id)

    async def look(self, ask: Ask, request: Request, seconds: float = 3.0) -> Settled | None:
        """Return what the doors know of *request*; None while it is pending. Raises 503 if one that may know is away."""
        _, doors = _BY_TYPE[request.kind]
        path = f"/door/commands/{request.command_id}"
        asked = [self._owners.ask(door, path, ask.authorization, seconds=seconds) for door in doors]
        away: BaseException | None = None
        for answer in await asyncio.gather(*asked, return_exceptions=True):
            if isinstance(answer, BaseException):
                away = answer
            elif answer.ok and (settled := _settled(answer.json())) is not None:
                return settled
            elif answer.status not in (200, 404):
                away = unavailable()
        if away is not None:
            raise away
        return None

    async def _quietly(self, ask: Ask, request: Request, seconds: float = 1.5) -> Settled | None:
        try:
            return await self.look(ask, request, seconds)
        except Problem:
            return None


def _left(ask: Ask) -> float:
    """Return the seconds until a last look at the doors must begin for the answer to be there within five."""
    due = ask.patience.when()
    return 0.0 if due is None else max(0.1, due - asyncio.get_running_loop().time() + _BEYOND_PATIENCE - LAST_LOOK_SECONDS)


def _settled(said: Mapping[str, Any]) -> Settled | None:
    status = Status(said["status"])
    if status is Status.PENDING:
        return None
    return Settled(status, said.get("code"), said.get("result"), said.get("grant_open"))
