"""The wiring of clients: an inventory, nothing conditional."""

from __future__ import annotations

from starlette.types import ASGIApp

from services.clients.documents import SHOWN
from services.clients.domain import CLIENTS
from services.clients.handlers import HEARD
from services.clients.queries.routes import Doors
from services.clients.store import INDEXES, ClientStore
from shared.auth import Tokens
from shared.contracts import clients, portal
from shared.door import build_app
from shared.service import Service
from shared.settings import Settings


def build(settings: Settings) -> ASGIApp:
    """Return the service as an ASGI app that starts and stops its parts."""
    service = Service("clients", settings, INDEXES, ClientStore(), CLIENTS, SHOWN, HEARD, (*clients.TOPICS, *portal.TOPICS))
    tokens = Tokens(settings.jwks_url, settings.portal_issuer, settings.portal_audience)
    doors = Doors(service.database, tokens, settings.portal_secret, settings.portal_door_key)
    return build_app(doors.routes(), [service.start], [service.stop], service.health)
