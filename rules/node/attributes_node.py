"""What the nodes that add attributes and latest telemetry of an entity have in common: the originator's, or a related one's."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, ClassVar, Final

from rules.node.base import ATTRIBUTES, TELEMETRY, Category, Node
from rules.node.config import Config
from rules.node.context import Context
from rules.node.fetching import FetchTo, upgraded
from rules.node.message import Msg
from rules.node.outcome import SUCCESS, Emit, Outcome
from rules.node.template import Template
from telemetry.json import typed
from telemetry.points import Attribute, Json, Point, Scope, Value
from thingsboard.kernel.encoding import json_bytes
from thingsboard.kernel.ids import EntityId

_PREFIXES: Final = {Scope.CLIENT: "cs_", Scope.SHARED: "shared_", Scope.SERVER: "ss_"}
_LATEST: Final = "LATEST_TS"

# What of whom: all that was found for a batch.
Found = Mapping[EntityId, Mapping[str, Attribute]]
FoundLatest = Mapping[EntityId, Mapping[str, Point]]


class AttributesConfig(Config, frozen=True):
    """Which attributes and series (names with templates) go where, and what to do where one is missing."""

    NEW = {"tellFailureIfAbsent": True}

    fetch_to: FetchTo = FetchTo.METADATA
    client_attribute_names: tuple[str, ...] = ()
    shared_attribute_names: tuple[str, ...] = ()
    server_attribute_names: tuple[str, ...] = ()
    latest_ts_key_names: tuple[str, ...] = ()
    tell_failure_if_absent: bool = False
    get_latest_value_with_ts: bool = False


class AttributesNode(Node):
    """A node that adds attributes and latest telemetry of an entity that it finds for each message."""

    CATEGORY = Category.ENRICHMENT
    VERSION = 1
    CONFIG: ClassVar[type[Config]] = AttributesConfig
    READS = frozenset({ATTRIBUTES, TELEMETRY})
    NOBODY: ClassVar[str] = "Entity not found!"  # what is said where there is no such entity

    def __init__(self, config: AttributesConfig, name: str = "") -> None:
        super().__init__(config, name)
        names = {
            Scope.CLIENT: config.client_attribute_names,
            Scope.SHARED: config.shared_attribute_names,
            Scope.SERVER: config.server_attribute_names,
        }
        self._scopes = {scope: _templates(each) for scope, each in names.items() if each}
        self._latest = _templates(config.latest_ts_key_names)

    def entities(self, ctx: Context, originators: Collection[EntityId]) -> Mapping[EntityId, EntityId]:
        """Whose attributes are meant for messages of these originators; where there is nobody, it is missing."""
        return {each: each for each in originators}

    def run(self, ctx: Context, messages: Sequence[Msg]) -> Sequence[Outcome]:
        """One question a scope, for all messages and whatever their templates say."""
        entities = self.entities(ctx, {msg.originator for msg in messages})
        wanted = set(entities.values())
        attributes = {
            scope: ctx.attributes(scope, _keys(templates, messages), wanted)
            for scope, templates in self._scopes.items()
        }
        latest: FoundLatest = ctx.latest(_keys(self._latest, messages), wanted) if self._latest else {}
        return [self._enriched(msg, entities.get(msg.originator), attributes, latest) for msg in messages]

    def _enriched(
        self, msg: Msg, entity: EntityId | None, attributes: Mapping[Scope, Found], latest: FoundLatest
    ) -> Emit:
        if entity is None:
            return Emit.failure(msg, self.NOBODY)
        found: dict[str, Any] = {}
        missing: dict[str, list[str]] = {}
        try:
            for scope, templates in self._scopes.items():
                there = attributes[scope].get(entity, {})
                for key in _filled(templates, msg):
                    attribute = there.get(key)
                    if attribute is None:
                        missing.setdefault(scope.json, []).append(key)
                    else:
                        found[_PREFIXES[scope] + key] = attribute.value
            points = latest.get(entity, {})
            for key in _filled(self._latest, msg):
                point = points.get(key)
                if point is None or point.value is None:
                    missing.setdefault(_LATEST, []).append(key)
                else:
                    found[key] = self._reading(point)
            enriched = self.config.fetch_to.enriched(msg, found)
        except ValueError as error:
            return Emit.failure(msg, str(error))
        if missing and self.config.tell_failure_if_absent:
            return Emit.failure(enriched, _report(missing))
        return Emit(SUCCESS, enriched)

    def _reading(self, point: Point) -> Value | None:
        if not self.config.get_latest_value_with_ts:
            return point.value
        return Json(json_bytes({"ts": point.ts, "value": typed(point.value)}).decode())

    @classmethod
    def upgrade(cls, version: int, raw: dict[str, Any]) -> dict[str, Any]:
        """Version 0 had `fetchToData`. Raises ValueError where that is neither true nor false."""
        return raw if version > 0 else upgraded(raw, "fetchToData", FetchTo.DATA, FetchTo.METADATA)


def _templates(names: Iterable[str]) -> list[Template]:
    return [Template(name) for name in dict.fromkeys(names) if name.strip()]


def _filled(templates: list[Template], msg: Msg) -> dict[str, None]:
    """The names for one message, each once, in their order."""
    return dict.fromkeys(template.fill(msg) for template in templates)


def _keys(templates: list[Template], messages: Sequence[Msg]) -> set[str]:
    """The names for all messages; those that cannot be filled fail when their message's turn comes."""
    keys = {template.text for template in templates if template.constant}
    for template in templates:
        if not template.constant:
            for msg in messages:
                try:
                    keys.add(template.fill(msg))
                except ValueError:
                    continue
    return keys


def _report(missing: Mapping[str, list[str]]) -> str:
    lines = [f"\t[{where}]:[{', '.join(keys)}]\n" for where, keys in missing.items()]
    return "The following attribute/telemetry keys is not present in the DB: \n" + "".join(lines)
