"""Calls to devices, as a batch makes them: kept ones are written at once, the others told after the COMMIT."""

import uuid
from collections.abc import Collection
from typing import Any

import orjson
import psycopg

from devices.models import Device
from devices.services import rpcs
from devices.services.calls import Call, owners, send_after_commit
from rules.engine.journal import Journal
from rules.node.later import DeviceCall
from thingsboard.kernel.entities import not_found
from thingsboard.kernel.ids import EntityId, EntityType

Connection = psycopg.Connection[Any]


class Calls:
    """Of one batch of one tenant, inside Django's open transaction on the connection."""

    def __init__(self, connection: Connection, tenant_id: uuid.UUID, journal: Journal) -> None:
        self._connection, self._tenant_id, self._journal = connection, tenant_id, journal
        self._owners: dict[uuid.UUID, uuid.UUID | None] = {}
        self._pending: list[Call] = []

    def connected(self, devices: Collection[EntityId]) -> set[EntityId]:
        """Those that have a session: one statement for all that were not asked about yet."""
        missing = {each.id for each in devices if each.type is EntityType.DEVICE} - self._owners.keys()
        if missing:
            found = owners(self._connection, self._tenant_id, missing)
            self._owners |= {device: found.get(device) for device in missing}
        return {each for each in devices if self._owners.get(each.id) is not None}

    def make(self, request: DeviceCall) -> None:
        """Raises ValueError, PlatformError. A kept one takes some statements of its own: they are rare, and each is bounded."""
        if request.persistent:
            self._keep(request)
            return
        self._pending.append(
            Call(
                request.id, request.device.id, request.number, request.method, request.params, request.oneway,
                request.expires, request.additional_info,
            )
        )  # fmt: skip
        self._journal.note(self._pending.pop)

    def _keep(self, request: DeviceCall) -> None:
        device = Device.objects.filter(pk=request.device.id, tenant_id=self._tenant_id).first()
        if device is None:
            raise not_found(EntityType.DEVICE, request.device.id)
        # ThingsBoard's ToDeviceRpcRequest, whose params are text.
        said = {
            "id": str(request.id),
            "tenantId": EntityId(EntityType.TENANT, self._tenant_id).to_json(),
            "deviceId": request.device.to_json(),
            "oneway": request.oneway,
            "expirationTime": request.expires,
            "body": {"method": request.method, "params": request.params},
            "persisted": True,
            "retries": request.retries,
        }
        rpcs.create_rpc(
            device,
            said,
            expiration_time=request.expires,
            retries=request.retries,
            rpc_id=request.id,
            additional_info=None if request.additional_info is None else _json_or_text(request.additional_info),
        )

    def write(self) -> None:
        """Have what is pending told after the COMMIT."""
        pending, self._pending = self._pending, []
        if pending:
            self.connected([EntityId(EntityType.DEVICE, call.device_id) for call in pending])
            by = {device: node for device, node in self._owners.items() if node is not None}
            send_after_commit(self._tenant_id, pending, by)

    def forget(self) -> None:
        """Undo what was not written."""
        self._pending.clear()


def _json_or_text(text: str) -> Any:
    try:
        return orjson.loads(text)
    except ValueError:
        return text
