"""Unassign from customer."""

from rules.node import SUCCESS, Context, Emit, Msg, Outcome
from rules.node.customer_node import CustomerConfig, CustomerNode
from rules.node.deeds import Target
from thingsboard.kernel.ids import EntityType


class UnassignFromCustomerConfig(CustomerConfig, frozen=True):
    """The title of the customer from which a dashboard is taken, with templates."""


class UnassignFromCustomer(CustomerNode):
    """Takes the originator from its customer.

    The originator is an asset, a device, an entity view or a dashboard; others leave by Failure. Where it is not assigned
    nothing happens. A dashboard may be assigned to several customers: it is taken from the one of the title, which may have
    templates; where that one does not exist the message leaves by Failure. For others the title means nothing.
    """

    TYPE = "org.thingsboard.rule.engine.action.TbUnassignFromCustomerNode"
    NAME = "unassign from customer"
    CONFIG = UnassignFromCustomerConfig
    CONFIG_DIRECTIVE = "tbActionNodeUnAssignToCustomerConfig"
    ICON = "remove_circle"

    def one(self, ctx: Context, msg: Msg) -> Outcome:
        """The customer is looked for only where it counts."""
        self._require_supported(msg)
        customer: Target | None = None
        if msg.originator.type is EntityType.DASHBOARD:
            if not self.config.customer_name_pattern:
                raise ValueError(
                    f"Failed to unassign dashboard with id '{msg.originator.id}' from customer! "
                    "Customer title should be specified!"
                )
            customer = Target(EntityType.CUSTOMER, self._title.fill(msg))
        ctx.deeds.unassign(msg.originator, customer)
        return Emit(SUCCESS, msg)
