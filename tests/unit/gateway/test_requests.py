"""Where a key counts, what makes a body another one, and how much one may ask."""

from __future__ import annotations

import pytest

from services.gateway.answering import STATUSES, shown, status_of
from services.gateway.commands import Settled
from services.gateway.limits import Limiter
from services.gateway.reading import parsed
from services.gateway.store import Request, body_hash, scope_of
from shared.clock import now, rfc3339
from shared.contracts.base import Status
from shared.contracts.clients import AssignMember, GrantAccess
from shared.problems import text_of

MINE = ("member", "firm-1", "m-1", "POST", "/v1/onboarding", "k")


def test_a_key_counts_for_one_member_method_and_path() -> None:
    """Contract, "Commands": another member's same key is another key."""
    scopes = {scope_of(*MINE)}
    for place in range(len(MINE)):
        other = list(MINE)
        other[place] += "x"
        scopes.add(scope_of(*other))
    assert len(scopes) == len(MINE) + 1


def test_parts_of_a_scope_do_not_run_into_each_other() -> None:
    """(ab, c) is not (a, bc)."""
    assert scope_of("member", "f", "ab", "c", "/", "k") != scope_of("member", "f", "a", "bc", "/", "k")


def test_the_order_of_fields_makes_no_other_body() -> None:
    """Canonical JSON."""
    assert body_hash({"a": 1, "b": {"c": 2, "d": 3}}) == body_hash({"b": {"d": 3, "c": 2}, "a": 1})
    assert body_hash({"a": [1, 2]}) != body_hash({"a": [2, 1]})


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (b'{"a":1}', b'{ "a" : 1.0 }', True),
        (b'{"a":100}', b'{"a":1e2}', True),
        (b'{"a":0}', b'{"a":-0.0}', True),
        (b'{"a":"\xc3\xbc"}', b'{"a":"\\u00fc"}', True),
        (b'{"a":18446744073709551616}', b'{"a":1.8446744073709551616e19}', True),
        (b'{"a":[[1]]}', b'{"a":[[1.0]]}', True),
        (b'{"a":1}', b'{"a":true}', False),
        (b'{"a":1}', b'{"a":"1"}', False),
        (b'{"a":1.5}', b'{"a":1}', False),
        (b'{"a":null}', b"{}", False),
        (b'{"a":"\xc3\xbc"}', b'{"a":"u\xcc\x88"}', False),
    ],
)
def test_two_spellings_of_one_body_are_one_body(one: bytes, other: bytes, same: bool) -> None:
    """Canonical JSON (RFC 8785): spaces, escapes and forms of numbers say nothing; types and characters do."""
    assert (body_hash(parsed(one)) == body_hash(parsed(other))) is same


def test_every_refusal_has_a_status_and_a_sentence() -> None:
    """E1, G1: stable codes with texts in both languages."""
    fallback = text_of("invalid", "en")
    assert all(text_of(code, "en") != fallback for code in STATUSES if code != "invalid")
    assert status_of("not_connected", {}) == 409
    assert status_of("not_connected", {"not_connected": 403}) == 403
    assert status_of("some_new_code", {}) == 409


def test_fifty_a_second_and_not_one_more() -> None:
    """E4: a bucket of a second's worth, filled again at that rate."""
    moment = 100.0
    limiter = Limiter(50, lambda: moment)
    assert [limiter.wait("m") for _ in range(50)] == [0] * 50
    assert limiter.wait("m") == 1
    assert limiter.wait("other") == 0
    moment += 0.03
    assert limiter.wait("m") == 0
    assert limiter.wait("m") == 1
    moment += 60
    assert [limiter.wait("m") for _ in range(51)] == [0] * 50 + [1]


def settled(seconds: float, grant_open: bool | None) -> Settled:
    expires_at = rfc3339(now().fromtimestamp(now().timestamp() + seconds, now().tzinfo))
    return Settled(Status.SUCCEEDED, None, {"grant_id": "g-1", "expires_at": expires_at}, grant_open)


def request(kind: str) -> Request:
    return Request("c", None, "", "f", "m", kind, "k", "{}", now())


def test_a_grant_shows_its_link_until_it_is_redeemed_or_over() -> None:
    """A3: the token is derived for whoever issued the command; then url is null."""
    grant = request(GrantAccess.ce_type)
    fresh = shown(grant, settled(60, None), "s" * 16, "https://product.example/in")["url"]
    assert fresh.startswith("https://product.example/in#token=")
    assert len(fresh.partition("#token=")[2]) == 43
    assert shown(grant, settled(60, True), "s" * 16, "https://product.example/in")["url"] == fresh
    assert shown(grant, settled(60, False), "s" * 16, "p")["url"] is None
    assert shown(grant, settled(-1, True), "s" * 16, "p")["url"] is None


def test_other_results_are_shown_as_they_are() -> None:
    """Nothing is added and nothing hidden."""
    assert shown(request(AssignMember.ce_type), Settled(Status.SUCCEEDED, None, {"a": 1}), "s" * 16, "p") == {"a": 1}
