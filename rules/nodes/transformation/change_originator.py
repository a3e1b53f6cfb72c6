"""Change originator."""

import enum
from collections.abc import Collection, Mapping, Sequence
from typing import Final

from rules.node import SUCCESS, Category, Config, Context, Emit, Msg, Node, Outcome
from rules.node.base import ALARMS, ENTITIES, RELATIONS
from rules.node.entity_types import LABELS
from rules.node.owners import customers
from rules.node.relations import RelationsQuery
from rules.node.template import Template
from thingsboard.kernel.ids import EntityId, EntityType

_NAMED: Final = (EntityType.DEVICE, EntityType.ASSET, EntityType.ENTITY_VIEW, EntityType.EDGE, EntityType.USER)
_NOBODY: Final = "Failed to find new originator!"


class Source(enum.StrEnum):
    """Who becomes the originator."""

    CUSTOMER = "CUSTOMER"
    TENANT = "TENANT"
    RELATED = "RELATED"
    ALARM_ORIGINATOR = "ALARM_ORIGINATOR"
    ENTITY = "ENTITY"


class ChangeOriginatorConfig(Config, frozen=True):
    """Who becomes the originator; for a related entity which one, for one that has a name its type and name."""

    NEW = {"relationsQuery": RelationsQuery().saved()}

    originator_source: Source = Source.CUSTOMER
    relations_query: RelationsQuery | None = None
    entity_type: str | None = None
    entity_name_pattern: str | None = None


class ChangeOriginator(Node):
    """Changes whose message it is.

    - Customer: the customer that the originator is assigned to.
    - Tenant: the tenant.
    - Related: the first entity, the nearest, that relations of the originator lead to. 0 levels are as many as there are, up to
      100.
    - Alarm originator: what the alarm is about that is the originator.
    - Entity: the device, asset, entity view, edge or user (by e-mail address) with a name, which may have templates.

    Where there is no such entity the message leaves by Failure. Which customer the message belongs to remains as it is.
    """

    TYPE = "org.thingsboard.rule.engine.transform.TbChangeOriginatorNode"
    NAME = "change originator"
    CATEGORY = Category.TRANSFORMATION
    CONFIG = ChangeOriginatorConfig
    CONFIG_DIRECTIVE = "tbTransformationNodeChangeOriginatorConfig"
    ICON = "find_replace"
    READS = frozenset({ENTITIES, RELATIONS, ALARMS})

    def __init__(self, config: ChangeOriginatorConfig, name: str = "") -> None:
        super().__init__(config, name)
        if config.originator_source is Source.RELATED:
            if config.relations_query is None:
                raise ValueError("Relations query should be specified if 'Related entity' source is selected.")
            self._walk = config.relations_query.walk()
        elif config.originator_source is Source.ENTITY:
            if config.entity_type is None:
                raise ValueError("Entity type should be specified if 'Entity by name pattern' source is selected.")
            if not config.entity_name_pattern:
                raise ValueError("Name pattern should be specified if 'Entity by name pattern' source is selected.")
            if config.entity_type not in _NAMED:
                raise ValueError(f"Unexpected entity type {config.entity_type[:40]}")
            self._kind = EntityType(config.entity_type)
            self._name = Template(config.entity_name_pattern)

    def run(self, ctx: Context, messages: Sequence[Msg]) -> Sequence[Outcome]:
        """All new originators are looked up at once."""
        if self.config.originator_source is Source.ENTITY:
            return self._by_name(ctx, messages)
        found = self._found(ctx, {msg.originator for msg in messages})
        return [self._changed(msg, found.get(msg.originator) or _NOBODY) for msg in messages]

    def _found(self, ctx: Context, originators: Collection[EntityId]) -> Mapping[EntityId, EntityId | str | None]:
        match self.config.originator_source:
            case Source.CUSTOMER:
                return customers(ctx, originators)
            case Source.TENANT:
                return dict.fromkeys(originators, EntityId(EntityType.TENANT, ctx.tenant_id))
            case Source.RELATED:
                return ctx.look.related(self._walk, originators)
            case _:
                return _alarm_originators(ctx, originators)

    def _by_name(self, ctx: Context, messages: Sequence[Msg]) -> Sequence[Outcome]:
        names = [self._filled(msg) for msg in messages]
        found = ctx.look.named(self._kind, {name for name in names if isinstance(name, str)})
        label = LABELS[self._kind].lower()
        return [
            name
            if isinstance(name, Emit)
            else self._changed(msg, found.get(name) or f"Failed to find {label} with name '{name}'!")
            for msg, name in zip(messages, names, strict=True)
        ]

    def _filled(self, msg: Msg) -> str | Emit:
        try:
            return self._name.fill(msg)
        except ValueError as error:
            return Emit.failure(msg, str(error))

    def _changed(self, msg: Msg, originator: EntityId | str) -> Emit:
        if isinstance(originator, str):
            return Emit.failure(msg, originator)
        customer = msg.customer_id
        if customer is None and originator.type is EntityType.CUSTOMER:
            customer = originator.id
        return Emit(SUCCESS, msg.with_originator(originator, customer))


def _alarm_originators(ctx: Context, originators: Collection[EntityId]) -> Mapping[EntityId, EntityId | str | None]:
    alarms = {each.id: each for each in originators if each.type is EntityType.ALARM}
    known = ctx.alarms.by_id(alarms) if alarms else {}
    found: dict[EntityId, EntityId | str | None] = {
        each: f"Unexpected originator EntityType {each.type}"
        for each in originators
        if each.type is not EntityType.ALARM
    }
    return found | {alarms[id]: EntityId.from_json(alarm["originator"]) for id, alarm in known.items()}
