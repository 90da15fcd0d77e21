"""How a refusal looks (E1)."""

from __future__ import annotations

from tests.e2e.portal import Answer


def is_problem(answer: Answer, status: int, code: str) -> None:
    """Assert that *answer* is that problem, in its form, and repeats nothing that was sent."""
    assert (answer.status, answer.code) == (status, code), answer
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert {"type", "title", "status", "code", "detail", "trace_id"} <= set(answer.body)
    assert "<" not in answer.text
    assert "Traceback" not in answer.text
    if code == "invalid":
        assert answer.body["errors"]
        assert all(error["field"] and error["code"] and error["detail"] for error in answer.body["errors"])


def field_of(answer: Answer) -> set[str]:
    """Return the fields that are said to be wrong, without their places in a list."""
    return {error["field"].partition(".")[0] for error in answer.body["errors"]}
