"""The local run only: a login without passwords, its published keys, a stand-in for the product (contract, section 4)."""

from __future__ import annotations

import json
import os
import secrets
import tempfile
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp
from joserfc import jwt
from joserfc.jwk import ECKey
from starlette.responses import HTMLResponse, Response

from services.gateway.bodies import DevLogin, Token
from services.gateway.endpoints import Endpoint, Who
from services.gateway.gate import Ask, Gate, is_id
from services.gateway.openapi import LOCKED
from services.gateway.owners import Owner, unavailable
from services.gateway.reading import checked, parsed, wrong_field
from shared.auth import SERVICE_SCOPE
from shared.door import json_response
from shared.problems import Problem
from shared.settings import Settings

HOUR = 3600
PAGE = (Path(__file__).parent / "product.html").read_text()


class Issuer:
    """Signs the tokens of the local run with a key made once, whoever of two gateways is first."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._key = _kept_key(settings.portal_dev_key_file)

    @property
    def keys(self) -> dict[str, Any]:
        """The public half, as a JWKS."""
        return {"keys": [self._key.as_dict(private=False)]}

    def token(self, subject: str, firm_id: str | None, claims: dict[str, Any]) -> str:
        """Return a token for an hour; *claims* override any claim, null takes it away."""
        now = int(time.time())
        said: dict[str, Any] = {
            "iss": self._settings.portal_issuer,
            "aud": self._settings.portal_audience,
            "sub": subject,
            "firm_id": firm_id,
            "scope": SERVICE_SCOPE if firm_id is None else None,
            "iat": now,
            "nbf": now,
            "exp": now + HOUR,
            "jti": secrets.token_hex(8),
            **claims,
        }
        kept = {name: value for name, value in said.items() if value is not None}
        return jwt.encode({"alg": "ES256", "typ": "JWT", "kid": str(self._key.kid)}, kept, self._key, algorithms=["ES256"])


def _kept_key(path: Path) -> ECKey:
    """Return the key at *path*; the first process to get there makes it, whole and for its owner's eyes only."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        made = ECKey.generate_key("P-256", {"use": "sig", "alg": "ES256", "kid": secrets.token_hex(8)}, private=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mkstemp makes it 0600
        try:
            with os.fdopen(handle, "w") as file:
                json.dump(made.as_dict(private=True), file)
            os.link(name, path)
        except FileExistsError:
            pass
        finally:
            Path(name).unlink()
    return ECKey.import_key(json.loads(path.read_text()))


def table(issuer: Issuer) -> tuple[Endpoint, ...]:
    """Return the endpoints of the local run."""

    async def login(gate: Gate, ask: Ask) -> Response:
        body = await ask.body(required=True)
        parsed(body)
        wish = checked(DevLogin, body)
        if wish.service is not None:
            token = _signed(issuer, wish.service, None, wish.claims)
        else:
            token = _signed(issuer, str(wish.member_id), await _firm_of(gate, str(wish.member_id)), wish.claims)
        return json_response({"access_token": token, "token_type": "Bearer"})

    async def keys(_: Gate, __: Ask) -> Response:
        return json_response(issuer.keys)

    async def product(_: Gate, __: Ask) -> Response:
        nonce = secrets.token_urlsafe(16)
        policy = f"default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; connect-src 'self'; {LOCKED}"
        headers = {"Content-Security-Policy": policy, "Cache-Control": "no-store"}
        return HTMLResponse(PAGE.replace("{nonce}", nonce), headers=headers)

    async def redeem(gate: Gate, ask: Ask) -> Response:
        body = await ask.body(required=True)
        parsed(body)
        token = checked(Token, body).token
        headers = {"Authorization": f"Bearer {_signed(issuer, 'product', None, {})}"}
        ask.patience.reschedule(None)
        url = f"{gate.settings.portal_url}/v1/access-grants/redeem"
        try:
            async with (
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=8)) as session,
                session.post(url, json={"token": token}, headers=headers) as answer,
            ):
                return Response(await answer.read(), answer.status, media_type=answer.content_type)
        except (aiohttp.ClientError, TimeoutError) as away:
            raise unavailable() from away

    return (
        Endpoint(
            method="POST",
            path="/dev/login",
            summary="A token for whom one likes.",
            who=Who.ANYONE,
            serve=login,
            body=DevLogin,
            refusals={"not_found": 404},
        ),
        Endpoint(method="GET", path="/dev/jwks.json", summary="The keys of those tokens.", who=Who.ANYONE, serve=keys),
        Endpoint(
            method="GET", path="/dev/product", summary="The product's page.", who=Who.ANYONE, serve=product, media=("text/html",)
        ),
        Endpoint(
            method="POST",
            path="/dev/product/redeem",
            summary="What that page does.",
            who=Who.ANYONE,
            serve=redeem,
            body=Token,
            refusals={"grant_invalid": 410},
        ),
    )


def _signed(issuer: Issuer, subject: str, firm_id: str | None, claims: dict[str, Any]) -> str:
    try:
        return issuer.token(subject, firm_id, claims)
    except (ValueError, TypeError) as odd:
        raise wrong_field("claims", "invalid", "cannot be signed") from odd


async def _firm_of(gate: Gate, member_id: str) -> str:
    if not is_id(member_id):
        raise Problem(404, "not_found")
    answer = await gate.owners.ask(Owner.CLIENTS, f"/door/members/{quote(member_id)}")
    if answer.status == 404:
        raise Problem(404, "not_found")
    if not answer.ok:
        raise unavailable()
    return str(answer.json()["firm_id"])
