"""Device state."""

from rules.node import SUCCESS, Category, Config, Context, Emit, Msg, Outcome
from rules.node.base import ATTRIBUTES
from rules.node.deed_node import DeedNode
from rules.node.deeds import Sign
from thingsboard.kernel.ids import EntityType

RATE_LIMITED = "Rate limited"


class DeviceStateConfig(Config, frozen=True):
    """What to say of the device."""

    event: str = Sign.ACTIVITY.value


class DeviceState(DeedNode):
    """Says of a device that it connected, disconnected, was active or fell silent.

    For devices whose data does not come over a transport. The time is `ts` of the metadata, else that of the message. The state
    of the device changes by the platform's rules, and messages of type CONNECT_EVENT, DISCONNECT_EVENT, ACTIVITY_EVENT or
    INACTIVITY_EVENT follow; what is older than what is known changes nothing.

    Rate limited: of each device the node takes one message a second, 30 a minute and 60 an hour. Originators that are no
    devices leave by Failure.
    """

    TYPE = "org.thingsboard.rule.engine.action.TbDeviceStateNode"
    NAME = "device state"
    CATEGORY = Category.ACTION
    RELATIONS = (SUCCESS, RATE_LIMITED)
    CONFIG = DeviceStateConfig
    CONFIG_DIRECTIVE = "tbActionNodeDeviceStateConfig"
    READS = frozenset({ATTRIBUTES})
    WRITES = frozenset({ATTRIBUTES})

    def __init__(self, config: DeviceStateConfig, name: str = "") -> None:
        super().__init__(config, name)
        found = next((each for each in Sign if each.value == config.event), None)
        if found is None:
            raise ValueError(f"Unsupported event: {config.event[:40]}; expected one of {', '.join(Sign)}.")
        self._sign = found

    def one(self, ctx: Context, msg: Msg) -> Outcome:
        """The limit is the context's to keep."""
        kind = msg.originator.type
        if kind is not EntityType.DEVICE:
            raise ValueError(
                f"Unsupported originator entity type: [{kind.value}]. Only DEVICE entity type is supported."
            )
        taken = ctx.deeds.signal(msg.originator, self._sign, msg.meta_ts)
        return Emit(SUCCESS if taken else RATE_LIMITED, msg)
