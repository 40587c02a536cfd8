"""What one request may ask for (settings ``GRAPHQL_MAX_*``), checked before GraphQL's own validation.

Some of the validation rules compare fields in pairs, so a document must be known to be small before they see it.
Fields, aliases and directives count at every use of a fragment, as they cost at every use; each fragment is measured
once, so that a document of nested fragments takes no longer than another of its length.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from django.conf import settings
from graphql import (
    ArgumentNode,
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    ListValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    StringValueNode,
    ValueNode,
)

from common.errors import InvalidInput
from common.graphql.errors import RequestError

#: Nested ``ofType`` fields that count nothing against the depth. They unwrap a type, whose few wrappers end them, and
#: tools nest them far beyond that: 15 levels with graphql-js's ``typeDepth: 15``.
UNWRAPPINGS = 20


class Limits(NamedTuple):
    """The limits as the settings have them; a part of the document cache's key."""

    source: int
    tokens: int
    depth: int
    aliases: int
    fields: int
    duplicates: int
    directives: int
    list_length: int

    @classmethod
    def current(cls) -> Limits:
        """The limits that hold now."""
        return cls(
            source=settings.GRAPHQL_MAX_DOCUMENT_LENGTH,
            tokens=settings.GRAPHQL_MAX_TOKENS,
            depth=settings.GRAPHQL_MAX_DEPTH,
            aliases=settings.GRAPHQL_MAX_ALIASES,
            fields=settings.GRAPHQL_MAX_FIELDS,
            duplicates=settings.GRAPHQL_MAX_DUPLICATES,
            directives=settings.GRAPHQL_MAX_DIRECTIVES,
            list_length=settings.GRAPHQL_MAX_LIST_LENGTH,
        )


def too_deep(limits: Limits) -> RequestError:
    """The refusal of a document that nests too deeply, for the parser to raise too."""
    return RequestError(f"The document is nested too deeply: the limit is {limits.depth} levels of fields.")


def check_document(document: DocumentNode, limits: Limits) -> None:
    """Refuse a document one of whose definitions asks for more than a limit allows."""
    meter = _Meter(document, limits)
    try:
        sizes = [meter.size_of_definition(definition) for definition in document.definitions]
    except RecursionError:
        raise too_deep(limits) from None
    largest = _Size(*map(max, zip(*sizes, strict=True)))
    if largest.depth > limits.depth or largest.unwrappings > UNWRAPPINGS:
        raise too_deep(limits)
    for what in ("fields", "aliases", "directives"):
        limit = getattr(limits, what)
        if getattr(largest, what) > limit:
            raise RequestError(
                f"The document has too many {what}: the limit is {limit}, fragments counted at every use."
            )
    if any(meter.duplicates_of(definition) > limits.duplicates for definition in document.definitions):
        raise RequestError(f"The document asks for the same fields again too often: the limit is {limits.duplicates}.")


def check_variables(variables: dict[str, Any], limits: Limits) -> None:
    """Refuse lists that are too long, and text that no database can hold, however deep they stand."""
    pending: list[tuple[str, Any]] = [("variables", variables)]
    while pending:
        name, value = pending.pop()
        if isinstance(value, list):
            _check_length(name, value, limits)
            pending += [(name, item) for item in value]
        elif isinstance(value, dict):
            for key in value:
                check_text(name, key)
            pending += value.items()
        elif isinstance(value, str):
            check_text(name, value)


