"""What goes into the database comes out as it was (documents), through BSON itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from bson import decode, encode
from bson.codec_options import CodecOptions

from services.clients import documents
from services.clients.domain.states import Client, Company, Firm, Grant, Member, World
from shared.contracts import pleo
from shared.contracts.base import Task
from tests.spec import NOW, Story
from tests.unit.clients.story import (
    ANNA,
    KANZLEI,
    LEYLA,
    MUELLER_BAU,
    TOM,
    about,
    accept,
    added,
    after,
    assign,
    balance,
    client_of,
    clock,
    decline,
    disconnect,
    grant,
    invited,
    leaves,
    redeem,
    remind,
    shown,
    stated,
    told,
)

AWARE: CodecOptions[dict[str, Any]] = CodecOptions(tz_aware=True)
FACTS = (
    about(pleo.ReceiptMissing, "a", clock(1, 1)),
    about(pleo.ExpenseExportReady, "a", clock(2)),
    about(pleo.ReceiptMissing, "b", clock(1)),
    about(pleo.ExpenseDeleted, "b", clock(3)),
    about(pleo.ExpenseDeleted, "c", clock(3)),
    balance(2**63 - 1, clock(1), low=True),
)
FULL = (
    added(to=TOM.email, number="4711"),
    accept(TOM, LEYLA),
    remind(Task.MISSING_RECEIPTS),
    grant(),
    redeem(NOW),
    grant(token="b"),
    *FACTS,
)
STORIES = {
    "nothing heard of it": (added(),),
    "everything heard of it": FULL,
    "declined": (added(), decline()),
    "parted": (*FULL, disconnect()),
    "onboarding": (invited(TOM), stated("in_review", connected=True, verification="in_review"), leaves(TOM)),
    "expired": (invited(), stated("expired")),
}


def stored(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return *document* as MongoDB hands it out again."""
    return decode(encode(document), codec_options=AWARE)


@pytest.fixture(params=STORIES)
def story(request: pytest.FixtureRequest) -> Story[World]:
    return told(*STORIES[request.param])


def test_every_state_comes_back_as_it_was(story: Story[World]) -> None:
    """Invariant 4: a batch is decided on what the one before it wrote."""
    world = story.world
    pairs: list[tuple[Any, Callable[[Any], Any], Callable[[Any], Any]]] = [
        *((c, documents.client, documents.client_from) for c in world.clients.values()),
        *((c, documents.company, documents.company_from) for c in world.companies.values()),
        *((m, documents.member, documents.member_from) for m in world.members.values()),
        *((e, documents.expense, documents.expense_from) for e in world.expenses.values()),
        *((g, documents.grant, documents.grant_from) for g in world.grants.values()),
        *((f, documents.firm, documents.firm_from) for f in world.firms.values()),
    ]
    assert {type(state) for state, _, _ in pairs} >= {Client, Company, Member, Firm}
    for state, to, back in pairs:
        assert back(stored(to(state))) == state


def test_what_is_shown_of_a_row_needs_no_more_than_its_fields(story: Story[World]) -> None:
    """L7: a page reads less of each row than deciding does, and shows the same."""
    read = (*documents.ROW_FIELDS, *documents.PLACE_FIELDS)
    for client in story.world.clients.values():
        part = {name: value for name, value in stored(documents.client(client)).items() if name in read}
        assert shown(documents.row_from(part)) == shown(client)


def test_a_row_that_is_older_than_a_field_is_read_all_the_same() -> None:
    """An update of the services finds rows of the one before."""
    document = stored(documents.client(client_of(told(*FULL))))
    resolved = {name for name in document["ledger"] if name.endswith("_resolved")}
    older = {name: value for name, value in document["ledger"].items() if name not in resolved}
    read = documents.client_from({**document, "ledger": older})
    assert {getattr(read.ledger, name) for name in resolved} == {()}
    assert read.ledger.figures.missing_receipts == 1


