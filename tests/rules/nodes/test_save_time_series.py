"""Save time series: what is written, of when, for how long, and what is skipped."""

import pytest

from rules.nodes.action.save_time_series import SaveTimeSeries
from telemetry.json import Rules
from telemetry.points import Json
from tests.rules.nodes.context import CAME, DEVICE, NOW, World, entity, message
from tests.rules.nodes.running import failed, made, relations, run_one

EXPORTED = {"defaultTTL": 0, "useServerTs": False, "processingSettings": {"type": "ON_EVERY_MESSAGE"}}
EVERYWHERE = {"history": True, "latest": True, "live": True, "fields": True}


def test_values_are_saved_everywhere_as_devices_send_them(world: World) -> None:
    body = b'{"t": 25.5, "n": "7", "on": true, "j": {"a": [1.50]}, "nothing": null}'
    outcome = run_one(made(SaveTimeSeries, EXPORTED), world, message(raw=body, ts="5"))
    assert outcome.relation == "Success"
    assert world.points == [(DEVICE, [(5, {"t": 25.5, "n": 7, "on": True, "j": Json('{"a":[1.5]}')})], 0, EVERYWHERE)]


@pytest.mark.parametrize(
    ("configuration", "body", "metadata", "ts"),
    [
        (EXPORTED, {"ts": 3, "values": {"t": 1}}, {"ts": "5"}, 3),
        (EXPORTED, [{"ts": 3, "values": {"t": 1}}], {}, 3),
        (EXPORTED, {"t": 1}, {"ts": "5"}, 5),
        (EXPORTED, {"t": 1}, {}, CAME),
        (EXPORTED, {"t": 1}, {"ts": ""}, CAME),
        (EXPORTED, {"t": 1}, {"ts": "yesterday"}, CAME),
        ({**EXPORTED, "useServerTs": True}, {"t": 1}, {"ts": "5"}, NOW),
        ({**EXPORTED, "useServerTs": True}, {"ts": 3, "values": {"t": 1}}, {"ts": "5"}, 3),
    ],
)
def test_the_time_of_the_body_wins_then_that_of_the_metadata(
    world: World, configuration: dict, body: object, metadata: dict, ts: int
) -> None:
    run_one(made(SaveTimeSeries, configuration), world, message(body, **metadata))
    assert [readings for _, readings, _, _ in world.points] == [[(ts, {"t": 1})]]


@pytest.mark.parametrize(
    ("default", "metadata", "ttl"),
    [(0, {}, 0), (60, {}, 60), (60, {"TTL": "5"}, 5), (60, {"TTL": ""}, 60), (60, {"TTL": "0"}, 0)],
)
def test_the_ttl_of_the_metadata_replaces_that_of_the_node(
    world: World, default: int, metadata: dict, ttl: int
) -> None:
    run_one(made(SaveTimeSeries, {**EXPORTED, "defaultTTL": default}), world, message({"t": 1}, **metadata))
    assert world.points[0][2] == ttl


def test_what_ingest_stored_already_goes_on_unread(world: World) -> None:
    stored = message(raw=b"not even JSON", stored=True)
    outcome = run_one(made(SaveTimeSeries, EXPORTED), world, stored)
    assert (outcome.relation, outcome.msg, world.points) == ("Success", stored, [])


@pytest.mark.parametrize(
    "change",
    [
        {"useServerTs": True},
        {"defaultTTL": 60},
        {"processingSettings": {"type": "DEDUPLICATE", "deduplicationIntervalSecs": 60}},
        {"processingSettings": {"type": "WEBSOCKETS_ONLY"}},
    ],
)
def test_what_ingest_stored_otherwise_than_the_node_would_is_saved(world: World, change: dict) -> None:
    run_one(made(SaveTimeSeries, {**EXPORTED, **change}), world, message({"t": 1}, stored=True))
    assert len(world.points) == 1


def test_other_types_of_messages_fail_even_stored_ones(world: World) -> None:
    messages = [message({"t": 1}, "POST_ATTRIBUTES_REQUEST", stored=stored) for stored in (True, False)]
    outcomes = made(SaveTimeSeries, EXPORTED).run(world, messages)
    assert [failed(outcome) for outcome in outcomes] == ["Unsupported msg type: POST_ATTRIBUTES_REQUEST"] * 2
    assert world.points == []


@pytest.mark.parametrize("raw", [b"{}", b"[]", b'{"t":null}'])
def test_an_empty_body_fails(world: World, raw: bytes) -> None:
    assert (
        failed(run_one(made(SaveTimeSeries, EXPORTED), world, message(raw=raw))) == f"Msg body is empty: {raw.decode()}"
    )


@pytest.mark.parametrize(
    ("raw", "metadata", "why"),
    [
        (b"{broken", {}, "Not valid JSON"),
        (b"7", {}, "Expected a JSON object"),
        (b'{"ts":-1,"values":{"t":1}}', {}, 'Expected "ts" as milliseconds'),
        (b'{"":1}', {}, "A key must not be empty."),
        (b'{"t":1}', {"TTL": "long"}, "The TTL in the metadata is 'long'"),
        (b'{"t":1}', {"TTL": "-1"}, "The TTL in the metadata is '-1'"),
    ],
)
def test_what_cannot_be_saved_fails_alone(world: World, raw: bytes, metadata: dict, why: str) -> None:
    bad, good = made(SaveTimeSeries, EXPORTED).run(world, [message(raw=raw, **metadata), message({"t": 1})])
    assert why in failed(bad)
    assert good.relation == "Success"
    assert len(world.points) == 1


