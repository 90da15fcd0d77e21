"""How the mailer tells the state what became of a mail: by a record on our own command topic, like everybody (invariant 1)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from services.notifier.post import Settled
from shared.clock import now
from shared.contracts.notifier import COMMANDS, MailSettled
from shared.messages import write
from shared.producer import send


class Reporting:
    """Publishes what the mailer settled; it is said again until the mail is marked recorded."""

    def __init__(self, producer: Callable[[], Any]) -> None:
        self._producer = producer

    async def report(self, settled: Settled, trace: str | None) -> None:
        """Return once the broker has it."""
        key = settled.member_id if isinstance(settled, MailSettled) else settled.client_id
        name = f"settled.{settled.mail_id}"
        letter = write(COMMANDS, key, settled, id=name, source="portal.notifier", time=now(), trace=trace)
        await send(self._producer(), [letter])
