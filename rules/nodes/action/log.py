"""Log."""

from collections.abc import Sequence

from rules.node import SUCCESS, Category, Config, Context, Emit, Msg, Node, Outcome
from rules.node.script_results import text
from rules.node.scripts import JS, LOG, TBEL, Script, is_one_of
from thingsboard.kernel.encoding import json_bytes


class LogConfig(Config, frozen=True):
    """What to write, as a script in one of two languages. Without `scriptLang` it is JavaScript."""

    NEW = {"scriptLang": TBEL}

    script_lang: str = JS
    js_script: str = LOG
    tbel_script: str = LOG


class Log(Node):
    """Writes messages into the log of the rules worker.

    The line, at level info, is the string that the script returns; in TBEL it may be anything, which is written as JSON.
    Another result, and an error, leaves by Failure. The default script, body and metadata, is not run: the node knows it.
    """

    TYPE = "org.thingsboard.rule.engine.action.TbLogNode"
    NAME = "log"
    CATEGORY = Category.ACTION
    CONFIG = LogConfig
    CONFIG_DIRECTIVE = "tbActionNodeLogConfig"
    ICON = "menu"

    def __init__(self, config: LogConfig, name: str = "") -> None:
        super().__init__(config, name)
        texts = config.script_lang, config.js_script, config.tbel_script
        self._script = None if is_one_of(*texts, (LOG,)) else Script(*texts)

    def run(self, ctx: Context, messages: Sequence[Msg]) -> Sequence[Outcome]:
        """A line each."""
        if self._script is None:
            for msg in messages:
                ctx.log(_usual(msg))
            return [Emit(SUCCESS, msg) for msg in messages]
        outcomes: list[Outcome] = []
        for msg, answer in zip(messages, ctx.evaluate(self._script, messages), strict=True):
            try:
                ctx.log(text(answer, self.config.script_lang))
            except ValueError as error:
                outcomes.append(Emit.failure(msg, str(error)))
            else:
                outcomes.append(Emit(SUCCESS, msg))
        return outcomes


def _usual(msg: Msg) -> str:
    """Body and metadata as they are."""
    body = msg.data.raw.decode(errors="replace")
    metadata = json_bytes(dict(msg.metadata)).decode(errors="replace")
    return f"\nIncoming message:\n{body}\nIncoming metadata:\n{metadata}"
