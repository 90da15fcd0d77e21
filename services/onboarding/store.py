"""Companies as documents: loaded and saved within the transaction, told as state, found again by what is due."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

from pymongo import DeleteOne, IndexModel

from services.onboarding.domain.states import Company, Invitation, Limits, Step, World, invitation_day, invite_key
from services.onboarding.domain.verification import FINAL, Fact, Stage, decisive, word
from shared.clock import Stamp, moment_of, stamp_of
from shared.contracts.base import ClientId
from shared.contracts.clients import ClientEnded
from shared.contracts.notifier import InvitationUndelivered
from shared.contracts.onboarding import (
    STATE,
    InvitationFellDue,
    InviteCompany,
    OnboardingState,
    ResendInvitation,
    WithdrawInvitation,
)
from shared.contracts.pleo import MissingItem, VerificationChanged, VerificationState
from shared.handling import Change
from shared.messages import Heard
from shared.mongo import Database, Document, Tx
from shared.relay import Shown

COMPANIES, INVITES, DAYS = "companies", "invites", "invitation_days"
INDEXES = {
    COMPANIES: [
        IndexModel([("due_at", 1)], name="due", sparse=True),
        IndexModel([("link_hash", 1)], name="link", unique=True, sparse=True),
        IndexModel([("stage", 1), ("stage_at", 1), ("invitation.invited_at", 1)], name="by_stage"),
    ],
    INVITES: [],
    DAYS: [IndexModel([("expires_at", 1)], name="kept", expireAfterSeconds=0)],
}
TOUCHING = (
    *(InviteCompany, ResendInvitation, WithdrawInvitation, InvitationFellDue),
    *(VerificationChanged, InvitationUndelivered, ClientEnded),
)
UNLINKED = frozenset({Stage.EXPIRED, Stage.WITHDRAWN})
TIMES = ("invited_at", "sent_at", "withdrawn_at", "parted_at", "over_at")
DAYS_KEPT = timedelta(days=8)  # a command is handled at most the topic's retention after its day
LinkHash = Callable[[str, int], str]


class OnboardingStore:
    """Loads and saves what one batch touches; *link_hash* derives what is stored of a link from client and number."""

    def __init__(self, limits: Limits, link_hash: LinkHash) -> None:
        self._limits = limits
        self._link_hash = link_hash

    async def load(self, tx: Tx, heard: Sequence[Heard[Any]]) -> World:
        """Return the companies that *heard* is about, the keys they hold or want, and the counts of days (three queries)."""
        messages = [item.message for item in heard]
        world = World(self._limits)
        ids = sorted({message.client_id for message in messages if isinstance(message, TOUCHING)})
        if ids:
            found = await tx.find(COMPANIES, {"_id": {"$in": ids}})
            world.companies = {document["_id"]: company_of(document) for document in found}
        invites = [message for message in messages if isinstance(message, InviteCompany)]
        keys = {invite_key(m.actor.firm_id, m.company_name, m.contact_email) for m in invites}
        keys |= {company.invitation.key for company in world.companies.values() if company.invitation is not None}
        if keys:
            held = await tx.find(INVITES, {"_id": {"$in": sorted(keys)}})
            world.holders = {document["_id"]: document["client_id"] for document in held}
        days = {invitation_day(m.actor.firm_id, m.issued_at) for m in invites}
        if days:
            counts = await tx.find(DAYS, {"_id": {"$in": sorted(days)}})
            world.days = {document["_id"]: document["count"] for document in counts}
        return world

    async def save(self, tx: Tx, world: World, source: str) -> Iterable[Change]:
        """Free the keys that are held no longer, and return every document that changed."""
        freed = sorted(key for key in world.moved if world.holders[key] is None)
        await tx.bulk(INVITES, [DeleteOne({"_id": key}) for key in freed])
        companies = (world.companies[client_id] for client_id in world.changed)
        return [
            *(Change(COMPANIES, document_of(company, self._link_hash), told=True) for company in companies),
            *(Change(INVITES, {"_id": k, "client_id": world.holders[k]}) for k in world.moved if world.holders[k] is not None),
            *(Change(DAYS, {"_id": day, "count": world.days[day], "expires_at": _forgotten_at(day)}) for day in world.counted),
        ]


async def due(database: Database, at: datetime, limit: int = 0) -> list[ClientId]:
    """Return the companies for which time has something to say by *at*, the longest due first; *limit* 0 is all."""
    cursor = database[COMPANIES].find({"due_at": {"$lte": stamp_of(at)}}, {"_id": 1}).sort("due_at", 1).limit(limit)
    return [document["_id"] for document in await cursor.to_list(None)]


def document_of(company: Company, link_hash: LinkHash) -> Document:
    """Return *company* as it is stored. Times are stamps: a BSON date would cut them to milliseconds."""
    invitation, timeline = company.invitation, company.timeline
    document: Document = {
        "_id": company.client_id,
        "version": company.version,
        "stage": str(company.stage) if company.stage else None,
        "stage_at": timeline[-1].at if timeline else None,
        "invitation": _invitation_document(invitation) if invitation else None,
        "facts": [_fact_document(fact) for fact in company.facts],
        "stood": [asdict(step) | {"stage": str(step.stage)} for step in company.stood],
    }
    if company.due_at is not None:  # sparse indexes: what is never due and has no link is not in them
        document["due_at"] = stamp_of(company.due_at)
    if invitation is not None and company.stage not in UNLINKED and not company.parted:
        document["link_hash"] = link_hash(company.client_id, invitation.number)
    return document


def company_of(document: Mapping[str, Any]) -> Company:
    """Return the company that *document* holds."""
    invitation = document["invitation"]
    return Company(
        client_id=document["_id"],
        version=document["version"],
        invitation=_invitation_of(invitation) if invitation else None,
        facts=tuple(_fact_of(fact) for fact in document["facts"]),
        stood=tuple(Step(Stage(s["stage"]), Stamp(s["at"]), s["corrected"]) for s in document["stood"]),
    )


def tell(document: Mapping[str, Any]) -> tuple[str, OnboardingState]:
    """Return key and published state of *document*; ``state_at`` is a stamp, of the newest fact if nobody invited (O11)."""
    company = company_of(document)
    invitation, fact = company.invitation, decisive(company.facts)
    state = OnboardingState(
        version=company.version,
        client_id=company.client_id,
        firm_id=invitation.firm_id if invitation else None,
        state=str(company.stage) if company.stage else None,
        final=company.stage in FINAL,
        connected=company.connected,
        verification=word(company.facts),
        missing=company.missing,
        invited_at=invitation.invited_at if invitation else None,
        state_at=document["stage_at"] or (fact.at if fact else None),
        undelivered=company.undelivered,
    )
    return company.client_id, state


SHOWN = {COMPANIES: Shown(STATE, tell)}


def _invitation_document(invitation: Invitation) -> Document:
    times = {name: getattr(invitation, name) for name in TIMES}
    return asdict(invitation) | {name: stamp_of(time) if time else None for name, time in times.items()}


def _invitation_of(document: Mapping[str, Any]) -> Invitation:
    times = {name: document.get(name) for name in TIMES}
    return Invitation(**{**document, **{name: moment_of(time) if time else None for name, time in times.items()}})


def _fact_document(fact: Fact) -> Document:
    return asdict(fact) | {"state": fact.state.value, "missing": [item.model_dump() for item in fact.missing]}


def _fact_of(document: Mapping[str, Any]) -> Fact:
    missing = tuple(MissingItem(**item) for item in document["missing"])
    return Fact(**{**document, "state": VerificationState(document["state"]), "missing": missing})


def _forgotten_at(day: str) -> datetime:
    return datetime.fromisoformat(day.rpartition("|")[2]).replace(tzinfo=UTC) + DAYS_KEPT
