"""Customer details."""

from collections.abc import Collection, Mapping
from typing import Final

from rules.node import Context
from rules.node.details_node import DetailsNode
from rules.node.entity_types import LABELS
from thingsboard.kernel.ids import EntityId, EntityType

_ASSIGNED: Final = frozenset(
    {EntityType.DEVICE, EntityType.ASSET, EntityType.ENTITY_VIEW, EntityType.USER, EntityType.EDGE}
)


class CustomerDetails(DetailsNode):
    """Adds contact details of the customer that the originator is assigned to, such as its title, address or phone.

    Each one gets the prefix `customer_`. A detail that is not known is left out; the additional info stands for the
    description in it.

    The originator is a device, asset, entity view, edge or user; the message of any other, and of one that is assigned to no
    customer, leaves by Failure. That of an originator that was deleted goes on as it is.
    """

    TYPE = "org.thingsboard.rule.engine.metadata.TbGetCustomerDetailsNode"
    NAME = "customer details"
    PREFIX = "customer_"

    def entities(self, ctx: Context, originators: Collection[EntityId]) -> Mapping[EntityId, EntityId | str]:
        """Their customers."""
        known = ctx.describe({each for each in originators if each.type in _ASSIGNED})
        found: dict[EntityId, EntityId | str] = {}
        for each in originators:
            if each.type not in _ASSIGNED:
                found[each] = f"Entity with entityType '{each.type}' is not supported."
            elif each in known:
                customer_id, name = known[each].customer_id, known[each].name
                nobody = f"{LABELS[each.type]} with name '{name}' is not assigned to Customer!"
                found[each] = nobody if customer_id is None else EntityId(EntityType.CUSTOMER, customer_id)
        return found
