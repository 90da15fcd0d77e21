"""What counts for all digests of a member: a default for new clients, a pause, addresses that turned us away (N14-N17)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from enum import StrEnum
from typing import Any

from services.notifier.domain.schedule import BERLIN
from shared.addresses import mailbox
from shared.clock import rfc3339
from shared.contracts.base import FirmId, MemberId
from shared.contracts.notifier import Frequency, SetNotificationSettings


class Suppressed(StrEnum):
    """Why nothing goes to an address any more."""

    HARD_BOUNCE = "hard_bounce"
    COMPLAINT = "complaint"


@dataclass(frozen=True, slots=True)
class Address:
    """What is known against one address: the first hard bounce and complaint since an admin last *lifted* it."""

    address: str
    bounced_at: datetime | None = None
    complained_at: datetime | None = None
    lifted_at: datetime | None = None

    @property
    def reason(self) -> Suppressed | None:
        """Why no digest goes there, None if they do; a hard bounce says more than a complaint."""
        if self.bounced_at is not None:
            return Suppressed.HARD_BOUNCE
        return Suppressed.COMPLAINT if self.complained_at is not None else None

    @property
    def since(self) -> datetime | None:
        """Since when."""
        return self.bounced_at or self.complained_at

    def against(self, reason: Suppressed, at: datetime) -> Address:
        """Return what is known once *reason* of *at* is heard, in whatever order and however often it is."""
        if self.lifted_at is not None and at <= self.lifted_at:
            return self
        if reason is Suppressed.HARD_BOUNCE:
            return replace(self, bounced_at=min(at, self.bounced_at or at))
        return replace(self, complained_at=min(at, self.complained_at or at))


@dataclass(frozen=True, slots=True)
class Preferences:
    """One member's; *firm_id* is None until the member is known. A pause covers instants from *paused_at* on."""

    member_id: MemberId
    firm_id: FirmId | None = None
    default_frequency: Frequency | None = None
    default_since: datetime | None = None
    paused_at: datetime | None = None
    paused_until: date | None = None
    addresses: tuple[Address, ...] = ()

    def pauses(self, instant: datetime) -> bool:
        """Say whether the pause covers *instant*; it ends at midnight in Berlin, before the day it names (N17)."""
        if self.paused_at is None or self.paused_until is None:
            return False
        return self.paused_at <= instant < datetime.combine(self.paused_until, time(0), BERLIN)

    def suppressed(self, address: str) -> Address | None:
        """Return what keeps digests from *address*, or None; a new address starts clean (N14)."""
        known = self._known(address)
        return known if known.reason is not None else None

    def turned_away(self, address: str, reason: Suppressed, at: datetime) -> Preferences:
        """Return these preferences once *address* is known to have turned us away at *at*."""
        return self._with(self._known(address).against(reason, at))

    def lifted(self, at: datetime) -> Preferences:
        """Return these preferences with every address forgiven what was heard before *at*."""
        forgiven = tuple(Address(known.address, lifted_at=at) if known.reason else known for known in self.addresses)
        return replace(self, addresses=forgiven)

    def _known(self, address: str) -> Address:
        wanted = mailbox(address)
        return next((known for known in self.addresses if known.address == wanted), Address(wanted))

    def _with(self, known: Address) -> Preferences:
        if known == self._known(known.address):
            return self
        others = tuple(other for other in self.addresses if other.address != known.address)
        return replace(self, addresses=(*others, known))


def preferred(before: Preferences, command: SetNotificationSettings) -> Preferences:
    """Return *before* as *command* wants it; a change that changes nothing changes nothing."""
    at = command.issued_at
    after = replace(before, firm_id=command.actor.firm_id)
    if command.default_frequency is not before.default_frequency:
        since = at if command.default_frequency else None
        after = replace(after, default_frequency=command.default_frequency, default_since=since)
    if command.paused_until != before.paused_until:
        after = replace(after, paused_until=command.paused_until, paused_at=_paused_at(before, command))
    return after


def _paused_at(before: Preferences, command: SetNotificationSettings) -> datetime | None:
    """A pause that is moved goes on; one that is over, or was none, begins with the command."""
    if command.paused_until is None:
        return None
    return before.paused_at if before.pauses(command.issued_at) else command.issued_at


def shown_settings(preferences: Preferences | None) -> Mapping[str, Any]:
    """Return the settings as the API shows them (contract, section 1)."""
    if preferences is None:
        return {"default_frequency": None, "paused_until": None}
    return {
        "default_frequency": preferences.default_frequency.value if preferences.default_frequency else None,
        "paused_until": preferences.paused_until.isoformat() if preferences.paused_until else None,
    }


def shown_suppression(known: Address | None) -> Mapping[str, Any] | None:
    """Return why nothing goes to an address, as the API shows it."""
    if known is None or known.reason is None or known.since is None:
        return None
    return {"reason": known.reason.value, "since": rfc3339(known.since)}
