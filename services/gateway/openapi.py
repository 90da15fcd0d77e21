"""The contract as a document: OpenAPI 3.1 from the table of endpoints and the models of their bodies, and its page."""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from services.gateway.endpoints import Endpoint, Who
from shared.contracts.base import ID_PATTERN
from shared.door import json_response

_REF = "#/components/schemas/{model}"
_ID = {"type": "string", "pattern": ID_PATTERN}
_PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "code", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string"},
        "detail": {"type": "string"},
        "trace_id": {"type": ["string", "null"]},
        "command_id": _ID,
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "code", "detail"],
                "properties": {name: {"type": "string"} for name in ("field", "code", "detail")},
            },
        },
    },
}
_PENDING = {
    "type": "object",
    "required": ["command_id", "status"],
    "properties": {"command_id": _ID, "status": {"const": "pending"}},
}
_DONE = {
    "type": "object",
    "required": ["command_id", "status", "result"],
    "properties": {"command_id": _ID, "status": {"const": "succeeded"}, "result": {"type": "object"}},
}

_STYLE = """
  body { font: 1rem/1.5 system-ui, sans-serif; margin: 2rem }
  table { border-collapse: collapse }
  th, td { text-align: left; vertical-align: top; padding: .4rem .8rem; border-bottom: 1px solid #ccc }
"""
LOCKED = "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Partner portal: API</title>
<style>{style}</style>
<main>
  <h1>Partner portal: API</h1>
  <p>The whole of it: <a href="/openapi.json">openapi.json</a> (OpenAPI 3.1).</p>
  <table>
    <thead>
      <tr><th scope="col">Method<th scope="col">Path<th scope="col">What it does<th scope="col">Who<th scope="col">Answers
    </thead>
    <tbody>{rows}</tbody>
  </table>
</main>
</html>"""


def document(table: Sequence[Endpoint]) -> dict[str, Any]:
    """Return the OpenAPI 3.1 document of *table*."""
    schemas: dict[str, Any] = {"Problem": _PROBLEM, "Pending": _PENDING, "Succeeded": _DONE}
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in table:
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Partner portal", "version": "1", "description": "An accounting firm and its clients."},
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "member": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
                "service": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
            },
        },
    }


def _operation(endpoint: Endpoint, schemas: dict[str, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": re.sub(r"\W+", "_", f"{endpoint.method.lower()}_{endpoint.path}").strip("_"),
        "summary": endpoint.summary,
        "description": f"Who: {endpoint.who.value}.",
        "parameters": _parameters(endpoint),
        "responses": _responses(endpoint),
    }
    if endpoint.who is not Who.ANYONE:
        operation["security"] = [{"service" if endpoint.who is Who.SERVICE else "member": []}]
    if endpoint.body is not None:
        schema = endpoint.body.model_json_schema(ref_template=_REF)
        schemas.update(schema.pop("$defs", {}))
        schemas[endpoint.body.__name__] = schema
        content = {"application/json": {"schema": {"$ref": _REF.format(model=endpoint.body.__name__)}}}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _parameters(endpoint: Endpoint) -> list[dict[str, Any]]:
    names = re.findall(r"{(\w+)}", endpoint.path)
    found: list[dict[str, Any]] = [{"name": name, "in": "path", "required": True, "schema": _ID} for name in names]
    found += [{"name": q.name, "in": "query", "required": q.required, "schema": dict(q.schema)} for q in endpoint.query]
    if endpoint.command:
        found.append({"name": "Prefer", "in": "header", "schema": {"type": "string", "examples": ["wait=5"]}})
    if endpoint.command or endpoint.path.endswith("/redeem"):
        key = {"type": "string", "minLength": 1, "maxLength": 128, "pattern": "^[ -~]+$"}
        found.append({"name": "Idempotency-Key", "in": "header", "schema": key})
    return found


def _responses(endpoint: Endpoint) -> dict[str, Any]:
    good = {"$ref": _REF.format(model="Succeeded")} if endpoint.command else {}
    responses: dict[str, Any] = {str(endpoint.success): _response("Success.", endpoint.media, good)}
    if endpoint.command:
        pending = {"$ref": _REF.format(model="Pending")}
        responses["202"] = _response("Taken; its outcome is not known yet.", "application/json", pending)
        responses["202"]["headers"] = {"Location": {"schema": {"type": "string"}}}
    for status, codes in sorted(problems(endpoint).items()):
        schema = {"$ref": _REF.format(model="Problem")}
        responses[str(status)] = _response(", ".join(f"`{code}`" for code in codes), "application/problem+json", schema)
    return responses


def _response(description: str, media: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"description": description, "content": {media: {"schema": dict(schema)}}}


def problems(endpoint: Endpoint) -> dict[int, list[str]]:
    """Return the codes of the problems that *endpoint* may answer with, by status."""
    codes = dict(endpoint.refusals)
    if endpoint.who is not Who.ANYONE:
        codes |= {"unauthenticated": 401, "too_many_requests": 429}
        codes |= {"service_only": 403} if endpoint.who is Who.SERVICE else {"not_a_member": 403}
    if endpoint.who is Who.ADMIN:
        codes["admin_only"] = 403
    if endpoint.query or endpoint.body is not None or endpoint.command:
        codes["invalid"] = 422
    if endpoint.body is not None:
        codes |= {"malformed": 400, "too_large": 413, "unsupported_media_type": 415}
    if endpoint.command:
        codes |= {"too_large": 413, "idempotency_key_reused": 422}
    codes["unavailable"] = 503
    by_status: dict[int, list[str]] = {}
    for code, status in codes.items():
        by_status.setdefault(status, []).append(code)
    return by_status


def page(described: Mapping[str, Any]) -> str:
    """Return the document as a page for people, without scripts."""
    rows = "".join(
        f"<tr><td><code>{method.upper()}</code></td><td><code>{escape(path)}</code></td><td>{escape(operation['summary'])}</td>"
        f"<td>{escape(operation['description'][5:-1])}</td><td>{_answers(operation['responses'])}</td></tr>"
        for path, methods in described["paths"].items()
        for method, operation in methods.items()
    )
    return _PAGE.replace("{style}", _STYLE).replace("{rows}", rows)


def _answers(responses: Mapping[str, Any]) -> str:
    return "<br>".join(f"{status} {escape(response['description']).replace('`', '')}" for status, response in responses.items())


def routes(table: Sequence[Endpoint]) -> list[Route]:
    """Return the routes of the document and of its page."""
    described = document(table)
    shown = page(described)
    style = b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{style}'; {LOCKED}"

    async def as_json(_: Request) -> Response:
        return json_response(described)

    async def as_page(_: Request) -> Response:
        return HTMLResponse(shown, headers={"Content-Security-Policy": policy, "Cache-Control": "no-store"})

    return [Route("/openapi.json", as_json, methods=["GET"]), Route("/docs", as_page, methods=["GET"])]
