"""What is asked of a tab: read from a query string, wrong parameter by wrong parameter (contract, section 1)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from services.clients.queries.viewer import Viewer
from shared.contracts.base import ID_PATTERN
from shared.problems import FieldError, Problem

TABS = ("invitations", "onboarding", "mine", "all")
SORTS = ("name", "-name", "missing_receipts", "-missing_receipts")
FILTERS = ("tab", "search", "missing_receipts", "unassigned", "assignee", "sort")
MOST_ROWS = 200


@dataclass(frozen=True, slots=True)
class Question:
    """What of which tab is asked for, in which order."""

    tab: str
    search: str = ""
    missing: bool = False
    unassigned: bool = False
    assignee: str | None = None
    sort: str = "name"

    @property
    def of_whole_tab(self) -> bool:
        """Whether it is asked among all rows of a tab, whoever works on them."""
        return not self.unassigned and self.assignee is None

    def list_for(self, viewer: Viewer) -> str | None:
        """Return the list whose rows are asked for; None where no row can stand: unassigned, yet somebody's (L10)."""
        if self.unassigned:
            return "unassigned" if self.assignee is None else None
        if self.assignee is not None:
            return f"{'mine' if self.tab == 'all' else 'onboarding'}:{self.assignee}"
        return viewer.list_of(self.tab)


@dataclass(frozen=True, slots=True)
class Page:
    """A question, and which part of its answer."""

    question: Question
    limit: int = 50
    cursor: str | None = None


def page_of(query: Iterable[tuple[str, str]], viewer: Viewer) -> Page:
    """Return which page a query string asks for; raises the problems of `question_of`, limit and cursor being known too."""
    given, wrong = _given(query, (*FILTERS, "limit", "cursor"))
    question = _question(given, wrong, viewer)
    limit = given.get("limit", "50")
    good = limit.isascii() and limit.isdigit() and len(limit) <= len(str(MOST_ROWS)) and 1 <= int(limit) <= MOST_ROWS
    _check(wrong, "limit", good, f"must be 1 to {MOST_ROWS}")
    _refuse(wrong, viewer)
    return Page(question, int(limit), given.get("cursor"))


def question_of(query: Iterable[tuple[str, str]], viewer: Viewer) -> Question:
    """Return what a query string asks for.

    Raises 403 for what is another role's (T9, L10), then 422 with one entry per wrong, unknown or repeated parameter (E1).
    """
    given, wrong = _given(query, FILTERS)
    question = _question(given, wrong, viewer)
    _refuse(wrong, viewer)
    return question


def _given(query: Iterable[tuple[str, str]], known: tuple[str, ...]) -> tuple[dict[str, str], dict[str, FieldError]]:
    given: dict[str, str] = {}
    wrong: dict[str, FieldError] = {}
    for name, value in query:
        if name not in known:
            shown = re.sub(r"[^A-Za-z0-9_$.\[\]-]", "?", name[:40])  # nothing that could be markup is echoed
            wrong[name] = FieldError(shown, "unknown", "there is no such parameter")
        elif name in given:
            wrong[name] = FieldError(name, "repeated", "must be given once")
        given.setdefault(name, value)
    return given, wrong


def _question(given: Mapping[str, str], wrong: dict[str, FieldError], viewer: Viewer) -> Question:
    tab, assignee = given.get("tab", ""), given.get("assignee")
    if tab in TABS and tab not in viewer.tabs:
        raise Problem(403, "tab_not_allowed", locale=viewer.locale)
    if assignee is not None and not viewer.admin:
        raise Problem(403, "admin_only", locale=viewer.locale)
    _check(wrong, "tab", tab in TABS, "must be one of " + ", ".join(TABS))
    search, sort = given.get("search", ""), given.get("sort", "name")
    _check(wrong, "search", len(search) <= 100, "must have at most 100 characters")
    _check(wrong, "search", not any(unicodedata.category(c) == "Cc" for c in search), "must not contain control characters")
    _check(wrong, "unassigned", tab == "all" or given.get("unassigned") != "true", "is for the tab all only")
    _check(wrong, "assignee", assignee is None or bool(re.fullmatch(ID_PATTERN, assignee)), "must be a member id")
    _check(wrong, "assignee", assignee is None or tab in ("all", "onboarding"), "is for the tabs all and onboarding")
    _check(wrong, "sort", sort in SORTS, "must be one of " + ", ".join(SORTS))
    asked = Question(tab, search.strip(), assignee=assignee, sort=sort)
    return replace(asked, missing=_flag(given, wrong, "missing_receipts"), unassigned=_flag(given, wrong, "unassigned"))


def _flag(given: Mapping[str, str], wrong: dict[str, FieldError], name: str) -> bool:
    _check(wrong, name, given.get(name) in (None, "true", "false"), "must be true or false")
    return given.get(name) == "true"


def _check(wrong: dict[str, FieldError], name: str, good: bool, detail: str) -> None:
    if not good:
        wrong.setdefault(name, FieldError(name, "invalid", detail))


def _refuse(wrong: Mapping[str, FieldError], viewer: Viewer) -> None:
    if wrong:
        raise Problem(422, "invalid", locale=viewer.locale, errors=list(wrong.values()))
