"""Members, and who works on which client, from outside (section 7 of the behaviour)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations
from typing import Any

import pytest

from tests.e2e.portal import Firm, Outside
from tests.system import eventually


async def identity(outside: Outside, firm: Firm, kind: str, member_id: str, sequence: int, **about: Any) -> None:
    """Let the identity service say something of a member."""
    ids = {"firm_id": firm.id, "member_id": member_id, "sequence": sequence}
    if kind != "removed":
        ids |= {"name": "Nina Vogt", "email": f"{member_id}@sommer.example", "role": "accountant", **about}
    await outside.event("pleo.partners", f"pleo.member.{kind}.v1", ids)


async def member(firm: Firm, member_id: str) -> dict[str, Any] | None:
    """Return a member as the admin's list shows them."""
    items = (await firm.get("/v1/members")).body["items"]
    return next((item for item in items if item["id"] == member_id), None)


async def until_member(firm: Firm, member_id: str, **wanted: Any) -> None:
    """Return once the list shows a member so."""

    async def so() -> bool:
        found = await member(firm, member_id) or {}
        return found.items() >= wanted.items()

    await eventually(so)


async def pending(firm: Firm, outside: Outside, count: int) -> list[str]:
    """Let so many companies add the firm at once; return their ids."""
    ids = [firm.new_client_id() for _ in range(count)]
    for client_id in ids:
        data = {"client_id": client_id, "firm_id": firm.id, "company_name": f"Bau {client_id}", "sequence": 1}
        await outside.event("pleo.companies", "pleo.accountant.added.v1", data)

    async def there() -> bool:
        return (await firm.tabs()).get("invitations") == count

    await eventually(there, 40)
    return ids


FACTS: Sequence[tuple[str, int, dict[str, Any]]] = (
    ("added", 1, {"role": "admin"}),
    ("changed", 2, {"name": "Nina Vogt-Baur"}),
    ("removed", 3, {}),
)


@pytest.mark.parametrize("order", list(permutations(FACTS)))
async def test_no_order_of_identity_events_makes_another_member(
    firm: Firm, outside: Outside, order: Sequence[tuple[str, int, dict[str, Any]]]
) -> None:
    """M1: removed before added, and back with a higher sequence; who they are is what was last said."""
    nina = f"nina-{firm.id}"
    for kind, sequence, about in order:
        await identity(outside, firm, kind, nina, sequence, **about)
    await until_member(firm, nina, name="Nina Vogt-Baur", role="accountant", active=False)
    await identity(outside, firm, "added", nina, 4, role="admin")
    await until_member(firm, nina, name="Nina Vogt", role="admin", active=True)


async def test_who_is_known_by_a_removal_alone_is_kept_and_not_listed(firm: Firm, outside: Outside) -> None:
    """M1: what is about a member not yet known is kept until they are; a list of names has no place for one without."""
    nina = f"nina-{firm.id}"
    await identity(outside, firm, "removed", nina, 3)
    await outside.token(nina)  # their removal was heard
    assert await member(firm, nina) is None
    await identity(outside, firm, "added", nina, 1)
    await until_member(firm, nina, name="Nina Vogt", active=False)


async def test_members_may_be_told_of_before_their_firm(outside: Outside) -> None:
    """M1: what is about a firm not yet known is kept until it is; until then nobody is its member."""
    firm = Firm(outside, "f-later", "", "", "", "")
    known = await outside.firm()
    firm.id, firm.leyla = f"later-{known.id}", f"leyla-later-{known.id}"
    await firm.member(firm.leyla, "Leyla Özdemir", "admin")
    client_id = firm.new_client_id()
    added = {"client_id": client_id, "firm_id": firm.id, "company_name": "Früh Bau", "sequence": 1}
    await outside.event("pleo.companies", "pleo.accountant.added.v1", added)
    firm.admin = await outside.token(firm.leyla)
    assert (await firm.get("/v1/me")).code == "not_a_member"
    await outside.event("pleo.partners", "pleo.firm.registered.v1", {"firm_id": firm.id, "name": "Später & Partner"})

    async def there() -> bool:
        answer = await firm.get("/v1/clients?tab=invitations")
        return answer.status == 200 and [row["client_id"] for row in answer.body["items"]] == [client_id]

    await eventually(there)


