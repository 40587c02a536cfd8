"""``manage.py export_schemas``: the served schemas as files, so that a change of the API shows in a diff."""

from __future__ import annotations

from argparse import ArgumentParser
from difflib import unified_diff
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from portal.graphql import capig, hub

FOLDER = settings.ROOT / "tests" / "contract"
SCHEMAS = {"hub.graphql": hub.schema, "capig.graphql": capig.schema}


class Command(BaseCommand):
    """Writes the schemas; with ``--check``, compares them instead."""

    help = "Writes the GraphQL schemas that are served to tests/contract/."
    requires_system_checks = ()  # a schema can be written without a database

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true", help="Change nothing; fail where a file differs.")

    def handle(self, *, check: bool = False, **options: Any) -> None:
        served = {name: f"{schema}\n" for name, schema in SCHEMAS.items()}
        if check:
            difference = "\n".join(filter(None, (_diff(name, text) for name, text in served.items())))
            if difference:
                raise CommandError(f"The served schemas differ; run manage.py export_schemas.\n{difference}")
            self.stdout.write("The schemas on file are those served.")
            return
        for name, text in served.items():
            (FOLDER / name).write_text(text, encoding="utf-8")
            self.stdout.write(f"Wrote {FOLDER / name}")


def _diff(name: str, served: str) -> str:
    file = FOLDER / name
    stored = file.read_text(encoding="utf-8") if file.is_file() else ""
    lines = unified_diff(stored.splitlines(), served.splitlines(), f"{name} (on file)", f"{name} (served)", lineterm="")
    return "\n".join(lines)
