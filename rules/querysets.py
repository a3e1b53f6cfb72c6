"""Reads of rule chains, their nodes and versions, of queues, debug events and traces."""

from typing import Any, Self

from django.db import models

from tenants.access import is_system, tenant_scope
from thingsboard.kernel.entities import Action
from thingsboard.kernel.ids import EntityId
from thingsboard.kernel.time import now_ms


class RuleChainQuerySet(models.QuerySet[Any]):
    """Rule chains."""

    def visible_to(self, user: Any, action: Action = Action.VIEW) -> Self:
        """Tenant administrators see their tenant's; nobody else has to do with rule chains."""
        return self.filter(tenant_scope(user))


class RuleNodeQuerySet(models.QuerySet[Any]):
    """Rule nodes."""

    def visible_to(self, user: Any, action: Action = Action.VIEW) -> Self:
        """As their chains."""
        return self.filter(tenant_scope(user))

    def in_order(self) -> Self:
        """In the order in which ThingsBoard lists them: the oldest first."""
        return self.order_by("created_time", "id")


class RuleChainVersionQuerySet(models.QuerySet[Any]):
    """Versions of rule chains."""

    def visible_to(self, user: Any, action: Action = Action.VIEW) -> Self:
        """As their chains; nobody changes one."""
        if action is not Action.VIEW:
            return self.none()
        return self.filter(tenant_scope(user, tenant="chain__tenant_id"))

    def listed(self) -> Self:
        """The newest first, without their definitions, which are large."""
        return self.defer("definition").order_by("-number")


class QueueQuerySet(models.QuerySet[Any]):
    """Queues."""

    def visible_to(self, user: Any, action: Action = Action.VIEW) -> Self:
        """System administrators keep them; tenant administrators choose among them."""
        chooses = action is Action.VIEW and getattr(user, "authority", None) == "TENANT_ADMIN" and user.is_active
        return self if chooses or is_system(user) else self.none()


class RuleEventQuerySet(models.QuerySet[Any]):
    """Events. Whoever sees an entity sees its events; so ask for the entity first (thingsboard.kernel.entities.visible)."""

    def of_entity(self, entity: EntityId, type: str) -> Self:
        """Of one type."""
        return self.filter(entity_id=entity.id, type=type)


class TraceQuerySet(models.QuerySet[Any]):
    """Traces."""

    def visible_to(self, user: Any, action: Action = Action.VIEW) -> Self:
        """As rule chains: a trace shows what the chains of the tenant do."""
        return self.filter(tenant_scope(user))

    def listed(self) -> Self:
        """Without their timelines, which are large."""
        return self.defer("timeline")


class TraceDemandQuerySet(models.QuerySet[Any]):
    """Demands for traces."""

    def visible_to(self, user: Any, action: Action = Action.VIEW) -> Self:
        """As traces."""
        return self.filter(tenant_scope(user))

    def active(self) -> Self:
        """Those by which further messages are traced."""
        return self.filter(ended=False, until__gt=now_ms())
