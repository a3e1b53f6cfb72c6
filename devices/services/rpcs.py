"""Writes of persistent RPCs. How they reach their device is the transports' business (compat/device_transports.md 9)."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import transaction

from devices.models import Device, Rpc, RpcStatus
from devices.services.events import announce_rpc
from tenants.models import ActionType
from tenants.services import audit
from thingsboard.kernel.constraints import refusing
from thingsboard.kernel.encoding import json_bytes
from thingsboard.kernel.entities import not_found
from thingsboard.kernel.errors import BadRequest, NotFound, PayloadTooLarge, TooMany
from thingsboard.kernel.ids import EntityType
from thingsboard.kernel.time import now_ms

MOST_RETRIES = 5
MOST_WAITING = 1000  # of one device
LARGEST_BODY = 65_536  # bytes of JSON, as a device's reply may have

_OPEN = (RpcStatus.QUEUED, RpcStatus.SENT, RpcStatus.DELIVERED, RpcStatus.TIMEOUT)
_ENDS = frozenset({RpcStatus.SUCCESSFUL, RpcStatus.EXPIRED, RpcStatus.FAILED, RpcStatus.DELETED})
# What may follow. An attempt that failed goes back into the queue; the last one ends in FAILED.
_NEXT: dict[str, frozenset[str]] = {
    RpcStatus.QUEUED: frozenset({RpcStatus.SENT, RpcStatus.DELIVERED, RpcStatus.TIMEOUT}) | _ENDS,
    RpcStatus.SENT: frozenset({RpcStatus.QUEUED, RpcStatus.DELIVERED, RpcStatus.TIMEOUT}) | _ENDS,
    RpcStatus.DELIVERED: frozenset({RpcStatus.QUEUED, RpcStatus.TIMEOUT}) | _ENDS,
    RpcStatus.TIMEOUT: frozenset({RpcStatus.QUEUED, RpcStatus.SENT, RpcStatus.DELIVERED}) | _ENDS,
    RpcStatus.SUCCESSFUL: frozenset({RpcStatus.DELETED}),
    RpcStatus.EXPIRED: frozenset({RpcStatus.DELETED}),
    RpcStatus.FAILED: frozenset({RpcStatus.DELETED}),
    RpcStatus.DELETED: frozenset(),
}


@transaction.atomic
def create_rpc(
    device: Device,
    request: dict[str, Any],
    *,
    expiration_time: int,
    retries: int | None = None,
    rpc_id: uuid.UUID | None = None,
    additional_info: dict[str, Any] | None = None,
) -> Rpc:
    """Queue a command until `expiration_time` (ms). Of retries at most MOST_RETRIES are made. `rpc_id`: that of the request.

    Raises BadRequest, PayloadTooLarge, TooMany while too many wait for the device, NotFound where it is gone.
    """
    if expiration_time <= now_ms():
        raise BadRequest("expirationTime: expected a time in the future, in milliseconds since 1970")
    if retries is not None and retries < 0:
        raise BadRequest("retries: expected a whole number from 0")
    _require_small("request", request)
    with _told_of_call(device, request):
        rpc = _queue(device, request, expiration_time, retries, rpc_id, additional_info)
        announce_rpc(rpc)
    return rpc


@contextmanager
def _told_of_call(device: Device, request: dict[str, Any]) -> Iterator[None]:
    """Tell the audit log that somebody calls the device. Rules do as well, of which the log is not told."""
    if audit.acting_user() is None:
        yield
        return
    with audit.deed(ActionType.RPC_CALL, EntityType.DEVICE, device) as entry:
        entry.after({"request": request})
        yield


def _queue(
    device: Device,
    request: dict[str, Any],
    expiration_time: int,
    retries: int | None,
    rpc_id: uuid.UUID | None,
    additional_info: dict[str, Any] | None,
) -> Rpc:
    """See `create_rpc`."""
    # Two that queue at once must not both take the last place.
    held = Device.objects.select_for_update(of=("self",), no_key=True).filter(pk=device.pk).first()
    if held is None:
        raise not_found(EntityType.DEVICE, device.pk)
    if Rpc.objects.filter(device=held, status__in=_OPEN).count() >= MOST_WAITING:
        raise TooMany(f"{MOST_WAITING} requests wait for the device already")
    rpc = Rpc(
        tenant_id=held.tenant_id,
        device=held,
        request=request,
        expiration_time=expiration_time,
        retries=None if retries is None else min(retries, MOST_RETRIES),
        additional_info=additional_info,
        **({} if rpc_id is None else {"id": rpc_id}),
    )
    with refusing({"devices_rpc_pkey": "A request with this id exists already!"}):
        rpc.save(force_insert=True)
    return rpc


@transaction.atomic
def change_status(rpc_id: uuid.UUID, status: RpcStatus, *, response: Any = None) -> Rpc:
    """Say how far a request has come, with the device's answer (JSON) where there is one.

    The present status once more changes nothing: a device may acknowledge twice. Raises NotFound, PayloadTooLarge, and
    BadRequest for a status that cannot follow: an answer after the end comes too late.
    """
    _require_small("response", response)
    rpc = _locked(rpc_id)
    if rpc.status == status:
        return rpc
    if status not in _NEXT[rpc.status]:
        raise BadRequest(f"A request that is {rpc.status} does not become {status.value}")
    rpc.status = status
    if response is not None:
        rpc.response = response
    rpc.version += 1
    rpc.save(update_fields=["status", "response", "version"])
    announce_rpc(rpc)
    return rpc


@transaction.atomic
def delete_rpc(rpc: Rpc) -> None:
    """Delete a request; where it was not sent yet, it never will be. Raises NotFound."""
    rpc = _locked(rpc.pk)
    with audit.deed(ActionType.DELETED, EntityType.RPC, rpc) as entry:
        entry.before({"status": rpc.status, "device_id": str(rpc.device_id)})
        if rpc.status != RpcStatus.DELETED:
            rpc.status = RpcStatus.DELETED
            announce_rpc(rpc)
        rpc.delete()


def _locked(rpc_id: uuid.UUID) -> Rpc:
    found: Rpc | None = Rpc.objects.select_for_update(of=("self",)).filter(pk=rpc_id).first()
    if found is None:
        raise NotFound(f"Rpc with id [{rpc_id}] is not found")
    return found


def _require_small(member: str, value: Any) -> None:
    size = len(json_bytes(value))
    if size > LARGEST_BODY:
        raise PayloadTooLarge(f"{member}: {size} bytes of JSON; expected at most {LARGEST_BODY}")
