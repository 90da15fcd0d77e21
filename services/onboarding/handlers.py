"""What onboarding hears: commands and ticks on its own topic, and the facts of the verification service."""

from __future__ import annotations

from shared.broker import Listening
from shared.contracts import onboarding, pleo

HEARD = (onboarding.COMMANDS, pleo.VERIFICATION)


def listen(listening: Listening) -> None:
    """Hear both; what each message means is the table in `domain`."""
    for topic in HEARD:
        listening.to(topic)
