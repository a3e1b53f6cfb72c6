"""What a batch knows of the entities that it is about: read once, for all of them at a time."""

import uuid
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

import orjson
import psycopg
from django.db.models import Model

from rules.node import EntityFields
from thingsboard.kernel.encoding import json_bytes
from thingsboard.kernel.entities import registered
from thingsboard.kernel.ids import NULL_UUID, EntityId, EntityType
from thingsboard.kernel.outbox import MAIN

# All of a device that costs little: of most batches nobody asks what comes behind the queue.
_DEVICES = (
    "SELECT d.id, d.name, p.name, d.label, d.customer_id, p.id, p.default_rule_chain_id, p.default_queue_name, "
    "d.created_time, d.additional_info::text, d.firmware_id, d.software_id, d.external_id, d.version "
    "FROM devices_device d JOIN devices_deviceprofile p ON p.id = d.profile_id WHERE d.tenant_id = %s AND d.id = ANY(%s)"
)
NULL = "null"  # what the text of a field that is not set is, in ThingsBoard
# ThingsBoard's names of fields that models call otherwise; every other one is the model's own in camelCase.
_FIELDS = {
    "name": ("name", "title", "email"),
    "type": ("type",),
    "label": ("label",),
    "title": ("title",),
    "firstName": ("first_name",),
    "lastName": ("last_name",),
    "email": ("email",),
    "country": ("country",),
    "state": ("state",),
    "city": ("city",),
    "address": ("address",),
    "address2": ("address2",),
    "zip": ("zip",),
    "phone": ("phone",),
    "createdTime": ("created_time",),
    "additionalInfo": ("additional_info",),
}


class Fields(Mapping[str, str]):
    """The fields of an entity by ThingsBoard's names, made when the first one is asked for: a batch knows many entities, and
    hardly a chain asks for their fields.
    """

    __slots__ = ("_known", "_make", "_source")

    def __init__(self, make: Callable[[Any], dict[str, str]], source: Any) -> None:
        self._make, self._source = make, source
        self._known: dict[str, str] | None = None

    def _all(self) -> dict[str, str]:
        if self._known is None:
            self._known = self._make(self._source)
        return self._known

    def __getitem__(self, name: str) -> str:
        return self._all()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())


