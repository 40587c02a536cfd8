"""The web UI: what belongs to another account is not there, wherever in an address or a form it is named.

That another account's pages are closed as a whole is told by tests/permissions. Here people stay in an account that is
open to them, and name in it what belongs to the other.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from common.env import ROOT
from tests.addresses import SERVED
from tests.base import Cast, login, snapshot, undone
from tests.isolation.victim import MARK, Victim, make_victim
from tests.stage import Stage, make_stage

pytestmark = pytest.mark.usefixtures("registers")

#: By the name of an address's part: the other account's.
IDS: dict[str, Callable[[Victim], object]] = {
    "pixel_id": lambda victim: victim.pixel.pixel_id,
    "user_id": lambda victim: victim.member.pk,
    "import_id": lambda victim: victim.batch.pk,
    "pipeline_id": lambda victim: victim.pipeline_id,
    "source_id": lambda victim: victim.source.source_id,
    "destination_id": lambda victim: victim.destination_id,
    "receiver_id": lambda victim: victim.rows["alerts.Receiver"].pk,
}
#: Parts of addresses that name nothing of an account's: an operation of the API reference, a version, a mailed key,
#: an API account of the host's.
NO_IDS = {"api_account", "endpoint", "name", "major", "minor", "key", "number"}
#: What views read from a query or a form by its name, and is checked below.
CHECKED_INPUTS = {"id", "tenant", "pixel", "letter", "after", "event", "name", "of", "rule"}
#: What they read besides: choices, texts, pages and places to go on to.
OTHER_INPUTS = {
    *("page", "period", "by", "search", "state", "show", "change", "fate", "typed", "next", "token", "email"),
    *("managed", "active", "on", "publish", "endpoint", "confirmed", "replace", "help", "kind", "preview", "threshold"),
    *("website", "has_one", "time_zone", "quiet_from", "quiet_until", "severe_at_once", "digest_hour", "count"),
    "language",  # chosen for oneself
}
#: Pages with a query or a form that names something; the arguments are those of one's own account.
Attempt = tuple[str, dict[str, Any], dict[str, Any] | None]
#: The admin of Shoes, and two of the host, to whom the other account is closed.
ATTACKERS = ("ada", "hanna", "vera")
HOST = ("hanna", "vera")
PAGES = sorted(
    name
    for name, at in SERVED.items()
    if not name.startswith(("admin:", "api:")) and at.pattern.converters.keys() & IDS  # those have no pages
)


def attempts(victim: Victim) -> list[Attempt]:
    """The page, what its query says, and what is posted to it, if anything is."""
    pixel_id, letter = victim.pixel.pixel_id, str(victim.letter.pk)
    refused = victim.rows["events.DestinationLetter"]
    connected = {"pixel_id": pixel_id, "business_id": "1", "access_token": "new", "external_id": "", "name": "Mine"}
    return [
        ("filters:set_event", {}, {"name": "Purchase", "pixel": pixel_id, "publish": "no"}),
        ("filters:set_event", {}, {"name": "Purchase", "pixel": pixel_id, "publish": "yes"}),
        ("filters:set_website", {}, {"name": "example.com", "pixel": pixel_id, "publish": "no"}),
        ("filters:event", {"name": victim.letter.event_name}, None),
        ("filters:website", {"name": f"{MARK}.example.com"}, None),
        ("filters:events", {"search": victim.letter.event_name}, None),
        ("filters:websites", {"search": f"{MARK}.example.com"}, None),
        ("pixels:list", {"search": pixel_id}, None),
        ("pixels:connect", {}, connected),
        ("pixels:replay", {}, {"letter": letter}),
        ("pixels:discard", {}, {"letter": letter}),
        ("pipelines:replay_letters", {}, {"letter": str(refused.pk)}),
        ("pipelines:discard_letters", {}, {"letter": str(refused.pk)}),
        ("pipelines:website_events", {"website": f"{MARK}.example.com"}, None),
        ("events:delivery", {"id": f"{MARK}-1"}, None),
        ("events:deliveries", {"after": victim.cursor("deliveries")}, None),
        ("events:deliveries", {"id": victim.letter.event_id}, None),
        ("events:deliveries", {"pixel": pixel_id}, None),
        ("alerts:rules", {"of": pixel_id}, None),
        ("alerts:rules", {"of": pixel_id}, {"rule": "silence", "on": "no", "threshold": ""}),
        ("alerts:incidents", {"page": "2"}, None),
        ("events:refused", {"of": pixel_id}, None),
        ("events:refused", {"of": victim.source.source_id}, None),
        ("events:delivery", {"id": victim.letter.event_id}, None),
        ("pixels:deliveries", {"after": victim.cursor("deliveries")}, None),
        ("pixels:deliveries", {"event": victim.letter.event_name}, None),
        ("pixels:test_event", {"event": victim.letter.event_id}, None),
        ("pixels:browser_test_result", {"event": victim.letter.event_id}, None),
        ("accounts:list", {"search": victim.tenant.name}, None),
        ("accounts:activity", {"actor": f"{MARK}.admin"}, None),
        ("hijack:acquire", {}, {"user_pk": str(victim.member.pk)}),
    ]


def test_every_part_of_an_address_is_known_as_an_id_or_as_none() -> None:
    parts = {part for name, at in SERVED.items() if not name.startswith("admin:") for part in at.pattern.converters}

    assert parts == {*IDS, *NO_IDS}, f"say in {__file__} what these are"


def test_everything_that_views_read_from_a_request_is_known() -> None:
    read = re.compile(
        r"""request\.(?:GET|POST)(?:\.get(?:list)?\(|\[)"(\w+)"|"(\w+)" in request\.(?:GET|POST)"""
        r"""|said_yes\(request, "(\w+)\""""
    )
    sources = chain.from_iterable(
        Path(ROOT).glob(f"{app}/**/*.py") for app in ("accounts", "pixels", "filters", "pipelines", "events", "alerts")
    )
    found = {name for source in sources for match in read.findall(source.read_text("utf-8")) for name in match if name}

    assert found <= {*CHECKED_INPUTS, *OTHER_INPUTS}, f"say in {__file__} what these are"


def ask(client: Client, path: str, data: dict[str, Any] | None) -> Any:
    client.raise_request_exception = False
    return client.get(path, follow=True) if data is None else client.post(path, data, follow=True)


def shown_by(answer: Any) -> str:
    return b"".join(answer).decode() if answer.streaming else answer.content.decode()


@pytest.mark.parametrize("attacker", ATTACKERS)
def test_an_address_with_an_id_of_another_account_leads_nowhere(cast: Cast, attacker: str) -> None:
    victim, client = make_victim(), login(getattr(cast, attacker))
    before = snapshot()
    for name in PAGES:
        query = {} if name.startswith("host:") else {"tenant": cast.shoes.pk}
        arguments = {part: IDS[part](victim) for part in SERVED[name].pattern.converters}
        path = reverse(name, kwargs=arguments, query=query)
        for data in (None, {}, {"next": "/hub/", "level": "admin", "confirmed": "yes", "access_token": "new"}):
            with undone():
                answer = ask(client, path, data)

                # A refused act leads back, with the reason.
                leads_back = data is not None and bool(answer.redirect_chain)
                assert leads_back or answer.status_code in (403, 404, 405), (name, data, answer.status_code)
                assert data is None or snapshot() == before, (name, data)
            assert victim.found_in(shown_by(answer), *map(str, arguments.values()), by_host=attacker in HOST) == [], (
                name,
                data,
            )


@pytest.mark.parametrize("attacker", ATTACKERS)
def test_a_form_or_a_query_finds_nothing_of_another_account(cast: Cast, attacker: str) -> None:
    stage, victim = make_stage(cast.shoes), make_victim()
    client, before = login(getattr(cast, attacker)), snapshot()
    for name, query, data in attempts(victim):
        with undone():
            answer = ask(client, _own(name, stage, query), data)

            assert answer.status_code < 500, name
            assert data is None or snapshot() == before, (name, data)
        given = [str(text) for text in (*query.values(), *(data or {}).values()) if len(str(text)) > 5]
        assert victim.found_in(shown_by(answer), *given, by_host=attacker in HOST) == [], (name, query, data)


def _own(name: str, stage: Stage, query: dict[str, Any]) -> str:
    own = {
        "pixel_id": stage.pixel.pixel_id,
        "destination_id": stage.destination_id,
        "source_id": stage.source.source_id,
    }
    arguments = {part: own[part] for part in SERVED[name].pattern.converters}
    of_account = {} if name.startswith(("accounts:list", "hijack:")) else {"tenant": stage.tenant.pk}
    return reverse(name, kwargs=arguments, query={**of_account, **query})
