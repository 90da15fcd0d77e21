"""What the mailer says of itself while others are away (E3, invariants 9 and 10)."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from time import monotonic
from typing import Any, cast

from pymongo.errors import AutoReconnect

from services.notifier.mailer import Mailer, Sender
from services.notifier.post import Settled
from services.notifier.smtp import Pool

LONG = 180.0


def test_a_mailer_that_waits_for_the_database_to_take_what_was_sent_is_not_stuck() -> None:
    """Invariant 9: started anew, it would have forgotten that the mail server has the mail, and would send it twice."""

    async def story() -> None:
        none = cast("Any", None)
        mailer = Mailer(none, none, Pool("127.0.0.1", 1), Sender("", "", ""), none, lambda: datetime.now(UTC))
        mailer._last_turn = monotonic() - 2 * LONG
        assert mailer.stuck(LONG)
        answers = iter([AutoReconnect("away"), AutoReconnect("away")])

        async def step() -> Settled | None:
            if (away := next(answers, None)) is not None:
                raise away
            return None

        await mailer._surely(step)
        assert mailer.stuck(LONG) == []

    asyncio.run(story())
