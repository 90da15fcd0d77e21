"""The contract as a document: OpenAPI 3.1 from the table of endpoints and the models of their bodies, and its page."""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from services.gateway.endpoints import Endpoint, Who
from services.gateway.shapes import SHAPES
from shared.contracts.base import ID_PATTERN
from shared.door import json_response

_REF = "#/components/schemas/{model}"
_ID = {"type": "string", "pattern": ID_PATTERN}
_FORMS = {"token": {"type": "string", "maxLength": 400}}
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
_TEXT = {"type": "string"}
_COMMAND_HEADERS = {
    "Location": {"description": "Where the command's status is read.", "required": True, "schema": _TEXT},
    "Preference-Applied": {"description": "How long was waited, if that was asked for.", "schema": _TEXT},
}
_RETRY = {
    "Retry-After": {"description": "Seconds after which to try again.", "schema": {"type": "string", "pattern": "^[0-9]+$"}}
}
_HEADERS: Mapping[int, Any] = {
    401: {"WWW-Authenticate": {"required": True, "schema": _TEXT}},
    429: _RETRY,
    503: _RETRY,
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
        "responses": _responses(endpoint, _answer(endpoint, schemas)),
    }
    if endpoint.who is not Who.ANYONE:
        operation["security"] = [{"service" if endpoint.who is Who.SERVICE else "member": []}]
    if endpoint.body is not None:
        content = {"application/json": {"schema": _named(endpoint.body, schemas)}}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _named(model: type[BaseModel], schemas: dict[str, Any]) -> dict[str, Any]:
    """Return a reference to *model*, which *schemas* holds from now on."""
    schema = model.model_json_schema(ref_template=_REF)
    schemas.update(schema.pop("$defs", {}))
    schemas[model.__name__] = schema
    return {"$ref": _REF.format(model=model.__name__)}


def _answer(endpoint: Endpoint, schemas: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of success: the shape itself, or around it what became of a command."""
    shape = SHAPES.get((endpoint.method, endpoint.path))
    told = {} if shape is None else _named(shape, schemas)
    if not endpoint.command:
        return told
    done = {"$ref": _REF.format(model="Succeeded")}
    return {"allOf": [done, {"type": "object", "properties": {"result": told}}]} if told else done


def _parameters(endpoint: Endpoint) -> list[dict[str, Any]]:
    names = re.findall(r"{(\w+)}", endpoint.path)
    found: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": _FORMS.get(name, _ID)} for name in names
    ]
    found += [{"name": q.name, "in": "query", "required": q.required, "schema": dict(q.schema)} for q in endpoint.query]
    if endpoint.command:
        wait = "How long to wait for the outcome: wait=N, at most 10 seconds (RFC 7240)."
        found.append({"name": "Prefer", "in": "header", "description": wait, "schema": _TEXT, "example": "wait=5"})
    if endpoint.command or endpoint.path.endswith("/redeem"):
        key = {"type": "string", "minLength": 1, "maxLength": 128, "pattern": "^[ -~]+$"}
        same = "Makes a retry the same command for 24 hours: same key and body, same outcome."
        found.append({"name": "Idempotency-Key", "in": "header", "description": same, "schema": key})
    return found


def _responses(endpoint: Endpoint, good: Mapping[str, Any]) -> dict[str, Any]:
    responses: dict[str, Any] = {str(endpoint.success): _response("Success.", endpoint.media, good)}
    if endpoint.command:
        pending = {"$ref": _REF.format(model="Pending")}
        responses["202"] = _response("Taken; its outcome is not known yet.", ("application/json",), pending)
        for taken in (str(endpoint.success), "202"):
            responses[taken]["headers"] = _COMMAND_HEADERS
    for status, codes in sorted(problems(endpoint).items()):
        schema = {"$ref": _REF.format(model="Problem")}
        responses[str(status)] = _response(", ".join(f"`{code}`" for code in codes), ("application/problem+json",), schema)
        if status in _HEADERS:
            responses[str(status)]["headers"] = _HEADERS[status]
    return responses


def _response(description: str, media: Iterable[str], schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"description": description, "content": {form: {"schema": dict(schema)} for form in media}}


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
