"""/telemetry/{entity_type}/{id}/...timeseries of our own API."""

import uuid

from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from telemetry import deeds, services
from telemetry.api.base import readable, readings_of, writable
from telemetry.api.parameters import MOST_KEYS, OURS, deletion, history_query, keys_of, wants_history
from telemetry.api.shapes import points_json
from telemetry.api.v1.base import ResourceView
from telemetry.points import Point
from thingsboard.kernel.api import Query
from thingsboard.kernel.errors import BadRequest


class Keys(ResourceView):
    """.../keys/timeseries"""

    def get(self, request: Request, entity_type: str, entity_id: str) -> Response:
        """{"data": ["key"]}"""
        return Response({"data": services.timeseries_keys(readable(request, entity_type, entity_id))})


class Values(ResourceView):
    """.../values/timeseries: the latest values, or history where start_ts and end_ts are given."""

    def get(self, request: Request, entity_type: str, entity_id: str) -> Response:
        """{"data": {"key": [{"ts", "value"}]}}; an asked key without data has an empty list."""
        entity, query = readable(request, entity_type, entity_id), Query(request)
        keys = keys_of(query)
        found = _history(entity, query, keys) if _has_range(query) else _latest(entity, keys)
        shown = {name: points_json(points, strict=True) for name, points in found.items()}
        return Response({"data": {**{key: [] for key in keys or ()}, **shown}})


class Series(ResourceView):
    """.../timeseries(/{scope}): the scope says nothing, as in ThingsBoard's API."""

    def post(self, request: Request, entity_type: str, entity_id: str, scope: str = "ANY") -> Response:
        """{"k": v}, {"ts", "values"} or an array of either: {"saved": points}, once they are committed."""
        target = writable(request, entity_type, entity_id)
        readings = readings_of(request)
        deeds.save_points(target, readings)
        return Response({"saved": sum(len(values) for _, values in readings)})

    def delete(self, request: Request, entity_type: str, entity_id: str, scope: str = "ANY") -> Response:
        """Points of `keys` in [start_ts, end_ts), or all of them with delete_all: 204."""
        target = writable(request, entity_type, entity_id)
        asked = deletion(Query(request), OURS)
        deeds.delete_points(
            target,
            asked.keys,
            start_ts=asked.start_ts,
            end_ts=asked.end_ts,
            delete_latest=asked.delete_latest,
            rewrite_latest=asked.rewrite_latest,
        )
        return Response(status=status.HTTP_204_NO_CONTENT)


def _has_range(query: Query) -> bool:
    """Whether history is asked for. Raises BadRequest for half a range."""
    if wants_history(query, OURS):
        return True
    if {OURS.start, OURS.end} & query.keys():
        raise BadRequest(f"Expected both {OURS.start} and {OURS.end}, or neither for the latest values")
    return False


def _latest(entity_id: uuid.UUID, keys: list[str] | None) -> dict[str, list[Point]]:
    return {key: [point] for key, point in services.latest(entity_id, keys).items()}


def _history(entity_id: uuid.UUID, query: Query, keys: list[str] | None) -> dict[str, list[Point]]:
    asked = keys or services.timeseries_keys(entity_id)[:MOST_KEYS]
    return services.history(entity_id, history_query(query, OURS, asked))
