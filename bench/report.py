"""The table of ratios, as printed and as written to docs/benchmarks.md."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bench.rounds import Ratio

_HEAD = """# Benchmarks

Written by `make bench`, which builds what it needs, measures portal and peers in turn and compares their answers before
it times anything. The portal runs as in production, with sign-in, permissions, limits and audit on; the peers, small
programs in [bench/peers/](../bench/peers/), run without any. Load generator, PostgreSQL and servers share the machine:
ratios count, absolute figures say little. A ratio is the median of those of the rounds, with the least and the greatest
of them; the figures further below are medians of their own, of which no other ratio can be made.

A is the published document *Get Account*, B a list of an account's pixel connections, C a mutation. The *limit* is a
function that does nothing but to have PostgreSQL write the answer. *lz4* is the compression of PostgreSQL that the
portal uses for events that wait; without it, PostgreSQL's own. A *loop of ORM objects* is what one would write first.
"""


@dataclass(frozen=True, slots=True)
class Row:
    """One target: at least, or ``at most``, so many times ``peer``."""

    work: str
    peer: str
    target: float
    reached: Ratio
    at_most: bool = False

    @property
    def is_met(self) -> bool:
        """Does the median reach the target?"""
        return self.reached.median <= self.target if self.at_most else self.reached.median >= self.target


@dataclass(frozen=True, slots=True)
class Result:
    """What a part found: its rows, the figures behind them by name, and what these are."""

    title: str
    rows: list[Row]
    unit: str
    figures: Mapping[str, float]
    note: str = ""


def render(results: Sequence[Result], versions: Mapping[str, str], minutes: float) -> str:
    """The page."""
    rows = [row for result in results for row in result.rows]
    met = sum(row.is_met for row in rows)
    facts = [("date", f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {minutes:.0f} minutes"), *machine(), *versions.items()]
    parts = [
        _HEAD,
        table(("", ""), facts),
        f"{met} of {len(rows)} targets are met. [Why others are not](decisions/0014-speed-targets.md).",
        ratio_table(rows),
        *(figure_table(result) for result in results),
    ]
    return "\n".join(f"{part.rstrip()}\n" for part in parts)


def ratio_table(rows: Sequence[Row]) -> str:
    """Target, ratio reached and spread of each row."""
    return table(
        ("work", "beside", "target", "reached", "spread", "met"),
        [
            (
                row.work,
                row.peer,
                f"{'at most' if row.at_most else 'at least'} {row.target:g} ×",
                f"{row.reached.median:.2f} ×",
                f"{row.reached.least:.2f}–{row.reached.greatest:.2f}",
                "yes" if row.is_met else "**no**",
            )
            for row in rows
        ],
    )


def figure_table(result: Result) -> str:
    """The figures behind the ratios."""
    note = f"\n{result.note}\n" if result.note else ""
    figures = [(name, _figure(value)) for name, value in result.figures.items()]
    return f"## {result.title}\n{note}\n{table(('', result.unit), figures)}"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of Markdown that reads well as plain text too."""
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    rule = ["-" * width for width in widths]
    lines = [[cell.ljust(width) for cell, width in zip(row, widths, strict=True)] for row in (head, *rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in (lines[0], rule, *lines[1:])) + "\n"


def machine() -> list[tuple[str, str]]:
    """What all of it ran on."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return [
        ("processor", f"{os.cpu_count()} cores, {_processor()}"),
        ("memory", f"{memory:.0f} GiB"),
        ("system", f"{platform.system()} {platform.release()}"),
        ("source", _source()),
    ]


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _source() -> str:
    said = subprocess.run(["git", "describe", "--always", "--dirty"], check=False, capture_output=True, text=True)
    return said.stdout.strip() or "unknown"


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:,.2f}"
