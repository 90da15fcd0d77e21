"""The wiring of the notifier: an inventory, nothing conditional."""

from __future__ import annotations

from starlette.types import ASGIApp

from services.notifier.access import Access
from services.notifier.domain import DECIDER
from services.notifier.handlers import HEARD
from services.notifier.letter_doors import LetterDoors
from services.notifier.links import Links
from services.notifier.mailer import Mailer, Policy, Sender
from services.notifier.post import Post
from services.notifier.queries import Doors
from services.notifier.reporting import Reporting
from services.notifier.scheduler import Scheduler
from services.notifier.smtp import Pool
from services.notifier.store import INDEXES, NotifierStore
from shared.auth import Tokens
from shared.clock import now
from shared.contracts import notifier, portal
from shared.door import Health, build_app
from shared.service import Service
from shared.settings import Settings
from shared.ticking import Ticking

SERVICE = "notifier"
STUCK_SECONDS = 180.0  # above the longest turn: a handful of mails, each with its deadline, on a few connections


def build(settings: Settings) -> ASGIApp:
    """Return the service as an ASGI app that starts and stops its parts."""
    said = (*notifier.TOPICS, portal.OUTCOMES)
    service = Service(SERVICE, settings, INDEXES, NotifierStore(), DECIDER, {}, HEARD, said)
    ticking = Ticking(Scheduler(service.database, service.producer).turn, settings.portal_schedule_seconds)
    access = Access(service.database, settings.clients_url, settings.portal_door_key)
    sender = Sender(settings.portal_mail_from, settings.portal_url, settings.portal_secret)
    policy = Policy(settings.portal_mail_policy)
    pool = Pool(settings.smtp_host, settings.smtp_port)
    mailer = Mailer(Post(service.database, now), access, pool, sender, Reporting(service.producer).report, now, policy)
    tokens = Tokens(settings.jwks_url, settings.portal_issuer, settings.portal_audience)
    links = Links(settings.portal_url, settings.portal_secret)
    doors = Doors(service.database, tokens)
    letters = LetterDoors(service.database, tokens, access, links, settings.portal_door_key)

    def stuck() -> list[str]:
        return [*service.health.stuck(), *ticking.stuck(), *mailer.stuck(STUCK_SECONDS)]

    health = Health(service.health.trouble, stuck, service.health.measure)
    starts = [service.start, access.start, mailer.start, ticking.start]
    return build_app([*doors.routes(), *letters.routes()], starts, [ticking.stop, mailer.stop, access.stop, service.stop], health)
