"""Rest call reply."""

from rules.node import SUCCESS, Category, Config, Context, Emit, Msg, Outcome
from rules.node.deed_node import DeedNode
from rules.node.reply_node import named, named_uuid, require_body


class RestCallReplyConfig(Config, frozen=True):
    """Which members of the metadata say who waits for the answer."""

    service_id_meta_data_attribute: str = "serviceId"
    request_id_meta_data_attribute: str = "requestUUID"


class RestCallReply(DeedNode):
    """Answers a REST call to the rule engine with the body of the message.

    Who calls `POST /api/rule-engine/...` waits for it. Such a call comes as a message of type REST_API_REQUEST whose metadata
    name the process that waits and the call; without both a message leaves by Failure. The answer goes out when what the
    chain did is committed. That somebody still waits for it is not known: Success.
    """

    TYPE = "org.thingsboard.rule.engine.rest.TbSendRestApiCallReplyNode"
    NAME = "rest call reply"
    CATEGORY = Category.ACTION
    CONFIG = RestCallReplyConfig
    CONFIG_DIRECTIVE = "tbActionNodeSendRestApiCallReplyConfig"
    ICON = "call_merge"

    def one(self, ctx: Context, msg: Msg) -> Outcome:
        """Told after the commit."""
        config = self.config
        named(msg, config.request_id_meta_data_attribute, "Request")
        service = named(msg, config.service_id_meta_data_attribute, "Service")
        require_body(msg)
        request = named_uuid(msg, config.request_id_meta_data_attribute, "Request")
        ctx.deeds.answer_call(service, request, msg.data)
        return Emit(SUCCESS, msg)