def test_the_decoder_has_the_settings_of_the_platform(world: World) -> None:
    world.decoding = Rules(cast=False, longest_string=3)
    good, long = made(SaveTimeSeries, EXPORTED).run(world, [message({"n": "7"}), message({"n": "long"})])
    assert world.points[0][1][0][1] == {"n": "7"}
    assert "4 characters" in failed(long)
    assert good.relation == "Success"


def test_deduplicating_saves_the_first_of_each_originator_and_interval_and_lets_all_go_on(world: World) -> None:
    node = made(SaveTimeSeries, {"processingSettings": {"type": "DEDUPLICATE", "deduplicationIntervalSecs": 60}})
    other = entity(2)
    first = [message({"t": 1}, ts="0"), message({"t": 2}, ts="59999"), message({"t": 3}, ts="60000")]
    second = [message({"t": 4}, ts="59998", originator=other), message({"t": 5}, ts="1")]
    assert set(relations([*node.run(world, first), *node.run(world, second)])) == {"Success"}
    assert [readings[0][1]["t"] for _, readings, _, _ in world.points] == [1, 3, 4]
    assert world.asked == ["first_in_interval"] * 2


def test_a_message_of_another_type_takes_no_part_in_deduplication(world: World) -> None:
    node = made(SaveTimeSeries, {"processingSettings": {"type": "DEDUPLICATE", "deduplicationIntervalSecs": 60}})
    outcomes = node.run(world, [message({"t": 1}, "CONNECT_EVENT"), message({"t": 2}), message({"t": 3})])
    assert relations(outcomes) == ["Failure", "Success", "Success"]
    assert [readings[0][1]["t"] for _, readings, _, _ in world.points] == [2]


def test_web_sockets_only_stores_nothing(world: World) -> None:
    run_one(made(SaveTimeSeries, {"processingSettings": {"type": "WEBSOCKETS_ONLY"}}), world, message({"t": 1}))
    assert world.points[0][3] == {"history": False, "latest": False, "live": True, "fields": False}


def test_advanced_settings_decide_for_each_action(world: World) -> None:
    settings = {
        "type": "ADVANCED",
        "timeseries": {"type": "DEDUPLICATE", "deduplicationIntervalSecs": 60},
        "latest": {"type": "ON_EVERY_MESSAGE"},
        "webSockets": {"type": "SKIP"},
        "calculatedFields": {"type": "DEDUPLICATE", "deduplicationIntervalSecs": 1},
    }
    messages = [message({"t": ts}, ts=str(ts)) for ts in (0, 500, 1000)]
    made(SaveTimeSeries, {"processingSettings": settings}).run(world, messages)
    assert [(where["history"], where["latest"], where["live"], where["fields"]) for _, _, _, where in world.points] == [
        (True, True, False, True),
        (False, True, False, False),
        (False, True, False, True),
    ]


def test_where_every_action_is_skipped_not_even_the_body_is_read(world: World) -> None:
    skip = {"type": "SKIP"}
    settings = {"type": "ADVANCED", "timeseries": skip, "latest": skip, "webSockets": skip, "calculatedFields": skip}
    outcome = run_one(made(SaveTimeSeries, {"processingSettings": settings}), world, message(raw=b"{broken"))
    assert (outcome.relation, world.points) == ("Success", [])


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"defaultTTL": -1}, "The default TTL is -1 s; expected 0 or more."),
        ({"defaultTTL": "long"}, "defaultTTL"),
        ({"processingSettings": {"type": "SOMETIMES"}}, "SOMETIMES"),
        ({"processingSettings": {"type": "DEDUPLICATE"}}, "interval is 0 s; expected 1 to 86400 s"),
        ({"processingSettings": {"type": "DEDUPLICATE", "deduplicationIntervalSecs": 86401}}, "interval is 86401 s"),
        ({"processingSettings": {"type": "ADVANCED", "latest": {"type": "WEBSOCKETS_ONLY"}}}, "WEBSOCKETS_ONLY"),
    ],
)
def test_settings_that_cannot_be_used_are_refused_with_a_sentence(change: dict, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        made(SaveTimeSeries, {**EXPORTED, **change})


@pytest.mark.parametrize(("skips", "latest"), [(True, "SKIP"), ("true", "SKIP"), (False, None), (None, None)])
def test_version_0_could_leave_out_the_latest_values_alone(skips: object, latest: str | None) -> None:
    old = {"defaultTTL": 5, "skipLatestPersistence": skips, "useServerTs": True}
    new = SaveTimeSeries.upgrade(0, old)
    assert (new["defaultTTL"], new["useServerTs"], "skipLatestPersistence" in new) == (5, True, False)
    assert new["processingSettings"].get("latest", {}).get("type") == latest
    assert new["processingSettings"]["type"] == ("ADVANCED" if latest else "ON_EVERY_MESSAGE")
    made(SaveTimeSeries, new)
    assert old["skipLatestPersistence"] == skips
    assert SaveTimeSeries.upgrade(1, EXPORTED) == EXPORTED
