"""Onboarding's wiring: what it is made of, in the order in which it starts."""

from __future__ import annotations

from typing import Any

from starlette.types import ASGIApp

from services.onboarding import store
from services.onboarding.domain import ONBOARDING
from services.onboarding.handlers import HEARD, listen
from services.onboarding.queries import Queries
from services.onboarding.scheduler import Scheduler
from services.onboarding.store import OnboardingStore
from shared import handling, relay
from shared.auth import Tokens, derive, token_hash
from shared.broker import Listening, assert_topics, producer
from shared.contracts import onboarding, portal
from shared.contracts.topics import dead_topic
from shared.door import Health, build_app
from shared.handling import Handling
from shared.mongo import Database, transient
from shared.relay import Relay
from shared.settings import Settings

SERVICE = "onboarding"
SAYS = (onboarding.EVENTS, onboarding.STATE, portal.CLIENTS, portal.OUTCOMES)
TOPICS = (*HEARD, *SAYS, *(dead_topic(topic) for topic in HEARD))


def database_of(settings: Settings) -> Database:
    """Return this service's database."""
    return Database(settings.mongodb_url, f"{settings.portal_database_prefix}_{SERVICE}")


def build(settings: Settings) -> ASGIApp:
    """Return the service; nothing happens before its lifespan begins."""
    database = database_of(settings)
    letters = Letters(settings.kafka_bootstrap_servers)
    outbox = Relay(f"portal.{SERVICE}", database, letters.producer, store.SHOWN)
    documents = OnboardingStore(
        settings.portal_invitations_per_day,
        lambda client_id, number: token_hash(derive(settings.portal_secret, SERVICE, client_id, str(number))),
    )
    handled = Handling(SERVICE, database, documents, ONBOARDING, outbox)
    listening = Listening(SERVICE, settings.kafka_bootstrap_servers, database, handled, outbox)
    listen(listening)
    scheduler = Scheduler(database, letters.producer, settings.portal_schedule_seconds)
    tokens = Tokens(settings.jwks_url, settings.portal_issuer, settings.portal_audience)
    door = Queries(database, tokens, settings.portal_door_key)
    away: list[str] = []

    async def ground() -> None:
        await database.ground({**handling.INDEXES, **relay.INDEXES, **store.INDEXES})
        await assert_topics(settings.kafka_bootstrap_servers, TOPICS)

    async def relaying() -> None:
        outbox.start()

    async def closing() -> None:
        database.close()

    async def measure() -> None:
        try:
            await database.ping()
            away.clear()
        except Exception as error:
            away[:] = ["the database does not answer"] if transient(error) else [repr(error)]
            raise
        await outbox.measure()
        await listening.measure()

    def stuck() -> list[str]:
        tasks = {"the relay": outbox.alive, "the scheduler": scheduler.alive}
        return [f"{name} has stopped" for name, alive in tasks.items() if not alive]

    return build_app(
        door.routes,
        parts=[ground, letters.start, relaying, listening.start, scheduler.start],
        stops=[scheduler.stop, listening.stop, outbox.stop, letters.stop, closing],
        health=Health(lambda: [*listening.trouble(), *away, *stuck()], stuck, measure),
    )


class Letters:
    """The producer of this process, which can be made only once its loop runs."""

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap
        self._producer: Any | None = None

    def producer(self) -> Any:
        """Return the started producer."""
        assert self._producer is not None
        return self._producer

    async def start(self) -> None:
        """Connect to the broker."""
        made = producer(self._bootstrap)
        await made.start()
        self._producer = made

    async def stop(self) -> None:
        """Send what waits and disconnect."""
        made, self._producer = self._producer, None
        if made is not None:
            await made.stop()
