"""What leaves the house, and what does not: caches, pages, logs (invariant 12)."""

from __future__ import annotations

import hashlib
import re
import uuid
from base64 import b64encode
from pathlib import Path

from tests.e2e.listening import listening, next_bell
from tests.e2e.portal import Firm, Outside


async def test_private_answers_are_kept_by_nobody(firm: Firm) -> None:
    """No cache keeps them, no browser guesses at them or frames them, no page is told where one came from."""
    client_id = await firm.client("Ahrens Bau")
    paths = ["/v1/me", "/v1/tabs", "/v1/clients?tab=all", "/v1/clients/export?tab=all", f"/v1/clients/{client_id}", "/v1/members"]
    paths += [f"/v1/clients/{client_id}/notifications", "/v1/me/deliveries", "/v1/clients/absent", "/nowhere"]
    for path in paths:
        headers = (await firm.get(path)).headers
        assert headers["Cache-Control"] == "no-store", path
        guards = [headers[name] for name in ("X-Content-Type-Options", "X-Frame-Options", "Referrer-Policy")]
        assert guards == ["nosniff", "DENY", "no-referrer"], path
        assert "Server" not in headers


async def test_the_page_of_the_description_runs_nothing_and_loads_nothing(outside: Outside) -> None:
    """Contract: OpenAPI 3.1 at /openapi.json, its page at /docs, which works under a policy that allows one style alone."""
    described = await outside.call("GET", "/openapi.json")
    assert described.body["openapi"].startswith("3.1")
    page = await outside.call("GET", "/docs")
    assert page.headers["Content-Type"].startswith("text/html")
    (style,) = re.findall(r"<style>(.*?)</style>", page.text, re.DOTALL)
    digest = b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = page.headers["Content-Security-Policy"].split("; ")
    assert {"default-src 'none'", f"style-src 'sha256-{digest}'", "frame-ancestors 'none'"} <= set(policy)
    assert not re.search(r"<script|<link|<img|style=|\son\w+=|https?://", page.text)
    assert all(path in page.text for path in described.body["paths"])


async def test_logs_hold_no_secret_and_no_query(firm: Firm, outside: Outside, home: Path) -> None:
    """Invariant 12: neither tokens nor grants nor what was searched for reach a log, whatever goes wrong."""
    client_id = await firm.client("Geheim Bau", firm.tom)
    granted = await firm.post(f"/v1/clients/{client_id}/access")
    grant = granted.body["result"]["url"].split("#token=")[1]
    product = await outside.service_token()
    forged = firm.admin[:-6] + "AAAAAA"
    marker = f"geheim{uuid.uuid4().hex}"
    for token in (firm.admin, forged, product):
        await outside.call("GET", f"/v1/clients?tab=all&search={marker}&access_token={firm.admin}", token)
        await outside.call("POST", "/v1/access-grants/redeem", token, {"token": grant})
    await outside.call("POST", "/v1/access-grants/redeem", product, b'{"token": "' + grant.encode())
    bells = listening(outside, firm.admin)
    await next_bell(bells)
    await bells.aclose()
    logs = {path.name: path.read_text(errors="replace") for path in (home / "logs").glob("*.log")}
    assert {"gateway.log", "clients.log", "onboarding.log", "notifier.log"} <= set(logs)
    for name, log in logs.items():
        for secret in (grant, marker, forged.split(".")[2], firm.admin.split(".")[2], product.split(".")[2]):
            assert secret not in log, name
        assert not re.search(r"eyJ[\w-]{8,}\.[\w-]{8,}\.", log), f"{name} holds a token"
        assert "#token=" not in log, name
