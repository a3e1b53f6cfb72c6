"""Writes of the audit log: every deed of a user, in the transaction that does it; a deed that failed after it ended.

    with audit.deed(ActionType.UPDATED, EntityType.DEVICE, device) as entry:   # inside the service's transaction
        ...
        entry.after(device)

Who acts and from where comes from the request that is being served (`remember_request` is a middleware), so that services
need not be told. Where nobody asks over HTTP (a command, a task), the user stays empty. What rule nodes do is not written.
"""

import logging
import re
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import orjson
from django.db import DatabaseError, models
from django.http import HttpRequest, HttpResponseBase

from tenants.address import client_address
from tenants.models import ActionType, AuditLog, Tenant, User
from tenants.services.acting import acting_node
from thingsboard.kernel.encoding import json_bytes
from thingsboard.kernel.errors import NotAvailable, PlatformError
from thingsboard.kernel.ids import EntityType

log = logging.getLogger(__name__)

# What is secret or says nothing. A secret that changed is told by its name alone.
_SECRETS = frozenset({"password", "lookup", "encrypted_id", "encrypted_value", "provision_device_key"})
# Members of free JSON that are secret whatever they hold: provisionDeviceSecret, SNMP's community and passphrases, ...
_SECRET_MEMBER = re.compile(r"secret|passw|passphrase|private_?key|token|community|psk", re.IGNORECASE)
_DULL = frozenset({"id", "created_time", "version", "last_login", "session_generation", "is_superuser"})
LARGEST_VALUE = 4096  # bytes of a member's JSON; what is longer is cut
LARGEST_NAME = 255
LONGEST_ADDRESS = 64
LONGEST_FAILURE = 1024


@dataclass(slots=True)
class _Served:
    """The request that is being served, and the deeds that failed in it."""

    request: HttpRequest
    failed: list[AuditLog] = field(default_factory=list)


_served: ContextVar[_Served | None] = ContextVar("audited_request", default=None)


