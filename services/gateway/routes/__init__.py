"""The contract's table, by subject."""

from __future__ import annotations

from services.gateway import stream
from services.gateway.endpoints import Endpoint
from services.gateway.routes import (
    access,
    assignments,
    clients,
    commands,
    invitations,
    members,
    notifications,
    reminders,
    unsubscribe,
)

TABLE: tuple[Endpoint, ...] = (
    *members.TABLE,
    *clients.TABLE,
    *assignments.TABLE,
    *access.TABLE,
    *invitations.TABLE,
    *notifications.TABLE,
    *reminders.TABLE,
    *unsubscribe.TABLE,
    *commands.TABLE,
    *stream.TABLE,
)
"""Every public endpoint; a fixed path stands before the one with an id that would swallow it."""
