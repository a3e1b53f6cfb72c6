"""What the nodes that add the contact details of a customer or tenant have in common."""

import enum
from collections.abc import Collection, Mapping, Sequence
from typing import Any, ClassVar

from rules.node.base import ENTITIES, Category, Node
from rules.node.config import Config
from rules.node.context import Context, EntityFields
from rules.node.fetching import NOTHING, FetchTo, field_of, upgraded
from rules.node.message import Msg
from rules.node.outcome import SUCCESS, Emit, Outcome
from thingsboard.kernel.ids import EntityId


class Detail(enum.StrEnum):
    """ThingsBoard's names of details."""

    ID = "ID"
    TITLE = "TITLE"
    COUNTRY = "COUNTRY"
    CITY = "CITY"
    STATE = "STATE"
    ZIP = "ZIP"
    ADDRESS = "ADDRESS"
    ADDRESS2 = "ADDRESS2"
    PHONE = "PHONE"
    EMAIL = "EMAIL"
    ADDITIONAL_INFO = "ADDITIONAL_INFO"

    @property
    def key(self) -> str:
        """What it is called in a message, behind the prefix."""
        return "additionalInfo" if self is Detail.ADDITIONAL_INFO else self.value.lower()

    @property
    def field(self) -> str:
        """What it is called among an entity's fields."""
        return "additionalInfo.description" if self is Detail.ADDITIONAL_INFO else self.value.lower()


class DetailsConfig(Config, frozen=True):
    """Which details go where."""

    fetch_to: FetchTo = FetchTo.DATA
    details_list: tuple[Detail, ...] = ()


class DetailsNode(Node):
    """A node that adds details of an entity that it finds for each message."""

    CATEGORY = Category.ENRICHMENT
    VERSION = 1
    CONFIG: ClassVar[type[Config]] = DetailsConfig
    CONFIG_DIRECTIVE = "tbEnrichmentNodeEntityDetailsConfig"
    READS = frozenset({ENTITIES})
    PREFIX: ClassVar[str]

    def __init__(self, config: DetailsConfig, name: str = "") -> None:
        super().__init__(config, name)
        if not config.details_list:
            raise ValueError("At least one entity detail should be selected!")

    def entities(self, ctx: Context, originators: Collection[EntityId]) -> Mapping[EntityId, EntityId | str]:
        """Whose details are meant for messages of these originators, or the sentence that says why there is nobody; an
        originator that is gone is missing.
        """
        raise NotImplementedError

    def run(self, ctx: Context, messages: Sequence[Msg]) -> Sequence[Outcome]:
        """All entities are looked up at once."""
        entities = self.entities(ctx, {msg.originator for msg in messages})
        known = ctx.describe({each for each in entities.values() if isinstance(each, EntityId)})
        return [self._enriched(msg, entities.get(msg.originator), known) for msg in messages]

    def _enriched(self, msg: Msg, entity: EntityId | str | None, known: Mapping[EntityId, EntityFields]) -> Emit:
        try:
            if isinstance(entity, str):
                raise ValueError(entity)
            if self.config.fetch_to is FetchTo.DATA:
                _ = msg.data.members
            described = None if entity is None else known.get(entity)
            if described is None:
                return Emit(SUCCESS, msg)
            found: dict[str, Any] = {}
            for detail in self.config.details_list:
                text = field_of(described, detail.field)
                if text is not None and text not in NOTHING:
                    found[self.PREFIX + detail.key] = text
            return Emit(SUCCESS, self.config.fetch_to.enriched(msg, found))
        except ValueError as error:
            return Emit.failure(msg, str(error))

    @classmethod
    def upgrade(cls, version: int, raw: dict[str, Any]) -> dict[str, Any]:
        """Version 0 had `addToMetadata`. Raises ValueError where that is neither true nor false."""
        if version > 0:
            return raw
        return upgraded(raw, "addToMetadata", FetchTo.METADATA, FetchTo.DATA, required=True)
