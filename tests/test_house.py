"""The floors of the house: nothing imports what stands above it, and no files import each other in a circle."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
#: From the ground up (docs/architecture.md).
FLOORS = ("common", "accounts", "pixels", "filters", "pipelines", "events", "alerts", "portal")


@cache
def modules() -> dict[str, Path]:
    """Every module of the floors, by its dotted name."""
    found = {}
    for floor in FLOORS:
        for path in (ROOT / floor).rglob("*.py"):
            parts = path.relative_to(ROOT).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports_of(module: str) -> Iterator[str]:
    """The modules of the floors that a module names in an import, wherever in the file it stands."""
    for node in ast.walk(ast.parse(modules()[module].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in modules())
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                if whole in modules():
                    yield whole
                elif node.module in modules():
                    yield node.module


def floor_of(module: str) -> int:
    return FLOORS.index(module.partition(".")[0])


def test_nothing_imports_what_stands_above_it() -> None:
    upward = [
        f"{module} imports {other}"
        for module in modules()
        for other in imports_of(module)
        if floor_of(other) > floor_of(module)
    ]
    assert upward == []


def test_no_files_import_each_other_in_a_circle() -> None:
    try:
        TopologicalSorter({module: set(imports_of(module)) - {module} for module in modules()}).prepare()
    except CycleError as error:
        raise AssertionError(" -> ".join(error.args[1])) from None


#: The server below may change: these translate for it, and start it.
KNOW_THE_SERVER = {"common.rsgi", "common.wsgi", "portal.pages", "portal.rsgi", "portal.web", "portal.wsgi"}


def test_nothing_but_the_adapter_knows_the_server() -> None:
    words = re.compile(r"(?:import|from) \S*[rw]sgi|[\"']wsgi\.|\bWSGI\w+")
    found = {
        f"{module}: {match[0]}"
        for module, path in modules().items()
        if module not in KNOW_THE_SERVER and module != "portal.settings"
        for match in words.finditer(path.read_text(encoding="utf-8"))
    }
    assert sorted(found) == []
