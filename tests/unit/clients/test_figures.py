"""Figures from facts in any order, against a page that counts them from scratch (L7; contract, section 2)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from hypothesis import given as anything
from hypothesis import strategies as st

from shared.clock import Stamp, shown
from shared.contracts import pleo
from shared.contracts.base import Message
from shared.contracts.clients import MemberLeft
from shared.decider import Counted
from shared.messages import Heard
from tests.unit.clients.story import (
    CONNECTED,
    KANZLEI,
    LEYLA,
    MUELLER_BAU,
    RITA,
    RIVAL,
    about,
    accept,
    added,
    after,
    balance,
    client_of,
    clock,
    invited,
    stated,
    thorough,
    told,
)
from tests.unit.clients.story import shown as row_of

RECEIPTS = (pleo.ReceiptMissing, pleo.ReceiptAttached, pleo.ReceiptWaived)
EXPORTS = (pleo.ExpenseExportReady, pleo.ExpenseExported)


@dataclass(frozen=True)
class Told:
    """A fact as the oracle sees it: what it says of which expense, when, under which id."""

    kind: type[Any]
    expense: str
    at: Stamp
    id: str
    minor: int = 0
    low: bool = False

    def heard(self) -> Heard[Any]:
        if self.kind is pleo.BalanceChanged:
            return balance(self.minor, self.at, self.id, low=self.low)
        return about(self.kind, self.expense, self.at, self.id)


def counted(facts: Iterable[Told], kinds: tuple[type[Any], ...], wanted: type[Any]) -> tuple[int | None, str | None]:
    """Return how many expenses end in *wanted*, and as of when: the contract's words, one after the other."""
    facts = list(facts)
    ours = [f for f in facts if f.kind in kinds]
    if not ours:
        return None, None
    heard_of = {f.expense for f in ours}
    deletions = [f for f in facts if f.kind is pleo.ExpenseDeleted and f.expense in heard_of]
    alive = heard_of - {f.expense for f in deletions}
    newest = {e: max((f for f in ours if f.expense == e), key=lambda f: (f.at, f.id)) for e in alive}
    as_of = max(f.at for f in ours + deletions)
    return sum(f.kind is wanted for f in newest.values()), shown(as_of)


def expected(facts: Iterable[Told]) -> dict[str, Any]:
    """Return the figures of a row after *facts*, from scratch."""
    facts = list(facts)
    missing, missing_at = counted(facts, RECEIPTS, pleo.ReceiptMissing)
    ready, ready_at = counted(facts, EXPORTS, pleo.ExpenseExportReady)
    last = max((f for f in facts if f.kind is pleo.BalanceChanged), key=lambda f: (f.at, f.id), default=None)
    return {
        "missing_receipts": missing,
        "export_ready": ready,
        "balance": {"amount_minor": last.minor, "currency": "EUR"} if last else None,
        "low_balance": last.low if last else False,
        "as_of": {"missing_receipts": missing_at, "export_ready": ready_at, "balance": shown(last.at) if last else None},
    }


def figures_of(*history: Message | Heard[Any], firm: Any = KANZLEI) -> dict[str, Any]:
    row = row_of(client_of(told(*history), firm))
    return {name: row[name] for name in expected([])}


TIMES = (clock(1), clock(1, 1), clock(2), clock(3))
KINDS = (*RECEIPTS, *EXPORTS, pleo.ExpenseDeleted, pleo.BalanceChanged)


@st.composite
def facts_and_arrivals(draw: st.DrawFn) -> tuple[list[Told], list[Told], int]:
    """Return facts, the order they arrive in with repeats, and after how many the company becomes a client."""
    parts = st.tuples(st.sampled_from(KINDS), st.sampled_from("abc"), st.sampled_from(TIMES), st.integers(-3, 3), st.booleans())
    drawn = draw(st.lists(parts, max_size=9))
    ids = draw(st.permutations(range(len(drawn))))
    facts = [Told(kind, e, at, f"id-{n}", minor, low) for (kind, e, at, minor, low), n in zip(drawn, ids, strict=True)]
    again = draw(st.lists(st.sampled_from(facts), max_size=5)) if facts else []
    arrivals = draw(st.permutations(facts + again))
    return facts, arrivals, draw(st.integers(0, len(arrivals)))


