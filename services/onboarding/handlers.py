"""What onboarding hears: commands and ticks on its own topic, and the facts of the verification service.

What each message means is the table in `domain`.
"""

from __future__ import annotations

from shared.contracts import onboarding, pleo

HEARD = (onboarding.COMMANDS, pleo.VERIFICATION)
