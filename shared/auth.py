"""Who calls: JWTs of one issuer, checked against its published keys; secrets derived, never stored (invariant 12)."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import time
from base64 import urlsafe_b64encode
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any, TypeGuard

import aiohttp
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

ALGORITHMS = ["ES256", "EdDSA", "RS256"]
SERVICE_SCOPE = "portal:service"
REFETCH_SECONDS = 30.0
LEEWAY_SECONDS = 5  # by which the issuer's clock may be ahead of ours
REMEMBERED = 10_000
LONGEST_TOKEN = 8192
LAST_SECOND = 253_402_300_799  # of the year 9999
_HEADERS = JWSRegistry(algorithms=ALGORITHMS, strict_check_header=False)  # RFC 7515: unknown ones are ignored, unless critical


class Unauthenticated(Exception):
    """There is no token, or none that counts; the text says what is wrong with it, without echoing it."""


class KeysAway(Exception):
    """The issuer's keys cannot be had at present."""


@dataclass(frozen=True, slots=True)
class Caller:
    """What a good token says: a member of a firm, or a service."""

    subject: str
    firm_id: str | None
    scopes: frozenset[str]
    token: str
    expires_at: float

    @property
    def is_service(self) -> bool:
        """Whether this is another Pleo service (contract, "Who calls")."""
        return SERVICE_SCOPE in self.scopes and self.firm_id is None


class Tokens:
    """Checks bearer tokens; keys are fetched when an unknown one is named, at most once in 30 s."""

    def __init__(self, jwks_url: str, issuer: str, audience: str) -> None:
        self._url = jwks_url
        self._issuer = issuer
        self._audience = audience
        self._keys: KeySet | None = None
        self._fetched = 0.0
        self._lock = asyncio.Lock()
        self._good: OrderedDict[str, Caller] = OrderedDict()

    async def caller(self, authorization: str | None) -> Caller:
        """Return who the ``Authorization`` header names; raises Unauthenticated, or KeysAway."""
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token or len(token) > LONGEST_TOKEN:
            raise Unauthenticated("a bearer token is needed")
        known = hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
        caller = self._good.get(known)
        if caller is None:
            caller = await self._check(token)
            self._good[known] = caller
            if len(self._good) > REMEMBERED:
                self._good.popitem(last=False)
        if caller.expires_at <= time.time():  # no leeway: it has had its hour, and a stream ends with it, too
            raise Unauthenticated("the token has expired")
        return caller

    async def _check(self, token: str) -> Caller:
        keys = await self._keyset(fresh=False)
        try:
            claims = self._decode(token, keys)
        except _UnknownKey:
            claims = self._decode(token, await self._keyset(fresh=True))
        subject, firm, expires = claims.get("sub"), claims.get("firm_id"), claims["exp"]
        if not _is_text(subject) or not (firm is None or _is_text(firm)):
            raise Unauthenticated("the token names nobody")
        if expires > LAST_SECOND:
            raise Unauthenticated("the token expires at no time")
        scope = claims.get("scope")
        return Caller(subject, firm, frozenset(scope.split() if isinstance(scope, str) else ()), token, float(expires))

    def _decode(self, token: str, keys: KeySet) -> dict[str, Any]:
        try:
            decoded = jwt.decode(token, keys, ALGORITHMS, _HEADERS)
            registry = jwt.JWTClaimsRegistry(
                leeway=LEEWAY_SECONDS,
                iss={"essential": True, "value": self._issuer},
                aud={"essential": True, "value": self._audience},
                exp={"essential": True},
                sub={"essential": True},
            )
            registry.validate(decoded.claims)
            return dict(decoded.claims)
        except (JoseError, ValueError, TypeError, KeyError) as wrong:
            if "key" in type(wrong).__name__.lower() or "No key" in str(wrong) or "kid" in str(wrong):
                raise _UnknownKey("the token's key is not known") from None
            raise Unauthenticated(f"the token does not count: {type(wrong).__name__}") from None

    async def _keyset(self, fresh: bool) -> KeySet:
        async with self._lock:
            old = self._keys
            if old is not None and not (fresh and time.monotonic() - self._fetched > REFETCH_SECONDS):
                return old
            self._fetched = time.monotonic()
            try:
                async with (
                    aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=3)) as session,
                    session.get(self._url) as answer,
                ):
                    answer.raise_for_status()
                    self._keys = KeySet.import_key_set(await answer.json(content_type=None))
            except (aiohttp.ClientError, TimeoutError, ValueError, JoseError) as away:
                if old is not None:
                    return old
                raise KeysAway(f"the keys at the JWKS URL cannot be had: {type(away).__name__}") from away
            assert self._keys is not None
            return self._keys


class _UnknownKey(Unauthenticated):
    pass


def _is_text(value: object) -> TypeGuard[str]:
    """Say whether a claim is text that can be written down: JSON may hold half a surrogate pair, UTF-8 may not."""
    return isinstance(value, str) and not any("\ud800" <= character <= "\udfff" for character in value)


def derive(secret: str, purpose: str, *parts: str) -> str:
    """Return a token of 256 bits, URL-safe, derived from ids: the same ids give the same token, nothing is stored."""
    text = "\x00".join((purpose, *parts)).encode()
    return urlsafe_b64encode(hmac.digest(secret.encode(), text, "sha256")).rstrip(b"=").decode()


def token_hash(token: str) -> str:
    """Return what may be stored of a token: its SHA-256, in hex."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def same(one: str, other: str) -> bool:
    """Compare two secrets in constant time."""
    return hmac.compare_digest(one.encode("utf-8", "surrogatepass"), other.encode("utf-8", "surrogatepass"))
