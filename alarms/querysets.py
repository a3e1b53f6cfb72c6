"""Reads of alarms."""

import uuid
from collections.abc import Collection
from typing import Any, Self

from django.db import connection, models
from django.db.models import Q

from tenants.access import tenant_scope
from thingsboard.kernel.entities import Action, registered
from thingsboard.kernel.ids import EntityType

# What customer users have of their own, or are shown: the alarms of these are theirs to see, too.
_SHOWN_TO_CUSTOMERS = (
    EntityType.CUSTOMER,
    EntityType.USER,
    EntityType.DASHBOARD,
    EntityType.ASSET,
    EntityType.DEVICE,
    EntityType.ENTITY_VIEW,
    EntityType.EDGE,
)

MOST_TYPES = 10_000

_TYPES_OF_TENANT = """
    WITH RECURSIVE types(type) AS (
        (SELECT type FROM alarms_alarm WHERE tenant_id = %(tenant)s ORDER BY type LIMIT 1)
        UNION ALL
        SELECT (
            SELECT a.type FROM alarms_alarm a WHERE a.tenant_id = %(tenant)s AND a.type > types.type ORDER BY a.type LIMIT 1
        )
        FROM types WHERE types.type IS NOT NULL
    )
    SELECT type FROM types WHERE type IS NOT NULL LIMIT %(most)s
"""


class AlarmQuerySet(models.QuerySet[Any]):
    """Alarms."""

    def visible_to(self, user: Any, action: Action = Action.VIEW) -> Self:
        """Tenant administrators see their tenant's; customer users those that were raised for their customer, and those of
        whatever they may do the same with: who was merely shown a device, sees its alarms, and does not acknowledge them.
        """
        seen = tenant_scope(user, customer="customer_id")
        if not getattr(user, "is_active", False) or user.authority != "CUSTOMER_USER":
            return self.filter(seen)
        doors = registered()
        for kind in _SHOWN_TO_CUSTOMERS:
            if kind in doors:
                originators: Any = doors[kind].model._default_manager.all()
                keys = originators.visible_to(user, action).values("pk")
                seen |= Q(tenant_id=user.tenant_id, originator_type=kind.value, originator_id__in=keys)
        return self.filter(seen)

    def of_originator(self, originator: Any) -> Self:
        """Those of this EntityId."""
        return self.filter(originator_type=originator.type.value, originator_id=originator.id)

    def active(self) -> Self:
        """Those that are not cleared."""
        return self.filter(cleared=False)

    def assigned_to(self, user_id: uuid.UUID) -> Self:
        """Those that a user looks after."""
        return self.filter(assignee_id=user_id)

    def types_seen_by(self, user: Any) -> list[str]:
        """The types of the alarms that `user` sees, in no order, at most MOST_TYPES.

        A tenant's are read off its index, one look for each type, however many alarms there are.
        """
        if getattr(user, "is_active", False) and user.authority == "TENANT_ADMIN":
            with connection.cursor() as cursor:
                cursor.execute(_TYPES_OF_TENANT, {"tenant": user.tenant_id, "most": MOST_TYPES})
                return [name for (name,) in cursor.fetchall()]
        return list(self.visible_to(user).order_by().values_list("type", flat=True).distinct()[:MOST_TYPES])

    def in_status(self, statuses: Collection[str]) -> Self:
        """In any of ThingsBoard's statuses (ACTIVE_UNACK, ...) or search statuses (ACTIVE, UNACK, ...); ANY is all."""
        if not statuses or "ANY" in statuses:
            return self
        wanted = Q(pk__in=[])
        for status in statuses:
            wanted |= Q(**STATUSES[status])
        return self.filter(wanted)


# What each status says of the two flags (compat/data_model.md 7).
STATUSES: dict[str, dict[str, bool]] = {
    "ACTIVE": {"cleared": False},
    "CLEARED": {"cleared": True},
    "ACK": {"acknowledged": True},
    "UNACK": {"acknowledged": False},
    "ACTIVE_UNACK": {"cleared": False, "acknowledged": False},
    "ACTIVE_ACK": {"cleared": False, "acknowledged": True},
    "CLEARED_UNACK": {"cleared": True, "acknowledged": False},
    "CLEARED_ACK": {"cleared": True, "acknowledged": True},
}
