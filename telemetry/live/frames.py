"""The JSON that goes to clients (compat/websocket.md 4)."""

from collections.abc import Mapping, Sequence
from enum import IntEnum
from typing import Any

import orjson

from telemetry.live.conflation import Sample
from thingsboard.kernel.ids import EntityId

ALLOWED_ENTITIES = 10_000


class Fault(IntEnum):
    """ThingsBoard's error codes of subscriptions."""

    INTERNAL = 1
    BAD_REQUEST = 2
    UNAUTHORIZED = 3
    TOO_MANY_UPDATES = 34


def values_frame(cmd_id: int, data: Mapping[str, Sequence[Sample]]) -> str:
    """Of ATTRIBUTES, TIMESERIES and TIMESERIES_HISTORY: values by key, and the time of each list's last."""
    return _json(
        {
            "subscriptionId": cmd_id,
            "errorCode": 0,
            "errorMsg": None,
            "data": {key: [[each.ts, each.value] for each in samples] for key, samples in data.items()},
            "latestValues": {key: samples[-1].ts for key, samples in data.items() if samples},
        }
    )


def error_frame(cmd_id: int, code: Fault, message: str) -> str:
    """What is wrong with a command of any kind, or why a subscription ends."""
    return _json(
        {"subscriptionId": cmd_id, "errorCode": int(code), "errorMsg": message, "data": None, "latestValues": {}}
    )


def too_many_frame(cmd_id: int) -> str:
    """Said once when the rate limit is reached."""
    return _json({"subscriptionId": cmd_id, "errorCode": int(Fault.TOO_MANY_UPDATES), "errorMsg": "Too many updates!"})


def entity_frame(
    cmd_id: int, *, data: Mapping[str, Any] | None = None, update: Sequence[Mapping[str, Any]] | None = None
) -> str:
    """Of ENTITY_DATA: a page, or what changed in it."""
    return _json(
        {
            "cmdId": cmd_id,
            "errorCode": 0,
            "errorMsg": None,
            "cmdUpdateType": "ENTITY_DATA",
            "data": data,
            "update": update,
            "allowedEntities": ALLOWED_ENTITIES,
        }
    )


def entity_json(
    entity: EntityId,
    *,
    latest: Mapping[str, Mapping[str, Sample]] | None = None,
    series: Mapping[str, Sequence[Sample]] | None = None,
    aggregates: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """EntityData: what is None is null."""
    return {
        "entityId": entity.to_json(),
        "latest": None
        if latest is None
        else {kind: {key: _sample(each) for key, each in of.items()} for kind, of in latest.items()},
        "timeseries": None
        if series is None
        else {key: [_sample(each) for each in samples] for key, samples in series.items()},
        "aggLatest": aggregates,
    }


def _sample(sample: Sample) -> dict[str, Any]:
    return {"ts": sample.ts, "value": sample.value}


def _json(document: Mapping[str, Any]) -> str:
    return orjson.dumps(document).decode()
