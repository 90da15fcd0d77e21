"""Which tokens count, against keys served by an issuer of our own (contract, "Who calls")."""

from __future__ import annotations

import hmac
import json
import time
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web
from joserfc import jws, jwt
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey

from shared.auth import KeysAway, Tokens, Unauthenticated

ISSUER, AUDIENCE = "https://issuer.example", "partner-portal"
EC = ECKey.generate_key("P-256", {"kid": "ec", "use": "sig"})
ED = OKPKey.generate_key("Ed25519", {"kid": "ed"})
RSA = RSAKey.generate_key(2048, {"kid": "rsa"})
STRANGER = ECKey.generate_key("P-256", {"kid": "ec"})


@dataclass
class Issuer:
    """Serves its public keys, and counts how often they are asked for."""

    keys: list[Key] = field(default_factory=lambda: [EC, ED, RSA])
    asked: int = 0
    ill: bool = False
    url: str = ""

    async def jwks(self, _: web.Request) -> web.Response:
        """Answer with the keys."""
        self.asked += 1
        if self.ill:
            raise web.HTTPServiceUnavailable
        return web.json_response({"keys": [key.as_dict(private=False) for key in self.keys]})

    def tokens(self) -> Tokens:
        """Return a checker that knows nothing yet."""
        return Tokens(self.url, ISSUER, AUDIENCE)


@pytest.fixture
async def issuer() -> AsyncIterator[Issuer]:
    """An issuer at a port of its own."""
    own = Issuer()
    app = web.Application()
    app.router.add_get("/jwks", own.jwks)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    own.url = f"http://127.0.0.1:{runner.addresses[0][1]}/jwks"
    yield own
    await runner.cleanup()


def claims(**other: Any) -> dict[str, Any]:
    """Return good claims but for *other*; None leaves one out."""
    now = int(time.time())
    good = {"iss": ISSUER, "aud": AUDIENCE, "sub": "leyla", "firm_id": "kanzlei", "iat": now, "exp": now + 600, **other}
    return {name: value for name, value in good.items() if value is not None}


def signed(key: Key = EC, algorithm: str = "ES256", header: dict[str, Any] | None = None, **other: Any) -> str:
    """Return an ``Authorization`` header with a token signed by *key*."""
    return "Bearer " + jwt.encode({"alg": algorithm, "kid": key.kid, **(header or {})}, claims(**other), key, [algorithm])


def raw(header: dict[str, Any], key: Key | None = None, **other: Any) -> str:
    """Return a token as an attacker writes it, signed over exactly *header*, or with no signature."""
    parts = [urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in (header, claims(**other))]
    if key is None:
        return "Bearer " + b".".join([*parts, b""]).decode()
    signature = jws.JWSRegistry.algorithms[header["alg"]].sign(b".".join(parts), key)
    return "Bearer " + b".".join([*parts, urlsafe_b64encode(signature).rstrip(b"=")]).decode()


@pytest.mark.parametrize(("key", "algorithm"), [(EC, "ES256"), (ED, "EdDSA"), (RSA, "RS256")], ids=["ES256", "EdDSA", "RS256"])
@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")  # RFC 9864 renames it; the contract names it
async def test_each_allowed_algorithm_counts(issuer: Issuer, key: Key, algorithm: str) -> None:
    """Contract: ES256, EdDSA, RS256; `sub` is the member, `firm_id` the firm. The keys are fetched once."""
    tokens = issuer.tokens()
    for _ in range(3):
        caller = await tokens.caller(signed(key, algorithm))
        assert (caller.subject, caller.firm_id, caller.is_service) == ("leyla", "kanzlei", False)
    assert issuer.asked == 1


async def test_a_service_is_one_by_scope_and_without_a_firm(issuer: Issuer) -> None:
    """Contract: `portal:service` and no `firm_id`; a member that has the scope is none."""
    tokens = issuer.tokens()
    assert (await tokens.caller(signed(firm_id=None, scope="x portal:service"))).is_service
    assert not (await tokens.caller(signed(scope="portal:service"))).is_service
    assert not (await tokens.caller(signed(firm_id=None, scope="portal:services"))).is_service


