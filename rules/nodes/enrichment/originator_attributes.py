"""Originator attributes."""

from rules.node.attributes_node import AttributesNode


class OriginatorAttributes(AttributesNode):
    """Adds attributes and latest telemetry of the originator.

    A client attribute gets the prefix `cs_`, a shared one `shared_`, a server one `ss_`, telemetry none. With "fetch latest
    with timestamp" telemetry is an object of `ts` and `value`. Names may have templates.

    What is missing is left out. With "tell failure if absent" the message, enriched with what is there, leaves by Failure.
    """

    TYPE = "org.thingsboard.rule.engine.metadata.TbGetAttributesNode"
    NAME = "originator attributes"
    CONFIG_DIRECTIVE = "tbEnrichmentNodeOriginatorAttributesConfig"
