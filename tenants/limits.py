"""Quotas of a tenant profile (compat/data_model.md 4)."""

import uuid
from collections.abc import Callable
from typing import Any

from tenants.models import Tenant
from thingsboard.kernel.errors import LimitExceeded
from thingsboard.kernel.ids import EntityType

_COUNTED = {
    EntityType.DEVICE: ("maxDevices", "devices"),
    EntityType.ASSET: ("maxAssets", "assets"),
    EntityType.CUSTOMER: ("maxCustomers", "customers"),
    EntityType.USER: ("maxUsers", "users"),
    EntityType.DASHBOARD: ("maxDashboards", "dashboards"),
    EntityType.RULE_CHAIN: ("maxRuleChains", "rule chains"),
}


def require_room(tenant_id: uuid.UUID, kind: EntityType, count: Callable[[], int]) -> None:
    """Raise LimitExceeded when the tenant may have no more entities of `kind`; `count` says how many there are.

    Call it inside the writer's transaction: where there is a limit, the tenant's row is locked, so that two writers at
    once cannot both take the last place.
    """
    member, plural = _COUNTED[kind]
    tenant = Tenant.objects.select_related("profile").get(pk=tenant_id)
    configuration: dict[str, Any] = (tenant.profile.profile_data or {}).get("configuration") or {}
    limit = configuration.get(member) or 0
    if not limit:
        return
    Tenant.objects.select_for_update(of=("self",)).get(pk=tenant_id)
    if count() >= limit:
        raise LimitExceeded(f"The limit of {limit} {plural} is reached!", entityType=kind.value, limit=limit)
