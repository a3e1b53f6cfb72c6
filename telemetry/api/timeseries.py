"""/api/plugins/telemetry/{type}/{id}/...timeseries."""

import uuid
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from telemetry import services
from telemetry.api.base import MOST_KEYS, EntityView, WriteView, done, keys_of, rules
from telemetry.api.shapes import points_json
from telemetry.json import telemetry_from_json
from telemetry.points import Aggregation, Point
from telemetry.query import LARGEST_LIMIT, HistoryQuery
from thingsboard.kernel.api import Query
from thingsboard.kernel.errors import BadRequest
from thingsboard.kernel.time import now_ms

LAST_MS = 2**53


class Keys(EntityView):
    """.../keys/timeseries"""

    def get(self, request: Request, kind: str, entity_id: str) -> Response:
        """The names of the entity's series."""
        return Response(services.timeseries_keys(self.entity(request, kind, entity_id)))


class Values(EntityView):
    """.../values/timeseries: the latest values, or history where startTs and endTs are given."""

    def get(self, request: Request, kind: str, entity_id: str) -> Response:
        """{"key": [{"ts", "value"}]}"""
        key, query = self.entity(request, kind, entity_id), Query(request)
        strict = query.flag("useStrictDataTypes")
        found = _history(key, query) if {"startTs", "endTs"} <= query.keys() else _latest(key, query)
        return Response({name: points_json(points, strict=strict) for name, points in found.items()})


class History(EntityView):
    """.../values/timeseries/history"""

    def get(self, request: Request, kind: str, entity_id: str) -> Response:
        """{"key": [{"ts", "value"}]}"""
        key, query = self.entity(request, kind, entity_id), Query(request)
        for name in ("startTs", "endTs"):
            if name not in query:
                raise BadRequest(f"Required request parameter '{name}' is not present")
        strict = query.flag("useStrictDataTypes")
        return Response({name: points_json(points, strict=strict) for name, points in _history(key, query).items()})


class Write(WriteView):
    """.../timeseries/{scope}: the scope says nothing and is ignored, as ThingsBoard does."""

    def post(self, request: Request, kind: str, entity_id: str, scope: str) -> Any:
        """{"k": v}, {"ts", "values"} or an array of either; answered when it is committed."""
        tenant_id, key = self.writable(request, kind, entity_id)
        try:
            readings = telemetry_from_json(self.payload(request), now_ms(), rules(), skip_nulls=False)
        except ValueError as error:
            raise BadRequest(str(error)) from None
        if not readings:
            raise BadRequest("No timeseries data found in request body!")
        services.save(tenant_id, key, readings)
        return done()


class Delete(WriteView):
    """.../timeseries/delete"""

    def delete(self, request: Request, kind: str, entity_id: str) -> Any:
        """Points of `keys` in [startTs, endTs), or all of them with deleteAllDataForKeys."""
        _, key = self.writable(request, kind, entity_id)
        query = Query(request)
        keys = keys_of(query)
        if keys is None:
            raise BadRequest("Empty keys: expected keys=a,b")
        start = end = None
        if not query.flag("deleteAllDataForKeys"):
            if not {"startTs", "endTs"} <= query.keys():
                raise BadRequest("When deleteAllDataForKeys is false, expected startTs and endTs")
            start, end = _time(query, "startTs"), _time(query, "endTs")
        services.delete_timeseries(
            key,
            keys,
            start_ts=start,
            end_ts=end,
            delete_latest=query.flag("deleteLatest", True),
            rewrite_latest=query.flag("rewriteLatestIfDeleted"),
        )
        return done()


def _latest(entity_id: uuid.UUID, query: Query) -> dict[str, list[Point]]:
    """The newest point of each asked key; one that has none is null, now."""
    keys = keys_of(query)
    found = services.latest(entity_id, keys)
    if keys is None:
        return {key: [point] for key, point in found.items()}
    return {key: [found.get(key) or Point(now_ms(), None)] for key in keys}


def _history(entity_id: uuid.UUID, query: Query) -> dict[str, list[Point]]:
    """Points in [startTs, endTs), raw or aggregated."""
    if query.get("intervalType", "MILLISECONDS") != "MILLISECONDS":
        raise BadRequest("Only intervalType=MILLISECONDS is supported yet")
    name = query.get("agg", "NONE").upper()
    if name not in Aggregation.__members__:
        raise BadRequest(f"Unknown agg '{name[:40]}'; expected one of {', '.join(Aggregation)}")
    order = query.get("orderBy", "DESC").upper()
    if order not in {"ASC", "DESC"}:
        raise BadRequest(f"Unknown orderBy '{order[:40]}'; expected ASC or DESC")
    keys = keys_of(query) or services.timeseries_keys(entity_id)[:MOST_KEYS]
    asked = HistoryQuery(
        keys=keys,
        start_ts=_time(query, "startTs"),
        end_ts=_time(query, "endTs"),
        interval_ms=query.whole("interval", 0, low=0, high=LAST_MS),
        agg=Aggregation(name),
        limit=query.whole("limit", 100, low=1, high=LARGEST_LIMIT),
        descending=order == "DESC",
    )
    return services.history(entity_id, asked)


def _time(query: Query, name: str) -> int:
    return query.whole(name, 0, low=0, high=LAST_MS)
