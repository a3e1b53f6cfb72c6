"""Tenant details."""

from collections.abc import Collection, Mapping

from rules.node import Context
from rules.node.details_node import DetailsNode
from thingsboard.kernel.ids import EntityId, EntityType


class TenantDetails(DetailsNode):
    """Adds contact details of the tenant, such as its title, address or phone.

    Each one gets the prefix `tenant_`. A detail that is not known is left out; the additional info stands for the description
    in it.
    """

    TYPE = "org.thingsboard.rule.engine.metadata.TbGetTenantDetailsNode"
    NAME = "tenant details"
    PREFIX = "tenant_"

    def entities(self, ctx: Context, originators: Collection[EntityId]) -> Mapping[EntityId, EntityId | str]:
        """The tenant, for all of them."""
        return dict.fromkeys(originators, EntityId(EntityType.TENANT, ctx.tenant_id))