def test_the_fullest_story_holds_every_kind() -> None:
    """The round trip above means something only if there is something to carry."""
    world = told(*FULL).world
    assert len(world.expenses) == 3
    assert {type(g) for g in world.grants.values()} == {Grant}
    assert [g.redeemed_at for g in world.grants.values()] == [NOW, None]


def test_a_row_knows_its_lists_and_how_it_is_looked_for() -> None:
    """L1, L4: both spellings of an umlaut, the client number, and the figure it is sorted by."""
    row = stored(documents.client(client_of(told(*FULL))))
    assert row["_id"] == f"{KANZLEI}.{MUELLER_BAU}"
    assert row["lists"] == ["all", f"mine:{TOM.id}", f"mine:{LEYLA.id}"]
    assert (row["folded"], row["sort_key"]) == ("mueller bau\n4711", "muller bau")
    assert {" muller bau", "eller bau", "bau", "4711", "711"} <= set(row["tails"])
    assert row["missing"] == 1


@pytest.mark.parametrize("history", [(added(), *FACTS), (added(), accept()), (*FULL, disconnect())])
def test_an_unknown_or_hidden_figure_sorts_below_zero(history: tuple[Any, ...]) -> None:
    """L4, I5: what may not be read is not filtered or sorted by either."""
    assert documents.client(client_of(told(*history)))["missing"] < 0


@pytest.mark.parametrize(
    ("change", "fields", "partial"),
    [
        (balance(7, clock(5)), ("ledger",), documents.figures),
        (assign(ANNA), ("assignees", "tenures"), documents.staff),
    ],
)
def test_what_is_written_of_a_row_makes_the_whole_row(change: Any, fields: tuple[str, ...], partial: Any) -> None:
    """L6: a fact or an assignment does not write the search keys again; what it writes is all that differs."""
    before, after = client_of(told(*FULL)), client_of(told(*FULL, change))
    assert documents.only_moved(before, after, *fields)
    assert {**documents.client(before), **partial(after)} == documents.client(after)
    renamed = told(*FULL, pleo.CompanyRenamed(client_id=MUELLER_BAU, company_name="M", sequence=1))
    assert not documents.only_moved(before, client_of(renamed), *fields)


def test_a_client_is_told_to_others_as_the_firm_may_read_it() -> None:
    """I5: no figure leaves clients before the access was granted or after it ended."""
    _, state = documents.told_client(stored(documents.client(client_of(told(*FULL)))))
    assert (state.figures.missing_receipts, state.figures.low_balance) == (1, True)
    _, hidden = documents.told_client(stored(documents.client(client_of(told(*FULL, disconnect())))))
    assert (hidden.connected, hidden.figures.missing_receipts, hidden.figures.balance) == (False, None, None)


def test_what_counts_is_kept_and_what_does_not_goes() -> None:
    """E5: facts 400 days after the newest of their expense, but for those a figure holds; no figure changes by forgetting."""
    world = told(added(), about(pleo.ReceiptMissing, "open", clock(1)), about(pleo.ReceiptMissing, "done", clock(1))).world
    assert all("kept_until" not in documents.expense(e) for e in world.expenses.values())
    story = told(about(pleo.ReceiptMissing, "done", clock(1)), about(pleo.ReceiptWaived, "done", clock(2)))
    story.when(about(pleo.ExpenseDeleted, "gone", clock(1))).at(after(days=3)).when(about(pleo.ExpenseExported, "sent", clock(1)))
    kept = {e.expense_id: documents.expense(e)["kept_until"] for e in story.world.expenses.values()}
    assert kept == {"done": after(days=400), "gone": after(days=400), "sent": after(days=403)}


def test_a_grant_at_rest_lets_nobody_in() -> None:
    """A3: only the hash is stored, and it goes away."""
    document = documents.grant(next(iter(told(*FULL).world.grants.values())))
    assert document["_id"] == document["token_hash"] == "a" * 64
    assert document["kept_until"] > document["expires_at"]
