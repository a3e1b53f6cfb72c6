"""What the nodes that create and clear alarms have in common: the alarm's type and the script of its details."""

from collections.abc import Sequence
from typing import Any, ClassVar

import orjson

from rules.node.base import ALARMS, Category, Node
from rules.node.config import Config
from rules.node.context import RULE_NODE_ID, AlarmResult, Context
from rules.node.message import Msg
from rules.node.message_types import ALARM, ALARM_CLEAR, ENTITY_CREATED, ENTITY_UPDATED
from rules.node.outcome import Emit
from rules.node.script_results import value
from rules.node.scripts import (
    ALARM_DETAILS_JS,
    ALARM_DETAILS_TBEL,
    JS,
    OLD_ALARM_DETAILS_JS,
    TBEL,
    Answer,
    Script,
    is_one_of,
)
from rules.node.template import Template
from thingsboard.kernel.encoding import json_bytes
from thingsboard.kernel.ids import EntityId

LONGEST_TYPE = 255

_PREVIOUS = "prevAlarmDetails"


class AlarmConfig(Config, frozen=True):
    """The type of the alarm, with templates, and the script that makes its details. Without `scriptLang` it is JavaScript."""

    NEW = {"scriptLang": TBEL}

    alarm_type: str = "General Alarm"
    script_lang: str = JS
    alarm_details_build_js: str = ALARM_DETAILS_JS
    alarm_details_build_tbel: str = ALARM_DETAILS_TBEL


class AlarmNode(Node):
    """A node that creates or clears alarms of an originator."""

    CATEGORY = Category.ACTION
    CONFIG: ClassVar[type[Config]] = AlarmConfig
    READS = frozenset({ALARMS})
    WRITES = frozenset({ALARMS})
    IN_ORDER = True

    def __init__(self, config: AlarmConfig, name: str = "") -> None:
        super().__init__(config, name)
        self._type = Template(config.alarm_type)
        if self._type.constant:
            checked_type(config.alarm_type)
        self._script: Script | None = None  # None: the default one, which need not be run

    def _use_script(self) -> None:
        """Build details by the script of the configuration. Raises ValueError where it is none."""
        config = self.config
        texts = config.script_lang, config.alarm_details_build_js, config.alarm_details_build_tbel
        known = (ALARM_DETAILS_TBEL,) if texts[0] == TBEL else (ALARM_DETAILS_JS, OLD_ALARM_DETAILS_JS)
        self._script = None if is_one_of(*texts, known) else Script(*texts)

    def _alarm_type(self, msg: Msg) -> str:
        """The type of a message's alarm. Raises ValueError where it cannot be one."""
        return self._type.text if self._type.constant else checked_type(self._type.fill(msg))

    def _built(self, ctx: Context, asked: Sequence[tuple[Msg, Any]]) -> "Details":
        """The details of alarms, of (message, details that its alarm has) each, made at once."""
        return Details(ctx, self._script, asked)


class Details:
    """What the script of a node makes of details, for all messages of a batch."""

    def __init__(self, ctx: Context, script: Script | None, asked: Sequence[tuple[Msg, Any]]) -> None:
        """`script` None: the default one."""
        self._ctx, self._script = ctx, script
        self._answers = {} if script is None else dict(zip(map(_key, asked), self._ask(script, asked), strict=True))

    def of(self, msg: Msg, previous: Any) -> Any:
        """The details for a message whose alarm has `previous`; None where they remain as they are. Raises ValueError with what
        the script said, and where the metadata's details are not JSON.
        """
        if self._script is None:
            return _default(msg, previous)
        answer = self._answers.get(_key((msg, previous)))
        if answer is None:  # another message of the batch changed them meanwhile
            answer = self._ask(self._script, [(msg, previous)])[0]
        return value(answer)

    def _ask(self, script: Script, asked: Sequence[tuple[Msg, Any]]) -> Sequence[Answer]:
        """The script finds previous details in the metadata."""
        if not asked:
            return []
        return self._ctx.evaluate(
            script,
            [
                msg if previous is None else msg.with_metadata(**{_PREVIOUS: json_bytes(previous).decode()})
                for msg, previous in asked
            ],
        )


def _key(asked: tuple[Msg, Any]) -> tuple[int, bytes]:
    return id(asked[0]), json_bytes(asked[1])


def _default(msg: Msg, previous: Any) -> Any:
    """What the default script makes of details: None where they remain as they are; where there are none, those that the
    metadata brings, else an empty object. Raises ValueError where the metadata's are not JSON.
    """
    if previous is not None:
        return None
    brought = msg.metadata.get(_PREVIOUS)
    if not brought:
        return {}
    try:
        return orjson.loads(brought)
    except ValueError:
        raise ValueError(f"{_PREVIOUS} in the metadata is not JSON: {brought[:40]!r}.") from None


def checked_type(text: str) -> str:
    """The type of an alarm. Raises ValueError where it cannot be one."""
    if not text.strip():
        raise ValueError("The alarm type is empty; expected a text such as General Alarm.")
    if len(text) > LONGEST_TYPE:
        raise ValueError(f"The alarm type has {len(text)} characters; at most {LONGEST_TYPE} are accepted.")
    if "\0" in text:
        raise ValueError("The alarm type holds a NUL character, which cannot be stored.")
    return text


def told(ctx: Context, relation: str, msg: Msg, result: AlarmResult, flag: str) -> Emit:
    """The message of type ALARM that goes on, with the alarm as its body and a flag in its metadata.

    As in ThingsBoard the rules also hear of the alarm from their beginning, as of an entity, from its originator. Not so where
    nothing but its end or details changed: that would be another message for each one that finds the alarm active. And not so
    because of such a message: a chain that does the same for every message would never come to an end.
    """
    about = EntityId.from_json(result.body.members["originator"]) if _is_news(msg, result) else None
    if about is not None:
        type = ALARM_CLEAR if result.cleared else ENTITY_CREATED if result.created else ENTITY_UPDATED
        ctx.announce(type, about, result.body)
    return Emit(relation, msg.with_data(result.body, type=ALARM, metadata={**msg.metadata, flag: "true"}))


def _is_news(msg: Msg, result: AlarmResult) -> bool:
    return (result.created or result.severity_changed or result.cleared) and RULE_NODE_ID not in msg.metadata
