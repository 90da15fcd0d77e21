"""Reads by command: what the driver does for its own cursors is done here, too."""

from __future__ import annotations

from typing import Any

import pytest
from bson.codec_options import CodecOptions
from pymongo.errors import AutoReconnect, ServerSelectionTimeoutError

from shared.mongo import Database

ANSWER = {"cursor": {"id": 0, "firstBatch": [{"n": 1}]}}


class Answers:
    """Stands for the driver's database: answers one after the other, or raises them."""

    codec_options: CodecOptions[Any] = CodecOptions(tz_aware=True)

    def __init__(self, *answers: Any) -> None:
        self._answers = list(answers)
        self.asked: list[Any] = []

    async def command(self, command: Any, codec_options: Any) -> Any:
        assert codec_options.tz_aware
        self.asked.append(command)
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def database(answers: Answers) -> Database:
    found = object.__new__(Database)
    found._database = answers  # type: ignore[assignment]
    return found


async def test_a_read_whose_connection_breaks_is_asked_for_once_more() -> None:
    answers = Answers(AutoReconnect("gone"), ANSWER)
    assert await database(answers).told("rows", [{"$match": {}}], hint="by_name") == [{"n": 1}]
    assert answers.asked[0] == answers.asked[1]
    assert (answers.asked[0]["aggregate"], answers.asked[0]["hint"]) == ("rows", "by_name")


@pytest.mark.parametrize("errors", [(AutoReconnect("gone"), AutoReconnect("gone")), (ServerSelectionTimeoutError("nobody"),)])
async def test_an_outage_is_told(errors: tuple[Exception, ...]) -> None:
    """Whoever waited for a server once does not wait for it again."""
    answers = Answers(*errors)
    with pytest.raises(AutoReconnect):
        await database(answers).told("rows", [])
    assert len(answers.asked) == len(errors)


async def test_more_than_fits_is_an_error_not_a_part() -> None:
    with pytest.raises(RuntimeError, match="rows"):
        await database(Answers({"cursor": {"id": 7, "firstBatch": []}})).told("rows", [])
