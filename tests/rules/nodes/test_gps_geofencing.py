"""GPS geofencing filter: coordinates of the message against a perimeter of the node or of the metadata."""

import json

import pytest

from rules.nodes.filter.gps_geofencing import GpsGeofencingFilter
from tests.rules.nodes.context import World, message
from tests.rules.nodes.running import failed, made, relations, run_one

SQUARE = "[[0,0],[0,10],[10,10],[10,0]]"
POLYGON = {"fetchPerimeterInfoFromMessageMetadata": False, "perimeterType": "POLYGON", "polygonsDefinition": SQUARE}
CIRCLE = {
    "fetchPerimeterInfoFromMessageMetadata": False,
    "perimeterType": "CIRCLE",
    "centerLatitude": 5,
    "centerLongitude": 5,
    "range": 100,
    "rangeUnit": "KILOMETER",
}
FROM_METADATA = {"fetchPerimeterInfoFromMessageMetadata": True, "perimeterKeyName": "ss_perimeter"}
ROUND = '{"latitude":5,"longitude":5,"radius":100000}'


@pytest.mark.parametrize(
    ("configuration", "metadata"),
    [
        (POLYGON, {}),
        (CIRCLE, {}),
        ({**FROM_METADATA, "perimeterType": "POLYGON"}, {"ss_perimeter": SQUARE}),
        ({**FROM_METADATA, "perimeterType": "CIRCLE"}, {"ss_perimeter": ROUND}),
        ({"fetchPerimeterInfoFromMessageMetadata": True}, {"perimeter": SQUARE}),
        (
            {"fetchPerimeterInfoFromMessageMetadata": True, "perimeterKeyName": ""},
            {"centerLatitude": "5", "centerLongitude": "5", "range": "100", "rangeUnit": "KILOMETER"},
        ),
    ],
)
def test_the_perimeter_is_that_of_the_node_or_of_the_metadata(
    world: World, configuration: dict, metadata: dict
) -> None:
    places = [{"latitude": 5.1, "longitude": 4.9}, {"latitude": 5.1, "longitude": 20}]
    messages = [message(place, **metadata) for place in places]
    outcomes = made(GpsGeofencingFilter, configuration).run(world, messages)
    assert relations(outcomes) == ["True", "False"]
    assert [outcome.msg for outcome in outcomes] == messages


@pytest.mark.parametrize(
    ("body", "metadata", "relation"),
    [
        ({"lat": 5, "lon": 5}, {}, "True"),
        ({"lat": "5", "lon": "5.5"}, {}, "True"),
        ({"lat": 5}, {"lon": "5"}, "True"),
        ({}, {"lat": "5", "lon": "50"}, "False"),
        ({"lat": 5, "lon": {"x": 1}}, {"lon": "5"}, "True"),
        ({"lat": 5, "lon": 5}, {"lat": "50", "lon": "50"}, "True"),
    ],
)
def test_coordinates_are_those_of_the_body_else_of_the_metadata(
    world: World, body: dict, metadata: dict, relation: str
) -> None:
    node = made(GpsGeofencingFilter, {**POLYGON, "latitudeKeyName": "lat", "longitudeKeyName": "lon"})
    assert run_one(node, world, message(body, **metadata)).relation == relation


@pytest.mark.parametrize(
    ("configuration", "msg", "why"),
    [
        (POLYGON, message({"latitude": 5}), "Incoming Message has no longitude in data or metadata!"),
        (POLYGON, message({"latitude": None, "longitude": 5}), "Incoming Message has no latitude"),
        (POLYGON, message({"latitude": "north", "longitude": 5}), "latitude is 'north'; expected a number"),
        (POLYGON, message({"latitude": True, "longitude": 5}), "latitude is 'True'; expected a number"),
        (POLYGON, message({"latitude": "nan", "longitude": 5}), "expected a number"),
        (POLYGON, message([5, 5]), "not a JSON object"),
        (POLYGON, message(raw=b"{"), "unexpected|expected"),
        (CIRCLE, message({"latitude": 95, "longitude": 5}), "no place at latitude 95"),
        (FROM_METADATA, message({"latitude": 5, "longitude": 5}), "Missing perimeter definition!"),
        (FROM_METADATA, message({"latitude": 5, "longitude": 5}, ss_perimeter="x"), "not JSON"),
        ({**FROM_METADATA, "perimeterKeyName": None}, message({"latitude": 5, "longitude": 5}), "Missing perimeter"),
        (
            {**FROM_METADATA, "perimeterKeyName": None},
            message({"latitude": 5, "longitude": 5}, centerLatitude="5"),
            "centerLongitude is 'None'",
        ),
        (
            {**FROM_METADATA, "perimeterType": "CIRCLE"},
            message({"latitude": 5, "longitude": 5}, ss_perimeter=SQUARE),
            "expected a JSON object",
        ),
    ],
)
def test_what_is_missing_or_no_number_fails(world: World, configuration: dict, msg: object, why: str) -> None:
    error = failed(run_one(made(GpsGeofencingFilter, configuration), world, msg))
    assert any(part in error for part in why.split("|"))


@pytest.mark.parametrize(
    "configuration",
    [
        {**POLYGON, "polygonsDefinition": None},
        {**POLYGON, "polygonsDefinition": " "},
        {**POLYGON, "polygonsDefinition": "[[1,"},
        {**CIRCLE, "range": None},
        {**CIRCLE, "rangeUnit": None},
        {**CIRCLE, "rangeUnit": "YARD"},
        {**CIRCLE, "perimeterType": "SQUARE"},
    ],
)
def test_a_perimeter_that_is_none_is_refused_when_the_node_is_made(configuration: dict) -> None:
    with pytest.raises(ValueError, match=r"."):
        made(GpsGeofencingFilter, configuration)


def test_perimeters_of_a_batch_are_each_messages_own(world: World) -> None:
    node = made(GpsGeofencingFilter, {**FROM_METADATA, "perimeterType": "POLYGON"})
    far = json.dumps([[[20, 20], [30, 30]]])
    place = {"latitude": 25, "longitude": 25}
    outcomes = node.run(world, [message(place, ss_perimeter=SQUARE), message(place, ss_perimeter=far), message(place)])
    assert relations(outcomes) == ["False", "True", "Failure"]
