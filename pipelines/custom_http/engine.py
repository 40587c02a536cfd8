"""Liquid, as far as templates of payloads need it: values, conditions and loops, over the writer that escapes.

Nothing is reachable but the events: Liquid has no calls, no attributes and no operators that make a value larger. What
could include other templates, keep values or repeat itself is left out. A bare name in a loop over the events is the
event's field, and a loop is called ``loop`` as well as ``forloop``.
"""

from __future__ import annotations

from typing import Any, TextIO, cast

from liquid import Environment, RenderContext
from liquid.builtin import content, illegal, output
from liquid.builtin.expressions import Path
from liquid.builtin.tags import case_tag, comment_tag, for_tag, if_tag, inline_comment_tag, unless_tag
from liquid.exceptions import BreakLoop, ContinueLoop
from liquid.undefined import Undefined

from pipelines.custom_http.liquid_filters import FILTERS
from pipelines.custom_http.parameters import Fields
from pipelines.custom_http.writer import PayloadWriter

#: What the events are called.
EVENTS = "events"
LOOP_NAMES = ("loop", "forloop")


class Missing(Undefined):
    """Something that is not there compares as null does."""

    def __liquid__(self) -> None:
        return None


class ValueNode(output.OutputNode):
    """``{{ … }}``"""

    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        return cast(PayloadWriter, buffer).write_value(self.expression.evaluate(context))


class Value(output.Output):
    """Reads ``{{ … }}``."""

    node_class = ValueNode


class LoopNode(for_tag.ForNode):
    """``{% for … %}``"""

    @property
    def is_over_events(self) -> bool:
        """Is a bare name in it an event's?"""
        return isinstance(self.expression.iterable, Path) and self.expression.iterable.path == [EVENTS]

    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        items, length = self.expression.evaluate(context)
        if not length:
            return self.default.render(context, buffer) if self.default else 0
        loop = for_tag.ForLoop("", items, length, context.parentloop())
        names: dict[str, Any] = {}
        with context.loop(names, loop):
            for item in loop:
                names.clear()
                names.update(item if isinstance(item, Fields) else {})
                names.update(dict.fromkeys(LOOP_NAMES, loop), **{self.expression.identifier: item})
                if not loop.first:
                    cast(PayloadWriter, buffer).begin_next_item()
                try:
                    self.block.render(context, buffer)
                except ContinueLoop:
                    continue
                except BreakLoop:
                    break
        return 0


class Loop(for_tag.ForTag):
    """Reads ``{% for … %}``."""

    node_class = LoopNode


class PayloadEnvironment(Environment):
    """What templates of payloads may use, and how much of it."""

    #: Blocks within blocks.
    block_nesting_limit = 20
    #: Of loops within each other, all their runs together.
    loop_iteration_limit = 10_000
    logical_not_operator = True
    suppress_blank_control_flow_blocks = False

    def __init__(self) -> None:
        super().__init__(undefined=Missing)

    def setup_tags_and_filters(self, *, extra: bool = False) -> None:
        for tag in (
            content.Literal,
            Value,
            illegal.Illegal,
            if_tag.IfTag,
            unless_tag.UnlessTag,
            case_tag.CaseTag,
            Loop,
            for_tag.BreakTag,
            for_tag.ContinueTag,
            comment_tag.CommentTag,
            inline_comment_tag.InlineCommentTag,
        ):
            self.add_tag(tag)
        self.filters.update(FILTERS)


ENVIRONMENT = PayloadEnvironment()
