"""Writes of entity views.

What ThingsBoard copies into a view when it is saved (attributes, latest values) is not copied: readers of a view are to
look at the entity behind it, within the view's keys and times.
"""

import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from devices.models import EntityView
from devices.models.view import no_keys
from devices.services.events import announce
from tenants.models import ActionType, Customer
from tenants.services import audit
from tenants.services.events import Event
from tenants.services.tenants import require_version
from thingsboard.kernel.constraints import refusing
from thingsboard.kernel.entities import deleting, hold
from thingsboard.kernel.errors import BadRequest
from thingsboard.kernel.ids import EntityId, EntityType
from thingsboard.kernel.naming import Uniquify

NAME_TAKEN = {"entity_view_name": "Entity View with such name already exists!"}
VIEWED = frozenset({EntityType.DEVICE, EntityType.ASSET})
SCOPES = ("cs", "ss", "sh")  # client, server and shared attributes, as ThingsBoard shortens them
MOST_KEYS = 1000  # of one list
LONGEST_KEY = 255
LATEST_TS = 4_102_444_800_000  # ms: the year 2100, as of every point


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewFields:
    """What a caller may say about a view; times in ms, 0 where there is no bound. Tenant and customer are not among it."""

    name: str
    type: str
    entity: EntityId
    keys: Mapping[str, Any] | None = None
    start_ts: int = 0
    end_ts: int = 0
    external_id: uuid.UUID | None = None
    additional_info: dict[str, Any] | None = None


@transaction.atomic
def create_view(
    tenant_id: uuid.UUID, fields: ViewFields, *, customer: Customer | None = None, unique: Uniquify | None = None
) -> EntityView:
    """A view of a device or an asset of the tenant; `unique` makes a taken name free. Raises BadRequest."""
    view = EntityView(tenant_id=tenant_id, customer=customer, name=fields.name.strip())
    with audit.deed(ActionType.ADDED, EntityType.ENTITY_VIEW, view) as entry:
        _fill(view, fields, unique)
        with refusing(NAME_TAKEN):
            view.save(force_insert=True)
        entry.after(view)
        announce(Event.ENTITY_CREATED, view)
    return view


@transaction.atomic
def update_view(
    view: EntityView, fields: ViewFields, *, version: int | None = None, unique: Uniquify | None = None
) -> EntityView:
    """Replace everything that `fields` says; tenant and customer stay. Raises BadRequest, VersionConflict."""
    view = EntityView.objects.select_for_update(of=("self",)).get(pk=view.pk)
    require_version(view, version)
    with audit.deed(ActionType.UPDATED, EntityType.ENTITY_VIEW, view) as entry:
        entry.before(view)
        _fill(view, fields, unique)
        view.version += 1
        with refusing(NAME_TAKEN):
            view.save()
        entry.after(view)
        announce(Event.ENTITY_UPDATED, view)
    return view


@transaction.atomic
def delete_view(view: EntityView) -> None:
    """Delete a view; what it shows stays."""
    with audit.deed(ActionType.DELETED, EntityType.ENTITY_VIEW, view) as entry:
        entry.before(view)
        deleting(EntityType.ENTITY_VIEW, [view.pk], view.tenant_id)
        announce(Event.ENTITY_DELETED, view)
        view.delete()


def take_leave(kind: EntityType, ids: Collection[uuid.UUID], tenant_id: uuid.UUID | None) -> None:
    """What views do when entities are about to be deleted: they go with what they show, and with their tenant."""
    if kind is EntityType.TENANT:
        views = EntityView.objects.filter(tenant_id__in=list(ids))
    elif kind in VIEWED:
        views = EntityView.objects.filter(entity_type=kind.value, entity_id__in=list(ids))
    else:
        return
    gone = list(views.values_list("pk", flat=True))
    if gone:
        deleting(EntityType.ENTITY_VIEW, gone, tenant_id)
        EntityView.objects.filter(pk__in=gone).delete()


def _fill(view: EntityView, fields: ViewFields, unique: Uniquify | None) -> None:
    """Set all fields of a view and check them. Raises BadRequest."""
    if not fields.name.strip():
        raise BadRequest("Entity view name should be specified!")
    if not fields.type.strip():
        raise BadRequest("Entity View type should be specified!")
    if fields.entity.type not in VIEWED:
        raise BadRequest(f"entityId: expected a device or an asset, got {fields.entity.type.value}")
    if not hold(fields.entity, view.tenant_id):
        raise BadRequest(f"Can't make a view of a non-existent {fields.entity.type.lower()}: [{fields.entity.id}]")
    for member, ts in (("startTimeMs", fields.start_ts), ("endTimeMs", fields.end_ts)):
        if not 0 <= ts <= LATEST_TS:
            raise BadRequest(f"{member}: expected milliseconds since 1970, 0 for no bound")
    if fields.end_ts and fields.end_ts < fields.start_ts:
        raise BadRequest("endTimeMs: expected a time after startTimeMs")
    view.name, view.type = fields.name.strip(), fields.type.strip()
    if unique is not None:
        others = EntityView.objects.filter(tenant_id=view.tenant_id).exclude(pk=view.pk)
        view.name = unique.free_name(view.name, others, "name")
    view.entity_type, view.entity_id = fields.entity.type.value, fields.entity.id
    view.keys = _keys(fields.keys)
    view.start_ts, view.end_ts = fields.start_ts, fields.end_ts
    view.external_id, view.additional_info = fields.external_id, fields.additional_info


def _keys(given: Mapping[str, Any] | None) -> dict[str, Any]:
    """What the view shows, each key once; unknown members count for nothing. Raises BadRequest."""
    keys = no_keys()
    if not given:
        return keys
    keys["timeseries"] = _names(given.get("timeseries"), "keys.timeseries")
    scopes = given.get("attributes") or {}
    if not isinstance(scopes, Mapping):
        raise BadRequest("keys.attributes: expected an object")
    keys["attributes"] = {scope: _names(scopes.get(scope), f"keys.attributes.{scope}") for scope in SCOPES}
    return keys


def _names(value: Any, member: str) -> list[str]:
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(name, str) and 0 < len(name) <= LONGEST_KEY for name in value):
        raise BadRequest(f"{member}: expected a list of names of at most {LONGEST_KEY} characters")
    if len(value) > MOST_KEYS:
        raise BadRequest(f"{member}: expected at most {MOST_KEYS} names")
    return list(dict.fromkeys(value))
