"""Templates of payloads: the printed forms work, and what cannot work is refused with its line."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pipelines.custom_http.errors import TemplateError
from pipelines.custom_http.parameters import PARAMETERS, SAMPLE
from pipelines.custom_http.template import Template
from tests.pipelines.custom_http.templates import PRINTED

BARE = {"event_name": "PageView"}


def made(source: str, *events: Any) -> Any:
    return json.loads(Template(source).render(events or [SAMPLE]))


def refusal(source: str) -> str:
    with pytest.raises(TemplateError) as refused:
        Template(source).check()
    return str(refused.value)


def test_the_printed_template_makes_one_payload_of_all_events() -> None:
    template = Template(PRINTED)
    template.check()

    data = json.loads(template.render([SAMPLE, BARE]))["data"]

    assert template.takes_batches
    assert data[0] == {
        "action_source": "website",
        "event_name": "Purchase",
        "event_time": 1_767_225_600,
        "event_id": "order-1042",
        "user_data": {"madid": "38400000-8cf0-11bd-b23e-10b96e40000d", "client_ip_address": "192.0.2.1"},
        "custom_data": {"currency": "EUR", "value": 89.9, "num_items": 2},
        "app_data": {"advertiser_tracking_enabled": True, "application_tracking_enabled": False},
    }
    assert (data[1]["event_name"], data[1]["custom_data"]["value"]) == ("PageView", None)


def test_a_template_without_a_loop_makes_a_payload_of_each_event() -> None:
    template = Template('{"name": {{ event_name }}, "again": "{{ event.event_name }}"}')

    assert not template.takes_batches
    assert json.loads(template.render([SAMPLE])) == {"name": "Purchase", "again": "Purchase"}


@pytest.mark.parametrize("name", PARAMETERS)
def test_every_parameter_is_there_and_null_where_the_event_lacks_it(name: str) -> None:
    source = f"[{{% for event in events %}}{{{{ {name} }}}}{{% endfor %}}]"

    full, bare = made(source, SAMPLE, {})

    assert full is not None
    assert bare is None


@pytest.mark.parametrize(
    "comma", ["", "{% if not loop.last %},{% endif %}", "{% unless forloop.last %},{% endunless %}"]
)
def test_commas_between_items_are_the_templates_own_or_put_in(comma: str) -> None:
    source = f'[{{% for event in events %}} {{"n": {{{{ event_name }}}}}} {comma} {{% endfor %}}]'

    for events in ([SAMPLE], [SAMPLE, BARE], [BARE, SAMPLE, BARE]):
        assert [item["n"] for item in made(source, *events)] == [event["event_name"] for event in events]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("[{% for e in events %}{{ e.event_name }}{% endfor %}]", ["Purchase", "PageView"]),
        ('[{% for e in events %}"{{ event_name }}"{% endfor %}]', ["Purchase", "PageView"]),
        ("{ {% for e in events %}{{ event_name }}: {{ value }}{% endfor %} }", {"Purchase": 89.9, "PageView": None}),
        ("[{% for e in events %}{{ value }}{% else %}1{% endfor %}]", [89.9, None]),
        ("[{% for e in events %}{% if value > 10 %}{{ event_name }}{% endif %}{% endfor %}]", ["Purchase"]),
        ("[{% for e in events %}{% for c in custom_data.content_ids %}{{ c }}{% endfor %}{% endfor %}]",
         ["boots-42", "socks-7"]),
        ('{"all": {{ events.size }}, "n": [{% for e in events %}{{ loop.index }}{% endfor %}]}',
         {"all": 2, "n": [1, 2]}),
        ("[{% for e in events %}{% if loop.last %}{% break %}{% endif %}{{ event_name }}{% endfor %}]", ["Purchase"]),
        ("[{% for e in events %}\n\n[{% for x in user_data.em %}{{ x }}{% endfor %}]\n{% endfor %}]",
         [["973dfe463ec85785f5f95af5ba3906eedb2d931c24e69824a89ea65dba4e813b"], []]),
    ],
)  # fmt: skip
def test_what_loops_and_conditions_make(source: str, expected: Any) -> None:
    assert made(source, SAMPLE, BARE) == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("event_name | upcase", "PURCHASE"),
        ("custom_data.nothing | default: 'none'", "none"),
        ("custom_data.value | times: 100 | round", 8990),
        ("custom_data.content_ids | join: ','", "boots-42,socks-7"),
        ("custom_data.content_ids | first", "boots-42"),
        ("event_time | date: '%Y-%m-%dT%H:%M:%SZ'", "2026-01-01T00:00:00Z"),
        ("user_data.madid | slice: 0, 8", "38400000"),
        ("event_source_url | replace: 'https:', 'http:' | truncate: 20, ''", "http://shop.example."),
        ("custom_data | json", json.dumps(SAMPLE["custom_data"])),
        ("event.opt_out", None),
        ("true", True),
        ("-1.5", -1.5),
    ],
)
def test_what_filters_and_paths_make(expression: str, expected: Any) -> None:
    assert made(f"{{{{ {expression} }}}}") == expected


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("[\n{{ 'a' * 10**9 }}]", "line 2: unexpected '*'."),
        ("[\n\n{{ event_name | center: 9 }}]", "line 3: unknown filter 'center'."),
        ("{{ event_nam }}", "line 1: event_nam is no parameter of events."),
        ("[{% for e in events %}1{% endfor %},\n{{ event_name }}]",
         "line 2: event_name stands outside of the loop over the events."),
        ("[{% for e in events %}{{ event.value }}{% endfor %}]", "line 1: event is no parameter of events."),
        ("[\n{% for e in events %}\n{{ event_name }}\n]", "line 4: expected tag endfor, found end of expression."),
        ("\n{{ event_name", "line 2: {{ is not closed by }}."),
        ("\n{% if %}1{% endif %}", "line 2: missing expression."),
        ("{% include 'x' %}", "line 1: unexpected tag 'include'."),
        ("{% render 'x' %}", "line 1: unexpected tag 'render'."),
        ("{% assign x = 1 %}", "line 1: unexpected tag 'assign'."),
        ("{% capture x %}{% endcapture %}", "line 1: unexpected tag 'capture'."),
        ("{% macro x %}{% endmacro %}", "line 1: unexpected tag 'macro'."),
        ("{% for i in (1..3) %}{{ i }}{% endfor %}", "line 1: a range cannot be used here."),
        ("{{ (1..3) | size }}", "line 1: a range cannot be used here."),
        ("{{ event_time | date: '%1000000000d' }}", "line 1: date takes a format such as %Y-%m-%dT%H:%M:%SZ."),
        ('{"a": "\\{{ event_name }}"}',
         "a backslash within quotes stands before a tag: no value can come after it."),
        ("", "what it makes is no JSON: line 1 of it, Expecting value."),
        ("[{% for e in events %}1,{% endfor %}]", "what it makes is no JSON: line 1 of it, Expecting value."),
        ("{{ event_name }} {{ event_name }}", "what it makes is no JSON: line 1 of it, Extra data."),
        ("NaN", "what it makes is no JSON that others could read."),
        ('{"a": 1, "a": 2}', "what it makes has the same key twice."),
        ("\ud800", "holds characters that no text can have."),
    ],
)  # fmt: skip
def test_what_cannot_work_is_refused_with_its_line(source: str, reason: str) -> None:
    assert refusal(source) == reason


def test_a_loop_that_fails_on_two_events_alone_is_refused() -> None:
    assert refusal("{% for e in events %}{{ event_name }}{% endfor %}").startswith("what it makes is no JSON")
