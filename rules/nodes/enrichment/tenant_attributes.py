"""Tenant attributes."""

from collections.abc import Collection, Mapping

from rules.node import Context
from rules.node.mapped_node import MappedNode
from thingsboard.kernel.ids import EntityId, EntityType


class TenantAttributes(MappedNode):
    """Adds server attributes or latest telemetry of the tenant.

    Each one gets the name that it is mapped to; both names may have templates. What the tenant does not have is left out; a
    series without points is null in a body.
    """

    TYPE = "org.thingsboard.rule.engine.metadata.TbGetTenantAttributeNode"
    NAME = "tenant attributes"
    CONFIG_DIRECTIVE = "tbEnrichmentNodeTenantAttributesConfig"

    def entities(self, ctx: Context, originators: Collection[EntityId]) -> Mapping[EntityId, EntityId | str]:
        """The tenant, for all of them."""
        return dict.fromkeys(originators, EntityId(EntityType.TENANT, ctx.tenant_id))
