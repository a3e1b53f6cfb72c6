"""Originator attributes."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from rules.node import SUCCESS, Category, Config, Context, Emit, Msg, Node, Outcome
from rules.node.base import ATTRIBUTES, TELEMETRY
from rules.node.fetching import FetchTo, upgraded
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


class OriginatorAttributesConfig(Config, frozen=True):
    """Which attributes and series (names with templates) go where, and what to do where one is missing."""

    NEW = {"tellFailureIfAbsent": True}

    fetch_to: FetchTo = FetchTo.METADATA
    client_attribute_names: tuple[str, ...] = ()
    shared_attribute_names: tuple[str, ...] = ()
    server_attribute_names: tuple[str, ...] = ()
    latest_ts_key_names: tuple[str, ...] = ()
    tell_failure_if_absent: bool = False
    get_latest_value_with_ts: bool = False


class OriginatorAttributes(Node):
    """Adds attributes and latest telemetry of the originator.

    A client attribute gets the prefix `cs_`, a shared one `shared_`, a server one `ss_`, telemetry none. With "fetch latest
    with timestamp" telemetry is an object of `ts` and `value`. Names may have templates.

    What is missing is left out. With "tell failure if absent" the message, enriched with what is there, leaves by Failure.
    """

    TYPE = "org.thingsboard.rule.engine.metadata.TbGetAttributesNode"
    NAME = "originator attributes"
    CATEGORY = Category.ENRICHMENT
    VERSION = 1
    CONFIG = OriginatorAttributesConfig
    CONFIG_DIRECTIVE = "tbEnrichmentNodeOriginatorAttributesConfig"
    READS = frozenset({ATTRIBUTES, TELEMETRY})

    def __init__(self, config: OriginatorAttributesConfig, name: str = "") -> None:
        super().__init__(config, name)
        names = {
            Scope.CLIENT: config.client_attribute_names,
            Scope.SHARED: config.shared_attribute_names,
            Scope.SERVER: config.server_attribute_names,
        }
        self._scopes = {scope: _templates(each) for scope, each in names.items() if each}
        self._latest = _templates(config.latest_ts_key_names)

    def run(self, ctx: Context, messages: Sequence[Msg]) -> Sequence[Outcome]:
        """One question a scope, for all messages and whatever their templates say."""
        originators = {msg.originator for msg in messages}
        attributes = {
            scope: ctx.attributes(scope, _keys(templates, messages), originators)
            for scope, templates in self._scopes.items()
        }
        latest: FoundLatest = ctx.latest(_keys(self._latest, messages), originators) if self._latest else {}
        return [self._enriched(msg, attributes, latest) for msg in messages]

    def _enriched(self, msg: Msg, attributes: Mapping[Scope, Found], latest: FoundLatest) -> Emit:
        found: dict[str, Any] = {}
        missing: dict[str, list[str]] = {}
        try:
            for scope, templates in self._scopes.items():
                there = attributes[scope].get(msg.originator, {})
                for key in _filled(templates, msg):
                    attribute = there.get(key)
                    if attribute is None:
                        missing.setdefault(scope.json, []).append(key)
                    else:
                        found[_PREFIXES[scope] + key] = attribute.value
            points = latest.get(msg.originator, {})
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
