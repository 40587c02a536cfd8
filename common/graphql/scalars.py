"""Scalars that GraphQL does not have."""

from __future__ import annotations

from typing import Any

import graphene
from graphql import GraphQLError, IntValueNode, ValueNode

_MIN, _MAX = -(2**63), 2**63 - 1


def _checked(value: object) -> int:
    """``value``, if it is a whole number that 64 bits hold; true and false are no numbers."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not _MIN <= value <= _MAX:
        raise GraphQLError(f"Long must be a whole number from {_MIN} to {_MAX}.")
    return value


class Long(graphene.Scalar):
    """A 64-bit integer, written as a JSON number."""

    serialize = staticmethod(_checked)
    parse_value = staticmethod(_checked)

    @staticmethod
    def parse_literal(node: ValueNode, _variables: dict[str, Any] | None = None) -> int:
        """The number that a document writes out; 19 digits and a sign are enough for 64 bits."""
        return _checked(int(node.value) if isinstance(node, IntValueNode) and len(node.value) <= 20 else None)
