"""The people and clients of the notifier's tests, and a world in which something is told to it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from services.notifier.domain import DECIDER
from services.notifier.domain.mail import Line
from services.notifier.domain.world import World, client_key
from shared.clock import stamp_of
from shared.contracts.base import Message, Money
from shared.contracts.clients import ClientState, Figures
from shared.contracts.notifier import COMMANDS, DigestFellDue, Frequency, SetNotifications
from shared.decider import Said
from shared.messages import Heard

FIRM, LEYLA, MUELLER, WEBER = "f-1", "m-leyla", "c-mueller", "c-weber"
THURSDAY = datetime(2026, 11, 19, 12, tzinfo=UTC)
MONDAY = datetime(2026, 11, 23, 9, tzinfo=UTC)
NEXT_MONDAY = datetime(2026, 11, 30, 9, tzinfo=UTC)
AS_OF = "2026-11-20T08:12:00.000000000Z"


def tell(world: World, message: Message, now: datetime = THURSDAY) -> Sequence[Any]:
    """Tell *message* to *world*, then the next steps it asks of us, and return what all led to; the world has changed by it."""
    events = list(DECIDER.decide(Heard(message, "id", "test", stamp_of(now)), world, now))
    for event in events:
        DECIDER.evolve(world, event)
    for said in [e for e in events if isinstance(e, Said) and e.topic is COMMANDS]:
        events += tell(world, said.message, now)
    return events


def notify(
    client_id: str = MUELLER,
    *,
    email: bool = True,
    frequency: Frequency | None = Frequency.WEEKLY,
    at: datetime = THURSDAY,
    connected: bool = True,
    even_if_nothing: bool = False,
) -> SetNotifications:
    """Return Leyla's command to set her notifications of one client."""
    actor = {"member_id": LEYLA, "firm_id": FIRM, "role": "accountant", "name": "Leyla", "email": "leyla@firm.example"}
    body = {"command_id": "k", "issued_at": at, "actor": actor, "client_id": client_id, "connected": connected}
    return SetNotifications.model_validate(
        {**body, "email": email, "frequency": frequency, "even_if_nothing": even_if_nothing}, strict=False
    )


def tick(at: datetime) -> DigestFellDue:
    """Return the tick for Leyla at *at*."""
    return DigestFellDue.model_validate({"member_id": LEYLA, "at": at})


def lines(world: World) -> list[Line]:
    """Return the ledger, oldest first."""
    return sorted(world.lines.values(), key=lambda line: (line.due_at, line.client_id))


def client(
    client_id: str = MUELLER,
    name: str = "Müller Bau GmbH",
    missing: int | None = 0,
    ready: int | None = 0,
    balance: Money | None = None,
    *,
    low: bool = False,
    connected: bool = True,
    version: int = 1,
) -> ClientState:
    """Return a client as clients tells it."""
    figures = Figures(
        missing_receipts=missing,
        missing_receipts_at=AS_OF if missing is not None else None,
        export_ready=ready,
        export_ready_at=AS_OF if ready is not None else None,
        balance=balance,
        low_balance=low,
        balance_at=AS_OF if balance else None,
    )
    body = {"firm_id": FIRM, "client_id": client_id, "name": name, "client_number": None, "status": "connected"}
    return ClientState.model_validate(
        {**body, "connected": connected, "assignees": [LEYLA], "figures": figures, "version": version}, strict=False
    )


def knows(world: World, state: ClientState) -> World:
    """Return *world* with a copy of *state*."""
    world.clients[client_key(state.firm_id, state.client_id)] = state
    return world
