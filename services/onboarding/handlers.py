"""What onboarding hears: commands and ticks, the facts of verification, disconnects, and mails that reached nobody.

What each message means is the table in `domain`.
"""

from __future__ import annotations

from shared.contracts import clients, notifier, onboarding, pleo

HEARD = (onboarding.COMMANDS, pleo.VERIFICATION, clients.EVENTS, notifier.EVENTS)
