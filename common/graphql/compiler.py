"""Queries compiled to Python, a function for each selection of fields (docs/decisions/0010-fast-graphql.md).

``{ tenant(tenantId: "hU2koC34") { id users { email } } }`` becomes, but for the names:

    def query(o, call):
        v0 = resolve_tenant(o, call.infos[1], **arguments(tenant_field, node, call.variables))
        return {"tenant": None if v0 is None else tenant(v0, call)}

    def tenant(o, call):
        if o.__class__ is dict:
            v0 = o.get("id")
        else:
            v0 = o.id
        v1 = resolve_users(o, call.infos[2])
        return {
            "id": v0 if v0.__class__ is str else needed() if v0 is None else serialize(v0),
            "users": needed() if v1 is None else [user(x, call) for x in call.counted(v1, "users", 1)],
        }

Where a type says which class stands behind it (its Meta's ``possible_types``: a read model), what that class says of
its attributes' types is believed, and the function is shorter:

    def user(o, call):
        if o.__class__ is not Person: unexpected()
        v0 = o.email
        return {"email": v0}

What a function returns is what graphql-core would return. Where that is not known to be so, ``compile_query`` gives
None, or the function raises an exception of any kind: whoever calls it then asks graphql-core.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache, partial
from types import NoneType
from typing import Any, NamedTuple, get_type_hints

from graphene.types.field import source_resolver
from graphene.types.resolver import dict_or_attr_resolver
from graphene.types.schema import is_type_of_from_possible_types
from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLBoolean,
    GraphQLField,
    GraphQLFloat,
    GraphQLID,
    GraphQLInt,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLString,
    NamedTypeNode,
    OperationDefinitionNode,
    OperationType,
    SelectionNode,
    SelectionSetNode,
    Undefined,
    get_named_type,
    is_leaf_type,
)
from graphql.execution.values import get_argument_values, get_variable_values

from common.budget import SCALARS_PER_OBJECT, Budget
from common.graphql.selection import Selection, selection_of

#: The ``data`` of an answer, for a context and variables, within a budget.
Compiled = Callable[[object, dict[str, Any], Budget], dict[str, Any]]

_INFINITY = float("inf")
#: When a value can be given as it is; ``serialize`` says of all others.
_AS_IT_IS = {
    GraphQLString: "{0}.__class__ is str",
    GraphQLID: "{0}.__class__ is str",
    GraphQLBoolean: "{0} is True or {0} is False",
    GraphQLInt: "{0}.__class__ is int and -2147483648 <= {0} <= 2147483647",
    GraphQLFloat: "{0}.__class__ is float and -INFINITY < {0} < INFINITY",
}
#: What a value is known to be where a read model says so. Not of numbers: an Int must be small, a Float finite, and
#: who says ``float`` may give an ``int``.
_CLASSES: dict[Any, type] = {GraphQLString: str, GraphQLID: str, GraphQLBoolean: bool}


class Unsupported(Exception):
    """graphql-core has to answer this."""


class Misfit(Unsupported):
    """The variables are not what the document declares: graphql-core says which."""


class Info(NamedTuple):
    """What a resolver finds in ``info``; the rest of graphql-core's is not there."""

    context: object
    selection: Selection


