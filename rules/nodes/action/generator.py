"""Generator."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any, Final

from rules.node import AT_ONCE, CONSUMED, Body, Category, Config, Context, Emit, Msg, Outcome, Wait
from rules.node.message_types import GENERATOR_TICK, POST_TELEMETRY
from rules.node.script_results import message
from rules.node.scripts import TBEL, Script, is_one_of
from rules.node.ticking_node import TickingNode, period_ms
from thingsboard.kernel.encoding import json_bytes
from thingsboard.kernel.ids import EntityId, EntityType, parse_uuid

# What a generator remembers: how many messages it made, and the last one.
SENT, LAST = "sent", "last"

ARGUMENTS: Final = ("prevMsg", "prevMetadata", "prevMsgType")

_TYPES: Final = frozenset(
    {
        EntityType.DEVICE, EntityType.ASSET, EntityType.ENTITY_VIEW, EntityType.TENANT, EntityType.CUSTOMER,
        EntityType.USER, EntityType.DASHBOARD, EntityType.EDGE, EntityType.RULE_NODE,
    }
)  # fmt: skip

SCRIPT: Final = (
    "var msg = { temp: 42, humidity: 77 };\n"
    "var metadata = { data: 40 };\n"
    'var msgType = "POST_TELEMETRY_REQUEST";\n\n'
    "return { msg: msg, metadata: metadata, msgType: msgType };"
)


class GeneratorConfig(Config, frozen=True):
    """How many messages (0: without end), how often, in whose name, and the script that makes them."""

    NEW = {"periodInSeconds": 1, "originatorType": "RULE_NODE", "scriptLang": TBEL}

    msg_count: int = 0
    period_in_seconds: int = 0
    originator_id: str | None = None
    originator_type: str = ""
    script_lang: str = "JS"
    js_script: str = SCRIPT
    tbel_script: str = SCRIPT


class Generator(TickingNode):
    """Makes a message every so many seconds.

    It begins when its chain is saved, and again when its configuration is. Messages go to the node's queue, or else to Main,
    and leave by Success. The originator is an entity of the tenant, the tenant itself, or the node: what is saved of the node
    is erased when the node is deleted. After `msgCount` messages it stops; 0: it never does.

    The script returns `{msg, metadata, msgType}`. Its arguments `prevMsg`, `prevMetadata` and `prevMsgType` are what it
    returned last time: at first an empty body, empty metadata and an empty text. Where it fails, that tick leaves by Failure.
    """

    TYPE = "org.thingsboard.rule.engine.debug.TbMsgGeneratorNode"
    NAME = "generator"
    CATEGORY = Category.ACTION
    VERSION = 2
    CONFIG = GeneratorConfig
    CONFIG_DIRECTIVE = "tbActionNodeGeneratorConfig"
    ICON = "repeat"
    HAS_QUEUE_NAME = True
    IN_ENABLED = False
    TICK_TYPE = GENERATOR_TICK
    WAKES = frozenset({GENERATOR_TICK})

    def __init__(self, config: GeneratorConfig, name: str = "") -> None:
        super().__init__(config, name)
        self.period = period_ms(config.period_in_seconds, "periodInSeconds")
        if config.originator_type not in _TYPES:
            raise ValueError(f"Originator type '{config.originator_type}' is not supported.")
        self._type = EntityType(config.originator_type)
        self._originator: EntityId | None = None
        if self._type not in (EntityType.RULE_NODE, EntityType.TENANT):
            if not (config.originator_id or "").strip():
                raise ValueError("Originator entity must be selected.")
            self._originator = EntityId(self._type, parse_uuid(config.originator_id))
        js, tbel = config.js_script, config.tbel_script
        self._script: Script | None = None
        if not is_one_of(config.script_lang, js, tbel, [SCRIPT]):
            self._script = Script(config.script_lang, js, tbel, ARGUMENTS)

    def run(self, ctx: Context, messages: Sequence[Msg]) -> Sequence[Outcome]:
        """Ticks come one at a time. What else arrives is none of its business, as in ThingsBoard."""
        return [
            self._ticked(ctx, msg) if msg.type == GENERATOR_TICK and self.is_due(ctx, msg) else CONSUMED
            for msg in messages
        ]

    def _ticked(self, ctx: Context, tick: Msg) -> Outcome:
        most, known = self.config.msg_count, ctx.later.state([SENT, LAST])
        sent = int(known.get(SENT, 0)) + 1
        ctx.later.keep(SENT, sent)
        if not most or sent < most:
            self.tick_again(ctx, tick)
        try:
            return Wait(self._generated(ctx, self._found(ctx), known.get(LAST)), AT_ONCE)
        except ValueError as error:
            return Emit.failure(tick, str(error))

    def _found(self, ctx: Context) -> EntityId:
        """In whose name. Raises ValueError where that is nobody of the tenant."""
        if self._type is EntityType.RULE_NODE:
            return ctx.later.node
        originator = self._originator
        if originator is None:
            return EntityId(EntityType.TENANT, ctx.tenant_id)
        if originator not in ctx.describe([originator]):
            raise ValueError(f"The originator {originator.type.value} {originator.id} does not exist.")
        return originator

    def _generated(self, ctx: Context, originator: EntityId, last: Any) -> Msg:
        """The message, `last` is what was made before. Raises ValueError with what is wrong with the script."""
        body, metadata, type = last or ({}, {}, "")
        queue = self.queue_name or "Main"
        previous = Msg(uuid.uuid4().bytes, ctx.now(), type, originator, None, metadata, Body.of(body), queue)
        if self._script is None:
            return previous.with_data({"temp": 42, "humidity": 77}, type=POST_TELEMETRY, metadata={"data": "40"})
        arguments = json_bytes([body, metadata, type])
        (answer,) = ctx.evaluate_raw(self._script, [arguments])
        made = message(answer, previous, self.config.script_lang)
        if not made.type:
            raise ValueError("The script returned no msgType.")
        ctx.later.keep(LAST, [made.data.value, dict(made.metadata), made.type])
        return made

    @classmethod
    def upgrade(cls, version: int, raw: dict[str, Any]) -> dict[str, Any]:
        """Version 0 had the name of the queue in its configuration; up to 1 a node without an originator was its own."""
        if version >= cls.VERSION:
            return raw
        upgraded = {key: value for key, value in raw.items() if key != "queueName"}
        if not upgraded.get("originatorType") or not _text(upgraded, "originatorId"):
            upgraded["originatorType"] = EntityType.RULE_NODE.value
        return upgraded


def _text(raw: Mapping[str, Any], name: str) -> str:
    return str(raw.get(name) or "").strip()
