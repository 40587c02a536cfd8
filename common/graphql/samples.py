"""Samples: the values that the API Reference shows. They stand in the schema, with the descriptions."""

from __future__ import annotations

from typing import Any

#: The moment of all samples, in milliseconds since the epoch.
MOMENT = 1_800_000_000_000


class Sampled(str):
    """A description with a sample, which is how it travels through graphene: it keeps descriptions as they are.

        name = graphene.String(description=Sampled("The account's name.", "$tenant_name"))

    Names behind a ``$`` stand for what the reader has (``Known`` of portal.graphql.samples).
    """

    __slots__ = ("sample",)

    sample: object

    def __new__(cls, description: str, sample: object) -> Sampled:
        made = super().__new__(cls, description)
        made.sample = sample
        return made


def sample_of(element: Any) -> object:
    """The sample of a schema's field, argument or input field; None where it has none."""
    return getattr(element.description, "sample", None)
