"""What wrk prints is read with its errors: a rate of refusals is none."""

from __future__ import annotations

import pytest

from bench.load import read

SAID = """Running 2s test @ http://127.0.0.1:8000/
  1 threads and 16 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     7.42ms    2.10ms  30.21ms   83.11%
    Req/Sec     2.16k   188.10     2.45k    75.00%
  Latency Distribution
     50%  712.00us
     75%    8.40ms
     90%    9.90ms
     99%   14.31ms
  4300 requests in 2.00s, 3.67MB read
"""


def test_a_run_without_errors() -> None:
    done = read(SAID + "Requests/sec:   2147.51\n")

    assert (done.requests, done.errors, done.seconds, done.median) == (4_300, 0, 2.0, 0.712)
    assert done.rate == 2_150


def test_refusals_and_broken_connections_do_not_count() -> None:
    done = read(SAID + "  Socket errors: connect 0, read 50, write 0, timeout 50\n  Non-2xx or 3xx responses: 200\n")

    assert done.errors == 300
    assert done.rate == 2_000


def test_what_cannot_be_read_is_no_figure() -> None:
    with pytest.raises(RuntimeError, match="unable to connect"):
        read("unable to connect to 127.0.0.1:8000 Connection refused\n")
