"""Who listens here, and for whom a record of the owners is news (T10, W3)."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Collection
from dataclasses import dataclass, field

from services.gateway.tail import Tail
from shared.contracts import clients, notifier, onboarding
from shared.contracts.base import Message, Role
from shared.messages import Heard, Record, read

TOPICS = (clients.STATE, clients.EVENTS, onboarding.STATE, notifier.EVENTS)
TYPES: dict[str, type[Message]] = {
    model.ce_type: model
    for model in (
        clients.ClientState,
        clients.MemberState,
        clients.AssignmentsMoved,
        clients.ClientEnded,
        onboarding.OnboardingState,
        notifier.DeliveryMoved,
    )
}
TABS = ""
EVERYTHING = "*"
MOST_WAITING = 500


@dataclass(slots=True, eq=False)
class Listener:
    """One open stream: *waiting* holds the clients that changed, and whether they surely concern it.

    ``TABS`` stands for the tabs. ``EVERYTHING`` takes the place of all when more changed than a slow reader may keep waiting.
    """

    firm_id: str
    member_id: str
    admin: bool = False
    role: Role | None = None
    waiting: dict[str, bool] = field(default_factory=dict)
    doubted: bool = False
    _bell: asyncio.Event = field(default_factory=asyncio.Event)

    def ring(self, subject: str, sure: bool = True) -> None:
        """Note that *subject* changed."""
        if EVERYTHING not in self.waiting:
            self.waiting[subject] = sure or self.waiting.get(subject, False)
        if len(self.waiting) > MOST_WAITING:
            self.begin_anew()
        self._bell.set()

    def begin_anew(self) -> None:
        """Note that anything may have changed."""
        self.waiting.clear()
        self.waiting[EVERYTHING] = True
        self._bell.set()

    def doubt(self) -> None:
        """Note that the viewer may not be who they were."""
        self.doubted = True
        self._bell.set()

    def wake(self) -> None:
        """Let the stream look at once."""
        self._bell.set()

    async def wait(self, seconds: float) -> None:
        """Return at the next ring, or after *seconds*."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._bell.wait(), max(0.0, seconds))
        self._bell.clear()


class Bells:
    """The open streams of this process, by firm."""

    def __init__(self, service: str, bootstrap: str, per_member: int) -> None:
        self.tail = Tail(service, bootstrap, TOPICS, self.heard, self.gap)
        self._per_member = per_member
        self._firms: dict[str, set[Listener]] = {}

    def join(self, firm_id: str, member_id: str) -> Listener | None:
        """Return a listener of this member's, or None if they have all they may have (E4)."""
        listeners = self._firms.setdefault(firm_id, set())
        if sum(listener.member_id == member_id for listener in listeners) >= self._per_member:
            return None
        listener = Listener(firm_id, member_id)
        listeners.add(listener)
        return listener

    def leave(self, listener: Listener) -> None:
        """Forget *listener*."""
        listeners = self._firms.get(listener.firm_id, set())
        listeners.discard(listener)
        if not listeners:
            self._firms.pop(listener.firm_id, None)

    def wake(self) -> None:
        """Let every stream look at once: this process ends."""
        for listener in self._all():
            listener.wake()

    def gap(self) -> None:
        """Records were lost on the way here: whoever listens begins anew."""
        for listener in self._all():
            listener.begin_anew()

    def heard(self, record: Record) -> None:
        """Ring for whom *record* is news."""
        if not self._firms:
            return
        told = read(record, TYPES)
        if isinstance(told, Heard):
            self.tell(told.message)

    def tell(self, message: Message) -> None:
        """Ring for whom *message* is news: admins of the firm, and who works on the client."""
        match message:
            case clients.ClientState():
                self._ring(message.firm_id, message.client_id, set(message.assignees))
            case clients.AssignmentsMoved():
                self._ring(message.firm_id, message.client_id, {*message.assigned, *message.unassigned})
            case clients.ClientEnded():
                for listener in self._of(message.firm_id):  # it does not say who worked on it; tabs tell nobody anything
                    listener.ring(TABS)
                    if listener.admin:
                        listener.ring(message.client_id)
            case onboarding.OnboardingState() if message.firm_id is not None:
                self._perhaps(message.firm_id, message.client_id)
            case notifier.DeliveryMoved():
                self._perhaps(message.firm_id, message.client_id)
            case clients.MemberState():
                self._doubt(message)
            case _:
                pass

    def _ring(self, firm_id: str, client_id: str, members: Collection[str]) -> None:
        for listener in self._of(firm_id):
            if listener.admin or listener.member_id in members:
                listener.ring(client_id)
                listener.ring(TABS)

    def _perhaps(self, firm_id: str, client_id: str) -> None:
        for listener in self._of(firm_id):
            listener.ring(client_id, sure=listener.admin)

    def _doubt(self, state: clients.MemberState) -> None:
        for listener in self._all():
            if listener.member_id == state.member_id and (
                not state.active or state.firm_id != listener.firm_id or state.role != listener.role
            ):
                listener.doubt()

    def _of(self, firm_id: str) -> list[Listener]:
        return list(self._firms.get(firm_id, ()))

    def _all(self) -> list[Listener]:
        return [listener for listeners in self._firms.values() for listener in listeners]
