"""Rpc call reply."""

from rules.node import SUCCESS, Category, Config, Context, Emit, Msg, Outcome
from rules.node.deed_node import DeedNode
from rules.node.reply_node import named, named_uuid, require_body
from thingsboard.kernel.ids import EntityType

_MOST = 1 << 31  # request ids are of 32 bits


class RpcCallReplyConfig(Config, frozen=True):
    """Which members of the metadata say who waits for the answer."""

    service_id_meta_data_attribute: str = "serviceId"
    session_id_meta_data_attribute: str = "sessionId"
    request_id_meta_data_attribute: str = "requestId"


class RpcCallReply(DeedNode):
    """Answers the RPC of a device with the body of the message.

    What a device asks the server comes as a message of type TO_SERVER_RPC_REQUEST whose metadata name the transport, the
    session and the request; without one of them, or where the originator is no device, a message leaves by Failure. The
    answer goes out when what the chain did is committed. That the device still waits for it is not known: Success.
    """

    TYPE = "org.thingsboard.rule.engine.rpc.TbSendRPCReplyNode"
    NAME = "rpc call reply"
    CATEGORY = Category.ACTION
    CONFIG = RpcCallReplyConfig
    CONFIG_DIRECTIVE = "tbActionNodeRpcReplyConfig"
    ICON = "call_merge"

    def one(self, ctx: Context, msg: Msg) -> Outcome:
        """Told after the commit."""
        config = self.config
        if msg.originator.type is not EntityType.DEVICE:
            raise ValueError("Message originator is not a device entity!")
        request = named(msg, config.request_id_meta_data_attribute, "Request")
        service = named(msg, config.service_id_meta_data_attribute, "Service")
        named(msg, config.session_id_meta_data_attribute, "Session")
        require_body(msg)
        session = named_uuid(msg, config.session_id_meta_data_attribute, "Session")
        try:
            number = int(request)
        except ValueError:
            number = _MOST
        if not -_MOST <= number < _MOST:
            raise ValueError(f"Request id in the metadata is not a whole number of 32 bits: {request[:40]!r}.")
        ctx.deeds.answer_device(msg.originator, service, session, number, msg.data)
        return Emit(SUCCESS, msg)
