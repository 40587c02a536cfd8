"""A request with events or a notice to whoever is to have them: how long it took, and which class of answer came."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from common import tracing
from common.metrics import note_sending

#: ``refused``: what was sent is at fault; ``retry``: it may pass later; ``held``: nothing passes before a person acts.
AnswerClass = Literal["accepted", "refused", "retry", "held"]


@dataclass(slots=True)
class Sent:
    """What is sent; whoever sends it notes what was answered."""

    answer: AnswerClass | None = None


@contextmanager
def sending(road: str, kind: str, count: int = 1) -> Iterator[Sent]:
    """Measure what happens within, and make it a step of the trace.

    ``road`` and ``kind`` (what the receiver is) are a few names, ``count`` is how many events or notices are sent.
    Where no answer is noted, since an error was raised, nothing is counted.
    """
    sent = Sent()
    started = time.perf_counter()
    with tracing.step(f"send {kind}", {"portal.road": road, "portal.kind": kind, "portal.count": count}) as step:
        yield sent
        if sent.answer:
            note_sending(road, kind, sent.answer, time.perf_counter() - started)
            step.set_attribute("portal.answer", sent.answer)
