"""The document says what the contract's table says."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from starlette.routing import Match

from services.gateway.endpoints import Who
from services.gateway.openapi import document, page, problems
from services.gateway.routes import TABLE
from services.gateway.shapes import SHAPES

CONTRACT = """
GET /v1/me: any
GET /v1/tabs: any
GET /v1/clients: any: tab_not_allowed 403, bad_cursor 400
GET /v1/clients/export: any: tab_not_allowed 403
GET /v1/clients/{client_id}: any: not_found 404
POST /v1/clients/{client_id}/access: any: not_connected 403
POST /v1/access-grants/redeem: service: grant_invalid 410
POST /v1/clients/{client_id}/assignments: admin: unknown_member 422, too_many_assignees 422
DELETE /v1/clients/{client_id}/assignments/{member_id}: any: not_found 404, admin_only 403
POST /v1/assignments: admin: unknown_member 422
POST /v1/invitations/{client_id}/accept: admin: invitation_withdrawn 409, already_answered 409, unknown_member 422
POST /v1/invitations/{client_id}/decline: admin: invitation_withdrawn 409, already_answered 409
POST /v1/clients/{client_id}/disconnect: admin: not_connected 409
POST /v1/onboarding: admin: already_invited 409, unknown_member 422, too_many_invitations 429
POST /v1/onboarding/{client_id}/resend: admin: not_open 409, too_many_invitations 429
POST /v1/onboarding/{client_id}/withdraw: admin: not_open 409, too_many_invitations 429
POST /v1/onboarding-links/resolve: service: link_invalid 410
GET /v1/clients/{client_id}/notifications: any: not_connected 409
PUT /v1/clients/{client_id}/notifications: any: not_connected 409
GET /v1/clients/{client_id}/notifications/preview: any: not_found 404, not_connected 409
PUT /v1/notifications: any
GET /v1/me/notification-settings: any
PUT /v1/me/notification-settings: any
DELETE /v1/members/{member_id}/suppression: admin: unknown_member 404
GET /u/{token}: link: not_found 404
POST /u/{token}: link: not_found 404
POST /u/{token}/undo: link: not_found 404
GET /v1/me/deliveries: any: bad_cursor 400
POST /v1/clients/{client_id}/reminders: admin: no_task 422, no_assignee 409, not_connected 409, too_many_reminders 429
GET /v1/members: admin
GET /v1/commands/{command_id}: any: not_found 404
GET /v1/stream: any
"""
CREATED = {"/v1/clients/{client_id}/access", "/v1/onboarding", "/v1/clients/{client_id}/reminders"}
WHO = {"any": Who.MEMBER, "admin": Who.ADMIN, "service": Who.SERVICE, "link": Who.ANYONE}


def test_the_table_is_the_contracts() -> None:
    """Method, path, who, refusals and their statuses; nothing missing, nothing more."""
    found = {f"{endpoint.method} {endpoint.path}": endpoint for endpoint in TABLE}
    rows = [re.split(r":\s", line) for line in CONTRACT.split("\n") if line]
    assert set(found) == {row[0] for row in rows}
    for name, who, *refusals in rows:
        endpoint = found[name]
        assert endpoint.who is WHO[who], name
        for refusal in refusals[0].split(", ") if refusals else ():
            code, status = refusal.split()
            assert code in problems(endpoint)[int(status)], (name, code)
        assert endpoint.success == (201 if endpoint.path in CREATED else 200), name


def test_every_reference_leads_somewhere() -> None:
    """Models are in the components, under their own names."""
    described = document(TABLE)
    assert described["openapi"] == "3.1.0"
    names = set(re.findall(r"#/components/schemas/(\w+)", str(described)))
    assert names <= set(described["components"]["schemas"])
    operations = [operation for path in described["paths"].values() for operation in path.values()]
    assert len({operation["operationId"] for operation in operations}) == len(operations) == len(TABLE)


WITHOUT_RESULT = {"assignments", "{member_id}", "accept", "decline", "disconnect", "resend", "withdraw", "suppression"}


def test_every_answer_has_its_shape() -> None:
    """Whoever builds against it knows what comes: every JSON answer, and every result that is not empty."""
    told = {(endpoint.method, endpoint.path) for endpoint in TABLE if endpoint.media == ("application/json",)}
    assert set(SHAPES) <= told
    for method, path in told - set(SHAPES):
        assert path.rpartition("/")[2] in WITHOUT_RESULT, (method, path)


def test_every_refusal_says_when_to_try_again() -> None:
    """429 and 503 carry Retry-After, 401 its challenge, a command where its status is."""
    for path, methods in document(TABLE)["paths"].items():
        for method, operation in methods.items():
            headers = {status: set(answer.get("headers", ())) for status, answer in operation["responses"].items()}
            assert headers.get("401", {"WWW-Authenticate"}) == {"WWW-Authenticate"}, (method, path)
            assert all(headers.get(status, {"Retry-After"}) == {"Retry-After"} for status in ("429", "503")), (method, path)
            assert "Location" in headers.get("202", {"Location"}), (method, path)


def test_no_path_is_swallowed_by_one_before_it() -> None:
    """``/v1/clients/export`` is no client's id."""
    from starlette.routing import Route

    async def nothing(_: object) -> None: ...

    routes = [Route(endpoint.path, nothing, methods=[endpoint.method]) for endpoint in TABLE]
    for endpoint in TABLE:
        path = (
            endpoint.path.replace("{client_id}", "c-1")
            .replace("{member_id}", "m")
            .replace("{command_id}", "x")
            .replace("{token}", "t")
        )
        scope = {"type": "http", "method": endpoint.method, "path": path, "root_path": "", "headers": []}
        first = next(route for route in routes if route.matches(scope)[0] is Match.FULL)
        assert first.path == endpoint.path


def test_the_page_asks_nobody_for_scripts() -> None:
    """No CDN: what it shows, it holds."""
    asked: list[str] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            asked.extend(value or "" for name, value in attrs if name in {"src", "href"} or tag == "script")

    Reader().feed(page(document(TABLE)))
    assert asked == ["/openapi.json"]
