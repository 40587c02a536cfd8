"""Which versions were measured."""

from __future__ import annotations

import json
import platform
import re
import subprocess
from importlib.metadata import version

from django.db import connection

from bench.servers import NODE, PEER_PYTHON, PEERS

_PEERS = ("graphene-django", "strawberry-graphql-django", "django-ninja")


def versions() -> dict[str, str]:
    """What is named in the page's head, with its version."""
    packages = ("Django", "granian", "psycopg", "graphene-django", "graphql-core", "celery")
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        (server,) = cursor.fetchone() or ("",)
    return {
        "portal": ", ".join([f"Python {platform.python_version()}", *(f"{name} {version(name)}" for name in packages)]),
        "peers": ", ".join([*_python_peers(), *_node_peers()]),
        "PostgreSQL": str(server),
        "load": _wrk(),
    }


def _python_peers() -> list[str]:
    code = f"import importlib.metadata as m; print(*(f'{{n}} {{m.version(n)}}' for n in {_PEERS!r}), sep='\\n')"
    return subprocess.run(
        [str(PEER_PYTHON), "-c", code], check=True, capture_output=True, text=True
    ).stdout.splitlines()


def _node_peers() -> list[str]:
    locked = json.loads((PEERS / "package-lock.json").read_text())["packages"]
    node = subprocess.run([str(NODE), "--version"], check=True, capture_output=True, text=True).stdout.strip()
    found = [
        f"{path.rpartition('node_modules/')[2]} {package['version']}"
        for path, package in locked.items()
        if re.search(r"node_modules/(fastify|pg|postgraphile)$", path)
    ]
    return [f"Node.js {node.lstrip('v')}", *found]


def _wrk() -> str:
    said = subprocess.run(["wrk", "--version"], check=False, capture_output=True, text=True)
    found = re.search(r"wrk \S+", said.stdout + said.stderr)
    return found[0] if found else "wrk"
