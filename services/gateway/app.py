"""The gateway's wiring: database, broker, doors, endpoints, health."""

from __future__ import annotations

import asyncio
from time import monotonic

from starlette.types import ASGIApp

from services.gateway import dev, openapi, page
from services.gateway.bells import TOPICS, Bells
from services.gateway.commands import KINDS, Commands
from services.gateway.endpoints import routes_of
from services.gateway.gate import Gate
from services.gateway.languages import Languages
from services.gateway.limits import Limiter
from services.gateway.outcomes import Outcomes
from services.gateway.owners import Owners
from services.gateway.publisher import Publisher
from services.gateway.routes import TABLE
from services.gateway.store import INDEXES, RequestStore
from shared.auth import Tokens
from shared.broker import assert_topics
from shared.contracts.base import Topic
from shared.contracts.portal import OUTCOMES
from shared.door import Health, build_app
from shared.mongo import Database
from shared.settings import Settings

SERVICE = "gateway"
PING_SECONDS = 2.0
PINGED_LATELY = 8.0


def build(settings: Settings, closing: asyncio.Event | None = None) -> ASGIApp:
    """Return the gateway as an ASGI app; when *closing* is set, whoever waits or listens is let go."""
    ends = closing or asyncio.Event()
    database = Database(settings.mongodb_url, f"{settings.portal_database_prefix}_gateway")
    publisher = Publisher(settings.kafka_bootstrap_servers)
    outcomes = Outcomes(SERVICE, settings.kafka_bootstrap_servers)
    bells = Bells(SERVICE, settings.kafka_bootstrap_servers, settings.portal_streams_per_member)
    owners = Owners(settings)
    tokens = Tokens(settings.jwks_url, settings.portal_issuer, settings.portal_audience)
    commands = Commands(RequestStore(database), publisher, outcomes, owners)
    limiter = Limiter(settings.portal_requests_per_second)
    gate = Gate(settings, tokens, owners, limiter, Languages(), commands, bells, ends)
    pulse = Pulse(database, publisher, outcomes, bells, ends)

    async def ground() -> None:
        await database.ground(INDEXES)
        await assert_topics(settings.kafka_bootstrap_servers, {t.name: t for t in _topics()}.values())

    async def close() -> None:
        database.close()

    table = TABLE + (dev.table(dev.Issuer(settings)) if settings.portal_dev_login else ())
    return build_app(
        [*routes_of(gate, table), *openapi.routes(table), *page.routes(settings.portal_page or page.BUILT)],
        [ground, owners.start, publisher.start, outcomes.tail.start, bells.tail.start, pulse.start],
        [pulse.stop, bells.tail.stop, outcomes.tail.stop, publisher.stop, owners.stop, close],
        Health(pulse.trouble, pulse.stuck, pulse.measure),
    )


def _topics() -> list[Topic]:
    return [OUTCOMES, *TOPICS, *(topic for topic, _ in KINDS.values())]


class Pulse:
    """Whether this gateway can serve, and whether its hearing goes on."""

    def __init__(
        self, database: Database, publisher: Publisher, outcomes: Outcomes, bells: Bells, closing: asyncio.Event
    ) -> None:
        self._database = database
        self._publisher = publisher
        self._outcomes = outcomes
        self._bells = bells
        self._closing = closing
        self._pinged = 0.0
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to watch for the end."""
        await self.measure()
        self._task = asyncio.create_task(self._end())

    async def stop(self) -> None:
        """Let everybody go, and stop watching."""
        self._closing.set()
        if self._task is not None:
            await self._task

    async def _end(self) -> None:
        await self._closing.wait()
        self._outcomes.close()
        self._bells.wake()

    async def measure(self) -> None:
        """Note when the database answered last."""
        async with asyncio.timeout(PING_SECONDS):
            await self._database.ping()
        self._pinged = monotonic()

    def trouble(self) -> list[str]:
        """Return why requests cannot be served, in sentences; empty is good."""
        reasons = {
            "the database does not answer": monotonic() - self._pinged > PINGED_LATELY,
            "there is no producer": not self._publisher.started,
            "outcomes are not heard": not self._outcomes.tail.ready,
            "doorbells are not heard": not self._bells.tail.ready,
            "this process is ending": self._closing.is_set(),
        }
        return [reason for reason, holds in reasons.items() if holds]

    def stuck(self) -> list[str]:
        """Return what makes no progress here: a restart would help."""
        tails = {"outcomes": self._outcomes.tail, "doorbells": self._bells.tail}
        return [f"hearing {name} makes no progress" for name, tail in tails.items() if tail.stuck]
