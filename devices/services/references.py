"""References to entities of higher floors, which only the kernel's door knows: rule chains, dashboards, packages."""

import uuid
from collections.abc import Mapping
from typing import Any

from thingsboard.kernel import entities
from thingsboard.kernel.errors import BadRequest
from thingsboard.kernel.ids import EntityId, EntityType

REFERENCES = {
    "default_rule_chain_id": EntityType.RULE_CHAIN,
    "default_edge_rule_chain_id": EntityType.RULE_CHAIN,
    "default_dashboard_id": EntityType.DASHBOARD,
    "firmware_id": EntityType.OTA_PACKAGE,
    "software_id": EntityType.OTA_PACKAGE,
}


def require_references(tenant_id: uuid.UUID, fields: Mapping[str, Any]) -> None:
    """Raise BadRequest when a rule chain, dashboard or package that `fields` names is not the tenant's."""
    for member, kind in REFERENCES.items():
        target = fields.get(member)
        if target is not None and not entities.exists(EntityId(kind, target), tenant_id):
            title = kind.value.replace("_", " ").lower()
            raise BadRequest(f"Can't assign a non-existent {title}: [{target}]")
