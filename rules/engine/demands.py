"""Whose messages somebody wants to see (rules.models.TraceDemand), as the engine keeps it next to a tenant's chains."""

import uuid
from typing import NamedTuple

from rules.models import TraceDemand as Row


class TraceDemand(NamedTuple):
    """So many of an originator's messages, until then (ms). How many are left is as of the last change of the epoch."""

    id: uuid.UUID
    left: int
    until: int


def demands_of(tenant_id: uuid.UUID) -> dict[uuid.UUID, TraceDemand]:
    """Those of a tenant that have not ended, by originator; of several the one that lasts longest."""
    rows = Row.objects.filter(tenant_id=tenant_id).active().order_by("until")
    return {row.originator_id: TraceDemand(row.pk, row.messages - row.taken, row.until) for row in rows}
