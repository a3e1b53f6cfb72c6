"""Perimeters on the map, circles and polygons, and whether a place lies inside (the two "gps geofencing" nodes).

Polygons are read and understood as ThingsBoard does: `[[lat, lon], ...]`, or a list of those, nested as deep as people like;
two corners make a rectangle; a polygon inside another one is a hole in it; where one crosses itself, what it goes round is
inside. A place on the border is outside. Coordinates are plane, distances are on a sphere.
"""

import enum
import math
from functools import lru_cache
from typing import Any, Final, NamedTuple

import orjson

MOST_CORNERS: Final = 10_000
MOST_CORNERS_OF_SEVERAL: Final = 1_000  # each polygon is compared with each other one

_DEEPEST: Final = 16  # lists in lists
_EARTH_KM: Final = 6371.0087714
_RECTANGLE, _TRIANGLE = 2, 3

Point = tuple[float, float]  # latitude, longitude


class RangeUnit(enum.StrEnum):
    """Units of a radius."""

    METER = "METER"
    KILOMETER = "KILOMETER"
    FOOT = "FOOT"
    MILE = "MILE"
    NAUTICAL_MILE = "NAUTICAL_MILE"

    @classmethod
    def of(cls, text: Any) -> "RangeUnit":
        """By its name. Raises ValueError with a sentence."""
        try:
            return cls(text)
        except ValueError:
            raise ValueError(f"Unknown range unit {str(text)[:40]!r}; expected one of {', '.join(cls)}.") from None


_OF_A_KM: Final = {
    RangeUnit.METER: 1000.0,
    RangeUnit.KILOMETER: 1.0,
    RangeUnit.FOOT: 3280.84,
    RangeUnit.MILE: 0.62137,
    RangeUnit.NAUTICAL_MILE: 0.539957,
}


class Circle(NamedTuple):
    """What is nearer to the centre (degrees) than `range` of its unit."""

    latitude: float
    longitude: float
    range: float
    unit: RangeUnit

    def has(self, latitude: float, longitude: float) -> bool:
        """Whether the place is inside. Raises ValueError where it is not on the globe."""
        distance = distance_km((self.latitude, self.longitude), (latitude, longitude))
        return self.range > distance * _OF_A_KM[self.unit]


class Ring(NamedTuple):
    """A polygon without holes: its corners, the first one not repeated, and the box around it."""

    corners: tuple[Point, ...]
    low: Point
    high: Point

    def size(self) -> float:
        """The area of the box around it."""
        return (self.high[0] - self.low[0]) * (self.high[1] - self.low[1])

    def winds(self, latitude: float, longitude: float) -> int | None:
        """How often it goes round the place; None: the place is on its border."""
        if not (self.low[0] <= latitude <= self.high[0] and self.low[1] <= longitude <= self.high[1]):
            return 0
        turns = 0
        x1, y1 = self.corners[-1]
        for x2, y2 in self.corners:
            side = (x2 - x1) * (longitude - y1) - (latitude - x1) * (y2 - y1)
            if side == 0 and min(x1, x2) <= latitude <= max(x1, x2) and min(y1, y2) <= longitude <= max(y1, y2):
                return None
            if y1 <= longitude:
                turns += y2 > longitude and side > 0
            else:
                turns -= y2 <= longitude and side < 0
            x1, y1 = x2, y2
        return turns

    def contains(self, other: "Ring") -> bool:
        """Whether the other one lies in it, its border included."""
        if any(mine > theirs for mine, theirs in zip(self.low, other.low, strict=True)):
            return False
        if any(mine < theirs for mine, theirs in zip(self.high, other.high, strict=True)):
            return False
        if any(self.winds(*corner) == 0 for corner in other.corners):
            return False
        return not any(_cross(*mine, *theirs) for mine in _sides(self) for theirs in _sides(other))


class Polygons(NamedTuple):
    """Places in any of the areas and in none of the holes."""

    areas: tuple[Ring, ...]
    holes: tuple[Ring, ...]

    def has(self, latitude: float, longitude: float) -> bool:
        """Whether the place is inside."""
        if not any(area.winds(latitude, longitude) for area in self.areas):
            return False
        return all(hole.winds(latitude, longitude) == 0 for hole in self.holes)


