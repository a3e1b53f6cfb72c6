"""/api/plugins/telemetry/{type}/{id}/...timeseries."""

import uuid
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from telemetry import deeds, services
from telemetry.api.base import EntityView, WriteView, done, readings_of
from telemetry.api.parameters import MOST_KEYS, THINGSBOARD, deletion, history_query, keys_of, wants_history
from telemetry.api.shapes import points_json
from telemetry.points import Point
from thingsboard.kernel.api import Query
from thingsboard.kernel.errors import BadRequest
from thingsboard.kernel.time import now_ms


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
        return _answer(query, _history(key, query) if wants_history(query, THINGSBOARD) else _latest(key, query))


class History(EntityView):
    """.../values/timeseries/history"""

    def get(self, request: Request, kind: str, entity_id: str) -> Response:
        """{"key": [{"ts", "value"}]}"""
        key, query = self.entity(request, kind, entity_id), Query(request)
        return _answer(query, _history(key, query))


class Write(WriteView):
    """.../timeseries/{scope}(/{ttl})

    The scope says nothing and is ignored, as ThingsBoard does. So is the time to live, which is ThingsBoard's for
    Cassandra only: points are kept as long as the platform keeps them (TB_TS_RETENTION_DAYS).
    """

    def post(self, request: Request, kind: str, entity_id: str, scope: str, ttl: str = "0") -> Any:
        """{"k": v}, {"ts", "values"} or an array of either; answered when it is committed."""
        target = self.writable(request, kind, entity_id)
        if not ttl.isascii() or not ttl.isdigit():
            raise BadRequest(f"Invalid ttl '{ttl[:40]}'; expected a whole number of seconds")
        deeds.save_points(target, readings_of(request))
        return done()


class Delete(WriteView):
    """.../timeseries/delete"""

    def delete(self, request: Request, kind: str, entity_id: str) -> Any:
        """Points of `keys` in [startTs, endTs), or all of them with deleteAllDataForKeys."""
        target = self.writable(request, kind, entity_id)
        asked = deletion(Query(request), THINGSBOARD)
        deeds.delete_points(
            target,
            asked.keys,
            start_ts=asked.start_ts,
            end_ts=asked.end_ts,
            delete_latest=asked.delete_latest,
            rewrite_latest=asked.rewrite_latest,
        )
        return done()


def _answer(query: Query, found: dict[str, list[Point]]) -> Response:
    strict = query.flag("useStrictDataTypes")
    return Response({name: points_json(points, strict=strict) for name, points in found.items()})


def _latest(entity_id: uuid.UUID, query: Query) -> dict[str, list[Point]]:
    """The newest point of each asked key; one that has none is null, now."""
    keys = keys_of(query)
    found = services.latest(entity_id, keys)
    if keys is None:
        return {key: [point] for key, point in found.items()}
    return {key: [found.get(key) or Point(now_ms(), None)] for key in keys}


def _history(entity_id: uuid.UUID, query: Query) -> dict[str, list[Point]]:
    """Points in [startTs, endTs), raw or aggregated."""
    keys = keys_of(query) or services.timeseries_keys(entity_id)[:MOST_KEYS]
    return services.history(entity_id, history_query(query, THINGSBOARD, keys))
