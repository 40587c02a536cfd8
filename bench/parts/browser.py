"""Taking in what browsers post, one event a request: beside the events of servers at the same portal, and fastify.

Beside servers' events, compared is the processor time of an event, of all the web server's processes: requests a second
would say as much of what the machine does besides. Fastify stores the body in one raw row, looking at nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from statistics import median

import orjson

from bench import load, place, servers, stage
from bench.parts.intake import empty_tables
from bench.report import Result, Row
from bench.rounds import Effort, ratio
from bench.rounds import measure as measure_rounds
from tests.instance import Instance

#: At most so many times what a server's event takes.
TARGET = 1.2
#: At least so many times fastify's rate, by connections.
FASTIFY_TARGETS = {load.CONNECTIONS: 0.9, 256: 1.4}
WARM_SECONDS = 1
NOTE = f"{load.CONNECTIONS} connections, one event a request, one pixel; processor time of all web processes."


def measure(effort: Effort) -> list[Result]:
    """Both roads in each round."""
    url = place.address()
    servers.run_sql(url, "intake.sql")
    stage.make_pixel()
    with (
        stage.sink() as graph_api,
        servers.portal(url, graph_api) as portal,
        servers.node_peer("fastify_raw", url, TABLE="peer_requests") as fastify,
    ):
        roads: dict[str, tuple[str, bytes]] = {
            "browser": (f"{portal.url}/events?cee=no", browser_body()),
            "server": (f"{portal.url}/capi/{stage.PIXEL_ID}/events", stage.body_of(1)),
        }
        for address, body in roads.values():
            load.post_well(address, body, seconds=WARM_SECONDS)
        things: dict[str, Callable[[], float]] = {
            name: partial(_cost, portal, address, body, effort.seconds) for name, (address, body) in roads.items()
        }
        found = measure_rounds(things, effort.rounds)
        empty_tables()
        beside = _beside_fastify(roads["browser"][0], f"{fastify}/capi/{stage.PIXEL_ID}/events", effort)
    row = Row("an event of a browser", "of a server", TARGET, ratio(found["browser"], found["server"]), at_most=True)
    return [
        Result("Browser events", [row], "µs of the processor", {name: median(of) for name, of in found.items()}, NOTE),
        beside,
    ]


def _beside_fastify(portal: str, fastify: str, effort: Effort) -> Result:
    rows: list[Row] = []
    figures: dict[str, float] = {}
    for connections, target in FASTIFY_TARGETS.items():
        rates: dict[str, Callable[[], float]] = {
            name: partial(_rate, address, connections, effort.seconds)
            for name, address in (("portal", portal), ("fastify", fastify))
        }
        for address in (portal, fastify):
            _rate(address, connections, WARM_SECONDS)
        found = measure_rounds(rates, effort.rounds)
        empty_tables()
        work = f"browser events, {connections} connections"
        rows.append(Row(work, "fastify", target, ratio(found["portal"], found["fastify"])))
        figures |= {f"{work}, {name}": median(of) for name, of in found.items()}
    return Result("Browser events beside fastify", rows, "events a second", figures, "One event a request, one pixel.")


def _rate(address: str, connections: int, seconds: float) -> float:
    return load.post_well(address, browser_body(), seconds=seconds, connections=connections).rate


def browser_body(number: int = 1) -> bytes:
    """What the Meta Pixel posts of the event that a server sends here."""
    event = stage.event(number)
    user_data = event["user_data"]
    return orjson.dumps(
        {
            "event_name": event["event_name"],
            "event_id": f"ob3_plugin-set_{number:064x}",
            "fb.pixel_id": stage.PIXEL_ID,
            "fb.fbp": user_data["fbp"],
            "fb.advanced_matching": {"em": user_data["em"][0], "ph": user_data["ph"][0], "chpv": "1"},
            "custom_data": event["custom_data"],
            "website_context": {"location": event["event_source_url"], "referrer": "", "isInIFrame": False},
            "smart_setup": False,
            "event_meta_info": {},
        }
    )


def _cost(portal: Instance, address: str, body: bytes, seconds: float) -> float:
    before = servers.processor_time(portal.pid("web"))
    done = load.post_well(address, body, seconds=seconds)
    return (servers.processor_time(portal.pid("web")) - before) / done.requests * 1_000_000