def hs256_with_the_public_key() -> str:
    """Return the classic: the public key, which everybody has, taken for a shared secret."""
    header, payload, _ = raw({"alg": "HS256", "kid": "rsa"}).removeprefix("Bearer ").split(".")
    signature = hmac.digest(RSA.as_pem(private=False), f"{header}.{payload}".encode(), "sha256")
    return f"Bearer {header}.{payload}." + urlsafe_b64encode(signature).rstrip(b"=").decode()


BAD = {
    "no signature at all": lambda: raw({"alg": "none"}),
    "none, with a kid": lambda: raw({"alg": "none", "kid": "ec"}),
    "None by another spelling": lambda: raw({"alg": "nOnE", "kid": "ec"}),
    "HS256 with the public key": hs256_with_the_public_key,
    "a stranger's key under our kid": lambda: signed(STRANGER),
    "an unknown kid": lambda: signed(ECKey.generate_key("P-256", {"kid": "other"})),
    "a kid that is a path": lambda: signed(ECKey.generate_key("P-256", {"kid": "../../dev/null"})),
    "a kid that is no text": lambda: raw({"alg": "ES256", "kid": 5}, EC),
    "another key's kid": lambda: raw({"alg": "ES256", "kid": "rsa"}, EC),
    "an algorithm not allowed": lambda: signed(RSA, "RS512"),
    "a critical header nobody knows": lambda: raw({"alg": "ES256", "kid": "ec", "crit": ["exp"], "exp": 1}, EC),
    "a key of its own": lambda: raw({"alg": "ES256", "jwk": STRANGER.as_dict(private=False)}, STRANGER),
    "expired": lambda: signed(exp=int(time.time()) - 60),
    "no expiry": lambda: signed(exp=None),
    "an expiry of text": lambda: signed(exp="tomorrow"),
    "not yet": lambda: signed(nbf=int(time.time()) + 60),
    "another issuer": lambda: signed(iss="https://evil.example"),
    "no issuer": lambda: signed(iss=None),
    "another audience": lambda: signed(aud="other"),
    "no audience": lambda: signed(aud=None),
    "nobody": lambda: signed(sub=None),
    "a number for a name": lambda: signed(sub=5),
    "half a surrogate pair for a name": lambda: raw({"alg": "ES256", "kid": "ec"}, EC, sub="leyla\ud800"),
    "half a surrogate pair for a firm": lambda: raw({"alg": "ES256", "kid": "ec"}, EC, firm_id="\udfff"),
    "an expiry beyond all numbers": lambda: signed(exp=10**400),
    "an expiry of true": lambda: signed(exp=True),
    "a beginning of text": lambda: signed(nbf="soon"),
    "an issuer in a list": lambda: signed(iss=[ISSUER]),
    "an audience of objects": lambda: signed(aud={"partner-portal": 1}),
    "a list for a firm": lambda: signed(firm_id=["kanzlei"]),
    "another scheme": lambda: signed().replace("Bearer", "Basic"),
    "nothing": lambda: None,
    "an empty token": lambda: "Bearer ",
    "no token": lambda: "Bearer a.b.c",
    "two dots": lambda: "Bearer ..",
    "five parts": lambda: "Bearer a.b.c.d.e",
    "beyond ASCII": lambda: "Bearer ä.\udcff.ü",
    "a long one": lambda: "Bearer " + "a" * 100_000,
    "a changed payload": lambda: ".".join([signed().split(".")[0], signed(sub="tom").split(".")[1], signed().split(".")[2]]),
}


