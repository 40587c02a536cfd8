"""Whatever an event holds, the payload has the template's keys, and the event's values in their places."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from pipelines.custom_http.errors import TemplateError
from pipelines.custom_http.parameters import PARAMETERS, SAMPLE
from pipelines.custom_http.template import Template

#: Lone surrogates, quotes, tags of the template's own language …
texts = st.text(st.characters(), max_size=30) | st.sampled_from(
    [
        '","injected":"',
        '"}',
        "\\",
        '\\"',
        "{{ event_id }}",
        "{% endfor %}",
        "\u2028",
        "\ud800",
        "\x00",
        "],[",
        ",",
        "null",
    ]
)
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3))

OPEN = Template('{"a": {{ event_name }}, "b": [{{ value }}, {{ event.event_id }}], "c": {{ custom_data }}}')
QUOTED = Template('{"a": "<{{ event_name }}>", "b": "{{ value }}", "c": "{{ event_id }}{{ event_name }}"}')
MANY = Template(
    '{"all": [{% for e in events %}{"n": {{ event_name }}, "q": "{{ e.event_name }}"}{% endfor %}], "z": 1}'
)


def as_text(value: Any) -> str:
    return value if isinstance(value, str) else "" if value is None else json.dumps(value)


@given(name=values, identifier=values, value=values)
@example(name='x","injected":"y', identifier='"', value="\\")
def test_outside_of_quotes_a_value_is_the_json_of_it(name: Any, identifier: Any, value: Any) -> None:
    event = {"event_name": name, "event_id": identifier, "custom_data": {"value": value}}

    assert json.loads(OPEN.render([event])) == {"a": name, "b": [value, identifier], "c": {"value": value}}


@given(name=values, identifier=values, value=values)
@example(name='x","injected":"y', identifier='"', value="\\")
def test_within_quotes_a_value_is_text(name: Any, identifier: Any, value: Any) -> None:
    event = {"event_name": name, "event_id": identifier, "custom_data": {"value": value}}

    assert json.loads(QUOTED.render([event])) == {
        "a": f"<{as_text(name)}>",
        "b": as_text(value),
        "c": as_text(identifier) + as_text(name),
    }


@given(st.lists(values, min_size=1, max_size=5))
def test_every_item_of_a_loop_is_one_item(names: list[Any]) -> None:
    payload = json.loads(MANY.render([{"event_name": name} for name in names]))

    assert payload == {"all": [{"n": name, "q": as_text(name)} for name in names], "z": 1}


fragments = st.sampled_from(
    [
        "{{", "}}", "{%", "%}", " for e in events ", " for x in custom_data ", " endfor ", " if ", " endif ", " else ",
        " not ", " and ", " contains ", " == ", " > ", "event", "events", ".", "[", "]", "(", ")", "..", "|", ":", ",",
        '"', "'", "\\", "{", "}", "-", "#", " raw ", " endraw ", " comment ", " endcomment ", " case ", " when ",
        " unless ", " break ", " nil ", " empty ", " blank ", " reversed ", " limit:", " offset:continue", "\n", "1",
        "1.5", " date: ", " round: ", " slice: ", " default: ", " json ", " size ", " times: ", " url_encode ",
        "{% for e in events %}", "{% endfor %}", "{{ event_name }}", "{% if value %}", "{% endif %}", *PARAMETERS,
    ]
)  # fmt: skip


@given(st.lists(fragments | st.text(max_size=3), max_size=25), st.dictionaries(st.sampled_from(PARAMETERS), values))
def test_a_template_fails_in_one_way_alone(parts: list[str], event: dict[str, Any]) -> None:
    try:
        template = Template("".join(parts))
        payload = template.render([event, SAMPLE] if template.takes_batches else [event])
    except TemplateError:
        return
    json.loads(payload)
