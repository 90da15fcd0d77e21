"""How much one member may ask of one gateway process (E4)."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable
from time import monotonic

REMEMBERED = 10_000


class Limiter:
    """A bucket of *per_second* tokens per caller, filled again at that rate."""

    def __init__(self, per_second: float, clock: Callable[[], float] = monotonic) -> None:
        self._rate = per_second
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait(self, caller: str) -> int:
        """Take a token of *caller*'s and return 0, or the whole seconds after which there is one again."""
        now = self._clock()
        left, at = self._buckets.pop(caller, (self._rate, now))
        left = min(self._rate, left + (now - at) * self._rate)
        granted = left >= 1
        self._buckets[caller] = (left - 1 if granted else left, now)
        if len(self._buckets) > REMEMBERED:
            self._buckets.popitem(last=False)  # asked longest ago: its bucket is the likeliest to be full again
        return 0 if granted else max(1, math.ceil((1 - left) / self._rate))