def remember_request(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Middleware: who asks is known to the services, and what failed is written once its transaction is rolled back."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        served = _Served(request)
        token = _served.set(served)
        try:
            return get_response(request)
        finally:
            _served.reset(token)
            if served.failed:
                _write(served.failed)

    return middleware


def _write(failed: list[AuditLog]) -> None:
    """Write what failed; where that fails, too, the answer to the request is still its own."""
    try:
        AuditLog.objects.bulk_create(failed)
    except DatabaseError:
        log.exception("%d deeds that failed could not be written to the audit log", len(failed))


class Entry:
    """One deed while it is being done. Values are what `snapshot` makes of an object, or any JSON."""

    def __init__(self, action: ActionType, kind: EntityType, target: models.Model) -> None:
        self.row = AuditLog(
            action=action,
            entity_type=kind.value,
            entity_id=target.pk,
            entity_name=str(target)[:LARGEST_NAME],
            tenant_id=_tenant_of(target),
            customer_id=getattr(target, "customer_id", None),
        )
        self._before: Mapping[str, Any] = {}
        _sign(self.row)

    def before(self, target: models.Model | Mapping[str, Any]) -> None:
        """How it was."""
        self._before = _as_values(target)
        self.row.data = _difference(self._before, {})

    def after(self, target: models.Model | Mapping[str, Any]) -> None:
        """How it is now; what did not change is left out."""
        self.row.data = _difference(self._before, _as_values(target))
        if isinstance(target, models.Model):
            self.row.entity_name = str(target)[:LARGEST_NAME]


@contextmanager
def deed(action: ActionType, kind: EntityType, target: models.Model) -> Iterator[Entry]:
    """Record what is done inside: with its success in the caller's transaction, or its failure once that is rolled back."""
    entry = Entry(action, kind, target)
    if acting_node() is not None:
        yield entry
        return
    try:
        yield entry
    except Exception as error:
        _failed(entry.row, error)
        raise
    entry.row.save(force_insert=True)


def record(action: ActionType, kind: EntityType, target: models.Model, data: Mapping[str, Any] | None = None) -> None:
    """Record something that has been done."""
    with deed(action, kind, target) as entry:
        if data is not None:
            entry.after(data)


def account_event(
    action: ActionType, user: User, *, by: User | None, address: str = "", failure: str = "", note: str = ""
) -> None:
    """Record what happened to an account. `by` is who did it, None for whoever sends the request that is being served.

    A failure outlives the transaction in which it is found, as long as a request is being served.
    """
    row = Entry(action, EntityType.USER, user).row
    if by is not None:
        row.user_id, row.user_name = by.pk, by.email
    row.address = address[:LONGEST_ADDRESS] or row.address
    row.data = {"note": note} if note else {}
    served = _served.get()
    if not failure:
        row.save(force_insert=True)
        return
    row.success, row.failure = False, failure[:LONGEST_FAILURE]
    if served is not None:
        served.failed.append(row)
    else:
        row.save(force_insert=True)


def snapshot(target: models.Model) -> dict[str, Any]:
    """The object's own columns that matter, as JSON values; secrets only as a mark that changes when they do."""
    values: dict[str, Any] = {}
    for column in target._meta.concrete_fields:
        name = column.attname
        if name in _DULL:
            continue
        value = getattr(target, name)
        values[name] = _Secret(value) if name in _SECRETS else value
    return values


@dataclass(frozen=True)
class _Secret:
    """Equal to itself and shown as asterisks."""

    value: Any = field(repr=False)


def _as_values(target: models.Model | Mapping[str, Any]) -> Mapping[str, Any]:
    return snapshot(target) if isinstance(target, models.Model) else target


def _difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """{"before": {...}, "after": {...}} of the members that differ; a side without members is left out."""
    changed = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    sides = {"before": before, "after": after}
    told = {
        side: {name: _told(values[name]) for name in changed if values.get(name) not in (None, "")}
        for side, values in sides.items()
    }
    return {side: values for side, values in told.items() if values}


def _told(value: Any) -> Any:
    """A value as bounded JSON."""
    if isinstance(value, _Secret):
        return "***"
    text = json_bytes(without_secrets(value), default=str)
    if len(text) <= LARGEST_VALUE:
        return orjson.loads(text)
    return text[:LARGEST_VALUE].decode(errors="ignore") + "..."


def without_secrets(value: Any) -> Any:
    """The same JSON with asterisks for members whose names say that they are secret."""
    if isinstance(value, Mapping):
        return {
            name: "***" if item and _SECRET_MEMBER.search(str(name)) else without_secrets(item)
            for name, item in value.items()
        }
    return [without_secrets(item) for item in value] if isinstance(value, list | tuple) else value


def acting_user() -> User | None:
    """Who sends the request that is being served; None where nobody asks over HTTP, or nobody has logged in."""
    served = _served.get()
    user = None if served is None else getattr(served.request, "user", None)
    return user if isinstance(user, User) else None


def _sign(row: AuditLog) -> None:
    """Say who it is and from where."""
    served = _served.get()
    if served is None:
        return
    user = acting_user()
    if user is not None:
        row.user_id, row.user_name = user.pk, user.email
        row.tenant_id = row.tenant_id or user.tenant_id
    row.address = client_address(served.request)[:LONGEST_ADDRESS]


def _failed(row: AuditLog, error: Exception) -> None:
    if isinstance(error, NotAvailable):
        return  # the platform's failure, and of a database without room perhaps
    row.success = False
    row.failure = (error.message if isinstance(error, PlatformError) else type(error).__name__)[:LONGEST_FAILURE]
    served = _served.get()
    if served is not None:
        served.failed.append(row)


def _tenant_of(target: models.Model) -> uuid.UUID | None:
    return target.pk if isinstance(target, Tenant) else getattr(target, "tenant_id", None)
