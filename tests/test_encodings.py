"""Which encoding is chosen for what a client says that it takes."""

from __future__ import annotations

import pytest

from common.encodings import best_encoding

CASES = {
    "": "",
    "gzip": "gzip",
    "br": "br",
    "gzip, deflate, br, zstd": "br",
    "GZIP": "gzip",
    "*": "br",
    "gzip, *;q=0": "gzip",
    "br;q=0, *": "gzip",
    "br;q=0.5, gzip;q=0.8": "gzip",
    "br;q=0.5;q=1, gzip ; q=0.8": "gzip",
    "br;q=1.0, gzip;q=0.8": "br",
    "gzip;q=0": "",
    "gzip;q=0.0, br;q=0.000": "",
    "identity": "",
    "identity, gzip;q=0.5": "",
    "identity, gzip": "gzip",
    "identity;q=0.5, *;q=0.1": "",
    "identity;q=0, *;q=0.1": "br",
    "notgzip, brr": "",
    "gzip;q=high, br;q=2": "",
    ",, ;q=1, ,gzip": "gzip",
    "\ud800, gzip": "gzip",
}


@pytest.mark.parametrize("accepted", CASES)
def test_the_one_that_ranks_highest_and_else_the_smallest(accepted: str) -> None:
    assert best_encoding(accepted, ("br", "gzip")) == CASES[accepted]
