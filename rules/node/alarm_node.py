"""What the nodes that create and clear alarms have in common: the alarm's type and the script of its details."""

from typing import Any

import orjson

from rules.node.base import ALARMS, Category, Node
from rules.node.config import Config
from rules.node.message import Msg
from rules.node.message_types import ALARM
from rules.node.outcome import Emit
from rules.node.scripts import ALARM_DETAILS_JS, ALARM_DETAILS_TBEL, JS, OLD_ALARM_DETAILS_JS, TBEL, require_known
from rules.node.template import Template

LONGEST_TYPE = 255

_PREVIOUS = "prevAlarmDetails"


class AlarmConfig(Config, frozen=True):
    """The type of the alarm, with templates, and the script that makes its details. Without `scriptLang` it is JavaScript."""

    alarm_type: str = "General Alarm"
    script_lang: str = JS
    alarm_details_build_js: str = ALARM_DETAILS_JS
    alarm_details_build_tbel: str = ALARM_DETAILS_TBEL


class AlarmNode(Node):
    """A node that creates or clears alarms of an originator."""

    CATEGORY = Category.ACTION
    READS = WRITES = frozenset({ALARMS})

    def __init__(self, config: AlarmConfig, name: str = "") -> None:
        super().__init__(config, name)
        if not config.alarm_type.strip():
            raise ValueError("The alarm type is empty; expected a text such as General Alarm.")
        self._type = Template(config.alarm_type)
        require_known(
            config.script_lang,
            config.alarm_details_build_js,
            config.alarm_details_build_tbel,
            ALARM_DETAILS_TBEL if config.script_lang == TBEL else ALARM_DETAILS_JS,
            OLD_ALARM_DETAILS_JS,
        )

    def _details(self, msg: Msg, previous: Any) -> Any:
        """What the default script makes of the alarm's details: they remain as they are, or become an empty object.

        Raises ValueError where the metadata brings details of its own that are not JSON.
        """
        if previous is not None:
            return previous
        brought = msg.metadata.get(_PREVIOUS)
        return orjson.loads(brought) if brought else {}

    def alarm_type(self, msg: Msg) -> str:
        """The type of the alarm of a message. Raises ValueError where it cannot be one."""
        return self._type.text if self._type.constant else checked_type(self._type.fill(msg))

    @classmethod
    def defaults(cls) -> dict[str, Any]:
        """New nodes have TBEL, as in ThingsBoard."""
        return {**super().defaults(), "scriptLang": TBEL}


def checked_type(text: str) -> str:
    """The type of an alarm. Raises ValueError where it cannot be one."""
    if not text.strip():
        raise ValueError("The alarm type is empty.")
    if len(text) > LONGEST_TYPE:
        raise ValueError(f"The alarm type has {len(text)} characters; at most {LONGEST_TYPE} are accepted.")
    return text


def told(relation: str, msg: Msg, alarm: dict[str, Any], flag: str) -> Emit:
    """The message of type ALARM that goes on, with the alarm as its body and a flag in its metadata."""
    return Emit(relation, msg.with_data(alarm, type=ALARM, metadata={**msg.metadata, flag: "true"}))
