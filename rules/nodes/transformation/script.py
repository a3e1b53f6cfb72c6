"""Script transformation."""

from collections.abc import Sequence

from rules.node import SUCCESS, Category, Config, Context, Emit, Msg, Node, Outcome
from rules.node.script_results import messages as messages_of
from rules.node.scripts import JS, TBEL, Script

_SAME = "return {msg: msg, metadata: metadata, msgType: msgType};"


class ScriptConfig(Config, frozen=True):
    """What makes the new message, in two languages. Without `scriptLang` it is JavaScript."""

    NEW = {"scriptLang": TBEL}

    script_lang: str = JS
    js_script: str = _SAME
    tbel_script: str = _SAME


class ScriptTransformation(Node):
    """Changes body, metadata and type of messages by a script.

    The script returns an object with the members `msg`, `metadata` and `msgType`; what is missing stays as it is. Values of the
    metadata become strings, those that are null are left out. An array of such objects makes as many messages, an empty one
    fails. Anything else, and an error, leaves by Failure. The script is the body of a function with the arguments `msg`,
    `metadata` and `msgType`.
    """

    TYPE = "org.thingsboard.rule.engine.transform.TbTransformMsgNode"
    NAME = "script"
    CATEGORY = Category.TRANSFORMATION
    CONFIG = ScriptConfig
    CONFIG_DIRECTIVE = "tbTransformationNodeScriptConfig"

    def __init__(self, config: ScriptConfig, name: str = "") -> None:
        super().__init__(config, name)
        self._script = Script(config.script_lang, config.js_script, config.tbel_script)

    def run(self, ctx: Context, messages: Sequence[Msg]) -> Sequence[Outcome]:
        """All messages are changed at once."""
        lang = self.config.script_lang
        outcomes: list[Outcome] = []
        for msg, answer in zip(messages, ctx.evaluate(self._script, messages), strict=True):
            try:
                found = messages_of(answer, msg, lang)
                if not found:
                    raise ValueError("The script returned an empty array; expected one message or more.")
            except ValueError as error:
                outcomes.append(Emit.failure(msg, str(error)))
            else:
                leaving = tuple(Emit(SUCCESS, each) for each in found)
                outcomes.append(leaving[0] if len(leaving) == 1 else leaving)
        return outcomes
