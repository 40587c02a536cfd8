"""Pages of lists, in the form of Relay's connections (https://relay.dev/graphql/connections.htm)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import graphene

from common.graphql.samples import Sampled
from common.graphql.selection import Selection

Listed = TypeVar("Listed")

SAMPLE_CURSOR = "WyJTaG9lcyIsICJoVTJrb0MzNCJd"


class PageInfo(graphene.ObjectType):
    """Where a page of a list starts and ends."""

    has_next_page = graphene.Boolean(required=True, description=Sampled("Is there more after this page?", False))
    has_previous_page = graphene.Boolean(required=True, description=Sampled("Is there more before this page?", False))
    start_cursor = graphene.String(
        description=Sampled("The cursor of the first row; null for an empty page.", SAMPLE_CURSOR)
    )
    end_cursor = graphene.String(
        description=Sampled(
            "Where a next page goes on: mostly the last row's cursor. Null where there is nothing.", SAMPLE_CURSOR
        )
    )


def connection(
    rows: Iterable[Listed], cursor_of: Callable[[Listed], str], *, has_next: bool, has_previous: bool
) -> dict[str, Any]:
    """A page as ``edges`` and ``pageInfo``."""
    edges = [{"node": row, "cursor": cursor_of(row)} for row in rows]
    info = {
        "has_next_page": has_next,
        "has_previous_page": has_previous,
        "start_cursor": edges[0]["cursor"] if edges else None,
        "end_cursor": edges[-1]["cursor"] if edges else None,
    }
    return {"edges": edges, "page_info": info}


def asks_for_previous(selection: Selection) -> bool:
    """Is it asked whether a page follows another? To find out costs a query."""
    return "hasPreviousPage" in selection["pageInfo"]
