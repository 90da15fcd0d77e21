"""States as documents and back: the one place that knows how clients' collections look."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import timedelta
from functools import cache
from operator import attrgetter
from typing import Any, Generic, TypeVar

from services.clients.domain.figures import Expense, Ledger
from services.clients.domain.states import Access, Client, Company, Firm, Grant, Invitation, Member
from shared.clock import moment_of
from shared.contracts import clients as said
from shared.contracts import pleo
from shared.contracts.base import Role
from shared.contracts.clients import ClientState, MemberState
from shared.names import VERSION, beginning, fold, sort_key, tails
from shared.relay import Shown

UNKNOWN = -1  # sorts below 0 (L4)
FIGURE_FIELDS = ("version", "ledger", "missing")
STAFF_FIELDS = ("version", "assignees", "tenures", "lists")
ROW_FIELDS = (
    *("client_id", "name", "client_number", "invitation", "addressed_to", "added_at", "begun_at", "connected", "connected_at"),
    *("disconnected", "ended_at", "onboarding", "onboarding_at", "undelivered", "verified", "assignees", "ledger"),
)
TOLD_FIELDS = (
    *("version", "firm_id", "client_id", "name", "client_number", "connected", "disconnected"),
    *("invitation", "onboarding", "assignees", "ledger"),
)
SEARCH_FIELDS = ("lists", "sort_key", "folded", "tails", "begins", "names")  # nothing is decided or told by them
PLACE_FIELDS = ("sort_key", "missing")
PLACED_FIELDS = ("_id", "firm_id", "client_id", "lists", "assignees", "sort_key", "folded", "missing")
KEPT_ACCESS = timedelta(days=730)  # E5
KEPT_GRANT = timedelta(days=7)

Doc = dict[str, Any]
S = TypeVar("S")
STATE_ALONE: Doc = dict.fromkeys(SEARCH_FIELDS, 0)
_INVITATIONS: Mapping[str | None, Invitation | None] = {None: None, **{one.value: one for one in Invitation}}


def client(state: Client) -> Doc:
    """Return a client's row: its state, and what the tabs, the search and the sorting need of it.

    What many rows are read for stands first: the database reads a row from its beginning until it has what it needs.
    """
    searched = (state.name, state.client_number or "")
    return {
        "lists": list(state.lists),
        "sort_key": sort_key(state.name),
        **_plain(state),
        **figures(state),
        "folded": "\n".join(map(fold, searched)),
        "tails": sorted(tails(*searched)),
        "begins": beginning(state.name),
        "names": VERSION,
    }


def place(row: Doc) -> Doc:
    """Return where a row, or the part of it that is written, stands among those sorted by missing receipts (L4)."""
    return {name: row[name] for name in PLACED_FIELDS if name in row}


def figures(state: Client) -> Doc:
    """Return of a client's row what its figures are kept in: all that is written where only they moved."""
    return {
        "_id": f"{state.firm_id}.{state.client_id}",
        "version": state.version,
        "ledger": _plain(state.ledger),
        "missing": UNKNOWN if state.readable.missing is None else state.readable.missing,
    }


def client_from(document: Mapping[str, Any]) -> Client:
    """Return the state within a row."""
    return _CLIENT.of(document)


def row_from(document: Mapping[str, Any]) -> Client:
    """Return what is shown of the state within a row, from its ROW_FIELDS: the rest is not there, so nothing is decided by it."""
    return _ROW.of(document)


def staff(state: Client) -> Doc:
    """Return of a client's row what its assignees are kept in: all that is written where only they moved."""
    return {
        "_id": f"{state.firm_id}.{state.client_id}",
        "version": state.version,
        "assignees": state.assignees,
        "tenures": state.tenures,
        "lists": list(state.lists),
    }


def only_moved(before: S, after: S, *fields: str) -> bool:
    """Say whether nothing but *fields* and the version differs: then the rest need not be written again."""
    kind: Any = type(before)
    rest = _rest(kind, fields)
    return bool(rest(before) == rest(after))


def company(state: Company) -> Doc:
    """Return a company's document."""
    return {**_plain(state), **ledger(state)}


def ledger(state: Company) -> Doc:
    """Return of a company's document what is written where only its figures moved."""
    return {"_id": state.client_id, "ledger": _plain(state.ledger)}


def company_from(document: Mapping[str, Any]) -> Company:
    """Return the company within its document."""
    return _COMPANY.of(document)


def expense(state: Expense) -> Doc:
    """Return an expense's document; what counts no more goes 400 days after the newest fact, as told and as heard (E5)."""
    newest = None if state.counts or state.heard_at is None else max(state.heard_at, moment_of(state.newest))
    return {
        "_id": f"{state.client_id}.{state.expense_id}",
        "client_id": state.client_id,
        "expense_id": state.expense_id,
        "receipt": state.receipt,
        "export": state.export,
        "deleted": state.deleted,
        **({} if newest is None else {"kept_until": newest + pleo.KEPT}),
    }


def expense_from(document: Mapping[str, Any]) -> Expense:
    """Return the expense within its document."""
    receipt, export = document["receipt"], document["export"]
    return Expense(
        document["client_id"],
        document["expense_id"],
        tuple(receipt) if receipt else None,
        tuple(export) if export else None,
        document["deleted"],
    )


