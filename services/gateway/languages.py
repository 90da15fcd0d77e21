"""Whose language is which: so that a refusal is read by its caller even when nobody can be asked (G1)."""

from __future__ import annotations

from collections import OrderedDict

from shared.auth import Caller

REMEMBERED = 10_000


class Languages:
    """The locale that each caller had when clients' door last told it; a hint for texts, never for a decision."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[str, str | None], str | None] = OrderedDict()

    def note(self, caller: Caller, locale: str | None) -> None:
        """Remember *caller*'s locale."""
        self._known[caller.subject, caller.firm_id] = locale
        self._known.move_to_end((caller.subject, caller.firm_id))
        if len(self._known) > REMEMBERED:
            self._known.popitem(last=False)

    def of(self, caller: Caller) -> str | None:
        """Return *caller*'s locale as far as it is known; None reads German."""
        return self._known.get((caller.subject, caller.firm_id))
