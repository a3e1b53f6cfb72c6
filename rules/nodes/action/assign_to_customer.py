"""Assign to customer."""

from rules.node import SUCCESS, Context, Emit, Msg, Outcome
from rules.node.customer_node import CustomerConfig, CustomerNode
from rules.node.deed_node import tells
from rules.node.deeds import Target
from thingsboard.kernel.ids import EntityType


class AssignToCustomerConfig(CustomerConfig, frozen=True):
    """The customer's title, with templates, and whether one is made where there is none."""

    create_customer_if_not_exists: bool = False


class AssignToCustomer(CustomerNode):
    """Assigns the originator to the customer of a title.

    The originator is an asset, a device, an entity view or a dashboard; others leave by Failure. The title may have templates.
    A customer that does not exist is made with "create new customer if it doesn't exist", and a message of type ENTITY_CREATED
    goes through the rules from their beginning; else the message leaves by Failure.
    """

    TYPE = "org.thingsboard.rule.engine.action.TbAssignToCustomerNode"
    NAME = "assign to customer"
    CONFIG = AssignToCustomerConfig
    CONFIG_DIRECTIVE = "tbActionNodeAssignToCustomerConfig"
    ICON = "add_circle"

    def one(self, ctx: Context, msg: Msg) -> Outcome:
        """Nothing happens where it is assigned already."""
        self._require_supported(msg)
        create = self.config.create_customer_if_not_exists
        customer = Target(EntityType.CUSTOMER, self._title.fill(msg), create=create)
        ctx.deeds.assign(msg.originator, customer, announce=tells(msg))
        return Emit(SUCCESS, msg)
