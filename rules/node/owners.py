"""Which customers entities are assigned to."""

from collections.abc import Collection, Mapping

from rules.node.context import Context
from thingsboard.kernel.ids import EntityId, EntityType


def customers(ctx: Context, entities: Collection[EntityId]) -> Mapping[EntityId, EntityId | None]:
    """The customer of each entity, that of a customer itself; None: it is assigned to nobody. Who is gone is missing."""
    others = [each for each in entities if each.type is not EntityType.CUSTOMER]
    known = ctx.describe(others) if others else {}
    owners = {
        each: None if found.customer_id is None else EntityId(EntityType.CUSTOMER, found.customer_id)
        for each, found in known.items()
    }
    return owners | {each: each for each in entities if each.type is EntityType.CUSTOMER}