class _Call:
    """One execution."""

    __slots__ = ("budget", "infos", "variables")

    def __init__(
        self, context: object, variables: dict[str, Any], budget: Budget, selections: Iterable[Selection]
    ) -> None:
        self.infos = [Info(context, selection) for selection in selections]
        self.variables = variables
        self.budget = budget

    def counted(self, items: Any, field: str, values: int) -> Any:
        """The objects of a list, each with so many values, as long as the answer stays within the budget."""
        if items.__class__ is not list and items.__class__ is not tuple:
            raise Unsupported
        self.budget.answer(len(items), field, len(items) * values)
        return items

    def leaves(self, items: Any, field: str) -> Any:
        """The items of a list of scalars, likewise."""
        if items.__class__ is not list and items.__class__ is not tuple:
            raise Unsupported
        self.budget.answer(len(items) // SCALARS_PER_OBJECT, field)
        return items


def compile_query(schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode) -> Compiled | None:
    """The operation of a valid document as a function; None where graphql-core has to execute it.

    That is so for mutations, which must not run again after an exception, and for directives.
    """
    if operation.operation is not OperationType.QUERY or schema.query_type is None:
        return None
    try:
        compiler = _Compiler(document)
        execute = compiler.compiled(schema.query_type, operation)
    except Unsupported:
        return None
    definitions, selections = operation.variable_definitions, compiler.selections

    def run(context: object, variables: dict[str, Any], budget: Budget) -> dict[str, Any]:
        coerced = get_variable_values(schema, definitions, variables)
        if isinstance(coerced, list):
            raise Misfit
        data: dict[str, Any] = execute(None, _Call(context, coerced, budget, selections))
        return data

    return run


class _Compiler:
    """Writes the functions of one operation. Only numbered names and quoted response keys go into their text."""

    def __init__(self, document: DocumentNode) -> None:
        self.fragments = {
            node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)
        }
        self.fields_left = document.token_count
        self.source: list[str] = []
        #: How many values there are in the object that is being written, lists left out.
        self.values = 0
        #: What resolvers find in ``info``, by its number; the first is for fields that have none below.
        self.selections = [Selection()]
        self.names: dict[str, Any] = {"INFINITY": _INFINITY, "arguments": get_argument_values}
        self.names |= {"needed": _needed, "unexpected": _needed}

    def compiled(self, type_: GraphQLObjectType, operation: OperationDefinitionNode) -> Callable[..., Any]:
        if operation.directives:
            raise Unsupported
        name = self.function(type_, [operation.selection_set])
        exec(compile("\n".join(self.source), "<query>", "exec"), self.names)  # noqa: S102  # nosec B102  # see the class
        function: Callable[..., Any] = self.names[name]
        return function

    def name(self, thing: object) -> str:
        """A name for something that the functions use."""
        name = f"n{len(self.names)}"
        self.names[name] = thing
        return name

    def function(self, type_: GraphQLObjectType, selection_sets: Iterable[SelectionSetNode | None]) -> str:
        """Write the function that answers these selections of an object; its name."""
        behind = _class_behind(type_)
        known = _types_of(behind) if behind else {}
        fields: dict[str, list[FieldNode]] = {}
        for selection_set in selection_sets:
            for node in selection_set.selections if selection_set else ():
                self.collect(type_, node, fields)
        self.fields_left -= len(fields)
        if self.fields_left < 0:  # fragments used over and over: the cache weighs documents by their tokens
            raise Unsupported
        outer, self.values = self.values, len(fields)
        values, items = [], []
        attributes: dict[str, str] = {}
        for number, (key, nodes) in enumerate(fields.items()):
            if nodes[0].name.value == "__typename":
                items.append(f"{key!r}: {type_.name!r}")
                continue
            field = type_.fields.get(nodes[0].name.value)
            if field is None:  # introspection
                raise Unsupported
            attribute = _attribute_of(field)
            items.append(f"{key!r}: {self.completed(field.type, f'v{number}', nodes, known.get(attribute or ''))}")
            if attribute:
                attributes[f"v{number}"] = attribute
            else:
                values.append(f"v{number} = {self.resolved(field, nodes)}")  # what is below is known to be supported
        name = self.name(None)
        read = self.read(behind, attributes) if behind else _read(attributes)
        body = "\n    ".join([*read, *values, f"return {{{', '.join(items)}}}"])
        self.source.append(f"def {name}(o, call):\n    {body}")
        self.values += outer
        return name

    def read(self, behind: type, attributes: Mapping[str, str]) -> list[str]:
        """The lines that read the attributes of an object of a class into variables."""
        read = (f"{variable} = o.{attribute}" for variable, attribute in attributes.items())
        return [f"if o.__class__ is not {self.name(behind)}: unexpected()", *read]

    def collect(self, type_: GraphQLObjectType, node: SelectionNode, fields: dict[str, list[FieldNode]]) -> None:
        """The fields by response key, fragments spread, in the order of the specification."""
        if node.directives:
            raise Unsupported
        if isinstance(node, FieldNode):
            fields.setdefault((node.alias or node.name).value, []).append(node)
            return
        fragment: Any = self.fragments[node.name.value] if isinstance(node, FragmentSpreadNode) else node
        condition: NamedTypeNode | None = fragment.type_condition  # an inline fragment may have none
        if condition and condition.name.value != type_.name:
            raise Unsupported
        for below in fragment.selection_set.selections:
            self.collect(type_, below, fields)

    def resolved(self, field: GraphQLField, nodes: list[FieldNode]) -> str:
        """The expression for what the field's resolver gives."""
        resolve = field.resolve
        if resolve is None or field.subscribe:
            raise Unsupported
        number = 0
        if not is_leaf_type(get_named_type(field.type)):
            number = len(self.selections)
            self.selections.append(selection_of(nodes, self.fragments, {}))
        call = f"{self.name(resolve)}(o, call.infos[{number}]"
        if field.args:
            call += f", **arguments({self.name(field)}, {self.name(nodes[0])}, call.variables)"
        return f"{call})"

    def completed(self, type_: Any, value: str, nodes: list[FieldNode], known: object = None) -> str:
        """The expression for what stands in the answer for ``value``, a variable's name; ``known`` is its type."""
        null = "None"
        if isinstance(type_, GraphQLNonNull):
            type_, null = type_.of_type, "needed()"
        class_ = _CLASSES.get(type_)
        if class_ and known == class_:
            return value
        if class_ and known == class_ | None:
            return value if null == "None" else f"({null} if {value} is None else {value})"
        return null if known is NoneType else self.present(type_, value, nodes, null=null)

    def present(self, type_: Any, value: str, nodes: list[FieldNode], *, null: str) -> str:
        if is_leaf_type(type_):
            serialize = self.name(partial(_serialized, type_.serialize))
            given = f"{null} if {value} is None else {serialize}({value})"
            if type_ is GraphQLFloat:
                given = f"float({value}) if {value}.__class__ is int else {given}"
            return f"({value} if {_AS_IT_IS[type_].format(value)} else {given})" if type_ in _AS_IT_IS else f"({given})"
        if isinstance(type_, GraphQLList):
            item, field, outer = f"{value}x", nodes[0].name.value, self.values
            completed = self.completed(type_.of_type, item, nodes)
            values, self.values = self.values - outer, outer
            is_leaf = is_leaf_type(get_named_type(type_))
            items = f"call.leaves({value}, {field!r})" if is_leaf else f"call.counted({value}, {field!r}, {values})"
            given = f"[{completed} for {item} in {items}]"
        elif isinstance(type_, GraphQLObjectType):
            given = f"{self.function(type_, [node.selection_set for node in nodes])}({value}, call)"
        else:
            raise Unsupported
        return f"({null} if {value} is None else {given})"


