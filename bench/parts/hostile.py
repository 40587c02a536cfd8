"""What a hostile caller can make the portal spend: the worst queries within the limits, and the dearest bodies."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from statistics import median

import httpx
import psycopg

from bench import place, servers, stage
from bench.bodies import HOSTILE, Body, ordinary
from bench.fill import account_id, fill_database
from bench.parts.memory import MIB, memory_of_group
from bench.report import Result, Row
from bench.rounds import Effort, ratio
from bench.rounds import measure as measure_rounds
from tests.instance import Instance

#: All people are in all accounts.
ACCOUNTS = PEOPLE = 140
MOST_TIMES, MOST_MIB, MOST_TIMES_A_BODY = 10, 100, 5
BODY_BYTES = 2**20
#: Requests of a body in a round: the processor's time is counted in hundredths of a second.
REQUESTS = 10

_FIRST = account_id(1)
_LARGEST = f'{{ tenant(tenantId: "{_FIRST}") {{ users {{ tenants {{ name }} }} }} }}'
_PAGE = "tenants(first: 200) { edges { node { users { tenants { name } } } } }"
_ALIASES = " ".join(f"a{number}: name" for number in range(28))
#: Within every limit on a document; most are refused for what they would answer.
WORST = {
    "people's accounts, 10": f"{{ {_PAGE} }}".replace("200", "10"),
    "people's accounts, 200": f"{{ {_PAGE} }}",
    "people's accounts, 15 times": f"{{ {' '.join(f'a{number}: {_PAGE}' for number in range(15))} }}",
    "people of accounts of people": "{ tenants(first: 200) { edges { node { "
    + "users { tenants { " * 4
    + "name "
    + "} } " * 4
    + "} } } }",
    "the largest answer, 15 times": "{ " + " ".join(f"a{number}: {_LARGEST[1:-1]}" for number in range(15)) + " }",
    "the largest answer, by graphql-core": _LARGEST.replace("name", "name @skip(if: false)"),
    "the largest answer, of many fields": _LARGEST.replace("name", f"id status canPartnerManage {_ALIASES}"),
    "the same, by graphql-core": _LARGEST.replace("name", f"id @skip(if: false) status canPartnerManage {_ALIASES}"),
    "the largest answer, to 29 changes": "mutation { tenantMutations { "
    + " ".join(
        f'a{number}: updateTenant(input: {{ tenantId: "{account_id(number)}", eventEnrichment: true }})'
        " { tenant { users { tenants { name } } } }"
        for number in range(1, 30)
    )
    + " } }",
    "what is not shown": "{ tenants(first: 200) { edges { node { users { defaultTenantId canBeDeleted } } } } }",
}
NOTE = (
    f"{ACCOUNTS} accounts of the same {PEOPLE} people; one connection. The largest answer has 19,740 objects. Memory "
    "is what all processes of the web server hold at most while the queries run, less what they held after the "
    "largest answer."
)
NOTE_OF_BODIES = (
    f"The processor time of the web server for a body of {BODY_BYTES:,} bytes, unpacked, beside that of ordinary "
    f"events of as many: accepted or refused, no body may cost more than {MOST_TIMES_A_BODY} times as much."
)
_PEOPLE = f"SELECT id FROM accounts_user ORDER BY id LIMIT {PEOPLE}"  # noqa: S608  # a constant
_EVERYBODY_EVERYWHERE = f"""
    INSERT INTO accounts_membership (user_id, tenant_id, level, accepted_at, created_at)
    SELECT person.id, account.id, 'view', now(), now() FROM ({_PEOPLE}) person, accounts_tenant account
    ON CONFLICT DO NOTHING;
    DELETE FROM accounts_membership WHERE user_id NOT IN ({_PEOPLE});
    UPDATE accounts_tenant SET name = rpad(name, 100, '.');
