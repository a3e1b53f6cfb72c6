"""Related device attributes."""

from collections.abc import Collection, Mapping
from typing import Any

from rules.node import Context
from rules.node.attributes_node import AttributesConfig, AttributesNode
from rules.node.base import ATTRIBUTES, ENTITIES, RELATIONS, TELEMETRY
from rules.node.relations import DeviceRelationsQuery
from thingsboard.kernel.ids import EntityId


class RelatedDeviceAttributesConfig(AttributesConfig, frozen=True):
    """Which device is meant, and which of its attributes and series go where."""

    device_relations_query: DeviceRelationsQuery = DeviceRelationsQuery()


class RelatedDeviceAttributes(AttributesNode):
    """Adds attributes and latest telemetry of a device that the originator is related to.

    The device is the first one, the nearest, that relations lead to and that is of one of the profiles; where there is none
    the message leaves by Failure. 0 levels are as many as there are, up to 100.

    A client attribute gets the prefix `cs_`, a shared one `shared_`, a server one `ss_`, telemetry none. With "fetch latest
    with timestamp" telemetry is an object of `ts` and `value`. Names may have templates.

    What is missing is left out. With "tell failure if absent" the message, enriched with what is there, leaves by Failure.
    """

    TYPE = "org.thingsboard.rule.engine.metadata.TbGetDeviceAttrNode"
    NAME = "related device attributes"
    CONFIG = RelatedDeviceAttributesConfig
    CONFIG_DIRECTIVE = "tbEnrichmentNodeDeviceAttributesConfig"
    READS = frozenset({ATTRIBUTES, TELEMETRY, RELATIONS, ENTITIES})
    NOBODY = "Failed to find related device to message originator using relation query specified in the configuration!"

    def __init__(self, config: Any, name: str = "") -> None:
        super().__init__(config, name)
        self._walk = config.device_relations_query.walk()

    def entities(self, ctx: Context, originators: Collection[EntityId]) -> Mapping[EntityId, EntityId]:
        """The devices that they are related to."""
        return ctx.look.related(self._walk, originators)