@thorough
@anything(facts_and_arrivals())
def test_no_order_of_facts_changes_a_figure(story: tuple[list[Told], list[Told], int]) -> None:
    """Contract 2, L7: any order, any repeats, ties by ce_id, before or after the company is a client."""
    facts, arrivals, joined = story
    heard: list[Message | Heard[Any]] = [fact.heard() for fact in arrivals]
    assert figures_of(*heard[:joined], *CONNECTED, *heard[joined:]) == expected(facts)


@thorough
@anything(facts_and_arrivals())
def test_two_firms_read_the_same_figures(story: tuple[list[Told], list[Told], int]) -> None:
    """Contract 2: a company that is the client of several firms counts for each, whenever it became one."""
    facts, arrivals, joined = story
    heard: list[Message | Heard[Any]] = [fact.heard() for fact in arrivals]
    theirs: tuple[Message, ...] = (added(firm=RIVAL), accept(RITA, by=RITA))
    history = (*CONNECTED, *heard[:joined], *theirs, *heard[joined:])
    assert figures_of(*history) == figures_of(*history, firm=RIVAL) == expected(facts)


def test_what_was_never_heard_of_is_unknown() -> None:
    """L7: a figure never heard of is shown as such, not as zero."""
    assert figures_of(*CONNECTED) == expected([])
    assert figures_of(*CONNECTED)["missing_receipts"] is None


def test_an_attached_receipt_leaves_a_zero() -> None:
    """L7: heard of and none left is 0, as of the newest fact."""
    figures = figures_of(*CONNECTED, about(pleo.ReceiptMissing, "a", clock(1)), about(pleo.ReceiptAttached, "a", clock(2)))
    assert (figures["missing_receipts"], figures["as_of"]["missing_receipts"]) == (0, "2026-03-11T10:00:02Z")


def test_the_last_expense_deleted_is_zero_as_of_the_deletion() -> None:
    """Contract 1, Row: for receipts and exports alike."""
    figures = figures_of(
        *CONNECTED,
        about(pleo.ReceiptMissing, "a", clock(1)),
        about(pleo.ExpenseExportReady, "a", clock(1)),
        about(pleo.ExpenseDeleted, "a", clock(3)),
    )
    assert (figures["missing_receipts"], figures["export_ready"]) == (0, 0)
    assert figures["as_of"]["missing_receipts"] == figures["as_of"]["export_ready"] == "2026-03-11T10:00:03Z"


def test_a_deletion_is_for_good() -> None:
    """Contract 2: deleted ends every fact about that expense, receipts too, also later ones."""
    deleted = about(pleo.ExpenseDeleted, "a", clock(1))
    assert figures_of(*CONNECTED, deleted, about(pleo.ReceiptMissing, "a", clock(3)))["missing_receipts"] == 0


def test_times_are_compared_to_the_nanosecond() -> None:
    """Contract 2: one nanosecond decides, the id only when not even that differs."""
    newer = about(pleo.ReceiptMissing, "a", clock(1, 2), "a")
    older = about(pleo.ReceiptAttached, "a", clock(1, 1), "b")
    assert figures_of(*CONNECTED, newer, older)["missing_receipts"] == 1
    tied = about(pleo.ReceiptAttached, "a", clock(1, 2), "b")
    assert figures_of(*CONNECTED, tied, newer)["missing_receipts"] == 0


def test_an_older_fact_is_stale() -> None:
    """Contract 2: what is not the newest changes nothing, not even the client's version."""
    story = told(*CONNECTED, about(pleo.ReceiptMissing, "a", clock(2)), balance(5, clock(2)))
    before = client_of(story)
    story.when(about(pleo.ReceiptAttached, "a", clock(1))).then(Counted("stale"))
    story.when(balance(7, clock(1))).then()
    assert client_of(story) is before


def test_a_figure_that_moves_makes_a_new_version() -> None:
    """Invariant 6: readers of the state keep the newest version."""
    story = told(*CONNECTED)
    before = client_of(story).version
    assert client_of(story.when(balance(5, clock(1)))).version > before


