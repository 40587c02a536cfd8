"""Collect what pages say into locale/*/LC_MESSAGES/django.po: ``python scripts/messages.py``, after a change of texts.

Babel reads the Python files, Django makes Python of the templates: no gettext need be installed.
"""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

from babel.messages import Catalog
from babel.messages.extract import extract
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parent.parent
APPS = ("accounts", "alerts", "common", "events", "filters", "pipelines", "pixels", "portal")
#: Folders whose texts no page shows.
SILENT = {"migrations", "sandbox", "graphql"}
#: What a message is marked by, and at which of the call's arguments it stands.
KEYWORDS: dict[str, Any] = {
    "_": None,
    "gettext": None,
    "gettext_noop": None,
    "gettext_lazy": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    # Services refuse in English; pages translate what is known (accounts.web.sentence).
    "InvalidInput": (2,),
    "NotAuthorized": (1,),
    "NotFound": (1,),
    "Conflict": (1,),
    "TooManyRequests": (2,),
}


def sources() -> Iterator[tuple[str, bytes]]:
    """Every file that holds texts, as Python."""
    for app in APPS:
        for file in sorted((ROOT / app).rglob("*.py")):
            if not SILENT.intersection(file.parts):
                yield file.relative_to(ROOT).as_posix(), file.read_bytes()
    for file in sorted((ROOT / "templates").rglob("*.*")):
        python = templatize(file.read_text("utf-8"), origin=str(file))
        # What is left of the HTML around the calls is words; their indentation would mean something in Python.
        yield file.relative_to(ROOT).as_posix(), "\n".join(map(str.strip, python.splitlines())).encode()


def collect() -> Catalog:
    """All messages, each with the files that it stands in (without lines, which change with every edit)."""
    catalog = Catalog(charset="utf-8")
    for name, python in sources():
        options = {"encoding": "utf-8"}
        for _line, message, _comments, context in extract("python", BytesIO(python), KEYWORDS, options=options):
            if message != " ":  # a join of messages, in a raise
                catalog.add(message, context=context, locations=[(name, 0)])
    return catalog


def update(file: Path) -> Catalog:
    """The translations of ``file`` with what is said now: new messages untranslated, those no longer said left out."""
    with file.open("rb") as stream:
        catalog = read_po(stream, locale=file.parent.parent.name)
    catalog.update(collect(), no_fuzzy_matching=True)
    catalog.obsolete.clear()
    return catalog


def missing(catalog: Catalog) -> list[str]:
    """The messages that have no translation yet, or not in every plural form."""
    found = []
    for message in catalog:
        singular = message.id if isinstance(message.id, str) else message.id[0]
        forms = [message.string] if isinstance(message.string, str) else (message.string or ("",))
        if singular and (message.fuzzy or not all(forms)):
            found.append(singular)
    return found


def main() -> None:
    """Rewrite the files, and name what is to be translated."""
    for file in sorted((ROOT / "locale").glob("*/LC_MESSAGES/django.po")):
        catalog = update(file)
        # The file's own head: Babel's would have the time of day in it.
        head = file.read_bytes().partition(b"\n\n")[0]
        with file.open("wb") as stream:
            stream.write(head + b"\n\n")
            write_po(stream, catalog, width=120, sort_output=True, include_lineno=False, omit_header=True)
        for message in missing(catalog):
            print(f"{file.relative_to(ROOT)}: not translated: {message!r}")


if __name__ == "__main__":
    main()
