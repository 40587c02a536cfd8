"""A template of payloads: what may stand in it is checked when it is read, what it makes is JSON or an error."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from cachetools import LRUCache
from liquid import RenderContext
from liquid.ast import Node
from liquid.builtin.expressions import FilteredExpression, Path
from liquid.builtin.expressions.primitive import RangeLiteral
from liquid.exceptions import LiquidError, LiquidInterrupt
from liquid.expression import Expression
from liquid.token import Token

from pipelines.custom_http.engine import ENVIRONMENT, EVENTS, LOOP_NAMES, LoopNode
from pipelines.custom_http.errors import TemplateError
from pipelines.custom_http.liquid_filters import FILTERS
from pipelines.custom_http.parameters import PARAMETERS, SAMPLE, Fields
from pipelines.custom_http.writer import PayloadWriter

#: Of a template, in characters.
TEMPLATE_MAX_LENGTH = 20_000
#: Of one tag, in characters: in what is longer, Liquid looks for the end for minutes.
TAG_MAX_LENGTH = 500
#: Of what it makes of the events of one request.
PAYLOAD_MAX_BYTES = 1_048_576
#: Of all templates that a process remembers, in characters. Each takes up to 85 bytes of memory.
REMEMBERED_MAX_LENGTH = 500_000
#: How much of the processor's time it may take over that; far more than any sensible template takes.
RENDER_MAX_SECONDS = 1.0

_PARAMETERS = frozenset(PARAMETERS)
#: What nodes are asked for their children with; none of ours looks at it.
_NO_CONTEXT = RenderContext(ENVIRONMENT.from_string(""))
_begins_tag = re.compile(r"\{[{%]").search
_ENDS = {"{{": "}}", "{%": "%}"}


class Template:
    """A template that may be used; TemplateError for any other."""

    def __init__(self, source: str) -> None:
        self.length = len(source)
        if self.length > TEMPLATE_MAX_LENGTH:
            raise TemplateError(f"has more than {TEMPLATE_MAX_LENGTH} characters.")
        try:
            source.encode()
            _check_tags(source)
            self._liquid = ENVIRONMENT.from_string(source)
            names = [name for node in self._liquid.nodes for name in _names(node, frozenset())]
        except UnicodeError:
            raise TemplateError("holds characters that no text can have.") from None
        except RecursionError:
            raise TemplateError("has too much within each other.") from None
        except LiquidError as error:
            raise _as_template_error(error, source) from None
        #: One request takes all events, since the template goes through them; without, each event takes its own.
        self.takes_batches = any(name == EVENTS for name, _ in names)
        known = {EVENTS} if self.takes_batches else _PARAMETERS | {"event"}
        for name, token in names:
            if name not in known:
                raise _unknown_name(name, token, takes_batches=self.takes_batches)

    def render(self, events: Sequence[Mapping[str, Any]]) -> str:
        """The payload of these events, as JSON: of one event, unless the template takes batches."""
        fields = [Fields.of(event) for event in events]
        names: dict[str, Any] = {EVENTS: fields} if self.takes_batches else {**fields[0], "event": fields[0]}
        writer = PayloadWriter(max_bytes=PAYLOAD_MAX_BYTES, max_seconds=RENDER_MAX_SECONDS)
        try:
            self._liquid.render_with_context(RenderContext(self._liquid, globals=names), writer)
        except LiquidError as error:
            raise _as_template_error(error, None) from None
        except LiquidInterrupt:
            raise TemplateError("break and continue stand within loops alone.") from None
        except (ArithmeticError, LookupError, RecursionError, TypeError, ValueError):
            raise TemplateError("cannot be used on these values.") from None
        payload = writer.getvalue()
        _check_json(payload)
        return payload

    def check(self) -> None:
        """TemplateError where it makes no JSON of events that have everything, or nothing but a name."""
        bare = {"event_name": "PageView"}
        for events in ([SAMPLE], [bare], [SAMPLE, bare, SAMPLE]):
            if self.takes_batches or len(events) == 1:
                self.render(events)


_read: LRUCache[str, Template] = LRUCache(REMEMBERED_MAX_LENGTH, getsizeof=lambda template: template.length)
_lock = threading.Lock()


def read_template(source: str) -> Template:
    """The template, read once for all its batches."""
    with _lock:
        known = _read.get(source)
    if known is None:
        known = Template(source)
        with _lock:
            _read[source] = known
    return known


def _check_tags(source: str) -> None:
    """TemplateError for a tag without an end, or a long one."""
    position = 0
    while begin := _begins_tag(source, position):
        ending = _ENDS[begin[0]]
        end = source.find(ending, begin.end())
        line = source.count("\n", 0, begin.start()) + 1
        if end < 0:
            raise TemplateError(f"{begin[0]} is not closed by {ending}.", line)
        if end - begin.start() > TAG_MAX_LENGTH:
            raise TemplateError(f"a tag has more than {TAG_MAX_LENGTH} characters.", line)
        position = end + len(ending)


def _names(node: Node, scope: frozenset[str]) -> Iterator[tuple[str, Token]]:
    """The names in a node that nothing around it explains; LiquidError for what may not stand there."""
    for expression in node.expressions():
        yield from _names_in(expression, scope)
    if isinstance(node, LoopNode):
        scope |= {node.expression.identifier, *LOOP_NAMES}
        scope |= _PARAMETERS if node.is_over_events else frozenset()
    for child in node.children(_NO_CONTEXT):
        yield from _names(child, scope)


def _names_in(expression: Expression, scope: frozenset[str]) -> Iterator[tuple[str, Token]]:
    if isinstance(expression, RangeLiteral):
        raise LiquidError("a range cannot be used here", token=expression.token)
    if isinstance(expression, FilteredExpression):
        for applied in expression.filters or ():
            if applied.name not in FILTERS:
                raise LiquidError(f"unknown filter '{applied.name}'", token=applied.token)
    if isinstance(expression, Path) and (head := expression.head()) not in scope:
        yield (head if isinstance(head, str) else str(expression)), expression.token
    for child in expression.children():
        yield from _names_in(child, scope)


def _unknown_name(name: str, token: Token, *, takes_batches: bool) -> TemplateError:
    line = _line_of(token)
    if takes_batches and name in _PARAMETERS:
        return TemplateError(f"{name} stands outside of the loop over the events.", line)
    return TemplateError(f"{name} is no parameter of events.", line)


def _as_template_error(error: LiquidError, source: str | None) -> TemplateError:
    """In Liquid's words; where it does not say where, it is the end of the source."""
    if isinstance(error.__cause__, RecursionError):
        return TemplateError("has too much within each other.")
    line = _line_of(error.token) if error.token else None
    if line is None and source is not None:
        line = source.count("\n") + 1
    return TemplateError(f"{error.message}.", line)


def _line_of(token: Token) -> int | None:
    return token.source.count("\n", 0, token.start_index) + 1 if token.start_index >= 0 else None


def _check_json(payload: str) -> None:
    try:
        json.loads(payload, object_pairs_hook=_without_doubles, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        raise TemplateError(f"what it makes is no JSON: line {error.lineno} of it, {error.msg}.") from None
    except (RecursionError, ValueError):
        raise TemplateError("what it makes is no JSON that others could read.") from None


def _without_doubles(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """An object; TemplateError where a value made a key that stands there already."""
    pairs = list(pairs)
    found = dict(pairs)
    if len(found) < len(pairs):
        raise TemplateError("what it makes has the same key twice.")
    return found


def _no_constant(name: str) -> None:
    """``NaN`` and ``Infinity`` are Python's, not JSON's."""
    raise ValueError(name)
