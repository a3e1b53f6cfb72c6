"""What the nodes that map attributes, latest telemetry or fields of another entity to new names have in common."""

import enum
from collections.abc import Collection, Mapping, Sequence
from typing import Any, ClassVar

import msgspec

from rules.node.base import ATTRIBUTES, ENTITIES, TELEMETRY, Category, Node
from rules.node.config import Config
from rules.node.context import Context, EntityFields
from rules.node.fetching import NOTHING, FetchTo, field_of, old_value
from rules.node.message import Msg
from rules.node.outcome import SUCCESS, Emit, Outcome
from rules.node.template import Template
from telemetry.points import Scope, Value
from thingsboard.kernel.ids import EntityId

# Of each entity: its values by key, or its fields.
Known = Mapping[EntityId, Mapping[str, Value | None] | EntityFields]


class DataToFetch(enum.StrEnum):
    """What is mapped: server attributes, latest telemetry or fields."""

    ATTRIBUTES = "ATTRIBUTES"
    LATEST_TELEMETRY = "LATEST_TELEMETRY"
    FIELDS = "FIELDS"


class MappedConfig(Config, frozen=True):
    """What goes where under which name, both with templates."""

    fetch_to: FetchTo = FetchTo.METADATA
    data_mapping: dict[str, str] = msgspec.field(default_factory=lambda: {"alarmThreshold": "threshold"})
    data_to_fetch: DataToFetch = DataToFetch.ATTRIBUTES


class MappedNode(Node):
    """A node that adds data of an entity that it finds for each message."""

    CATEGORY = Category.ENRICHMENT
    VERSION = 1
    CONFIG: ClassVar[type[Config]] = MappedConfig
    READS = frozenset({ATTRIBUTES, TELEMETRY, ENTITIES})
    FETCHES: ClassVar[tuple[DataToFetch, ...]] = (DataToFetch.ATTRIBUTES, DataToFetch.LATEST_TELEMETRY)

    def __init__(self, config: MappedConfig, name: str = "") -> None:
        super().__init__(config, name)
        if not config.data_mapping:
            raise ValueError("At least one mapping entry should be specified!")
        if config.data_to_fetch not in self.FETCHES:
            raise ValueError(
                f"DataToFetch property has invalid value: {config.data_to_fetch}. "
                f"Only {' and '.join(self.FETCHES)} values supported!"
            )
        # The names of fields have no templates.
        plain = config.data_to_fetch is DataToFetch.FIELDS
        self._mapping = [
            (source if plain else Template(source), Template(target)) for source, target in config.data_mapping.items()
        ]

    def entities(self, ctx: Context, originators: Collection[EntityId]) -> Mapping[EntityId, EntityId | str]:
        """Whose data are meant for messages of these originators, or the sentence that says why there is nobody."""
        raise NotImplementedError

    def run(self, ctx: Context, messages: Sequence[Msg]) -> Sequence[Outcome]:
        """All entities and all their data are asked for at once."""
        entities = self.entities(ctx, {msg.originator for msg in messages})
        mappings = [self._filled(msg) for msg in messages]
        keys = {source for mapping in mappings if isinstance(mapping, dict) for source in mapping}
        known = self._known(ctx, keys, {each for each in entities.values() if isinstance(each, EntityId)})
        return [
            self._enriched(msg, mapping, entities[msg.originator], known)
            for msg, mapping in zip(messages, mappings, strict=True)
        ]

    def _filled(self, msg: Msg) -> dict[str, str] | str:
        """The mapping for one message; why there is none."""
        try:
            return {
                source if isinstance(source, str) else source.fill(msg): target.fill(msg)
                for source, target in self._mapping
            }
        except ValueError as error:
            return str(error)

    def _known(self, ctx: Context, keys: Collection[str], entities: Collection[EntityId]) -> Known:
        if not entities:
            return {}
        if self.config.data_to_fetch is DataToFetch.FIELDS:
            return ctx.describe(entities)
        if self.config.data_to_fetch is DataToFetch.LATEST_TELEMETRY:
            points = ctx.latest(keys, entities)
            return {each: {key: point.value for key, point in found.items()} for each, found in points.items()}
        attributes = ctx.attributes(Scope.SERVER, keys, entities)
        return {each: {key: one.value for key, one in found.items()} for each, found in attributes.items()}

    def _enriched(self, msg: Msg, mapping: dict[str, str] | str, entity: EntityId | str, known: Known) -> Emit:
        try:
            if isinstance(entity, str):
                raise ValueError(entity)
            if isinstance(mapping, str):
                raise ValueError(mapping)
            return Emit(SUCCESS, self.config.fetch_to.enriched(msg, self._found(mapping, known.get(entity))))
        except ValueError as error:
            return Emit.failure(msg, str(error))

    def _found(
        self, mapping: dict[str, str], data: Mapping[str, Value | None] | EntityFields | None
    ) -> dict[str, Value | None]:
        if self.config.data_to_fetch is DataToFetch.FIELDS:
            if not isinstance(data, EntityFields):
                raise ValueError("Entity not found!")
            fields = {target: field_of(data, source) for source, target in mapping.items()}
            return {target: text for target, text in fields.items() if text is not None and text not in NOTHING}
        values = {} if data is None or isinstance(data, EntityFields) else data
        found = {target: values[source] for source, target in mapping.items() if values.get(source) is not None}
        if self.config.data_to_fetch is DataToFetch.LATEST_TELEMETRY and self.config.fetch_to is FetchTo.DATA:
            # As in ThingsBoard: a series without points is null in a body.
            return {target: found.get(target) for target in mapping.values()}
        return found

    @classmethod
    def upgrade(cls, version: int, raw: dict[str, Any]) -> dict[str, Any]:
        """Version 0 had other names and knew metadata alone. Raises ValueError where something is missing."""
        if version > 0:
            return raw
        telemetry, mapping = str(old_value(raw, "telemetry")).lower(), old_value(raw, "attrMapping")
        kinds = {"true": DataToFetch.LATEST_TELEMETRY, "false": DataToFetch.ATTRIBUTES}
        if telemetry not in kinds:
            raise ValueError(f"telemetry has the unexpected value {telemetry[:40]!r}; expected true or false.")
        rest = {key: value for key, value in raw.items() if key not in ("telemetry", "attrMapping")}
        kind = kinds[telemetry].value
        return {**rest, "dataMapping": mapping, "dataToFetch": kind, "fetchTo": FetchTo.METADATA.value}
