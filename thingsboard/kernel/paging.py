"""ThingsBoard's paging: pageSize, page, textSearch, sortProperty, sortOrder -> data, totalPages, totalElements,
hasNext.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet

from thingsboard.kernel.errors import BadRequest

LARGEST_PAGE = 1000


@dataclass(frozen=True, slots=True)
class PageLink:
    """What page of a list was asked for (compat/data_model.md 1: page counts from 0)."""

    page_size: int
    page: int
    text: str
    sort: str
    descending: bool

    @classmethod
    def of(cls, query: Mapping[str, str], *, sortable: Mapping[str, str], default: str = "createdTime") -> "PageLink":
        """Read the query string. `sortable` maps a JSON property to a model field. Raises BadRequest with a
        sentence.
        """
        sort = query.get("sortProperty") or default
        if sort not in sortable:
            raise BadRequest(f"Unsupported sort property '{sort[:40]}'; expected one of {', '.join(sorted(sortable))}")
        order = (query.get("sortOrder") or "DESC").upper()
        if order not in {"ASC", "DESC"}:
            raise BadRequest("Unsupported sort order; expected ASC or DESC")
        return cls(
            page_size=_whole(query, "pageSize", 1, LARGEST_PAGE),
            page=_whole(query, "page", 0, 2**31 - 1),
            text=(query.get("textSearch") or "").strip()[:255],
            sort=sortable[sort],
            descending=order == "DESC",
        )

    def apply(self, rows: QuerySet[Any], *, search: tuple[str, ...], to_json: Callable[[Any], Any]) -> dict[str, Any]:
        """The asked page of `rows` as PageData; `search` names the fields that textSearch looks into."""
        if self.text:
            anywhere = Q()
            for field in search:
                anywhere |= Q(**{f"{field}__icontains": self.text})
            rows = rows.filter(anywhere)
        rows = rows.order_by(f"-{self.sort}" if self.descending else self.sort, "pk")
        total = rows.count()
        start = self.page * self.page_size
        data = [to_json(row) for row in rows[start : start + self.page_size]] if start < total else []
        return {
            "data": data,
            "totalPages": -(-total // self.page_size),
            "totalElements": total,
            "hasNext": start + self.page_size < total,
        }


def _whole(query: Mapping[str, str], name: str, low: int, high: int) -> int:
    raw = query.get(name)
    if not raw:
        raise BadRequest(f"Required request parameter '{name}' is not present")
    try:
        value = int(raw)
    except ValueError:
        raise BadRequest(f"Parameter '{name}' must be a whole number") from None
    if not low <= value <= high:
        raise BadRequest(f"Parameter '{name}' must be from {low} to {high}")
    return value
