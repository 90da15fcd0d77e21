"""The wiring of onboarding: an inventory, nothing conditional."""

from __future__ import annotations

from datetime import timedelta

from starlette.types import ASGIApp

from services.onboarding.domain import ONBOARDING
from services.onboarding.domain.states import Limits
from services.onboarding.handlers import HEARD
from services.onboarding.queries import Queries
from services.onboarding.scheduler import Scheduler
from services.onboarding.store import INDEXES, SHOWN, OnboardingStore
from shared.auth import Tokens, derive, token_hash
from shared.contracts import onboarding, portal
from shared.door import Health, build_app
from shared.service import Service
from shared.settings import Settings
from shared.ticking import Ticking

SERVICE = "onboarding"


def build(settings: Settings) -> ASGIApp:
    """Return the service as an ASGI app that starts and stops its parts."""
    store = OnboardingStore(
        Limits(
            settings.portal_invitations_per_day,
            settings.portal_resends_per_invitation,
            timedelta(seconds=settings.portal_resends_apart_seconds),
        ),
        lambda client_id, number: token_hash(derive(settings.portal_secret, SERVICE, client_id, str(number))),
    )
    said = (*onboarding.TOPICS, *portal.TOPICS)
    service = Service(SERVICE, settings, INDEXES, store, ONBOARDING, SHOWN, HEARD, said)
    ticking = Ticking(Scheduler(service.database, service.producer).turn, settings.portal_schedule_seconds)
    tokens = Tokens(settings.jwks_url, settings.portal_issuer, settings.portal_audience)
    queries = Queries(service.database, tokens, settings.portal_door_key)
    health = Health(service.health.trouble, lambda: [*service.health.stuck(), *ticking.stuck()], service.health.measure)
    return build_app(queries.routes, [service.start, ticking.start], [ticking.stop, service.stop], health)
