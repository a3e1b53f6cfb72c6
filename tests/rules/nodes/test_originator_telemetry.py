"""Originator telemetry: a range of time of the originator's history, into the metadata."""

from typing import Any

import pytest

from rules.node.lookups import Sampling, Window
from rules.nodes.enrichment.originator_telemetry import OriginatorTelemetry
from telemetry.points import Aggregation, Json, Point
from tests.rules.nodes.context import DEVICE, NOW, World, entity, message
from tests.rules.nodes.running import failed, made, run_one

MINUTE = 60_000
EXPORTED: dict[str, Any] = {
    "startInterval": 2, "endInterval": 1, "startIntervalPattern": "", "endIntervalPattern": "",
    "useMetadataIntervalPatterns": False, "startIntervalTimeUnit": "MINUTES", "endIntervalTimeUnit": "MINUTES",
    "fetchMode": "FIRST", "orderBy": "ASC", "aggregation": "NONE", "limit": 1000, "latestTsKeyNames": ["t", "s"],
}  # fmt: skip
FIRST, SECOND = NOW - 2 * MINUTE, NOW - MINUTE - 1


@pytest.fixture
def world() -> World:
    world = World()
    points = [Point(FIRST - 1, 0), Point(FIRST, 22.4), Point(SECOND, 1e7), Point(SECOND + 1, 9)]
    world.look.series = {DEVICE: {"t": points, "s": [Point(FIRST, "warm"), Point(SECOND, Json("[1]"))]}}
    return world


@pytest.mark.parametrize(
    ("mode", "found"),
    [
        ("FIRST", {"t": '"22.4"', "s": '"warm"'}),
        ("LAST", {"t": '"1.0E7"', "s": '"[1]"'}),
        (
            "ALL",
            {
                "t": f'[{{"ts":{FIRST},"value":22.4}},{{"ts":{SECOND},"value":10000000.0}}]',
                "s": f'[{{"ts":{FIRST},"value":"warm"}},{{"ts":{SECOND},"value":[1]}}]',
            },
        ),
    ],
)
def test_the_mode_says_what_of_the_range_is_added(world: World, mode: str, found: dict[str, str]) -> None:
    outcome = run_one(made(OriginatorTelemetry, {**EXPORTED, "fetchMode": mode}), world, message({"x": 1}, ts="5"))
    assert outcome.relation == "Success"
    assert outcome.msg.metadata == {"ts": "5", **found}
    assert outcome.msg.data.value == {"x": 1}


@pytest.mark.parametrize(
    ("more", "sampling"),
    [
        ({"fetchMode": "FIRST", "limit": 7, "orderBy": "DESC"}, Sampling(1, False)),
        ({"fetchMode": "LAST", "aggregation": "SUM"}, Sampling(1, True)),
        ({"fetchMode": "ALL", "limit": 5, "orderBy": "DESC"}, Sampling(5, True)),
        ({"fetchMode": "ALL", "aggregation": "AVG"}, Sampling(1000, False, Aggregation.AVG)),
    ],
)
def test_limit_order_and_aggregation_count_in_the_mode_all(
    world: World, more: dict[str, Any], sampling: Sampling
) -> None:
    run_one(made(OriginatorTelemetry, {**EXPORTED, **more}), world, message({}))
    assert world.look.windows == [(Window(DEVICE, ("t", "s"), NOW - 2 * MINUTE, NOW - MINUTE), sampling)]


@pytest.mark.parametrize(
    ("unit", "ms"),
    [
        ("NANOSECONDS", 3), ("MICROSECONDS", 3_000), ("MILLISECONDS", 3_000_000), ("SECONDS", 3_000_000_000),
        ("HOURS", 3_000_000 * 3_600_000), ("DAYS", 3_000_000 * 86_400_000),
    ],
)  # fmt: skip
def test_units_are_javas(world: World, unit: str, ms: int) -> None:
    config = {**EXPORTED, "startInterval": 3_000_000, "startIntervalTimeUnit": unit, "endInterval": 0}
    run_one(made(OriginatorTelemetry, config), world, message({}))
    ((window, _),) = world.look.windows
    assert (window.start_ts, window.end_ts) == (NOW - ms, NOW)


def test_patterns_take_the_times_from_the_message_and_names_may_have_templates(world: World) -> None:
    patterns = {
        "startIntervalPattern": "${from}",
        "endIntervalPattern": "$[until.ms]",
        "latestTsKeyNames": ["${key}", "t"],
    }
    node = made(OriginatorTelemetry, {**EXPORTED, **patterns, "useMetadataIntervalPatterns": True})
    msg = message({"until": {"ms": SECOND}}, **{"from": str(FIRST), "key": "s"})
    assert run_one(node, world, msg).msg.metadata == {**msg.metadata, "s": '"warm"', "t": '"22.4"'}
    assert world.look.windows[0][0] == Window(DEVICE, ("s", "t"), FIRST, SECOND)


