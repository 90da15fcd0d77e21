"""Cursors: where a page ended, sealed to the question, the firm and the list it was asked of (L5)."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import astuple

import orjson

from services.clients.queries.plans import Place
from services.clients.queries.question import Question
from services.clients.queries.viewer import Viewer
from shared.auth import derive, same
from shared.names import VERSION
from shared.problems import Problem


class Cursors:
    """Closes and opens cursors with a secret of the service."""

    def __init__(self, secret: str) -> None:
        self._secret = secret

    def closed(self, place: Place, question: Question, viewer: Viewer) -> str:
        """Return the cursor of what stands after *place*."""
        asked = [VERSION, viewer.firm_id, question.list_for(viewer), *astuple(question), *place]
        seal = derive(self._secret, "cursor", orjson.dumps(asked).decode())[:22]
        return urlsafe_b64encode(orjson.dumps([seal, *place])).rstrip(b"=").decode()

    def opened(self, cursor: str, question: Question, viewer: Viewer) -> Place:
        """Return the place a cursor stands for; raises 400 ``bad_cursor`` unless it was closed for this very question."""
        place = _place(cursor)
        if place is None or not same(self.closed(place, question, viewer), cursor):
            raise Problem(400, "bad_cursor", locale=viewer.locale)
        return place


def _place(cursor: str) -> Place | None:
    """Return what a cursor says, whoever wrote it; None if it is none."""
    try:
        _, value, client_id = orjson.loads(urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4)))
    except (ValueError, TypeError):
        return None
    return (value, client_id) if isinstance(value, str | int) and isinstance(client_id, str) else None