class Entities:
    """Of one batch of one tenant."""

    def __init__(self, connection: "psycopg.Connection[Any]", tenant_id: uuid.UUID) -> None:
        self._connection, self._tenant_id = connection, tenant_id
        self._known: dict[EntityId, EntityFields | None] = {}
        # The chains that the profiles of originators name, by originator (16 bytes each).
        self.profile_chain: dict[EntityId, bytes] = {}
        self._queues: dict[EntityId, str] = {}

    def describe(self, entities: Collection[EntityId]) -> dict[EntityId, EntityFields]:
        """Those of the entities that exist in the tenant."""
        missing: dict[EntityType, set[uuid.UUID]] = {}
        known = self._known
        for each in entities:
            if each not in known:
                known[each] = None
                missing.setdefault(each.type, set()).add(each.id)
        for kind, ids in missing.items():
            if kind is EntityType.DEVICE:
                self._devices(ids)
            else:
                self._others(kind, ids)
        return {each: found for each in entities if (found := known[each]) is not None}

    def forget(self, entity: EntityId) -> None:
        """It was changed or made: read it anew when somebody asks."""
        self._known.pop(entity, None)
        self.profile_chain.pop(entity, None)
        self._queues.pop(entity, None)

    def queue_of(self, entity: EntityId) -> str:
        """The queue in which what happens to the entity is announced (kernel.entities.Door.queue)."""
        self.describe([entity])
        return self._queues.get(entity, MAIN)

    def hold(self, entities: Collection[EntityId]) -> bool:
        """Nobody deletes them before the transaction ends, as with `kernel.entities.hold`; False: one of them is gone."""
        wanted: dict[EntityType, set[uuid.UUID]] = {}
        for each in entities:
            wanted.setdefault(each.type, set()).add(each.id)
        for kind, ids in sorted(wanted.items()):
            door = registered().get(kind)
            if door is None:
                return False
            sql = f'SELECT id FROM "{door.model._meta.db_table}" WHERE id = ANY(%s) ORDER BY id FOR KEY SHARE'  # noqa: S608
            if len(psycopg.Cursor(self._connection).execute(sql, [list(ids)]).fetchall()) < len(ids):
                return False
        return True

    def _devices(self, ids: Collection[uuid.UUID]) -> None:
        cursor, make = psycopg.Cursor(self._connection), self._device_fields
        for row in cursor.execute(_DEVICES, [self._tenant_id, list(ids)], prepare=True):
            pk, name, kind, label, customer, profile, chain, queue, *_ = row
            entity = EntityId(EntityType.DEVICE, pk)
            self._known[entity] = EntityFields(name, kind, label, customer, profile, Fields(make, row))
            if chain is not None:
                self.profile_chain[entity] = chain.bytes
            if queue:
                self._queues[entity] = queue

    def _device_fields(self, row: tuple[Any, ...]) -> dict[str, str]:
        """All but `deviceData`."""
        pk, name, kind, label, customer, profile, _, _, created, info, firmware, software, external, version = row
        return {
            "id": str(pk),
            "createdTime": str(created),
            "tenantId": str(self._tenant_id),
            "customerId": str(customer or NULL_UUID),
            "name": name,
            "type": kind,
            "label": label or NULL,
            "deviceProfileId": str(profile),
            "firmwareId": str(firmware or NULL),
            "softwareId": str(software or NULL),
            "externalId": str(external or NULL),
            "version": str(version),
            "additionalInfo": NULL if info is None else json_bytes(orjson.loads(info)).decode(),
        }

    def _others(self, kind: EntityType, ids: Collection[uuid.UUID]) -> None:
        door = registered().get(kind)
        if door is None:
            return
        rows = door.model._default_manager.filter(pk__in=ids)
        if kind is EntityType.TENANT:
            rows = rows.filter(pk=self._tenant_id)
        elif door.tenant_field:
            rows = rows.filter(**{door.tenant_field: self._tenant_id})
        if any(field.name == "profile" for field in door.model._meta.concrete_fields):
            rows = rows.select_related("profile")
        for found in rows:
            entity = EntityId(kind, found.pk)
            self._known[entity] = _described(found)
            chain = getattr(getattr(found, "profile", None), "default_rule_chain_id", None)
            if chain is not None:
                self.profile_chain[entity] = chain.bytes
            queue = door.queue(found) if door.queue is not None else None
            if queue:
                self._queues[entity] = queue


def _described(found: Model) -> EntityFields:
    return EntityFields(
        str(_value(found, "name") or ""),
        str(_value(found, "type") or ""),
        str(_value(found, "label") or ""),
        getattr(found, "customer_id", None),
        getattr(found, "profile_id", None),
        Fields(_model_fields, found),
    )


def _value(found: Model, name: str) -> Any:
    return next((each for source in _FIELDS[name] if (each := getattr(found, source, None)) is not None), None)


def _model_fields(found: Model) -> dict[str, str]:
    fields = {"id": str(found.pk)}
    for name, sources in _FIELDS.items():
        if any(hasattr(found, source) for source in sources):
            value = _value(found, name)
            if value is None or value == "":  # what is not set is null in ThingsBoard's API
                fields[name] = NULL
            else:
                fields[name] = json_bytes(value).decode() if isinstance(value, dict | list) else str(value)
    return fields


def device_metadata(described: EntityFields | None, type: str, ts: int) -> Mapping[str, str]:
    """What ThingsBoard says with every message of a device (compat/rule_engine.md, "Messages fed by the platform")."""
    known = {} if described is None else {"deviceName": described.name, "deviceType": described.type}
    return {**known, "notifyDevice": "false"} if type == "POST_ATTRIBUTES_REQUEST" else {**known, "ts": str(ts)}