@pytest.mark.parametrize(
    ("start", "why"),
    [
        ("${nothing}", "Message value: 'nothing' is undefined"),
        ("1719220350000", "Message value: '1719220350000' is undefined"),
        ("$[word]", "Message value: 'word' has invalid format"),
        ("$[half]", "Message value: 'half' is not a whole number of milliseconds: '1.5'"),
        ("$[late]", "Interval start should be less than Interval end"),
    ],
)
def test_a_time_that_is_none_fails(world: World, start: str, why: str) -> None:
    patterns = {"startIntervalPattern": start, "endIntervalPattern": "$[until]", "useMetadataIntervalPatterns": True}
    node = made(OriginatorTelemetry, {**EXPORTED, **patterns})
    bad = message({"word": "start", "half": 1.5, "late": 11, "until": 10})
    assert failed(run_one(node, world, bad)) == why


def test_a_name_that_comes_to_nothing_and_an_aggregation_of_no_time_fail(world: World) -> None:
    node = made(OriginatorTelemetry, {**EXPORTED, "latestTsKeyNames": ["${key}"]})
    assert failed(run_one(node, world, message({}, key=" "))) == "Incorrect ReadTsKvQuery. Key can't be empty"
    node = made(OriginatorTelemetry, {**EXPORTED, "endInterval": 2, "fetchMode": "ALL", "aggregation": "SUM"})
    assert failed(run_one(node, world, message({}))).startswith("Invalid TsKvQuery: 'interval' must be greater than 0")


def test_all_messages_ask_at_once_and_each_range_is_read_once(world: World) -> None:
    node = made(OriginatorTelemetry, {**EXPORTED, "latestTsKeyNames": ["$[key]"]})
    bodies = [{"key": "t"}, {"key": "s"}, {"key": "t"}, {"key": ""}, {"key": "none"}]
    outcomes = node.run(world, [*(message(each) for each in bodies), message({"key": "t"}, originator=entity(2))])
    assert [outcome.relation for outcome in outcomes] == [
        "Success",
        "Success",
        "Success",
        "Failure",
        "Success",
        "Success",
    ]
    assert outcomes[0].msg.metadata == outcomes[2].msg.metadata == {"t": '"22.4"'}
    assert outcomes[4].msg.metadata == outcomes[5].msg.metadata == {}
    assert world.asked == ["history"] and len(world.look.windows) == 4


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"latestTsKeyNames": []}, "Telemetry should be specified!"),
        ({"fetchMode": "SOME"}, "expected FIRST, LAST or ALL"),
        ({"fetchMode": "ALL", "limit": 1}, "Limit should be in a range from 2 to 1000."),
        ({"fetchMode": "ALL", "limit": 1001}, "Limit should be in a range from 2 to 1000."),
        ({"fetchMode": "ALL", "orderBy": "UP"}, "expected ASC or DESC"),
        ({"fetchMode": "ALL", "aggregation": ""}, "expected one of NONE"),
        ({"endIntervalTimeUnit": "WEEKS"}, "Unknown time unit 'WEEKS'"),
    ],
)
def test_what_cannot_work_is_refused(wrong: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        made(OriginatorTelemetry, {**EXPORTED, **wrong})


@pytest.mark.parametrize(
    ("version", "old", "new"),
    [
        (0, {"fetchMode": "FIRST", "orderBy": "?", "aggregation": "SUM"}, {"orderBy": "ASC", "aggregation": "NONE"}),
        (0, {"fetchMode": "LAST", "orderBy": "?", "limit": 5}, {"orderBy": "DESC", "aggregation": "NONE"}),
        (
            0,
            {"fetchMode": "?", "limit": None},
            {"fetchMode": "LAST", "orderBy": "DESC", "aggregation": "NONE", "limit": 1000},
        ),
        (0, {"fetchMode": "ALL", "orderBy": "", "aggregation": "MAX"}, {"orderBy": "ASC"}),
        (0, {"orderBy": "x"}, {}),
        (1, {"fetchMode": "ALL", "aggregation": None}, {"orderBy": "ASC", "aggregation": "NONE"}),
        (1, {"fetchMode": "FIRST", "orderBy": ""}, {}),
    ],
)
def test_older_versions_are_repaired(version: int, old: dict[str, Any], new: dict[str, Any]) -> None:
    before = dict(old)
    assert OriginatorTelemetry.upgrade(version, old) == {"limit": 1000, **old, **new}
    assert old == before
