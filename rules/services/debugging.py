"""What a node's debug settings may be: all messages are shown for a limited time only (compat/rule_engine.md, "Debug")."""

import uuid
from typing import Any

from tenants.models import Tenant
from thingsboard.kernel.time import now_ms

DEFAULT_MINUTES = 15


def longest_debug_ms(tenant_id: uuid.UUID) -> int:
    """For how long the tenant's nodes may show all messages, in ms; the tenant profile may say otherwise."""
    profile = Tenant.objects.select_related("profile").get(pk=tenant_id).profile
    configuration = (profile.profile_data or {}).get("configuration") or {}
    return int(configuration.get("maxDebugModeDurationMinutes") or DEFAULT_MINUTES) * 60_000


def bounded(settings: dict[str, Any] | None, longest_ms: int) -> dict[str, Any] | None:
    """{failuresEnabled, allEnabledUntil: ms} with `allEnabled` turned into a time that is not too far away."""
    if settings is None:
        return None
    end = now_ms() + longest_ms
    until = end if settings.get("allEnabled") else min(int(settings.get("allEnabledUntil") or 0), end)
    return {"failuresEnabled": bool(settings.get("failuresEnabled")), "allEnabledUntil": max(until, 0)}
