"""A template reaches nothing but its events, and takes neither much memory nor much time, whoever wrote it."""

from __future__ import annotations

import time
import tracemalloc
from typing import Any

import pytest
from cachetools import LRUCache

from pipelines.custom_http import template as templates
from pipelines.custom_http.errors import TemplateError
from pipelines.custom_http.parameters import SAMPLE
from pipelines.custom_http.template import TEMPLATE_MAX_LENGTH, Template

#: Of the processor's time.
SECONDS = 3
MEBIBYTES = 40

EVENTS: list[Any] = [SAMPLE] * 100
OVER = "{% for a in events %}"
LONG = [{**SAMPLE, "event_id": "x" * 16_000}] * 100


def tried(source: str, events: list[Any]) -> str:
    """What became of it."""
    try:
        Template(source).render(events)
    except TemplateError as error:
        return error.reason
    return "made"


@pytest.mark.parametrize(
    ("source", "events", "end"),
    [
        ("{{ 'a' * 1000000000 }}", EVENTS, "unexpected '*'."),
        ("{% for i in (1..1000000000) reversed %}{% endfor %}", EVENTS, "a range cannot be used here."),
        ("{{ (1..1000000000) | join }}", EVENTS, "a range cannot be used here."),
        (OVER * 3 + "1" + "{% endfor %}" * 3, EVENTS, "loop iteration limit reached."),
        (OVER * 19 + "1" + "{% endfor %}" * 19, EVENTS, "loop iteration limit reached."),
        (OVER * 25 + "1" + "{% endfor %}" * 25, EVENTS, "block nesting limit reached."),
        ((OVER * 2 + "{% endfor %}" * 2) * 300, EVENTS, "takes too long."),
        (OVER * 2 + '"{{ "" }}"' * 900 + "{% endfor %}" * 2, EVENTS, "takes too long."),
        (OVER + "{{ event_id }}{{ user_data }}" * 300 + "{% endfor %}", EVENTS, "makes too large a payload."),
        (OVER + "{{ events }}{% endfor %}", LONG, "makes too large a payload."),
        (OVER + "{{ event_id | replace: '', event_id }}{% endfor %}", LONG,
         "texts have at most 16384 characters here."),
        (OVER + "{{ event_id | append: event_id | append: event_id }}{% endfor %}", LONG,
         "texts have at most 16384 characters here."),
        (OVER + "{{ custom_data.content_ids | join: event_id }}{% endfor %}", LONG,
         "texts have at most 16384 characters here."),
        ("{{ 9" + "9" * 40 + " | times: 9" + "9" * 40 + "}}", EVENTS, "numbers have at most 128 bits here."),
        ("{{ value | times: value }}", [{"custom_data": {"value": 1e308}}],
         "a value is of a kind that JSON does not have."),
        ("{{ 1 | divided_by: 0 }}", EVENTS, "divided_by: can't divide by 0."),
        ("{{ event_time | date: 1 }}", EVENTS[:1], "date cannot be used on this value."),
        ("{{" * 10_000, EVENTS, "{{ is not closed by }}."),
        ("{{" * 9_900 + "}}", EVENTS, "a tag has more than 500 characters."),
        ("{{" + " " * 19_000, EVENTS, "{{ is not closed by }}."),
        ("{% if " + "not " * 120 + "1 %}1{% endif %}", EVENTS, "made"),
        ("[" * 19_000, EVENTS, "what it makes is no JSON that others could read."),
        ("x" * (TEMPLATE_MAX_LENGTH + 1), EVENTS, "has more than 20000 characters."),
    ],
)  # fmt: skip
def test_nothing_takes_much_time_or_memory(source: str, events: list[Any], end: str) -> None:
    tracemalloc.start()
    started = time.thread_time()
    try:
        assert tried(source, events) == end
        assert time.thread_time() - started < SECONDS
        assert tracemalloc.get_traced_memory()[1] < MEBIBYTES * 1_048_576
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "path",
    ["__class__", "__class__.__mro__", "items", "keys", "__init__.__globals__", "custom_data.__len__", "pop", "copy"],
)
def test_attributes_of_python_are_not_there(path: str) -> None:
    assert Template(f"{{{{ event.{path} }}}}").render([SAMPLE]) == "null"


@pytest.mark.parametrize("name", ["self", "cycler", "range", "context", "environment", "now", "today", "partial"])
def test_no_other_names_are_there(name: str) -> None:
    assert tried(f"{{{{ {name} }}}}", [SAMPLE]) == f"{name} is no parameter of events."


@pytest.mark.parametrize("value", ["loop", "forloop"])
def test_a_loop_itself_is_no_value(value: str) -> None:
    assert tried(f"[{OVER}{{{{ {value} }}}}{{% endfor %}}]", EVENTS) == "a value is of a kind that JSON does not have."


def test_a_large_payload_is_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(templates, "PAYLOAD_MAX_BYTES", 10)

    with pytest.raises(TemplateError) as refused:
        Template("{{ user_data }}").render([SAMPLE])
    assert refused.value.is_too_large


def test_templates_that_are_remembered_take_no_more_than_their_room(monkeypatch: pytest.MonkeyPatch) -> None:
    room: LRUCache = LRUCache(1_000, getsizeof=lambda template: template.length)
    monkeypatch.setattr(templates, "_read", room)

    kept = [templates.read_template(f'"{number:0>300}"') for number in range(9)]

    assert room.currsize <= 1_000
    assert templates.read_template(f'"{8:0>300}"') is kept[8]
    assert templates.read_template(f'"{0:0>300}"') is not kept[0]
