"""The JSON of points and attributes (compat/data_model.md 8)."""

from collections.abc import Iterable
from typing import Any

from telemetry.json import typed
from telemetry.points import Attribute, Point
from telemetry.text import text


def points_json(points: Iterable[Point], *, strict: bool) -> list[dict[str, Any]]:
    """[{"ts", "value"}]: values as text, as ThingsBoard's clients expect, or typed where `strict` asks for it."""
    shape = typed if strict else text
    return [{"ts": point.ts, "value": shape(point.value)} for point in points]


def attributes_json(attributes: Iterable[Attribute]) -> list[dict[str, Any]]:
    """[{"lastUpdateTs", "key", "value"}], values typed."""
    return [
        {"lastUpdateTs": attribute.last_update_ts, "key": attribute.key, "value": typed(attribute.value)}
        for attribute in attributes
    ]
