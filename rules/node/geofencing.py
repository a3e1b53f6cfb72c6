"""What the two "gps geofencing" nodes have in common: where the message's originator is, and which perimeter counts."""

import enum
import math
from collections.abc import Mapping
from typing import Any

from rules.node.config import Config
from rules.node.geofence import Circle, Perimeter, RangeUnit, circle, polygons
from rules.node.message import Msg


class PerimeterType(enum.StrEnum):
    """ThingsBoard's names."""

    POLYGON = "POLYGON"
    CIRCLE = "CIRCLE"


class GeofencingConfig(Config, frozen=True):
    """The names of the coordinates, and the perimeter: its own, or that of the metadata."""

    NEW = {"fetchPerimeterInfoFromMessageMetadata": True, "perimeterKeyName": "ss_perimeter"}

    latitude_key_name: str = "latitude"
    longitude_key_name: str = "longitude"
    perimeter_type: PerimeterType = PerimeterType.POLYGON
    fetch_perimeter_info_from_message_metadata: bool = False
    perimeter_key_name: str | None = None
    polygons_definition: str | None = None
    center_latitude: float | None = None
    center_longitude: float | None = None
    range: float | None = None
    range_unit: RangeUnit | None = None


class Geofence:
    """The perimeter of a node. `inside` says of a message whether its coordinates are in it."""

    def __init__(self, config: GeofencingConfig) -> None:
        """Raises ValueError where the configured perimeter cannot be one."""
        self._config = config
        self._fixed: Perimeter | None = None
        if not config.fetch_perimeter_info_from_message_metadata:
            self._fixed = _configured(config)

    def inside(self, msg: Msg) -> bool:
        """Raises ValueError where coordinates or perimeter are missing or cannot be such."""
        config = self._config
        members = msg.data.members
        latitude = _number(msg, members, config.latitude_key_name)
        longitude = _number(msg, members, config.longitude_key_name)
        return (self._fixed or self._perimeter(msg)).has(latitude, longitude)

    def _perimeter(self, msg: Msg) -> Perimeter:
        """That of the metadata."""
        key, metadata = self._config.perimeter_key_name, msg.metadata
        if not key:  # saved before perimeters had a key of their own
            if metadata.get("perimeter"):
                return polygons(metadata["perimeter"])
            if metadata.get("centerLatitude"):
                names = ("centerLatitude", "centerLongitude", "range")
                latitude, longitude, distance = (_float(name, metadata.get(name)) for name in names)
                return Circle(latitude, longitude, distance, RangeUnit.of(metadata.get("rangeUnit")))
            raise ValueError("Missing perimeter definition!")
        definition = metadata.get(key)
        if not definition:
            raise ValueError("Missing perimeter definition!")
        return polygons(definition) if self._config.perimeter_type is PerimeterType.POLYGON else circle(definition)


def _configured(config: GeofencingConfig) -> Perimeter:
    if config.perimeter_type is PerimeterType.POLYGON:
        if not (config.polygons_definition or "").strip():
            raise ValueError("Polygon string can't be empty or null!")
        return polygons(config.polygons_definition or "")
    latitude, longitude, distance = config.center_latitude, config.center_longitude, config.range
    if latitude is None or longitude is None or distance is None or config.range_unit is None:
        raise ValueError("The circle is not complete; expected its centre, a range and the range's unit.")
    return Circle(latitude, longitude, distance, config.range_unit)


def _number(msg: Msg, members: Mapping[str, Any], key: str) -> float:
    """A coordinate: of the body, else of the metadata. Raises ValueError."""
    value = members.get(key)
    if value is None or isinstance(value, dict | list):
        value = msg.metadata.get(key)
        if not value:
            raise ValueError(f"Incoming Message has no {key} in data or metadata!")
    return _float(key, value)


def _float(key: str, value: Any) -> float:
    try:
        number = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(f"{key} is {str(value)[:40]!r}; expected a number.")
    return number
