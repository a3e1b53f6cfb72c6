"""Originator fields."""

from collections.abc import Sequence
from typing import Any

import msgspec

from rules.node import SUCCESS, Category, Config, Context, Emit, EntityFields, Msg, Node, Outcome
from rules.node.base import ENTITIES
from rules.node.fetching import NOTHING, FetchTo, field_of
from rules.node.template import Template

_NAME_AND_TYPE = {"name": "originatorName", "type": "originatorType"}


class OriginatorFieldsConfig(Config, frozen=True):
    """Which field goes where under which name (with templates), and whether empty ones are left out."""

    fetch_to: FetchTo = FetchTo.METADATA
    data_mapping: dict[str, str] = msgspec.field(default_factory=lambda: dict(_NAME_AND_TYPE))
    ignore_null_strings: bool = False


class OriginatorFields(Node):
    """Adds fields of the originator, such as its name, type or label.

    Each field gets the name that it is mapped to, which may have templates. A field that the originator does not have is left
    out; so is an empty one, if wanted. `additionalInfo.description` looks into a field that is an object.
    """

    TYPE = "org.thingsboard.rule.engine.metadata.TbGetOriginatorFieldsNode"
    NAME = "originator fields"
    CATEGORY = Category.ENRICHMENT
    VERSION = 1
    CONFIG = OriginatorFieldsConfig
    CONFIG_DIRECTIVE = "tbEnrichmentNodeOriginatorFieldsConfig"
    READS = frozenset({ENTITIES})

    def __init__(self, config: OriginatorFieldsConfig, name: str = "") -> None:
        super().__init__(config, name)
        if not config.data_mapping:
            raise ValueError("At least one mapping entry should be specified!")
        self._mapping = [(field, Template(target)) for field, target in config.data_mapping.items()]

    def run(self, ctx: Context, messages: Sequence[Msg]) -> Sequence[Outcome]:
        """All originators are looked up at once."""
        known = ctx.describe({msg.originator for msg in messages})
        return [self._enriched(msg, known.get(msg.originator)) for msg in messages]

    def _enriched(self, msg: Msg, entity: EntityFields | None) -> Emit:
        if entity is None:
            return Emit.failure(msg, "Entity not found!")
        found: dict[str, str] = {}
        try:
            for field, target in self._mapping:
                value = field_of(entity, field)
                if value is not None and not (self.config.ignore_null_strings and value in NOTHING):
                    found[target.fill(msg)] = value
            return Emit(SUCCESS, self.config.fetch_to.enriched(msg, found))
        except ValueError as error:
            return Emit.failure(msg, str(error))

    @classmethod
    def upgrade(cls, version: int, raw: dict[str, Any]) -> dict[str, Any]:
        """Version 0 called the mapping otherwise and knew metadata alone. Raises ValueError where it has none."""
        if version > 0:
            return raw
        if "fieldsMapping" not in raw:
            raise ValueError("fieldsMapping is missing in a configuration of version 0.")
        rest = {key: value for key, value in raw.items() if key != "fieldsMapping"}
        return {**rest, "dataMapping": raw["fieldsMapping"], "fetchTo": FetchTo.METADATA.value}
