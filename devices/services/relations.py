"""Writes of relations.

Both ends are held while a relation is written, and who deletes an entity holds it before its relations go: none is left
behind, whoever is first.
"""

import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Model, Q

from devices.models import Direction, EntityRelation, RelationGroup
from devices.services.events import announce_relation
from tenants.models import ActionType
from tenants.services import audit
from tenants.services.events import Event, tell
from thingsboard.kernel.entities import hold, not_found
from thingsboard.kernel.errors import BadRequest, NotFound, VersionConflict
from thingsboard.kernel.ids import EntityId, EntityType

LONGEST_TYPE = 255


@dataclass(frozen=True, slots=True)
class RelationKey:
    """Which relation: `start` is related to `end` as `type` says."""

    start: EntityId
    type: str
    end: EntityId
    group: str = RelationGroup.COMMON

    def columns(self) -> dict[str, Any]:
        """The same as the model has it."""
        return {
            "from_type": self.start.type.value,
            "from_id": self.start.id,
            "to_type": self.end.type.value,
            "to_id": self.end.id,
            "group": self.group,
            "type": self.type,
        }


@transaction.atomic
def save_relation(
    tenant_id: uuid.UUID,
    key: RelationKey,
    *,
    additional_info: dict[str, Any] | None = None,
    version: int | None = None,
) -> EntityRelation:
    """Relate two entities of the tenant; where they are already, replace what is said about it.

    Whether somebody may touch them is the caller's to ask. Raises BadRequest, also where an end is not the tenant's, and
    VersionConflict when `version` is given and is not the present one.
    """
    _check(key)
    ends = _hold(tenant_id, key)
    found, made = EntityRelation.objects.select_for_update().get_or_create(
        **key.columns(), defaults={"tenant_id": tenant_id, "additional_info": additional_info}
    )
    if made:
        _record(ActionType.RELATION_ADD_OR_UPDATE, ends, {}, _told(found))
        announce_relation(Event.RELATION_ADD_OR_UPDATE, found, ends)
        return found
    if version is not None and version != found.version:
        raise VersionConflict("The relation was changed by someone else: read it again and repeat the change.")
    if additional_info != found.additional_info:
        before = _told(found)
        found.additional_info = additional_info
        found.version += 1
        found.save(update_fields=["additional_info", "version"])
        _record(ActionType.RELATION_ADD_OR_UPDATE, ends, before, _told(found))
        announce_relation(Event.RELATION_ADD_OR_UPDATE, found, ends)
    return found


@transaction.atomic
def delete_relation(tenant_id: uuid.UUID, key: RelationKey) -> EntityRelation:
    """Take a relation back; returns what it was. Raises NotFound."""
    _check(key)
    ends = _hold(tenant_id, key)
    rows = EntityRelation.objects.filter(tenant_id=tenant_id, **key.columns())
    found = rows.select_for_update().first()
    if found is None:
        raise NotFound("Requested item wasn't found!")
    _record(ActionType.RELATION_DELETED, ends, _told(found), {})
    announce_relation(Event.RELATION_DELETED, found, ends)
    rows.delete()
    return found


@transaction.atomic
def delete_relations(tenant_id: uuid.UUID, entity: EntityId) -> int:
    """Take all COMMON relations of an entity back, in both directions; returns how many there were. Raises NotFound.

    Those of other groups are the platform's own.
    """
    target = hold(entity, tenant_id)
    if target is None:
        raise not_found(entity.type, entity.id)
    with audit.deed(ActionType.RELATIONS_DELETED, entity.type, target) as entry:
        gone, _ = EntityRelation.objects.filter(tenant_id=tenant_id, group=RelationGroup.COMMON).at(entity).delete()
        entry.before({"relations": gone})
        tell(Event.RELATIONS_DELETED, entity, target, {})
    return gone


@transaction.atomic
def drop_relations(tenant_id: uuid.UUID, entity: EntityId, type: str, direction: Direction) -> int:
    """Take all COMMON relations of a type that lead from (FROM) or to (TO) an entity back; returns how many there were.

    For rule chains, of whose relations nobody is told (docs/decisions/0037).
    """
    end = "from" if direction is Direction.FROM else "to"
    at = {f"{end}_type": entity.type.value, f"{end}_id": entity.id}
    rows = EntityRelation.objects.filter(tenant_id=tenant_id, group=RelationGroup.COMMON, type=type, **at)
    gone, _ = rows.delete()
    return gone


def related(tenant_id: uuid.UUID, key: RelationKey) -> bool:
    """Whether there is such a relation in the tenant."""
    return EntityRelation.objects.filter(tenant_id=tenant_id, **key.columns()).exists()


def take_leave(kind: EntityType, ids: Collection[uuid.UUID], tenant_id: uuid.UUID | None) -> None:
    """What relations do when entities of any kind are about to be deleted: they go with either end, or their tenant."""
    if kind is EntityType.TENANT:
        EntityRelation.objects.filter(tenant_id__in=list(ids)).delete()
    elif ids:
        gone = list(ids)
        start, end = Q(from_id__in=gone, from_type=kind.value), Q(to_id__in=gone, to_type=kind.value)
        EntityRelation.objects.filter(start | end).delete()


def _check(key: RelationKey) -> None:
    """Raise BadRequest unless it can be a relation's."""
    if not key.type.strip():
        raise BadRequest("Relation type should be specified!")
    if len(key.type) > LONGEST_TYPE:
        raise BadRequest(f"length of type must be equal or less than {LONGEST_TYPE}")
    if key.group not in RelationGroup:
        raise BadRequest(f"typeGroup: expected one of {', '.join(RelationGroup)}")


def _hold(tenant_id: uuid.UUID, key: RelationKey) -> dict[EntityId, Model]:
    """Both ends, or one where they are the same. Raises BadRequest where one is not the tenant's."""
    ends = {}
    # In order of id, as all do who hold several.
    for entity in sorted({key.start, key.end}, key=lambda each: each.id.int):
        found = hold(entity, tenant_id)
        if found is None:
            title = entity.type.value.replace("_", " ").lower()
            raise BadRequest(f"Can't relate a non-existent {title}: [{entity.id}]")
        ends[entity] = found
    return ends


def _told(relation: EntityRelation) -> dict[str, Any]:
    """What the audit log says of a relation."""
    ends = {"from": relation.from_entity.to_json(), "to": relation.to_entity.to_json()}
    return {"relation": {**ends, "type": relation.type, "additional_info": relation.additional_info}}


def _record(action: ActionType, ends: Mapping[EntityId, Model], before: dict[str, Any], after: dict[str, Any]) -> None:
    """Tell the audit log of both ends, as ThingsBoard does."""
    for entity, found in ends.items():
        with audit.deed(action, entity.type, found) as entry:
            entry.before(before)
            entry.after(after)
