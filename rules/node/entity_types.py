"""What ThingsBoard calls the types of entities in labels and sentences (compat/rule_engine.md, "Entity types")."""

from typing import Final

from thingsboard.kernel.ids import EntityType

_OURS: Final = (EntityType.DEVICE_GROUP, EntityType.USER_GROUP)
_OTHERWISE: Final = {EntityType.ENTITY_VIEW: "Entity View", EntityType.AI_MODEL: "AI model"}


def _label(type: EntityType) -> str:
    return _OTHERWISE.get(type) or type.value.removeprefix("TB_").replace("_", " ").capitalize()


LABELS: Final[dict[EntityType, str]] = {type: _label(type) for type in EntityType}

# Those that ThingsBoard has.
THEIR_LABELS: Final = tuple(label for type, label in LABELS.items() if type not in _OURS)
