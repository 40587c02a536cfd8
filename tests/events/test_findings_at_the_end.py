"""A process that ends in good order writes down what it still holds of findings."""

from __future__ import annotations

import subprocess
import sys

import pytest

SCRIPT = """
import multiprocessing, sys
from types import SimpleNamespace
import django
django.setup()
from events.findings import Findings
from events.intake.left_out import LeftOut, Reason

def work():
    findings = Findings(lambda found: print(*[cell.field for cell in found], flush=True))
    findings.count(SimpleNamespace(is_source=False, pk=1), {LeftOut("user_data.fbp", Reason.NO_BROWSER_ID): 1})

if sys.argv[1] == "child":
    child = multiprocessing.get_context("fork").Process(target=work)
    child.start()
    child.join()
else:
    work()
"""


@pytest.mark.parametrize("kind", ["main", "child"])
def test_a_process_that_ends_writes_down_the_rest(kind: str) -> None:
    """The server's worker processes are children of multiprocessing's, in which atexit is not called."""
    done = subprocess.run([sys.executable, "-c", SCRIPT, kind], capture_output=True, text=True, check=True, timeout=30)

    assert done.stdout == "user_data.fbp\n"