def _class_behind(type_: GraphQLObjectType) -> type | None:
    """The class of all objects of the type, as its Meta's ``possible_types`` names it; None where it says nothing."""
    is_type_of = type_.is_type_of
    if is_type_of is None:
        return None
    if not isinstance(is_type_of, partial) or is_type_of.func is not is_type_of_from_possible_types:
        raise Unsupported
    (classes,) = is_type_of.args
    if len(classes) != 1:
        raise Unsupported
    behind: type = classes[0]
    return behind


@cache
def _types_of(class_: type) -> Mapping[str, Any]:
    """By name, the types of a class's fields and properties, as they are annotated."""
    getters = {name: member.fget for name, member in vars(class_).items() if isinstance(member, property)}
    properties = {name: get_type_hints(getter).get("return") for name, getter in getters.items() if getter}
    return {**get_type_hints(class_), **properties}


def _attribute_of(field: GraphQLField) -> str | None:
    """What graphene's resolvers read for fields without one of their own; None for a field that has one."""
    resolve = field.resolve
    if not isinstance(resolve, partial) or field.args:
        return None
    if resolve.func is source_resolver:
        attribute, default = *resolve.args, None
    elif resolve.func is dict_or_attr_resolver:
        attribute, default = resolve.args
    else:
        return None
    if default is not None or not attribute.isidentifier():
        raise Unsupported
    return str(attribute)


def _read(attributes: Mapping[str, str]) -> list[str]:
    """The lines that read an object's attributes, or a dictionary's items, into variables."""
    if not attributes:
        return []
    items = "; ".join(f"{variable} = o.get({attribute!r})" for variable, attribute in attributes.items())
    values = "; ".join(f"{variable} = o.{attribute}" for variable, attribute in attributes.items())
    return ["if o.__class__ is dict:", f"    {items}", "else:", f"    {values}"]


def _needed() -> Any:
    """Stands where a value must not be null, or an object must be of a class."""
    raise Unsupported


def _serialized(serialize: Callable[[Any], Any], value: Any) -> Any:
    """The scalar as its type writes it."""
    result = serialize(value)
    if result is None or result is Undefined:
        raise Unsupported
    return result
