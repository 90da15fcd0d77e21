"""What the notifier hears: one subscriber a topic, all of them handled in the one transaction of `shared.handling`."""

from __future__ import annotations

from shared.contracts import clients, notifier, onboarding, pleo

HEARD = (
    notifier.COMMANDS,  # wishes of members, our own ticks, and what the mailer settled
    clients.STATE,  # clients and members as they are now: our copies
    clients.EVENTS,  # reminders asked for; assignments; clients and members gone
    onboarding.EVENTS,  # invitations to be mailed
    pleo.MAIL,  # bounces and complaints
)
