"""What users do with values by hand: done, written to the audit log, and said to the rule chains, in one transaction.

Devices and rules write through `writer` and `services`, of which the log is not told. A row tells at most a few KB, whatever
is written: names and values that no longer fit are counted.
"""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from django.db import transaction
from django.db.models import Model

from telemetry import services
from telemetry.json import typed
from telemetry.points import Json, Reading, Scope, Value
from tenants.models import ActionType
from tenants.services import audit
from tenants.services.events import Event, tell
from thingsboard.kernel.ids import EntityId

LONGEST_TEXT = 256  # characters of a text that are told
LARGEST_SIDE = 3072  # bytes of JSON that are told of one write


@dataclass(frozen=True, slots=True)
class Target:
    """An entity whose values the caller may write, and whose it is."""

    tenant_id: uuid.UUID
    entity: EntityId
    found: Model


@transaction.atomic
def save_points(target: Target, readings: Sequence[Reading]) -> None:
    """Save readings (ts in ms). Raises what `services.save` raises."""
    with audit.deed(ActionType.TIMESERIES_UPDATED, target.entity.type, target.found) as entry:
        services.save(target.tenant_id, target.entity.id, readings)
        times = [ts for ts, _ in readings]
        newest = max(readings, key=lambda reading: reading[0])
        entry.after(
            {
                "points": sum(len(values) for _, values in readings),
                "start_ts": min(times),
                "end_ts": max(times),
                "newest": _told(newest[1]),
            }
        )
        series = [{"ts": ts, "values": _document(values)} for ts, values in readings]
        tell(Event.TIMESERIES_UPDATED, target.entity, target.found, {"timeseries": series})


@transaction.atomic
def save_attributes(target: Target, scope: Scope, values: dict[str, Value]) -> None:
    """Save attributes of one scope. Raises what `services.save_attributes` raises."""
    with audit.deed(ActionType.ATTRIBUTES_UPDATED, target.entity.type, target.found) as entry:
        before = _present(target, scope, list(values))
        services.save_attributes(target.tenant_id, target.entity.id, scope, values)
        changed = [key for key in values if key not in before or not _same(before[key], values[key])]
        entry.before({scope.json: _told({key: before[key] for key in changed if key in before})})
        entry.after({scope.json: _told({key: values[key] for key in changed})})
        tell(Event.ATTRIBUTES_UPDATED, target.entity, target.found, _document(values), {"scope": scope.json})


@transaction.atomic
def delete_attributes(target: Target, scope: Scope, keys: Sequence[str]) -> None:
    """Remove attributes of one scope; what is not there counts for nothing."""
    with audit.deed(ActionType.ATTRIBUTES_DELETED, target.entity.type, target.found) as entry:
        before = _present(target, scope, keys)
        services.delete_attributes(target.entity.id, scope, keys)
        entry.before({scope.json: _told(before)})
        tell(Event.ATTRIBUTES_DELETED, target.entity, target.found, {"attributes": list(keys)}, {"scope": scope.json})


@transaction.atomic
def delete_points(
    target: Target,
    keys: Sequence[str],
    *,
    start_ts: int | None = None,
    end_ts: int | None = None,
    delete_latest: bool = True,
    rewrite_latest: bool = False,
) -> None:
    """Remove the named series, or only their points in [start_ts, end_ts) ms; see `services.delete_timeseries`."""
    with audit.deed(ActionType.TIMESERIES_DELETED, target.entity.type, target.found) as entry:
        services.delete_timeseries(
            target.entity.id,
            keys,
            start_ts=start_ts,
            end_ts=end_ts,
            delete_latest=delete_latest,
            rewrite_latest=rewrite_latest,
        )
        entry.before({"keys": _names(keys), "start_ts": start_ts, "end_ts": end_ts})
        body = {"timeseries": list(keys), "startTs": start_ts, "endTs": end_ts}
        tell(Event.TIMESERIES_DELETED, target.entity, target.found, body)


def _document(values: Mapping[str, Value]) -> dict[str, Any]:
    """The values as JSON, whole."""
    return {key: typed(value) for key, value in values.items()}


def _present(target: Target, scope: Scope, keys: Sequence[str]) -> dict[str, Value]:
    return {each.key: each.value for each in services.attributes(target.entity.id, scope, keys)}


def _same(one: Value, other: Value) -> bool:
    """Equal and of one kind: true is not 1, and 1 is not 1.0."""
    return type(one) is type(other) and one == other


def _told(values: Mapping[str, Value]) -> dict[str, Any]:
    """The values that fit into a row, and how many do not."""
    told: dict[str, Any] = {}
    room = LARGEST_SIDE
    for key, value in values.items():
        shown = _shown(value)
        room -= len(orjson.dumps({key: shown}))
        if room < 0:
            return {**told, "...": f"{len(values) - len(told)} more"}
        told[key] = shown
    return told


def _shown(value: Value) -> Any:
    """A value as JSON; what is long is cut. Long JSON is not shown at all: a secret in it could not be left out."""
    if isinstance(value, Json):
        return orjson.loads(str(value)) if len(value) <= LONGEST_TEXT else f"JSON of {len(value)} characters"
    if isinstance(value, str) and len(value) > LONGEST_TEXT:
        return f"{value[:LONGEST_TEXT]}..."
    return value


def _names(keys: Iterable[str]) -> list[str]:
    return list(_told(dict.fromkeys(keys, True)))
