"""Scripts of nodes. The context evaluates them (rules.node.context); those that every new node has are known by their text, so
that nodes can do without.
"""

import re
from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import Final

import orjson

from rules.node.message import Msg
from thingsboard.kernel.script.program import JS, TBEL, Answer, Program, require_language

__all__ = ["JS", "TBEL", "Answer", "Script", "arguments", "is_one_of"]

ARGUMENTS: Final = ("msg", "metadata", "msgType")

LOG: Final = (
    "return '\\nIncoming message:\\n' + JSON.stringify(msg) + '\\nIncoming metadata:\\n' + JSON.stringify(metadata);"
)

ALARM_DETAILS_JS: Final = """var details = {};
if (metadata.prevAlarmDetails) {
    details = JSON.parse(metadata.prevAlarmDetails);
    delete metadata.prevAlarmDetails;
}

return details;"""

ALARM_DETAILS_TBEL: Final = """var details = {};
if (metadata.prevAlarmDetails != null) {
    details = JSON.parse(metadata.prevAlarmDetails);
    metadata.remove('prevAlarmDetails');
}

return details;"""

# As nodes had it before ThingsBoard removed the previous details from the metadata: the same meaning.
OLD_ALARM_DETAILS_JS: Final = """var details = {};
if (metadata.prevAlarmDetails) {
    details = JSON.parse(metadata.prevAlarmDetails);
}
return details;"""

_NOISE = re.compile(r"//[^\n]*|\s+")


class Script:
    """The script of a node: the body of a function that returns something. `lang` says which of both texts counts."""

    __slots__ = ("program",)

    def __init__(self, lang: str, js: str, tbel: str, args: tuple[str, ...] = ARGUMENTS) -> None:
        """Raises ValueError with a sentence for an unknown language, and for TBEL that is none. JavaScript that is none fails
        the messages: nothing but the jailed process reads it.
        """
        self.program = Program(lang, tbel if lang == TBEL else js, args)
        self.program.compiled()


def arguments(msg: Msg) -> bytes:
    """The arguments of a call, as JSON text: body, metadata and type. The body goes as it came."""
    return b"[%b,%b,%b]" % (msg.data.raw, _metadata(msg.metadata), _text(msg.type))


def _metadata(metadata: Mapping[str, str]) -> bytes:
    return orjson.dumps(metadata if metadata.__class__ is dict else dict(metadata))


@lru_cache(maxsize=1024)
def _text(type: str) -> bytes:
    return orjson.dumps(type)


def is_one_of(lang: str, js: str, tbel: str, known: Collection[str]) -> bool:
    """Whether the script that counts, `js` or `tbel` by `lang`, says the same as one of `known`. White space and line comments
    do not matter. Raises ValueError for an unknown language.
    """
    require_language(lang)
    return _NOISE.sub("", tbel if lang == TBEL else js) in {_NOISE.sub("", each) for each in known}