Perimeter = Circle | Polygons


def distance_km(one: Point, other: Point) -> float:
    """On the sphere (haversine). Raises ValueError for a place that is not on the globe."""
    for latitude, longitude in (one, other):
        if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
            raise ValueError(
                f"There is no place at latitude {latitude} and longitude {longitude}; expected -90 to 90 and -180 to 180."
            )
    lat1, lon1, lat2, lon2 = map(math.radians, (*one, *other))
    half = math.sin((lat2 - lat1) / 2) ** 2 + math.cos(lat1) * math.cos(lat2) * math.sin((lon2 - lon1) / 2) ** 2
    return 2 * _EARTH_KM * math.asin(min(1.0, math.sqrt(half)))


@lru_cache(maxsize=256)
def polygons(definition: str) -> Polygons:
    """Those of a definition, which is the same for many messages. Raises ValueError with a sentence."""
    try:
        parsed = orjson.loads(definition)
    except ValueError:
        raise ValueError(f"The polygon is not JSON: {definition[:80]!r}.") from None
    lists: list[list[Any]] = []
    _collect(parsed, lists)
    corners = sum(map(len, lists))
    most = MOST_CORNERS if len(lists) == 1 else MOST_CORNERS_OF_SEVERAL
    if corners > most:
        raise ValueError(f"The perimeter has {corners} corners in {len(lists)} polygons; at most {most} are accepted.")
    rings = [_ring(each) for each in lists if each]
    rings.sort(key=Ring.size, reverse=True)
    holes = {ring for ring in rings if any(_is_hole(ring, other) for other in rings)}
    return Polygons(tuple(ring for ring in rings if ring not in holes), tuple(holes))


def circle(definition: str) -> Circle:
    """That of a definition: `{"latitude", "longitude", "radius", "radiusUnit"}`. Raises ValueError with a sentence."""
    try:
        parsed = orjson.loads(definition)
        return Circle(
            float(parsed["latitude"]),
            float(parsed["longitude"]),
            float(parsed["radius"]),
            RangeUnit.of(parsed.get("radiusUnit", RangeUnit.METER)),
        )
    except (TypeError, KeyError, AttributeError, orjson.JSONDecodeError):
        raise ValueError(
            f"The circle is {definition[:80]!r}; expected a JSON object with latitude, longitude and radius."
        ) from None


def _is_hole(ring: Ring, other: Ring) -> bool:
    """Whether it lies in the other one; two that say the same with other beginnings do not."""
    return ring != other and other.contains(ring) and not ring.contains(other)


def _collect(found: Any, lists: list[list[Any]], depth: int = 0) -> None:
    """All lists of corners in a definition, however deep they are nested."""
    if not isinstance(found, list) or depth > _DEEPEST:
        raise ValueError("The polygon is no array of [latitude, longitude].")
    if all(isinstance(each, list) and each and not isinstance(each[0], list | dict) for each in found):
        lists.append(found)
        return
    for each in found:
        _collect(each, lists, depth + 1)


def _ring(found: list[Any]) -> Ring:
    try:
        corners = [(float(each[0]), float(each[1])) for each in found]
    except (TypeError, ValueError, IndexError):
        raise ValueError("A corner of the polygon is not [latitude, longitude].") from None
    if len(corners) == _RECTANGLE:
        (x1, y1), (x2, y2) = corners
        corners = [(x1, y1), (x1, y2), (x2, y2), (x2, y1)]
    if len(corners) < _TRIANGLE:
        raise ValueError("A polygon has one corner; expected two of a rectangle, or three and more.")
    latitudes, longitudes = zip(*corners, strict=True)
    return Ring(tuple(corners), (min(latitudes), min(longitudes)), (max(latitudes), max(longitudes)))


def _sides(ring: Ring) -> list[tuple[Point, Point]]:
    return list(zip(ring.corners, ring.corners[1:] + ring.corners[:1], strict=True))


def _cross(a: Point, b: Point, c: Point, d: Point) -> bool:
    """Whether the sides a-b and c-d cross, each inside of the other one."""
    return _side(a, b, c) * _side(a, b, d) < 0 and _side(c, d, a) * _side(c, d, b) < 0


def _side(a: Point, b: Point, c: Point) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
