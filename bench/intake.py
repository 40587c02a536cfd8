"""How many events a second are acknowledged after their commit, next to the peer: ``python -m bench.intake``.

The worker runs and drains meanwhile, as in production. The peer has no worker, no checks beyond its schema, no switches
and no hashing: its figure is flattered. Rounds alternate, so that a busy moment of the machine hits both.
"""

from __future__ import annotations

from statistics import median

from bench import load, peer, stage

SIZES = (1, 100)
ROUNDS = 2


def main() -> None:
    """Measure and print."""
    stage.make_pixel()
    peer.create_tables()
    address = f"/capi/{stage.PIXEL_ID}/events"
    rates: dict[tuple[str, int], list[float]] = {}
    behind: dict[int, list[float]] = {}
    with stage.sink() as graph_api, stage.portal(graph_api) as ours, stage.peer() as theirs:
        for size in SIZES:
            body = stage.body_of(size)
            for url in (ours.url, theirs):  # caches fill
                load.post(url + address, body, seconds=1)
            for _ in range(ROUNDS):
                for name, url in (("portal", ours.url), ("peer", theirs)):
                    done = load.post(url + address, body, seconds=stage.SECONDS / ROUNDS)
                    if done.errors:
                        raise RuntimeError(f"{name}: {done.errors} of {done.requests} requests were refused")
                    rates.setdefault((name, size), []).append(done.rate * size)
                    if name == "portal":
                        behind.setdefault(size, []).append(stage.wait_until_drained(ours))
    rows = [
        (f"{size} a request", median(rates["portal", size]), median(rates["peer", size]), *_shares(rates, behind, size))
        for size in SIZES
    ]
    stage.print_table(
        "Intake: events a second",
        ("", "portal, worker running", "django-ninja, a row per event", "ratio", "worker behind by, s"),
        rows,
    )


def _shares(
    rates: dict[tuple[str, int], list[float]], behind: dict[int, list[float]], size: int
) -> tuple[float, float]:
    return median(rates["portal", size]) / median(rates["peer", size]), max(behind[size])


if __name__ == "__main__":
    main()
