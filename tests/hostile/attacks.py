"""Documents that are made to cost much, to confuse or to find something out; none of them may be executed."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.base import CAPIG, HUB

LETTERS = "abcdefghijklmnop"


@dataclass(frozen=True)
class Ground:
    """What an attack uses of a schema: a small root field, one with an argument, and a way to nest without end."""

    field: str
    argued: str
    nested: str


GROUNDS = {
    HUB: Ground("viewer { kind }", "tenant(tenantId: %s) { id }", "tenant(tenantId: 1) { users { tenants { %s } } }"),
    CAPIG: Ground(
        "tenantQueries(tenantId: 1) { account { name } }",
        "tenantQueries(tenantId: %s) { account { name } }",
        "tenantQueries(tenantId: 1) { %s }",
    ),
}


def _body(query: str, **members: Any) -> str:
    return json.dumps({"query": query, **members})


def _aliases(ground: Ground) -> str:
    return _body("{ " + " ".join(f"{a}{b}: {ground.field}" for a in "abcdef" for b in LETTERS) + " }")


def _aliases_in_fragments(ground: Ground) -> str:
    fragments = "".join(f"fragment f{n} on Query {{ a{n}: {ground.field} }}" for n in range(35))
    return _body("{ " + " ".join(f"...f{n}" for n in range(35)) + " }" + fragments)


def _duplicates(ground: Ground) -> str:
    """Validation compares each with each."""
    return _body("{ " + f"{ground.field} " * (110 if "(" in ground.field else 150) + "}")


def _duplicate_leaves(ground: Ground) -> str:
    return _body("{ " + ground.field.replace(" }", " __typename" * 400 + " }", 1) + " }")


def _duplicates_of_nothing(ground: Ground) -> str:
    return _body("{" + " nothing" * 450 + " }")


def _directives(ground: Ground) -> str:
    return _body("{ " + ground.field.replace("{", "@include(if: true) " * 60 + "{", 1) + " }")


def _unknown_directives(ground: Ground) -> str:
    return _body("{ " + ground.field.replace("{", "@nosuch " * 20 + "{", 1) + " }")


def _repeated_directives(ground: Ground) -> str:
    return _body("{ " + ground.field.replace("{", "@skip(if: false) " * 15 + "{", 1) + " }")


def _misplaced_directives(ground: Ground) -> str:
    return _body("query @deprecated @include(if: true) @specifiedBy(url: 1) { " + ground.field + " }")


def _long_directives(ground: Ground) -> str:
    return _body("{ " + ground.field.replace("{", ("@" + "n" * 900 + " ") * 20 + "{", 1) + " }")


def _deep_selection(ground: Ground) -> str:
    query = "id"
    for _ in range(12):
        query = ground.nested % query
    return _body("{ " + query + " }")


def _deeper_than_the_stack(ground: Ground) -> str:
    return _body("{ " + "a { " * 330 + "b" + " }" * 331)


def _deep_inline_fragments(ground: Ground) -> str:
    return _body("{ " + "... { " * 330 + ground.field + " }" * 331)


def _deep_list(ground: Ground) -> str:
    return _body("{ " + ground.argued % ("[" * 400 + "]" * 400) + " }")


def _list_as_deep_as_may_be(ground: Ground) -> str:
    return _body("{ " + ground.argued % ("[" * 150 + "]" * 150) + " }")


def _deep_object(ground: Ground) -> str:
    return _body("{ " + ground.argued % ("{a: " * 150 + "1" + "}" * 150) + " }")


def _deep_type(ground: Ground) -> str:
    return _body("query($a: " + "[" * 400 + "ID" + "]" * 400 + ") { " + ground.argued % "$a" + " }")


def _bomb(ground: Ground) -> str:
    """Each fragment spreads the next one twice: the last one counts 2 to the 50th times."""
    fragments = "".join(f"fragment f{n} on Query {{ ...f{n + 1} a{n}: __typename ...f{n + 1} }}" for n in range(50))
    return _body("{ ...f0 }" + fragments + "fragment f50 on Query { " + ground.field + " }")


def _hollow_bomb(ground: Ground) -> str:
    """A bomb that holds no field at all, and so none to be counted."""
    fragments = "".join(f"fragment f{n} on Query {{ ...f{n + 1} ...f{n + 1} }}" for n in range(60))
    return _body("{ " + ground.field + " ...f0 }" + fragments + "fragment f60 on Query { ...nothing }")


def _circle(ground: Ground) -> str:
    return _body("{ ...a } fragment a on Query { ...b } fragment b on Query { " + ground.field + " ...a }")


def _circle_of_one(ground: Ground) -> str:
    return _body("{ " + ground.field + " } fragment a on Query { ...a }")


def _circles_through_fields(ground: Ground) -> str:
    """Eight fragments, each with all of them below a field: 40,320 ways through them that enter none twice."""
    spreads = " ".join(f"...f{n}" for n in range(8))
    return _body("{ ...f0 }" + "".join(f"fragment f{n} on Query {{ a {{ {spreads} }} }}" for n in range(8)))


def _circular_introspection(ground: Ground) -> str:
    return _body("{ __schema { types { fields { type { fields { type { fields { type { name } } } } } } } } }")


def _circular_introspection_in_fragments(ground: Ground) -> str:
    fragment = "fragment t on __Type { fields { type { interfaces { fields { name } } possibleTypes { name } } } }"
    return _body("{ __schema { types { ...t fields { type { ...t } } } } }" + fragment)


def _introspection_without_end(ground: Ground) -> str:
    return _body('{ __type(name: "Query") {' + "ofType {" * 60 + "name" + "}" * 62)


def _many_unknown_fields(ground: Ground) -> str:
    return _body("{ " + " ".join(f"{a}{b}" for a in LETTERS for b in LETTERS) + " }")


def _long_unknown_fields(ground: Ground) -> str:
    return _body("{ " + " ".join("x" * 900 + letter for letter in LETTERS) + " }")


def _one_long_name(ground: Ground) -> str:
    return _body("{ " + "x" * 19_000 + " }")


def _many_unknown_arguments(ground: Ground) -> str:
    arguments = " ".join(f"{a}{b}: 1" for a in LETTERS for b in LETTERS)
    return _body("{ " + ground.argued % f"1 {arguments}" + " }")


def _same_argument_often(ground: Ground) -> str:
    return _body("{ " + ground.argued % ("1" + " tenantId: 1" * 200) + " }")


def _many_variables(ground: Ground) -> str:
    declared = " ".join(f"${a}{b}: Imt" for a in LETTERS for b in LETTERS[:12])
    return _body(f"query({declared}) {{ {ground.field} }}")


def _same_variable_often(ground: Ground) -> str:
    return _body("query(" + "$a: Int " * 190 + ") { " + ground.field + " }")


def _many_operations(ground: Ground) -> str:
    return _body("".join(f"query {a}{b} {{ __typename }}" for a in LETTERS for b in LETTERS[:12]))


def _long_operation_name(ground: Ground) -> str:
    return _body("{ " + ground.field + " }", operationName="ä\x01" * 8_000)


def _same_operation_often(ground: Ground) -> str:
    return _body("query a { __typename }" * 150)


def _many_unused_fragments(ground: Ground) -> str:
    return _body(
        "{ __typename }" + "".join(f"fragment {a}{b} on Query {{ __typename }}" for a in "abcdefg" for b in "abc")
    )


def _conflicts(ground: Ground) -> str:
    return _body("{ " + " ".join(f"a: {ground.argued % n}" for n in range(25)) + " }")


def _comments(ground: Ground) -> str:
    return _body("{ " + ground.field + " }" + "#\n" * 9_000)


def _long_comment(ground: Ground) -> str:
    return _body("{ " + ground.field + " } #" + "x" * 90_000)


def _commas(ground: Ground) -> str:
    return _body("{ " + ground.field + "," * 90_000 + " }")


def _long_string(ground: Ground) -> str:
    return _body("{ nothing " + ground.argued % ('"' + "x" * 19_000 + '"') + " }")


def _string_without_end(ground: Ground) -> str:
    return _body("{ " + ground.argued % ('"' + "x" * 19_000))


def _long_number(ground: Ground) -> str:
    return _body("{ nothing " + ground.argued % ("9" * 19_000) + " }")


def _subscription(ground: Ground) -> str:
    return _body("subscription { " + ground.field + " }")


def _definitions_of_types(ground: Ground) -> str:
    return _body("{ " + ground.field + " }" + "extend type Query { a: Int }" * 90)


def _huge_variable(ground: Ground) -> str:
    return _body("{ " + ground.field + " }", variables={"a": "x" * 200_000})


def _huge_name_of_a_variable(ground: Ground) -> str:
    return _body("{ " + ground.field + " }", variables={"ä\x01" * 10_000: [1] * 501})


def _deep_variable(ground: Ground) -> str:
    return '{"query": "{ __typename }", "variables": {"a": ' + "[" * 40_000 + "]" * 40_000 + "}}"


def _deep_variable_of_objects(ground: Ground) -> str:
    return '{"query": "{ __typename }", "variables": ' + '{"a": ' * 12_000 + "1" + "}" * 12_001


def _long_list(ground: Ground) -> str:
    return _body("{ " + ground.field + " }", variables={"a": [1] * 501})


def _lists_of_lists(ground: Ground) -> str:
    return _body("{ " + ground.field + " }", variables={"a": [[1] * 501] * 20})


def _many_wrong_items(ground: Ground) -> str:
    return _body("query($a: [ID!]!) { " + ground.argued % "$a" + " }", variables={"a": [{}] * 500})


def _batch(ground: Ground) -> str:
    return json.dumps([{"query": "{ " + ground.field + " }"}] * 100)


def _batch_in_an_object(ground: Ground) -> str:
    return json.dumps({"0": {"query": "{ __typename }"}, "query": ["{ __typename }", "{ __typename }"]})


def _look_ups(ground: Ground) -> str:
    """Each would ask DNS, and wait for its answer."""
    asked = 'upsertIngressDomain(tenantId: 1, input: {ingress: "a.example.com", targetDomain: "b.example.com"}) { id }'
    return _body("mutation { " + " ".join(f"{letter}: {asked}" for letter in LETTERS) + " }")


_FUNCTIONS: list[Callable[[Ground], str]] = [
    made
    for name, made in list(globals().items())
    if name.startswith("_") and name != "_body" and getattr(made, "__module__", "") == __name__
]
#: By name: the body of the request, for what the schema offers.
ATTACKS = {made.__name__.strip("_"): made for made in _FUNCTIONS}
