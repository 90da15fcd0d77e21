"""A tick from the command line: lets time speak, and waits until everybody has acted on it (contract, section 4)."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import datetime

import aiohttp

from services.onboarding.scheduler import publish
from services.onboarding.store import due
from shared.clock import rfc3339
from shared.contracts import clients, onboarding
from shared.door import DOOR_KEY_HEADER
from shared.following import followed
from shared.relay import MARKS, ROWS
from shared.settings import Settings
from shared.ticking import LOOK_AGAIN_SECONDS, Hands


async def tick(hands: Hands, at: datetime) -> int:
    """Treat everything due by *at* as due and return how many it was, once it is settled, told, and mailed."""
    database, settings = hands.database, hands.settings
    client_ids = await due(database, at)
    await publish(hands.producer, client_ids, at)
    while await due(database, at, 1) or await database[ROWS].find_one({}) or await database[MARKS].find_one({}):
        await asyncio.sleep(LOOK_AGAIN_SECONDS)
    await followed(settings, "clients", onboarding.STATE)  # the rows as they are now
    await followed(settings, "clients", onboarding.EVENTS)  # who hears of an end
    await followed(settings, "notifier", onboarding.EVENTS)  # reminders
    await followed(settings, "notifier", clients.EVENTS)
    await _mailed(settings, at)
    return len(client_ids)


async def _mailed(settings: Settings, at: datetime) -> None:
    """Return once the notifier's door knows of no mail of an onboarding that is due by *at* and on its way."""
    headers = {DOOR_KEY_HEADER: settings.portal_door_key}
    async with aiohttp.ClientSession(headers=headers) as session:
        while True:
            with contextlib.suppress(aiohttp.ClientError):
                async with session.post(f"{settings.notifier_url}/door/on-their-way", json={"at": rfc3339(at)}) as answer:
                    if answer.status == 200 and not (await answer.json())["waiting"]:
                        return
            await asyncio.sleep(LOOK_AGAIN_SECONDS)
