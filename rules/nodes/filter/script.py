"""Script filter and switch."""

from collections.abc import Sequence

from rules.node import FALSE, TRUE, Category, Config, Context, Emit, Msg, Node, Outcome
from rules.node.script_results import labels, truth
from rules.node.scripts import JS, TBEL, Script

_FILTER = "return msg.temperature > 20;"
_SWITCH = """function nextRelation(metadata, msg) {
    return ['one','nine'];
}
if(msgType %s 'POST_TELEMETRY_REQUEST') {
    return ['two'];
}
return nextRelation(metadata, msg);"""


class ScriptFilterConfig(Config, frozen=True):
    """The test, in two languages. Without `scriptLang` it is JavaScript."""

    NEW = {"scriptLang": TBEL}

    script_lang: str = JS
    js_script: str = _FILTER
    tbel_script: str = _FILTER


class ScriptSwitchConfig(Config, frozen=True):
    """What names the labels, in two languages. Without `scriptLang` it is JavaScript."""

    NEW = {"scriptLang": TBEL}

    script_lang: str = JS
    js_script: str = _SWITCH % "==="
    tbel_script: str = _SWITCH % "=="


class _Scripted(Node):
    """What both have in common."""

    def __init__(self, config: ScriptFilterConfig | ScriptSwitchConfig, name: str = "") -> None:
        super().__init__(config, name)
        self._script = Script(config.script_lang, config.js_script, config.tbel_script)


class ScriptFilter(_Scripted):
    """Tests messages by a script.

    True: the script returned true. False: it returned false. Anything else, and an error, leaves by Failure. The script is the
    body of a function with the arguments `msg`, `metadata` and `msgType`.
    """

    TYPE = "org.thingsboard.rule.engine.filter.TbJsFilterNode"
    NAME = "script"
    CATEGORY = Category.FILTER
    RELATIONS = (TRUE, FALSE)
    CONFIG = ScriptFilterConfig
    CONFIG_DIRECTIVE = "tbFilterNodeScriptConfig"

    def run(self, ctx: Context, messages: Sequence[Msg]) -> Sequence[Outcome]:
        """All messages are tested at once; nothing of them is decoded here."""
        outcomes: list[Outcome] = []
        for msg, answer in zip(messages, ctx.evaluate(self._script, messages), strict=True):
            if answer.value == b"true":
                outcomes.append(Emit(TRUE, msg))
            elif answer.value == b"false":
                outcomes.append(Emit(FALSE, msg))
            else:
                try:
                    truth(answer)
                except ValueError as error:
                    outcomes.append(Emit.failure(msg, str(error)))
        return outcomes


class ScriptSwitch(_Scripted):
    """Routes messages by a script.

    The script returns a label or an array of labels: the message leaves by each of them. An empty array ends it. Anything else,
    and an error, leaves by Failure. The script is the body of a function with the arguments `msg`, `metadata` and `msgType`.
    """

    TYPE = "org.thingsboard.rule.engine.filter.TbJsSwitchNode"
    NAME = "switch"
    CATEGORY = Category.FILTER
    RELATIONS = ()
    CUSTOM_RELATIONS = True
    CONFIG = ScriptSwitchConfig
    CONFIG_DIRECTIVE = "tbFilterNodeSwitchConfig"

    def run(self, ctx: Context, messages: Sequence[Msg]) -> Sequence[Outcome]:
        """All messages are asked about at once."""
        outcomes: list[Outcome] = []
        for msg, answer in zip(messages, ctx.evaluate(self._script, messages), strict=True):
            try:
                leaving = tuple(Emit(label, msg) for label in labels(answer))
            except ValueError as error:
                outcomes.append(Emit.failure(msg, str(error)))
            else:
                outcomes.append(leaving[0] if len(leaving) == 1 else leaving)
        return outcomes
