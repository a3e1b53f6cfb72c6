"""Log."""

from rules.node import SUCCESS, Category, Config, Context, EachNode, Emit, Msg, Outcome
from rules.node.scripts import JS, LOG, TBEL, require_known
from thingsboard.kernel.encoding import json_bytes


class LogConfig(Config, frozen=True):
    """What to write, as a script in one of two languages. Without `scriptLang` it is JavaScript."""

    NEW = {"scriptLang": TBEL}

    script_lang: str = JS
    js_script: str = LOG
    tbel_script: str = LOG


class Log(EachNode):
    """Writes messages into the log of the rules worker.

    The default script writes body and metadata at level info. Other scripts come with a later release; until then a node
    that has one fails its messages.
    """

    TYPE = "org.thingsboard.rule.engine.action.TbLogNode"
    NAME = "log"
    CATEGORY = Category.ACTION
    CONFIG = LogConfig
    CONFIG_DIRECTIVE = "tbActionNodeLogConfig"
    ICON = "menu"

    def __init__(self, config: LogConfig, name: str = "") -> None:
        super().__init__(config, name)
        require_known(config.script_lang, config.js_script, config.tbel_script, LOG)

    def one(self, ctx: Context, msg: Msg) -> Outcome:
        """Body and metadata as they are."""
        body = msg.data.raw.decode(errors="replace")
        metadata = json_bytes(dict(msg.metadata)).decode(errors="replace")
        ctx.log(f"\nIncoming message:\n{body}\nIncoming metadata:\n{metadata}")
        return Emit(SUCCESS, msg)