def test_figures_are_hidden_unless_connected() -> None:
    """I5, section 1: connected is when the client has granted the firm access; no list of missing receipts holds it before."""
    facts = (
        about(pleo.ReceiptMissing, "a", clock(1)),
        about(pleo.ExpenseExportReady, "a", clock(1)),
        balance(-1, clock(1), low=True),
    )
    for history in ((added(),), (invited(),), (invited(), stated("accepted")), (invited(), stated("rejected"))):
        assert figures_of(*history, *facts) == expected([])
    assert figures_of(invited(), *facts, stated("connected", connected=True))["low_balance"]


def test_a_late_replay_of_what_was_forgotten_counts_nothing() -> None:
    """E5: 400 days after it was settled an expense is forgotten, and no old fact brings it back."""
    missing, attached = about(pleo.ReceiptMissing, "a", clock(1)), about(pleo.ReceiptAttached, "a", clock(2))
    story = told(*CONNECTED, missing, attached).at(after(days=401))
    story.world.expenses.clear()
    story.when(missing).then(Counted("forgotten"))
    assert row_of(client_of(story))["missing_receipts"] == 0
    story.when(about(pleo.ReceiptMissing, "b", Stamp("2027-03-11T10:00:00.000000000Z")))
    assert row_of(client_of(story))["missing_receipts"] == 1


def test_an_old_fact_counts_where_nothing_was_forgotten() -> None:
    """Contract 2, E5: of a company heard of for the first time, or not long ago, every fact is new, however old."""
    old = Stamp("2019-01-01T00:00:00.000000000Z")
    story = told(*CONNECTED).when(about(pleo.ReceiptMissing, "a", old)).at(after(days=399))
    story.when(about(pleo.ReceiptMissing, "b", old))
    assert row_of(client_of(story))["missing_receipts"] == 2


def test_a_company_nobody_has_is_remembered() -> None:
    """Contract 2: facts about a company that is nobody's client yet are kept."""
    story = told(balance(5, clock(1)))
    assert story.world.client(KANZLEI, MUELLER_BAU) is None
    assert story.world.company(MUELLER_BAU).ledger.balance == (5, "EUR")


def test_a_message_clients_has_no_rule_for_is_counted() -> None:
    """Contract 2: counted and passed by."""
    told().when(MemberLeft(firm_id=KANZLEI, member_id=LEYLA.id)).then(Counted("passed"))


def test_when_a_figure_was_nil_is_remembered_though_it_is_no_more() -> None:
    """R5: what is told of a client is its state after a batch; its tasks were resolved in between all the same, once or more."""
    facts = (
        about(pleo.ReceiptMissing, "a", clock(1)),
        about(pleo.ReceiptAttached, "a", clock(2)),
        about(pleo.ReceiptAttached, "b", clock(3)),  # 0 it was already
        about(pleo.ReceiptMissing, "c", clock(4)),
        about(pleo.ReceiptAttached, "c", clock(5)),
        about(pleo.ReceiptMissing, "c", clock(6)),
        about(pleo.ExpenseExportReady, "a", clock(1)),
        about(pleo.ExpenseDeleted, "a", clock(5)),
        about(pleo.ExpenseExportReady, "c", clock(6)),
        balance(1, clock(1), low=True),
        balance(2, clock(2), low=False),
        balance(3, clock(3), low=False),
        balance(4, clock(4), low=True),
    )
    ledger = client_of(told(*CONNECTED, *facts)).ledger
    assert (ledger.missing, ledger.ready, ledger.low) == (1, 1, True)
    assert (ledger.missing_resolved, ledger.ready_resolved, ledger.low_resolved) == (
        (clock(2), clock(5)),
        (clock(5),),
        (clock(2),),
    )


def test_what_is_remembered_of_being_nil_does_not_grow() -> None:
    """R5: the newest moments stay, and their order."""
    facts = [
        about(kind, "a", clock(2 * n + i)) for n in range(9) for i, kind in enumerate((pleo.ReceiptMissing, pleo.ReceiptAttached))
    ]
    ledger = client_of(told(*CONNECTED, *facts)).ledger
    assert ledger.missing_resolved == tuple(clock(2 * n + 1) for n in range(5, 9))