async def test_of_one_sequence_the_first_said_stays(firm: Firm, outside: Outside) -> None:
    """Contract, section 2: the other counts as a conflict, also when more was heard since."""
    await identity(outside, firm, "changed", firm.tom, 2, name="Tom der Zweite")
    await identity(outside, firm, "changed", firm.tom, 3, name="Tom der Dritte")
    await until_member(firm, firm.tom, name="Tom der Dritte")
    before = await _conflicts(outside)
    for sequence in (2, 3):
        await identity(outside, firm, "changed", firm.tom, sequence, name="Tom der Falsche")

    async def counted() -> bool:
        return await _conflicts(outside) >= before + 2

    await eventually(counted)
    assert (await member(firm, firm.tom) or {})["name"] == "Tom der Dritte"


async def _conflicts(outside: Outside) -> float:
    lines = (await outside.metrics("clients")).splitlines()
    wanted = ('topic="pleo.partners"', 'outcome="conflict"')
    found = [x for x in lines if x.startswith("portal_records_handled_total") and all(label in x for label in wanted)]
    return sum(float(line.rsplit(" ", 1)[1]) for line in found)


async def test_a_leaver_is_nowhere_and_what_was_theirs_alone_is_listed(firm: Firm, outside: Outside) -> None:
    """M4, T8, L10: no row shows them, the filter by them is empty, unassigned rows and their total agree at every look."""
    alone, shared = await firm.client("Allein Bau", firm.tom), await firm.client("Zu zweit Bau", firm.tom, firm.leyla)
    await identity(outside, firm, "removed", firm.tom, 2)

    async def out() -> bool:
        return (await firm.get("/v1/tabs", firm.accountant)).code == "not_a_member"

    await eventually(out)
    for _ in range(12):  # three requests each, of the fifty a second (E4)
        page = (await firm.get("/v1/clients?tab=all&unassigned=true")).body
        assert ([row["client_id"] for row in page["items"]], page["total"]) == ([alone], 1)
        assert (await firm.get(f"/v1/clients?tab=all&assignee={firm.tom}")).body["items"] == []
        shown = {row["client_id"]: [a["id"] for a in row["assignees"]] for row in await firm.rows("all")}
        assert shown == {alone: [], shared: [firm.leyla]}


@pytest.mark.parametrize("order", [(("removed", 2), ("added", 3)), (("added", 3), ("removed", 2))])
async def test_who_comes_back_begins_without_the_old_assignments(
    firm: Firm, outside: Outside, order: Sequence[tuple[str, int]]
) -> None:
    """M4: a removal unassigns everywhere, also of somebody who is back at once; what is assigned after the return stays."""
    old, new = await firm.client("Vorher Bau", firm.tom), await firm.client("Nachher Bau")
    for kind, sequence in order:
        await identity(outside, firm, kind, firm.tom, sequence)

    async def back() -> bool:
        answer = await firm.get("/v1/clients?tab=mine", firm.accountant)
        return answer.status == 200 and answer.body["items"] == []

    await eventually(back)
    await firm.post(f"/v1/clients/{new}/assignments", {"member_id": firm.tom})
    await identity(outside, firm, "removed", firm.tom, 2)  # a repeat
    await identity(outside, firm, "changed", firm.tom, 4, name="Tom Zurück")
    await until_member(firm, firm.tom, name="Tom Zurück")
    assert [row["client_id"] for row in await firm.rows("mine", firm.accountant)] == [new]
    assert (await firm.get(f"/v1/clients/{old}", firm.accountant)).status == 404


