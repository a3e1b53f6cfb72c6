"""Pages of long lists: nobody counts a hundred thousand rows to show fifty of them."""

from functools import cached_property
from typing import Any

from django.core.paginator import Paginator
from django.db.models import QuerySet

MOST_COUNTED = 10_000  # rows; what lies beyond is found by searching
PAGE = 50


class CappedPaginator(Paginator):
    """Counts to MOST_COUNTED and no further: a longer list ends there."""

    @cached_property
    def count(self) -> int:
        """How many rows can be leafed through."""
        rows = self.object_list
        if isinstance(rows, QuerySet):
            return capped_count(rows)
        return len(rows)


def capped_count(rows: QuerySet[Any], most: int = MOST_COUNTED) -> int:
    """How many rows there are, `most` where there are more."""
    return rows.order_by()[:most].count()
