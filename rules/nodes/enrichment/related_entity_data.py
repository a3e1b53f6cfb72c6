"""Related entity data."""

from collections.abc import Collection, Mapping
from typing import Any

import msgspec

from rules.node import Context
from rules.node.base import ATTRIBUTES, ENTITIES, RELATIONS, TELEMETRY
from rules.node.mapped_node import DataToFetch, MappedConfig, MappedNode
from rules.node.relations import RelationsQuery
from thingsboard.kernel.ids import EntityId

_NOBODY = "Failed to find related entity to message originator using relation query specified in the configuration!"


class RelatedEntityDataConfig(MappedConfig, frozen=True):
    """Which entity is meant, and what of it goes where under which name."""

    data_mapping: dict[str, str] = msgspec.field(default_factory=lambda: {"serialNumber": "sn"})
    relations_query: RelationsQuery = RelationsQuery()


class RelatedEntityData(MappedNode):
    """Adds server attributes, latest telemetry or fields of an entity that the originator is related to.

    The entity is the first one, the nearest, that relations lead to; where there is none the message leaves by Failure.
    0 levels are as many as there are, up to 100.

    Each piece gets the name that it is mapped to, which may have templates; the names of attributes and series may, too. What
    the entity does not have is left out, so are empty fields; a series without points is null in a body.
    """

    TYPE = "org.thingsboard.rule.engine.metadata.TbGetRelatedAttributeNode"
    NAME = "related entity data"
    CONFIG = RelatedEntityDataConfig
    CONFIG_DIRECTIVE = "tbEnrichmentNodeRelatedAttributesConfig"
    READS = frozenset({ATTRIBUTES, TELEMETRY, ENTITIES, RELATIONS})
    FETCHES = tuple(DataToFetch)

    def __init__(self, config: Any, name: str = "") -> None:
        super().__init__(config, name)
        self._walk = config.relations_query.walk()

    def entities(self, ctx: Context, originators: Collection[EntityId]) -> Mapping[EntityId, EntityId | str]:
        """The entities that they are related to."""
        found = ctx.look.related(self._walk, originators)
        return {each: found.get(each, _NOBODY) for each in originators}
