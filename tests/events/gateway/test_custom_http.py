"""An HTTP API as a destination: what its answers mean for its queue."""

from __future__ import annotations

import pytest
from django.utils import translation

from common.public_http import Silence
from events.delivery.destinations import custom_http
from events.delivery.destinations.answers import Accepted, Answer, Refused, Sender, Wait
from events.templatetags.delivery import in_words
from pipelines.custom_http import answers
from pipelines.custom_http.judging import judge

SETTINGS = {
    "endpoint": "https://api.example.com/events",
    "httpMethod": "POST",
    "authType": "NONE",
    "payloadSchema": '{"events": [{% for event in events %}{"name": {{event_name}}}{% endfor %}]}',
}


def sender(**changes: str) -> Sender:
    made = custom_http.sender({**SETTINGS, **changes}, {})
    assert made is not None
    return made


@pytest.mark.parametrize("missing", SETTINGS)
def test_without_all_that_sending_takes_there_is_nobody_to_send(missing: str) -> None:
    assert custom_http.sender({key: value for key, value in SETTINGS.items() if key != missing}, {}) is None


def test_a_template_that_does_not_go_through_the_events_gets_one_at_a_time() -> None:
    assert sender().most_events == 100
    assert sender(payloadSchema='{"name": {{event_name}}}').most_events == 1


@pytest.mark.parametrize(
    ("answer", "meaning"),
    [
        (answers.Accepted(204), Accepted()),
        (answers.Refused("HTTP 422: no", 422), Refused("422", "HTTP 422: no")),
        (answers.Refused("The template: no"), Refused("", "The template: no")),
        (answers.Wait("HTTP 503: busy", 503, 7.0), Wait("HTTP 503", "503", "HTTP 503: busy", 7.0)),
        (answers.Wait("No connection."), Wait("No connection.", "", "No connection.")),
        (answers.Held("HTTP 401: who?", 401), Wait("HTTP 401", "401", "HTTP 401: who?", held=True)),
    ],
)
def test_each_answer_has_its_meaning(monkeypatch: pytest.MonkeyPatch, answer: answers.Answer, meaning: Answer) -> None:
    asked: list[list[object]] = []

    def send(shown: object, secrets: object, events: list[object]) -> answers.Answer:
        asked.append(events)
        return answer

    monkeypatch.setattr(custom_http, "send", send)

    assert sender().send([b'{"event_name":"Lead"}'], '{"test_event_code":"T"}') == meaning
    assert asked == [[{"event_name": "Lead"}]]


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("ConnectError", "Sin conexión: el nombre no se conoce, no hay nadie allí o el certificado no es válido."),
        ("ReadTimeout", "Sin respuesta en 5 segundos."),
        ("RemoteProtocolError", "Sin respuesta (RemoteProtocolError)."),
    ],
)
def test_a_silence_is_kept_in_english_and_told_in_the_readers_language(reason: str, said: str) -> None:
    with translation.override("es"):
        kept = judge(Silence(reason))
        assert isinstance(kept, answers.Wait)
        assert in_words(kept.words) == said
    assert in_words(kept.words) == kept.words


def test_what_a_destination_says_stays_as_it_is() -> None:
    with translation.override("es"):
        assert in_words("HTTP 503: No answer in 5 seconds.") == "HTTP 503: No answer in 5 seconds."