def member(state: Member) -> Doc:
    """Return a member's document."""
    found_by = {"address": state.email.casefold(), "active": state.active}
    return {**_plain(state), **found_by, "_id": state.member_id, "role": state.role.value}


def member_from(document: Mapping[str, Any]) -> Member:
    """Return the member within their document."""
    known = {name: document[name] for name in _names(Member)}
    return Member(**{**known, "role": Role(document["role"]), "seen": _pairs(document["seen"])})


def firm(state: Firm) -> Doc:
    """Return a firm's document."""
    return {**_plain(state), "_id": state.firm_id}


def firm_from(document: Mapping[str, Any]) -> Firm:
    """Return the firm within its document."""
    return Firm(document["firm_id"], document["name"], document["locale"], tuple(document["told"]))


def grant(state: Grant) -> Doc:
    """Return a grant's document: a hash and ids, nothing that lets anybody in (A3)."""
    return {**_plain(state), "_id": state.token_hash, "kept_until": state.expires_at + KEPT_GRANT}


def grant_from(document: Mapping[str, Any]) -> Grant:
    """Return the grant within its document."""
    return Grant(**{name: document[name] for name in _names(Grant)})


def access(line: Access) -> Doc:
    """Return a line of the access log (A4)."""
    return {**_plain(line), "_id": f"{line.grant_id}:{line.event}", "kept_until": line.at + KEPT_ACCESS}


def told_client(document: Mapping[str, Any]) -> tuple[str, ClientState]:
    """Return key and state under which a row is told to others."""
    state = _TOLD.of(document)
    return f"{state.firm_id}.{state.client_id}", ClientState.model_construct(
        version=state.version,
        firm_id=state.firm_id,  # type: ignore[arg-type]
        client_id=state.client_id,  # type: ignore[arg-type]
        name=state.name,
        client_number=state.client_number,
        status=state.status,
        connected=state.connected,
        assignees=state.assignees,  # type: ignore[arg-type]
        figures=state.readable.figures,
        parted=state.disconnected,
    )


def told_member(document: Mapping[str, Any]) -> tuple[str, MemberState]:
    """Return key and state under which a member is told to others."""
    state = member_from(document)
    return state.member_id, MemberState.model_construct(
        version=state.version,
        firm_id=state.firm_id,  # type: ignore[arg-type]
        member_id=state.member_id,  # type: ignore[arg-type]
        name=state.name,
        email=state.email,
        role=state.role,
        locale=state.locale,
        active=state.active,
    )


SHOWN = {
    "client_rows": Shown(said.STATE, told_client, dict.fromkeys(TOLD_FIELDS, 1)),
    "members": Shown(said.STATE, told_member),
}


def _tuple(stored: Sequence[Any] | None) -> tuple[Any, ...] | None:
    return tuple(stored) if stored else None


def _several(stored: Sequence[Any] | None) -> tuple[Any, ...]:
    return tuple(stored or ())


def _pairs(stored: Iterable[Sequence[Any]]) -> tuple[tuple[Any, ...], ...]:
    return tuple(tuple(pair) for pair in stored)


def _plain(state: Any) -> Doc:
    return {name: getattr(state, name) for name in _names(state.__class__)}


@cache
def _names(kind: Any) -> tuple[str, ...]:
    return tuple(f.name for f in fields(kind))


@cache
def _rest(kind: Any, moved: Sequence[str]) -> Callable[[Any], Any]:
    return attrgetter(*(name for name in _names(kind) if name not in (*moved, "version")))


class _Shape(Generic[S]):
    """How a state is made of *names* in a document, slot by slot: what was not read of it is not there, rather than None."""

    def __init__(self, kind: type[S], names: Iterable[str], **read: Callable[[Any], Any]) -> None:
        self._kind = kind
        fill = {name: getattr(kind, name).__set__ for name in names}
        self._plain = tuple((name, fill[name]) for name in fill if name not in read)
        self._read = tuple((name, fill[name], read[name]) for name in fill if name in read)

    def of(self, document: Mapping[str, Any]) -> S:
        """Return the state; what the document is too old to hold is None, or none of several."""
        state = object.__new__(self._kind)
        for name, fill in self._plain:
            fill(state, document.get(name))
        for name, fill, read in self._read:
            fill(state, read(document.get(name)))
        return state


_RESOLVED = dict.fromkeys(("missing_resolved", "ready_resolved", "low_resolved"), _several)
_LEDGER = _Shape(Ledger, _names(Ledger), balance=_tuple, balance_told=_tuple, **_RESOLVED)
_COMPANY = _Shape(Company, _names(Company), firms=tuple, ledger=_LEDGER.of, names_seen=_pairs)
_READ: Mapping[str, Callable[[Any], Any]] = {
    "ledger": _LEDGER.of,
    "invitation": _INVITATIONS.__getitem__,
    **dict.fromkeys(("assignees", "tenures", "end_told"), tuple),
    **dict.fromkeys(("seen", "reminded"), _pairs),
}
_CLIENT, _ROW, _TOLD = (_Shape(Client, names, **_READ) for names in (_names(Client), ROW_FIELDS, TOLD_FIELDS))
