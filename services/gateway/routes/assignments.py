"""Who works for whom: assigning and unassigning, one or many clients at once (M2, M3)."""

from __future__ import annotations

from services.gateway.bodies import Assignment, Assignments
from services.gateway.endpoints import Endpoint, Who
from services.gateway.writing import Nothing, Wish, admin_or_oneself, writes
from shared.contracts.base import ClientId, Command, MemberId
from shared.contracts.clients import AssignMany, AssignMember, UnassignMember


async def _assign(wish: Wish[Assignment]) -> tuple[Command, str]:
    command = AssignMember(**wish.stamp, client_id=ClientId(wish.client.client_id), member_id=MemberId(wish.body.member_id))
    return command, wish.client_key


async def _unassign(wish: Wish[Nothing]) -> tuple[Command, str]:
    command = UnassignMember(**wish.stamp, client_id=ClientId(wish.client.client_id), member_id=MemberId(wish.path("member_id")))
    return command, wish.client_key


async def _assign_many(wish: Wish[Assignments]) -> tuple[Command, str]:
    command = AssignMany(
        **wish.stamp,
        client_ids=tuple(ClientId(client_id) for client_id in wish.body.client_ids),
        assign=tuple(MemberId(member_id) for member_id in wish.body.assign),
        unassign=tuple(MemberId(member_id) for member_id in wish.body.unassign),
    )
    return command, wish.viewer.firm_id


TABLE: tuple[Endpoint, ...] = (
    writes(
        "POST",
        "/v1/clients/{client_id}/assignments",
        "Assign a member to a client.",
        _assign,
        body=Assignment,
        refusals=("not_found", "unknown_member", "too_many_assignees"),
    ),
    writes(
        "DELETE",
        "/v1/clients/{client_id}/assignments/{member_id}",
        "End an assignment: an admin anyone's, a member their own.",
        _unassign,
        body=Nothing,
        who=Who.MEMBER,
        guard=admin_or_oneself,
        refusals=("not_found", "admin_only"),
    ),
    writes(
        "POST",
        "/v1/assignments",
        "Assign and unassign members at up to 500 clients.",
        _assign_many,
        body=Assignments,
        refusals=("unknown_member", "too_many_assignees"),
    ),
)