"""  # noqa: S608  # constants


def measure(effort: Effort) -> list[Result]:
    """The queries, then the bodies."""
    with place.database("hostile") as url:
        fill_database(url, ACCOUNTS, busy=1)
        _everybody_everywhere(url)
        with servers.portal(url) as portal:
            queries = _measure_queries(portal, effort)
    stage.make_pixel()
    with servers.portal(place.address()) as portal:
        return [*queries, _measure_bodies(portal, effort)]


def _everybody_everywhere(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(_EVERYBODY_EVERYWHERE)
        connection.execute("VACUUM ANALYZE")


def _measure_queries(portal: Instance, effort: Effort) -> list[Result]:
    token = servers.sign_in(portal)
    with httpx.Client(base_url=portal.url, headers={"Authorization": f"Bearer {token}"}, timeout=120) as client:
        largest = partial(_ask, client, _LARGEST)
        for _ in range(5):
            largest()
        group = portal.pid("web")
        before = memory_of_group(group)
        with _highest(group) as peak:
            things: dict[str, Callable[[], float]] = {"the largest answer": largest}
            things |= {name: partial(_ask, client, document) for name, document in WORST.items()}
            found = measure_rounds(things, effort.rounds)
        more = (peak[0] - before) / MIB
    figures = {name: median(times) * 1_000 for name, times in found.items()}
    worst = max(WORST, key=figures.__getitem__)
    rows = [
        Row(
            f"the worst query ({worst})",
            "the largest answer",
            MOST_TIMES,
            ratio(found[worst], found["the largest answer"]),
            at_most=True,
        ),
        Row("memory of the worst queries", f"{MOST_MIB} MiB", 1, ratio([more], [MOST_MIB]), at_most=True),
    ]
    return [
        Result("Hostile queries", rows, "median, ms", figures, NOTE),
        Result("Memory of hostile queries", [], "MiB", {"more than after the largest answer": more}),
    ]


def _ask(client: httpx.Client, document: str) -> float:
    start = time.perf_counter()
    answer = client.post("/hub/graphql/", json={"query": document})
    taken = time.perf_counter() - start
    if answer.status_code not in (200, 400):
        raise RuntimeError(f"{answer.status_code}: {answer.text[:500]}")
    return taken


@contextmanager
def _highest(group: int) -> Iterator[list[int]]:
    """The most memory that a group of processes holds while the block runs."""
    peak, done = [0], threading.Event()

    def look() -> None:
        while not done.wait(0.02):
            peak[0] = max(peak[0], memory_of_group(group))

    looking = threading.Thread(target=look)
    looking.start()
    try:
        yield peak
    finally:
        done.set()
        looking.join()


def _measure_bodies(portal: Instance, effort: Effort) -> Result:
    with httpx.Client(base_url=portal.url, timeout=120) as client:
        things: dict[str, Callable[[], float]] = {"ordinary events": partial(_cost, portal, client, ordinary)}
        things |= {name: partial(_cost, portal, client, make) for name, make in HOSTILE.items()}
        things["ordinary events"]()
        found = measure_rounds(things, effort.rounds)
    usual = found["ordinary events"]
    times = {name: ratio(costs, usual) for name, costs in found.items()}
    dearest = max(HOSTILE, key=lambda name: times[name].median)
    row = Row(f"the dearest body ({dearest})", "ordinary events", MOST_TIMES_A_BODY, times[dearest], at_most=True)
    figures: Mapping[str, float] = {name: one.median for name, one in times.items()}
    return Result("Hostile bodies", [row], "times as much", figures, NOTE_OF_BODIES)


def _cost(portal: Instance, client: httpx.Client, make: Callable[[int], Body]) -> float:
    """The seconds of the processor that a mebibyte of such bodies takes."""
    body = make(BODY_BYTES)
    group = portal.pid("web")
    before = servers.processor_time(group)
    for _ in range(REQUESTS):
        headers = {"Content-Type": body.content_type, **body.headers}
        answer = client.post(f"/capi/{stage.PIXEL_ID}/events", content=body.content, headers=headers)
        if answer.status_code not in (202, 400, 413):
            raise RuntimeError(f"{answer.status_code}: {answer.text[:500]}")
    return (servers.processor_time(group) - before) / REQUESTS * BODY_BYTES / max(body.size, len(body.content))
