"""Perimeters: circles on the sphere, polygons with holes, and places on their borders."""

import json

import pytest

from rules.node.geofence import MOST_CORNERS, MOST_CORNERS_OF_SEVERAL, Circle, RangeUnit, circle, distance_km, polygons

SQUARE = [[0, 0], [0, 10], [10, 10], [10, 0]]
INNER = [[4, 4], [4, 6], [6, 6], [6, 4]]
INMOST = [[4.5, 4.5], [4.5, 5.5], [5.5, 5.5], [5.5, 4.5]]
FAR = [[20, 20], [20, 30], [30, 30], [30, 20]]
# Concave: like a U that is open to the north.
HORSESHOE = [[0, 0], [0, 9], [10, 9], [10, 6], [3, 6], [3, 3], [10, 3], [10, 0]]
# From one of its ends to the other one.
BAR = [[5, 1], [5, 8], [6, 8], [6, 1]]
BOW_TIE = [[0, 0], [10, 10], [10, 0], [0, 10]]
STAR = [[10, 5], [0, 8], [6, 0], [6, 10], [0, 2]]


@pytest.mark.parametrize(
    ("definition", "inside", "outside"),
    [
        (SQUARE, [(5, 5), (0.001, 0.001), (9.9, 5)], [(-1, 5), (5, 11), (10.1, 10.1)]),
        (SQUARE, [], [(0, 5), (5, 0), (10, 5), (5, 10), (0, 0), (10, 10)]),
        ([*SQUARE, SQUARE[0]], [(5, 5)], [(0, 0), (11, 5)]),
        ([[2, 3], [8, 9]], [(5, 6), (2.1, 8.9)], [(1, 6), (5, 2), (8.1, 8)]),
        ([SQUARE, FAR], [(5, 5), (25, 25)], [(15, 15)]),
        ([[SQUARE], [[FAR]]], [(5, 5), (25, 25)], [(15, 15)]),
        ([SQUARE, INNER], [(2, 2), (5, 2)], [(5, 5), (4, 5), (11, 5)]),
        ([INNER, SQUARE], [(2, 2)], [(5, 5)]),
        ([SQUARE, INNER, INMOST], [(2, 2)], [(4.2, 4.2), (5, 5)]),
        ([SQUARE, SQUARE], [(5, 5)], [(11, 5)]),
        ([SQUARE, SQUARE[1:] + SQUARE[:1]], [(5, 5)], [(11, 5)]),
        ([HORSESHOE, BAR], [(5.5, 5), (5.5, 1.5)], [(4, 5)]),
        ([SQUARE, [[5, 5], [5, 15], [15, 15], [15, 5]]], [(2, 2), (7, 7), (12, 12)], [(2, 12)]),
        (HORSESHOE, [(1, 1), (9, 1), (9, 8), (2, 5)], [(9, 5), (5, 4)]),
        (BOW_TIE, [(2, 5), (8, 5)], [(5, 1), (5, 9)]),
        (STAR, [(5, 5), (9, 5)], [(1, 5), (9, 1)]),
        ([], [], [(0, 0)]),
        ([[]], [], [(0, 0)]),
    ],
)
def test_a_place_is_inside_of_a_polygon_or_is_not(definition: list, inside: list, outside: list) -> None:
    area = polygons(json.dumps(definition))
    assert [place for place in inside + outside if area.has(*place)] == inside


@pytest.mark.parametrize(
    ("definition", "why"),
    [
        ("", "not JSON"),
        ("[[1, 2]", "not JSON"),
        ("7", "no array"),
        ('{"a": 1}', "no array"),
        ("[1, 2]", "no array"),
        ("[[1, 2]]", "one corner"),
        ('[["a", 2], [3, 4]]', "is not .latitude, longitude"),
        ("[[1], [3], [5]]", "is not .latitude, longitude"),
        ("[[1, 2], [3, null], [5, 6]]", "is not .latitude, longitude"),
        ("[" * 30 + "[1, 2]" + "]" * 30, "no array"),
        (json.dumps([[i, i % 2] for i in range(MOST_CORNERS + 1)]), "corners in 1 polygons"),
        (json.dumps([SQUARE] * (MOST_CORNERS_OF_SEVERAL // 4 + 1)), "polygons; at most"),
    ],
)
def test_what_is_no_polygon_is_refused(definition: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        polygons(definition)


def test_distances_are_those_on_the_sphere() -> None:
    assert distance_km((0, 0), (90, 0)) == distance_km((0, 0), (0, 90)) == pytest.approx(10_007.557)
    assert distance_km((90, 10), (90, 100)) == pytest.approx(0)
    assert distance_km((50, 30), (50, 30)) == 0
    assert distance_km((0, 179.5), (0, -179.5)) == pytest.approx(111.2, abs=0.1)


@pytest.mark.parametrize(
    ("unit", "near", "far"),
    [
        ("METER", 112_000, 111_000),
        ("KILOMETER", 112, 111),
        ("FOOT", 365_000, 364_000),
        ("MILE", 70, 69),
        ("NAUTICAL_MILE", 61, 60),
    ],
)
def test_a_circle_is_measured_in_its_unit(unit: str, near: float, far: float) -> None:
    assert Circle(0, 0, near, RangeUnit(unit)).has(0, 1)
    assert not Circle(0, 0, far, RangeUnit(unit)).has(0, 1)


def test_a_circle_is_read_from_json_in_metres_unless_it_says_otherwise() -> None:
    assert circle('{"latitude": 1, "longitude": 2, "radius": 3}') == Circle(1, 2, 3, RangeUnit.METER)
    assert circle('{"latitude": 1, "longitude": "2", "radius": 3, "radiusUnit": "MILE"}').unit is RangeUnit.MILE


@pytest.mark.parametrize("definition", ["", "[1]", "7", "{}", '{"latitude": 1, "longitude": null, "radius": 3}'])
def test_what_is_no_circle_is_refused(definition: str) -> None:
    with pytest.raises(ValueError, match="expected a JSON object with latitude, longitude and radius"):
        circle(definition)


def test_an_unknown_unit_and_a_place_beyond_the_globe_are_refused() -> None:
    with pytest.raises(ValueError, match="Unknown range unit 'YARD'"):
        circle('{"latitude": 1, "longitude": 2, "radius": 3, "radiusUnit": "YARD"}')
    with pytest.raises(ValueError, match="no place at latitude 91"):
        Circle(0, 0, 1, RangeUnit.METER).has(91, 0)