async def test_five_hundred_clients_are_assigned_at_once(firm: Firm, outside: Outside) -> None:
    """M2, M3: one command with an outcome for each; unknown, foreign and ended ones are not found."""
    other = await outside.firm()
    foreign, ended = await other.client("Fremd Bau"), await firm.client("Zu Ende Bau")
    await firm.post(f"/v1/clients/{ended}/disconnect", {"confirm": True})
    ids = await pending(firm, outside, 497)
    body = {"client_ids": [*ids, foreign, ended, "nowhere"], "assign": [firm.tom, firm.leyla]}
    answer = await firm.post("/v1/assignments", body)
    assert answer.status == 200, answer
    items = answer.body["result"]["items"]
    assert [i["client_id"] for i in items] == body["client_ids"]
    assert [(i["status"], i["code"]) for i in items] == [("succeeded", None)] * 497 + [("refused", "not_found")] * 3
    rows = await firm.rows("invitations", query="&limit=200")
    assert all({a["id"] for a in row["assignees"]} == {firm.tom, firm.leyla} for row in rows)
    again = await firm.post("/v1/assignments", {"client_ids": ids, "assign": [], "unassign": [firm.tom]})
    assert {i["status"] for i in again.body["result"]["items"]} == {"succeeded"}
    assert {len(row["assignees"]) for row in await firm.rows("invitations", query="&limit=200")} == {1}


async def test_a_bulk_names_only_members_and_each_of_them_once(firm: Firm, outside: Outside) -> None:
    """M3: unknown_member for the whole command, whichever list names them; a member in both lists is invalid."""
    other, client_id = await outside.firm(), await firm.client("Prüf Bau")
    for lists in ({"assign": [firm.tom, "nobody"]}, {"unassign": ["nobody"]}, {"assign": [other.tom]}):
        refused = await firm.post("/v1/assignments", {"client_ids": [client_id], **lists})
        assert (refused.status, refused.code) == (422, "unknown_member")
    both = {"client_ids": [client_id], "assign": [firm.tom], "unassign": [firm.tom]}
    assert (await firm.post("/v1/assignments", both)).code == "invalid"
    assert (await firm.post("/v1/assignments", {"client_ids": [f"c{n}" for n in range(501)]})).code == "invalid"
    assert (await firm.get(f"/v1/clients/{client_id}")).body["assignees"] == []


async def test_fifty_work_on_a_client_and_who_left_makes_room(firm: Firm, outside: Outside) -> None:
    """M3, M4: the fifty-first is refused, alone and in a bulk; a leaver counts no more."""
    crowd = [f"m{n}-{firm.id}" for n in range(51)]
    for one in crowd:
        await identity(outside, firm, "added", one, 1)
    for one in crowd:
        await until_member(firm, one, active=True)
    client_id, roomy = await firm.client("Voll Bau", *crowd[:50]), await firm.client("Leer Bau")
    refused = await firm.post(f"/v1/clients/{client_id}/assignments", {"member_id": crowd[50]})
    assert (refused.status, refused.code) == (422, "too_many_assignees")
    bulk = await firm.post("/v1/assignments", {"client_ids": [client_id, roomy], "assign": [crowd[50]]})
    assert [i["code"] for i in bulk.body["result"]["items"]] == ["too_many_assignees", None]
    company = {"company_name": "Neu Bau", "contact_name": "Max Neu", "contact_email": "max@neu.example", "country": "DE"}
    refused = await firm.post("/v1/onboarding", {**company, "assign": crowd})
    assert (refused.status, refused.code) == (422, "too_many_assignees")
    await identity(outside, firm, "removed", crowd[0], 2)
    await until_member(firm, crowd[0], active=False)
    assert (await firm.post(f"/v1/clients/{client_id}/assignments", {"member_id": crowd[50]})).status == 200


async def test_members_end_their_own_assignments_alone(firm: Firm) -> None:
    """M2, M3: nobody else's; one that is no assignment is no fault; unknown and foreign ids are not found."""
    client_id = await firm.client("Selbst Bau", firm.tom, firm.leyla)

    async def unassign(who: str, token: str) -> tuple[int, str | None]:
        path = f"/v1/clients/{client_id}/assignments/{who}"
        answer = await firm.outside.call("DELETE", path, token, headers={"Prefer": "wait=10"})
        return answer.status, answer.code

    assert await unassign(firm.leyla, firm.accountant) == (403, "admin_only")
    assert await unassign("nobody", firm.accountant) == (404, "not_found")
    assert await unassign(firm.tom, firm.accountant) == (200, None)
    assert await firm.tabs(firm.accountant) == {"mine": 0}
    assert await unassign(firm.tom, firm.admin) == (200, None)