def check_text(name: str, text: str) -> None:
    """Refuse NUL, which PostgreSQL cannot store or compare, and half surrogates, which are no characters.

    Services refuse the other control characters, where they do.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        text = "\0"
    if "\0" in text:
        raise InvalidInput(name, "must not contain control characters.")


class _Size(NamedTuple):
    depth: int = 0
    unwrappings: int = 0
    fields: int = 0
    aliases: int = 0
    directives: int = 0

    def beside(self, other: _Size) -> _Size:
        return _Size(
            max(self.depth, other.depth),
            max(self.unwrappings, other.unwrappings),
            self.fields + other.fields,
            self.aliases + other.aliases,
            self.directives + other.directives,
        )


def _below(node: FieldNode, below: _Size) -> _Size:
    """The size of what stands below the field, and how deep it stands with the field."""
    if node.name.value == "ofType":
        return below._replace(unwrappings=below.unwrappings + 1)
    return below._replace(depth=below.depth + 1)


class _Meter:
    """Measures the definitions of one document and checks the values that they write out."""

    def __init__(self, document: DocumentNode, limits: Limits) -> None:
        self.limits = limits
        self.fragments = {
            node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)
        }
        self.measured: dict[str, _Size | None] = {}

    def size_of_definition(self, node: object) -> _Size:
        """The size of an operation or a fragment; other definitions are refused by validation."""
        if isinstance(node, FragmentDefinitionNode):
            return self._fragment(node.name.value)
        if not isinstance(node, OperationDefinitionNode):
            return _Size()
        size = self._selections(node.selection_set).beside(self._directives(node.directives))
        for variable in node.variable_definitions or ():
            size = size.beside(self._directives(variable.directives))
            if variable.default_value:
                self._check_literal(variable.variable.name.value, variable.default_value)
        return size

    def duplicates_of(self, node: object) -> int:
        """How many fields of an operation or a fragment ask for what one before them asks for at the same place.

        Validation compares each with each. To be called once the number of fields is known to be bounded.
        """
        if not isinstance(node, OperationDefinitionNode | FragmentDefinitionNode):
            return 0
        uses = Counter(self._places(node.selection_set, (), set()))
        return uses.total() - len(uses)

    def _places(
        self, selection_set: SelectionSetNode | None, above: tuple[str, ...], spread: set[str]
    ) -> Iterator[tuple[str, ...]]:
        """Where in the answer each field stands; a fragment that a selection spreads again adds nothing to it."""
        for node in selection_set.selections if selection_set else ():
            if isinstance(node, FieldNode):
                place = (*above, (node.alias or node.name).value)
                yield place
                yield from self._places(node.selection_set, place, set())
            elif isinstance(node, InlineFragmentNode):
                yield from self._places(node.selection_set, above, spread)
            elif isinstance(node, FragmentSpreadNode) and node.name.value not in spread:
                spread.add(node.name.value)
                fragment = self.fragments.get(node.name.value)
                yield from self._places(fragment.selection_set if fragment else None, above, spread)

    def _selections(self, selection_set: SelectionSetNode | None) -> _Size:
        size = _Size()
        for node in selection_set.selections if selection_set else ():
            size = size.beside(self._selection(node))
        return size

    def _selection(self, node: SelectionNode) -> _Size:
        size = self._directives(node.directives)
        if isinstance(node, FieldNode):
            self._check_arguments(node.arguments)
            below = self._selections(node.selection_set)
            return size.beside(_below(node, below)).beside(_Size(fields=1, aliases=bool(node.alias)))
        if isinstance(node, InlineFragmentNode):
            return size.beside(self._selections(node.selection_set))
        if isinstance(node, FragmentSpreadNode):
            return size.beside(self._fragment(node.name.value))
        return size

    def _fragment(self, name: str) -> _Size:
        node = self.fragments.get(name)
        if node is None:
            return _Size()  # validation names it
        if name not in self.measured:
            self.measured[name] = None
            self.measured[name] = self._selections(node.selection_set).beside(self._directives(node.directives))
        size = self.measured[name]
        if size is None:  # it is being measured: a circle, which nothing after this could walk to its end
            raise RequestError(GraphQLError(f"Cannot spread fragment '{name}' within itself.", node))
        return size

    def _directives(self, nodes: Iterable[DirectiveNode] | None) -> _Size:
        directives = list(nodes or ())
        for directive in directives:
            self._check_arguments(directive.arguments)
        return _Size(directives=len(directives))

    def _check_arguments(self, nodes: Iterable[ArgumentNode] | None) -> None:
        for argument in nodes or ():
            self._check_literal(argument.name.value, argument.value)

    def _check_literal(self, name: str, node: ValueNode) -> None:
        pending = [(name, node)]
        while pending:
            name, node = pending.pop()
            if isinstance(node, ListValueNode):
                _check_length(name, node.values, self.limits)
                pending += [(name, item) for item in node.values]
            elif isinstance(node, ObjectValueNode):
                pending += [(field.name.value, field.value) for field in node.fields]
            elif isinstance(node, StringValueNode):
                check_text(name, node.value)


def _check_length(name: str, items: Any, limits: Limits) -> None:
    if len(items) > limits.list_length:
        raise InvalidInput(name, f"must be a list of at most {limits.list_length} items.")
