"""Figures: the median and range of what was measured, as a line for people and as JSON for who compares."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

WRITTEN = Path(".local/bench.json")


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of the README: *ratio* is the median, *low* and *high* are the range over the rounds."""

    ratio: float
    low: float
    high: float
    against: str
    unit: str = "x"

    def line(self, name: str) -> str:
        """Return the one line that people read."""
        return f"{name}: {self.ratio:g} {self.unit} ({self.low:g}–{self.high:g}) {self.against}"


def over(rounds: Sequence[tuple[float, float]], against: str) -> Figure:
    """Return how many times theirs ours is, from pairs measured next to each other."""
    ratios = [ours / theirs for ours, theirs in rounds]
    return Figure(round(median(ratios), 2), round(min(ratios), 2), round(max(ratios), 2), against)


def publish(figures: Mapping[str, Figure], written: Path = WRITTEN) -> None:
    """Print one line per figure and write them all to *written*, beside those of other runs that were not measured anew."""
    for name, figure in figures.items():
        print(figure.line(name))
    written.parent.mkdir(parents=True, exist_ok=True)
    kept = json.loads(written.read_text()) if written.exists() else {}
    kept |= {name: asdict(figure) for name, figure in figures.items()}
    written.write_text(json.dumps(kept, indent=2) + "\n")