@pytest.mark.parametrize("token", BAD.values(), ids=BAD)
async def test_what_does_not_count_is_unauthenticated(issuer: Issuer, token: Any) -> None:
    """Contract: 401, never a 5xx, and nothing of the token in the text."""
    written = token()
    with pytest.raises(Unauthenticated) as refused:
        await issuer.tokens().caller(written)
    assert len(str(refused.value)) < 120


async def test_a_header_nobody_knows_is_ignored_unless_it_is_critical(issuer: Issuer) -> None:
    """RFC 7515, section 4: issuers add what they like; ``crit`` is refused above."""
    assert (await issuer.tokens().caller(raw({"alg": "ES256", "kid": "ec", "tenant": "x"}, EC))).subject == "leyla"


async def test_a_key_named_by_the_token_is_not_fetched(issuer: Issuer) -> None:
    """`jku` is the attacker's word; only the configured address is asked."""
    evil = Issuer(keys=[STRANGER])
    app = web.Application()
    app.router.add_get("/jwks", evil.jwks)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    header = {"alg": "ES256", "kid": "evil", "jku": f"http://127.0.0.1:{runner.addresses[0][1]}/jwks"}
    with pytest.raises(Unauthenticated):
        await issuer.tokens().caller(raw(header, STRANGER))
    await runner.cleanup()
    assert evil.asked == 0


async def test_a_flood_of_unknown_keys_asks_the_issuer_once(issuer: Issuer) -> None:
    """At most one fetch in 30 s, whatever is named; good tokens count meanwhile."""
    tokens = issuer.tokens()
    for number in range(30):
        with pytest.raises(Unauthenticated):
            await tokens.caller(raw({"alg": "ES256", "kid": f"flood-{number}"}, STRANGER))
    assert (await tokens.caller(signed())).subject == "leyla"
    assert issuer.asked <= 2


async def test_a_new_key_counts_once_half_a_minute_has_passed(issuer: Issuer) -> None:
    """The issuer may change its keys: an unknown one is looked for, but not at every token."""
    tokens = issuer.tokens()
    await tokens.caller(signed())
    fresh = ECKey.generate_key("P-256", {"kid": "fresh"})
    issuer.keys.append(fresh)
    with pytest.raises(Unauthenticated):
        await tokens.caller(signed(fresh))
    tokens._fetched -= 31  # half a minute passes
    assert (await tokens.caller(signed(fresh))).subject == "leyla"
    assert issuer.asked == 2


async def test_keys_that_cannot_be_had_are_no_verdict_on_the_token(issuer: Issuer) -> None:
    """An issuer that is away is our trouble (503), not the caller's; keys once had go on to serve."""
    tokens = issuer.tokens()
    issuer.ill = True
    with pytest.raises(KeysAway):
        await tokens.caller(signed())
    issuer.ill = False
    await tokens.caller(signed())
    issuer.ill = True
    tokens._fetched -= 31
    assert (await tokens.caller(signed(sub="tom"))).subject == "tom"


async def test_a_remembered_token_still_expires(issuer: Issuer) -> None:
    """What was checked once is not good for ever."""
    tokens = issuer.tokens()
    token = signed()
    assert (await tokens.caller(token)).subject == "leyla"
    known = next(iter(tokens._good))
    tokens._good[known] = type(tokens._good[known])("leyla", None, frozenset(), token, time.time() - 0.1)
    with pytest.raises(Unauthenticated, match="expired"):
        await tokens.caller(token)


async def test_a_token_is_over_at_its_end_and_may_begin_a_moment_ahead(issuer: Issuer) -> None:
    """Contract, "Who calls": `exp` and `nbf` are checked; only a clock ahead of ours is made allowance for."""
    tokens = issuer.tokens()
    with pytest.raises(Unauthenticated, match="expired"):
        await tokens.caller(signed(exp=time.time() - 1))
    assert (await tokens.caller(signed(nbf=int(time.time()) + 3))).subject == "leyla"
    with pytest.raises(Unauthenticated):
        await tokens.caller(signed(nbf=int(time.time()) + 30))
