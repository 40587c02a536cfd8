"""Reading an account (A) and a list of pixels (B), and setting a filter (C): portal and peers, on 200 accounts."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from bench import answers, load, place, servers
from bench.answers import Asked
from bench.fill import account_id, fill_database, pixel_id
from bench.report import Result, Row
from bench.rounds import Effort, Rounds, ratio
from bench.rounds import measure as measure_rounds

ACCOUNTS = 200
WARM_SECONDS = 2

NOTE = (
    f"{ACCOUNTS} accounts, each with 10 people and 50 pixels that received events within the hour. Accounts are asked "
    f"for in turn, over {load.CONNECTIONS} connections. Peers have a pixel's totals as columns, the portal sums "
    "counters. The limit is a WSGI function whose one statement makes the answer's JSON in PostgreSQL."
)

A = "A: Get Account"
B = "B: 50 pixel connections"
C = "C: update an event filter"

#: At least so many times each peer; of those in a tuple, the better one.
TARGETS: dict[str, dict[tuple[str, ...], float]] = {
    A: {
        ("graphene-django",): 20,
        ("strawberry-django",): 12,
        ("PostGraphile 4", "PostGraphile 5"): 1.5,
        ("limit",): 0.5,
    },
    B: {
        ("graphene-django",): 7,
        ("strawberry-django",): 10,
        ("PostGraphile 4", "PostGraphile 5"): 1.3,
        ("limit",): 0.45,
    },
    C: {("graphene-django",): 1.5},
}


def measure(effort: Effort) -> list[Result]:
    """Portal and peers on one database."""
    with place.database("graphql") as url:
        fill_database(url, ACCOUNTS, busy=ACCOUNTS)
        servers.run_sql(url, "graphql.sql")
        with _servers(url) as asked:
            variables = [{"tenantId": account_id(number)} for number in range(1, ACCOUNTS + 1)]
            found = {
                A: _measure(asked[A], variables, effort),
                B: _measure(asked[B], variables, effort),
                C: _measure(asked[C], _filters(), effort),
            }
    rows = [row for work in found for row in _rows(work, found[work])]
    figures = {f"{work}, {name}": median(rates) for work, rounds in found.items() for name, rates in rounds.items()}
    return [Result("GraphQL", rows, "requests a second", figures, NOTE)]


def _measure(asked: dict[str, Asked], variables: list[dict[str, Any]], effort: Effort) -> Rounds:
    for each in (variables[0], variables[-1]):
        answers.compare(asked, **each)
    bodies = {name: [one.body(**each) for each in variables] for name, one in asked.items()}

    def rate(name: str) -> float:
        one = asked[name]
        return load.post_well(one.url, *bodies[name], seconds=effort.seconds, token=one.token).rate

    for name, one in asked.items():
        load.post(one.url, *bodies[name], seconds=WARM_SECONDS, token=one.token)
    return measure_rounds({name: partial(rate, name) for name in asked}, effort.rounds)


def _filters() -> list[dict[str, Any]]:
    """Each changes what the one before has set."""
    return [
        {
            "tenantId": account_id(number),
            "input": {"eventName": "AddToCart", "pixelIds": [pixel_id(number, 1)], "filterState": state},
        }
        for state in ("DROP", "PUBLISH")
        for number in range(1, ACCOUNTS + 1)
    ]


def _rows(work: str, rounds: Rounds) -> Iterator[Row]:
    for peers, target in TARGETS[work].items():
        better = max(peers, key=lambda name: median(rounds[name]))
        yield Row(work, better, target, ratio(rounds["portal"], rounds[better]))


@contextmanager
def _servers(url: str) -> Iterator[Mapping[str, dict[str, Asked]]]:
    """All of them, and what each is asked for each work; the portal comes first."""
    with ExitStack() as stack:
        portal = stack.enter_context(servers.portal(url))
        token = servers.sign_in(portal)
        stock = stack.enter_context(servers.python_peer("graphene_stock", url)) + "/graphql/"
        strawberry = stack.enter_context(servers.python_peer("strawberry_optimized", url)) + "/graphql/"
        limit = stack.enter_context(servers.python_peer("bare_wsgi", url))
        graphiles = {
            version: stack.enter_context(servers.node_peer(f"postgraphile{version}", url)) + "/graphql"
            for version in answers.LISTS
        }
        service = stack.enter_context(
            servers.python_peer(
                "graphene_service",
                url,
                python=Path(sys.executable),
                own_settings="bench.peers.graphene_service.settings",
            )
        )
        yield {
            A: {
                "portal": Asked(f"{portal.url}/hub/graphql/", answers.ACCOUNT, token=token),
                "graphene-django": Asked(stock, answers.ACCOUNT),
                "strawberry-django": Asked(strawberry, answers.ACCOUNT),
                **{
                    f"PostGraphile {version}": answers.postgraphile_account(address, version)
                    for version, address in graphiles.items()
                },
                "limit": Asked(f"{limit}/tenant", answers.ACCOUNT),
            },
            B: {
                "portal": Asked(f"{portal.url}/capig/graphql/", answers.PIXELS, answers.portal_pixels, token),
                "graphene-django": Asked(stock, answers.PEER_PIXELS),
                "strawberry-django": Asked(strawberry, answers.PEER_PIXELS),
                **{
                    f"PostGraphile {version}": answers.postgraphile_pixels(address, version)
                    for version, address in graphiles.items()
                },
                "limit": Asked(f"{limit}/signal-configs", answers.PEER_PIXELS),
            },
            C: {
                "portal": Asked(f"{portal.url}/capig/graphql/", answers.FILTER, answers.portal_filter, token),
                "graphene-django": Asked(f"{service}/graphql/", answers.PEER_FILTER),
            },
        }
