"""Ids of nobody's, for the samples of what changes and deletes: who tries one out loses nothing."""

from __future__ import annotations

PIPELINE = "sg_v1_pl_00000000-0000-4000-8000-000000000000"
SOURCE = "1000000000000000000"
DESTINATION = "sg_v1_dd_00000000-0000-4000-8000-000000000000"
