"""Take from node_modules the few files that pages load, to static/vendor/."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FILES = (
    "@tabler/core/dist/css/tabler.min.css",
    "chart.js/dist/chart.umd.js",
    "htmx.org/dist/htmx.min.js",
)
#: Maps are for debuggers, larger than all else, and left behind: so must be the lines that name them.
SOURCE_MAP = re.compile(r"^(//|/\*)# sourceMappingURL=\S+( ?\*/)?\s*$", re.MULTILINE)


def main() -> None:
    """Copy the files, each under its own name."""
    vendor = ROOT / "static" / "vendor"
    vendor.mkdir(parents=True, exist_ok=True)
    for file in map(Path, FILES):
        text = (ROOT / "node_modules" / file).read_text("utf-8")
        (vendor / file.name).write_text(SOURCE_MAP.sub("", text), "utf-8")


if __name__ == "__main__":
    main()
