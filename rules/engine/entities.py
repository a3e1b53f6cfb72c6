"""What a batch knows of the entities that it is about: read once, for all of them at a time."""

import uuid
from collections.abc import Collection, Mapping
from typing import Any

import psycopg
from django.db.models import Model

from rules.node import EntityFields
from thingsboard.kernel.entities import registered
from thingsboard.kernel.ids import EntityId, EntityType

_DEVICES = (
    "SELECT d.id, d.name, p.name, d.label, d.customer_id, p.id, p.default_rule_chain_id, d.created_time "
    "FROM devices_device d JOIN devices_deviceprofile p ON p.id = d.profile_id WHERE d.tenant_id = %s AND d.id = ANY(%s)"
)
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
}


class Entities:
    """Of one batch of one tenant."""

    def __init__(self, connection: "psycopg.Connection[Any]", tenant_id: uuid.UUID) -> None:
        self._connection, self._tenant_id = connection, tenant_id
        self._known: dict[EntityId, EntityFields | None] = {}
        # The chains that the profiles of originators name, by originator (16 bytes each).
        self.profile_chain: dict[EntityId, bytes] = {}

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

    def _devices(self, ids: Collection[uuid.UUID]) -> None:
        cursor = psycopg.Cursor(self._connection)
        for pk, name, kind, label, customer, profile, chain, created in cursor.execute(
            _DEVICES, [self._tenant_id, list(ids)], prepare=True
        ):
            entity = EntityId(EntityType.DEVICE, pk)
            fields = {"name": name, "type": kind, "label": label, "createdTime": str(created)}
            self._known[entity] = EntityFields(name, kind, label, customer, profile, fields)
            if chain is not None:
                self.profile_chain[entity] = chain.bytes

    def _others(self, kind: EntityType, ids: Collection[uuid.UUID]) -> None:
        door = registered().get(kind)
        if door is None:
            return
        rows = door.model._default_manager.filter(pk__in=ids)
        if kind is EntityType.TENANT:
            rows = rows.filter(pk=self._tenant_id)
        elif door.tenant_field:
            rows = rows.filter(**{door.tenant_field: self._tenant_id})
        for found in rows:
            entity = EntityId(kind, found.pk)
            self._known[entity] = _described(found)
            chain = getattr(getattr(found, "profile", None), "default_rule_chain_id", None)
            if chain is not None:
                self.profile_chain[entity] = chain.bytes


def _described(found: Model) -> EntityFields:
    fields: dict[str, str] = {}
    for name, sources in _FIELDS.items():
        value = next((each for source in sources if (each := getattr(found, source, None)) is not None), None)
        if value is not None:
            fields[name] = str(value)
    return EntityFields(
        fields.get("name", ""),
        fields.get("type", ""),
        fields.get("label", ""),
        getattr(found, "customer_id", None),
        getattr(found, "profile_id", None),
        fields,
    )


def device_metadata(described: EntityFields | None, type: str, ts: int) -> Mapping[str, str]:
    """What ThingsBoard says with every message of a device (compat/rule_engine.md, "Messages fed by the platform")."""
    known = {} if described is None else {"deviceName": described.name, "deviceType": described.type}
    return {**known, "notifyDevice": "false"} if type == "POST_ATTRIBUTES_REQUEST" else {**known, "ts": str(ts)}
