"""A stand-in for the Graph API's events edge: for tests, benchmarks, and trying the portal without a Meta account."""

from __future__ import annotations

from events.sandbox.app import Sandbox
from events.sandbox.faults import Fault
from events.sandbox.rules import GraphError

__all__ = ["Fault", "GraphError", "Sandbox"]
