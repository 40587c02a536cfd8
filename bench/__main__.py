"""``make bench``: measures portal and peers, prints the table of ratios, and writes it to docs/benchmarks.md.

``make bench ARGS="graphql --seconds 3"`` measures a part, in less time; the page is written by whole runs alone, unless
``--output`` names a file.
"""

from __future__ import annotations

import argparse
import importlib
import shutil
import sys
import time
from pathlib import Path

from bench import beside, report
from bench.rounds import Effort
from bench.servers import NODE, PEER_PYTHON, PEERS
from bench.versions import versions

PARTS = (
    *("graphql", "intake", "browser", "pixel", "slow", "drain"),
    *("scale", "usage", "alerts", "memory", "cost", "hostile"),
)
#: What the page is made of.
WHOLE = Effort(seconds=6, rounds=3, events=1_000_000)
PAGE = Path(__file__).resolve().parent.parent / "docs" / "benchmarks.md"


def main() -> None:
    """Measure what is asked for."""
    usage = 'make bench ARGS="[PART ...] [--seconds S] [--rounds N] [--events N] [--output FILE | --beside COMMIT]"'
    parser = argparse.ArgumentParser(usage=usage, description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"{', '.join(PARTS)}; all where none is named")
    parser.add_argument(
        "--seconds", type=float, default=WHOLE.seconds, help="for each thing in each round (%(default)s)"
    )
    parser.add_argument(
        "--rounds", type=int, default=WHOLE.rounds, help="in turn in one order and the other (%(default)s)"
    )
    parser.add_argument(
        "--events", type=int, default=WHOLE.events, help="for memory; drain takes a third (%(default)s)"
    )
    parser.add_argument("--output", type=Path, help="where to write the page")
    parser.add_argument("--beside", metavar="COMMIT", help="compare with that version instead, five rounds or more")
    given = parser.parse_args()
    if unknown := set(given.parts) - set(PARTS):
        parser.error(f"there is no part {', '.join(sorted(unknown))}; the parts are {', '.join(PARTS)}.")
    _check_tools(peers=not given.beside)

    start = time.monotonic()
    effort = Effort(given.seconds, given.rounds, given.events)
    if given.beside:
        beside.measure(given.beside, given.parts or list(PARTS), effort)
        return
    results = []
    for part in given.parts or PARTS:
        print(f"{time.monotonic() - start:5.0f} s  {part}", flush=True)
        for result in importlib.import_module(f"bench.parts.{part}").measure(effort):
            print(f"\n{report.ratio_table(result.rows)}\n{report.figure_table(result)}", flush=True)
            results.append(result)
    if len(results) > 1:
        print(report.ratio_table([row for result in results for row in result.rows]))
    if any(mine < usual for mine, usual in zip(effort, WHOLE, strict=True)):
        print("Measured for less time than the page is: on a busy machine, no target is met or missed by this.")
    if output := given.output or (None if given.parts else PAGE):
        output.write_text(report.render(results, versions(), (time.monotonic() - start) / 60))
        print(f"Written to {output}.")


def _check_tools(*, peers: bool) -> None:
    if not shutil.which("wrk"):
        sys.exit("wrk sends the requests; on Debian: apt install wrk.")
    if peers and not (PEER_PYTHON.exists() and NODE.exists() and (PEERS / "node_modules").exists()):
        sys.exit("The peers are not installed; make bench does that.")


if __name__ == "__main__":
    main()
