"""Measure the figures of the README: ``python -m tests.bench [--short] [--only SUBJECT …]``, into ``.local/bench.json``.

F1, F3, F5 to F8 and F11 are ratios of neighbours in one run, so that a slow machine or a noisy one tells the same; F10 is
memory.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import uvloop

from deploy.local import LocalRunError, run
from deploy.local.home import ROOT
from shared.service import collect_seldom
from shared.settings import Settings
from tests.bench import finding, mails, memory
from tests.bench.contenders import Contender, OneByOne, Shipped, Untransacted, turn
from tests.bench.facts import Facts
from tests.bench.figures import WRITTEN, Figure, over, publish

HOME = Path(".local/bench")


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured."""

    facts: int
    rounds: int
    records: int
    singles: int
    most_seconds: float
    mails: int
    subscriptions: int


FULL = Size(facts=1_000_000, rounds=7, records=20_000, singles=800, most_seconds=15, mails=1_000, subscriptions=1_000_000)
SHORT = Size(facts=50_000, rounds=3, records=6_000, singles=250, most_seconds=5, mails=200, subscriptions=20_000)


async def rates(settings: Settings, size: Size) -> dict[str, Figure]:
    """Return F1 and F3, from rounds in which the contenders take turns."""
    shipped, plain, single = Shipped(settings), Untransacted(settings), OneByOne(settings)
    against_single: list[tuple[float, float]] = []
    against_plain: list[tuple[float, float]] = []
    async with AsyncExitStack() as ends:
        contenders: tuple[Contender, ...] = (shipped, plain, single)
        for contender in contenders:
            ends.push_async_callback(contender.stop)
            await contender.start()
        for contender in contenders:  # nobody's first batch counts
            await turn(contender, 500 if contender is not single else 50, size.most_seconds)
        for number in range(1, size.rounds + 1):
            theirs = await turn(single, size.singles, size.most_seconds)
            ours = await turn(shipped, size.records, size.most_seconds)
            against_single.append((ours.rate, theirs.rate))
            bare = await turn(plain, size.records, size.most_seconds)
            again = await turn(shipped, size.records, size.most_seconds)
            against_plain.append((again.rate, bare.rate))
            found = {"one by one": theirs, "shipped": ours, "no transaction": bare, "shipped again": again}
            print(f"round {number}: {', '.join(f'{name} {s.rate:,.0f}' for name, s in found.items())} records/s", flush=True)
    return {
        "F1": over(against_single, "against FastStream with one message, one upsert, one commit"),
        "F3": over(against_plain, "against the same batches without the transaction"),
    }


async def resident(home: Path, settings: Settings, told: Facts, size: Size) -> dict[str, Figure]:
    """Return F10."""
    found = await memory.measure(home, settings, told, size.facts, most_seconds=size.facts / 1000 + 60)
    print(
        f"{size.facts:,} facts by a process of its own in {found.seconds:.0f} s: {size.facts / found.seconds:,.0f} records/s",
        flush=True,
    )
    against = f"resident after {size.facts:,} facts; from ready to highest"
    return {"F10": Figure(round(found.end, 1), round(found.ready, 1), round(found.highest, 1), against, "MB")}


async def facts(home: Path, settings: Settings, size: Size) -> dict[str, Figure]:
    """Return F1, F3 and F10: what becomes of many receipt facts."""
    told = Facts(size.facts)
    started = perf_counter()
    await told.send(settings.kafka_bootstrap_servers)
    print(f"{size.facts:,} facts sent in {perf_counter() - started:.0f} s", flush=True)
    return {**await rates(settings, size), **await resident(home, settings, told, size)}


async def clients(home: Path, settings: Settings, size: Size) -> dict[str, Figure]:
    """Return F5 to F7: clients found among many."""
    return await finding.measure(home, settings, finding.SHORT if size is SHORT else finding.FULL)


async def letters(_: Path, settings: Settings, size: Size) -> dict[str, Figure]:
    """Return F8: mails sent."""
    return await mails.mail_rates(settings, size.mails, size.rounds)


async def instants(_: Path, settings: Settings, size: Size) -> dict[str, Figure]:
    """Return F11: what is due among many subscriptions."""
    return await mails.due_scans(settings, size.subscriptions, size.rounds)


SUBJECTS = {"facts": facts, "clients": clients, "mails": letters, "instants": instants}


async def measure(home: Path, size: Size, subjects: Sequence[str]) -> dict[str, Figure]:
    """Return the figures of *subjects*, measured on the run in *home*."""
    settings = Settings(_env_file=home / "portal.env", portal_database_prefix="bench")
    figures: dict[str, Figure] = {}
    for subject in subjects:
        figures |= await SUBJECTS[subject](home, settings, size)
    return figures


def main() -> None:
    """Measure on a run of its own, and leave nothing running."""
    asked = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    asked.add_argument("--short", action="store_true", help="in well under a minute, to see that it works: no figures to quote")
    asked.add_argument("--only", nargs="+", choices=list(SUBJECTS), default=list(SUBJECTS), help="measure these subjects alone")
    options = asked.parse_args()
    size = SHORT if options.short else FULL
    started = perf_counter()
    collect_seldom()  # as every service does; all contenders live in this process
    try:
        run.reset(HOME)
        run.start(HOME, services=False, environ={"PORTAL_DEMO": "0"})
        figures = uvloop.run(measure((ROOT / HOME).resolve(), size, options.only))
    except LocalRunError as error:
        sys.exit(str(error))
    finally:
        run.stop(HOME)
    run.reset(HOME)  # what a failed bench leaves is there to look at
    publish(figures, ROOT / WRITTEN)
    print(f"measured in {perf_counter() - started:.0f} s, into {WRITTEN}")


if __name__ == "__main__":
    main()
