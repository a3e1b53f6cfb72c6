"""The one door from an EntityId to an object: apps register their models in `ready()`, lower floors ask here.

A floor may thus refer to an entity of a higher one (a profile to its rule chain) without importing it.
"""

import enum
import uuid
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import Model, QuerySet

from thingsboard.kernel.errors import NotFound
from thingsboard.kernel.ids import NULL_UUID, EntityId, EntityType


class Action(enum.StrEnum):
    """What somebody wants to do with an object. Each includes those before it."""

    VIEW = "view"  # read it, its values and its history
    CONTROL = "control"  # write its values, send it commands
    MANAGE = "manage"  # change what it is, read its secrets


@dataclass(frozen=True, slots=True)
class Door:
    """How one kind of entity is found: its model, and the field that names its tenant (None: it belongs to none); and in
    which queue what happens to one is announced (None: in the usual one).
    """

    model: type[Model]
    tenant_field: str | None
    title: str
    has_values: bool = True  # whether telemetry and attributes are kept of it
    queue: Callable[[Any], str | None] | None = None


_doors: dict[EntityType, Door] = {}

# What is told of entities that go: their kind, their ids, and their tenant (None: they belong to none).
Farewell = Callable[[EntityType, Collection[uuid.UUID], uuid.UUID | None], None]
_mourners: list[Farewell] = []


def register(
    kind: EntityType,
    model: type[Model],
    *,
    tenant_field: str | None = "tenant_id",
    title: str,
    has_values: bool = True,
    queue: Callable[[Any], str | None] | None = None,
) -> None:
    """Say which model holds the entities of `kind`; `title` is what error messages call one. Refuses a second model.

    `queue` names the queue of an object, where not all are in the usual one.
    """
    if kind in _doors and _doors[kind].model is not model:
        raise ValueError(f"{kind} is already registered for {_doors[kind].model.__name__}.")
    if not hasattr(model._default_manager.all(), "visible_to"):
        raise ValueError(f"{model.__name__}'s default manager has no visible_to(user).")
    _doors[kind] = Door(model, tenant_field, title, has_values, queue)


def registered() -> dict[EntityType, Door]:
    """All doors, for checks and tests."""
    return dict(_doors)


def before_delete(farewell: Farewell) -> None:
    """Have `farewell` called before entities are deleted, in the transaction that deletes them; apps say so in `ready()`.

    So a higher floor takes away what hangs on an entity of a lower one. Nobody may depend on the others' order.
    """
    if farewell not in _mourners:
        _mourners.append(farewell)


def deleting(kind: EntityType, ids: Collection[uuid.UUID], tenant_id: uuid.UUID | None) -> None:
    """Said by the service that is about to delete these entities, in the transaction that does.

    They are locked first: who wants to hang something on one (`hold`) waits, and finds it gone.
    """
    if kind in _doors and ids:
        rows = _doors[kind].model._default_manager.filter(pk__in=list(ids))
        list(rows.select_for_update(of=("self",)).order_by("pk").values_list("pk"))
    for farewell in _mourners:
        farewell(kind, ids, tenant_id)


def not_found(kind: EntityType, entity_id: uuid.UUID) -> NotFound:
    """The error for an entity that does not exist or belongs to somebody else: both read the same."""
    title = _doors[kind].title if kind in _doors else kind.value.replace("_", " ").capitalize()
    return NotFound(f"{title} with id [{entity_id}] is not found")


def visible(entity: EntityId, user: Any) -> Model:
    """The object behind `entity` if `user` may see it. Raises NotFound otherwise, also for a kind nobody registered."""
    door = _doors.get(entity.type)
    found: Model | None = None
    if door is not None:
        rows: QuerySet[Any] = door.model._default_manager.all()
        found = rows.visible_to(user).filter(pk=entity.id).first()  # type: ignore[attr-defined]
    if found is None:
        raise not_found(entity.type, entity.id)
    return found


def allowed(entity: EntityId, user: Any, action: Action) -> bool:
    """Whether `user` may do this with the entity; False as well for what does not exist."""
    door = _doors.get(entity.type)
    if door is None:
        return False
    rows: QuerySet[Any] = door.model._default_manager.all()
    return bool(rows.visible_to(user, action).filter(pk=entity.id).exists())  # type: ignore[attr-defined]


def exists(entity: EntityId, tenant_id: uuid.UUID) -> bool:
    """Whether the entity exists in that tenant; False for a kind nobody registered yet."""
    door = _doors.get(entity.type)
    if door is None:
        return False
    rows = door.model._default_manager.filter(pk=entity.id)
    if door.tenant_field:
        rows = rows.filter(**{door.tenant_field: tenant_id})
    return bool(rows.exists())


def hold(entity: EntityId, tenant_id: uuid.UUID) -> Model | None:
    """The object behind `entity` if it is that tenant's; nobody deletes it before the caller's transaction ends.

    What refers to an entity without a foreign key asks this before it is written. None for what belongs to no tenant.
    """
    door = _doors.get(entity.type)
    if door is None or not door.tenant_field:
        return None
    meta, quote = door.model._meta, connection.ops.quote_name
    table = quote(meta.db_table)
    columns = {field.attname: quote(str(field.column)) for field in meta.concrete_fields}
    key, tenant = columns["id"], columns[door.tenant_field]
    # As a foreign key does: it waits for a deletion, and not for a change.
    sql = f"SELECT * FROM {table} WHERE {key} = %s AND {tenant} = %s FOR KEY SHARE"  # noqa: S608 - names of our models
    return next(iter(door.model._default_manager.raw(sql, [entity.id, tenant_id])), None)


def tenant_of(entity: EntityId, found: Model) -> uuid.UUID:
    """The tenant to which an object belongs that `visible` handed out; the system's where it belongs to none."""
    field = _doors[entity.type].tenant_field
    return (getattr(found, field) if field else None) or NULL_UUID


def queue_of(entity: EntityId, found: Model) -> str | None:
    """In which queue what happens to an object is announced; None for the usual one."""
    door = _doors.get(entity.type)
    return door.queue(found) if door is not None and door.queue is not None else None
