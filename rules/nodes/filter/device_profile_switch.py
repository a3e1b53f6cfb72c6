"""Device profile switch."""

from collections.abc import Sequence

from rules.node import Category, Context, Emit, Msg, Node, Outcome
from rules.node.base import ENTITIES
from rules.node.entity_types import LABELS
from thingsboard.kernel.ids import EntityType


class DeviceProfileSwitch(Node):
    """Routes messages of devices by the name of their profile.

    The label is the profile's name, exactly as it is written. Messages of anything but a device leave by Failure.
    """

    TYPE = "org.thingsboard.rule.engine.filter.TbDeviceTypeSwitchNode"
    NAME = "device profile switch"
    CATEGORY = Category.FILTER
    RELATIONS = ("default",)
    CUSTOM_RELATIONS = True
    READS = frozenset({ENTITIES})

    def run(self, ctx: Context, messages: Sequence[Msg]) -> Sequence[Outcome]:
        """All devices are looked up at once."""
        devices = {msg.originator for msg in messages if msg.originator.type is EntityType.DEVICE}
        known = ctx.describe(devices) if devices else {}
        outcomes: list[Outcome] = []
        for msg in messages:
            device = known.get(msg.originator)
            if device is not None:
                outcomes.append(Emit(device.type, msg))
            elif msg.originator.type is EntityType.DEVICE:
                error = f"Device profile for entity id: {msg.originator.id} wasn't found!"
                outcomes.append(Emit.failure(msg, error))
            else:
                label = LABELS[msg.originator.type]
                error = f"Unsupported originator type: {label}! Only Device type is allowed."
                outcomes.append(Emit.failure(msg, error))
        return outcomes
