"""Split array msg."""

from rules.node import CONSUMED, SUCCESS, Category, Context, EachNode, Emit, Msg, Outcome


class SplitArray(EachNode):
    """Makes a message of each element of an array.

    All of them have the type and the metadata of the message and leave by Success, in their order. An empty array is the end
    of the message. A body that is not an array leaves by Failure.
    """

    TYPE = "org.thingsboard.rule.engine.transform.TbSplitArrayMsgNode"
    NAME = "split array msg"
    CATEGORY = Category.TRANSFORMATION
    ICON = "content_copy"

    def one(self, ctx: Context, msg: Msg) -> Outcome:
        """The message has failed where one of its parts fails, and is tried again as a whole."""
        try:
            elements = msg.data.value
        except ValueError as error:
            return Emit.failure(msg, str(error))
        if not isinstance(elements, list):
            return Emit.failure(msg, "Msg data is not a JSON Array!")
        if not elements:
            return CONSUMED
        return tuple([Emit(SUCCESS, msg.with_data(element)) for element in elements])
