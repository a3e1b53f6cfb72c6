"""Customer attributes."""

from collections.abc import Collection, Mapping

from rules.node import Context
from rules.node.mapped_node import MappedNode
from rules.node.owners import customers
from thingsboard.kernel.ids import EntityId


class CustomerAttributes(MappedNode):
    """Adds server attributes or latest telemetry of the customer that the originator is assigned to.

    Each one gets the name that it is mapped to; both names may have templates. What the customer does not have is left out; a
    series without points is null in a body. Where the originator is assigned to no customer the message leaves by Failure.
    """

    TYPE = "org.thingsboard.rule.engine.metadata.TbGetCustomerAttributeNode"
    NAME = "customer attributes"
    CONFIG_DIRECTIVE = "tbEnrichmentNodeCustomerAttributesConfig"

    def entities(self, ctx: Context, originators: Collection[EntityId]) -> Mapping[EntityId, EntityId | str]:
        """Their customers."""
        known = customers(ctx, originators)
        return {
            each: (known[each] or "Originator is not assigned to any customer")
            if each in known
            else "Originator not found"
            for each in originators
        }
