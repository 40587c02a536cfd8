"""What the script hashes in the browser is what the gateway would hash, or is left out: a wrong hash matches nobody."""

from __future__ import annotations

import json
import subprocess
import tomllib
from hashlib import sha256
from pathlib import Path

import pytest
from django.conf import settings

NODE = settings.ROOT / ".venv" / "build" / "bin" / "node"
TABLE = tomllib.loads(Path(__file__).with_name("identifiers.toml").read_text("utf-8"))
CASES = [
    (field, value, normal)
    for field, groups in TABLE.items()
    for group in groups
    for value, normal in group["values"].items()
]
#: Reads fields and values, prints what is told of each.
_ASK = """
const { matching } = require(process.argv[1]);
const cases = JSON.parse(require("fs").readFileSync(0));
console.log(JSON.stringify(cases.map(([field, value]) => matching({ [field]: value }, true)[field] ?? "")));
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What the script tells of each case."""
    built = tmp_path_factory.mktemp("script") / "matching.cjs"
    esbuild = settings.ROOT / "node_modules" / "esbuild" / "bin" / "esbuild"
    source = settings.ROOT / "pixel" / "src" / "matching.ts"
    _run(str(esbuild), str(source), "--bundle", "--format=cjs", "--log-level=warning", f"--outfile={built}")
    answers: list[str] = json.loads(_run("-e", _ASK, str(built), told=json.dumps(CASES)))
    return answers


def _run(*arguments: str, told: str = "") -> str:
    done = subprocess.run([str(NODE), *arguments], input=told, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_no_hash_differs_from_the_gateways(told: list[str]) -> None:
    wrong = [
        case
        for case, answer in zip(CASES, told, strict=True)
        if answer and answer != sha256(case[2].encode()).hexdigest()
    ]

    assert wrong == []


@pytest.mark.parametrize("field", ["em", "ph", "fn", "ln", "ge", "db", "ct", "st", "zp", "country"])
def test_of_every_field_something_is_told(told: list[str], field: str) -> None:
    assert [answer for case, answer in zip(CASES, told, strict=True) if answer and case[0] == field]
