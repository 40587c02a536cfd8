"""Reading an account (A) and its pixels (B) where there are 200 accounts, and where there are 20,000."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from statistics import median

from bench import answers, load, place, servers
from bench.answers import Asked
from bench.fill import busy_accounts, fill_database
from bench.report import Result, Row
from bench.rounds import Effort, Rounds, ratio
from bench.rounds import measure as measure_rounds
from tests.instance import Instance

SMALL, LARGE = 200, 20_000
#: So many accounts are asked for in turn, in either database.
ASKED = 200
WARM_SECONDS = 2
AT_MOST = 1.2


def measure(effort: Effort) -> list[Result]:
    """The portal on two databases, side by side."""
    with place.database("small") as small, place.database("large") as large:
        for url, accounts in ((small, SMALL), (large, LARGE)):
            fill_database(url, accounts, busy=ASKED)
        with servers.portal(small) as of_small, servers.portal(large) as of_large:
            found = _measure({SMALL: of_small, LARGE: of_large}, effort)
    rows = [
        Row(
            f"{work} of {LARGE:,} accounts, median time",
            f"{SMALL} accounts",
            AT_MOST,
            ratio(rounds[f"{LARGE:,}"], rounds[f"{SMALL:,}"]),
            at_most=True,
        )
        for work, rounds in found.items()
    ]
    figures = {
        f"{work}, {accounts} accounts": median(times)
        for work, rounds in found.items()
        for accounts, times in rounds.items()
    }
    return [
        Result("Many accounts", rows, "median, ms", figures, "One connection; 200 accounts, evenly spread, in turn.")
    ]


def _measure(portals: dict[int, Instance], effort: Effort) -> dict[str, Rounds]:
    tokens = {accounts: servers.sign_in(portal) for accounts, portal in portals.items()}
    found = {}
    for work, path, document in (("A", "hub", answers.ACCOUNT), ("B", "capig", answers.PIXELS)):
        things: dict[str, Callable[[], float]] = {}
        for accounts, portal in portals.items():
            asked = Asked(f"{portal.url}/{path}/graphql/", document, token=tokens[accounts])
            bodies = [asked.body(tenantId=account) for account in busy_accounts(accounts, ASKED)]
            asked.answer(tenantId=busy_accounts(accounts, ASKED)[-1])
            _median_time(asked, bodies, WARM_SECONDS)
            things[f"{accounts:,}"] = partial(_median_time, asked, bodies, effort.seconds)
        found[work] = measure_rounds(things, effort.rounds)
    return found


def _median_time(asked: Asked, bodies: list[bytes], seconds: float) -> float:
    return load.post_well(asked.url, *bodies, seconds=seconds, connections=1, token=asked.token).median
