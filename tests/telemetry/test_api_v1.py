"""Telemetry and attributes over our own API: snake_case, typed values, `detail` in errors, pages for browsers."""

import json
from typing import Any

import pytest

from telemetry import services
from telemetry.points import Attribute, Scope
from tests.cast import Cast, api
from thingsboard.kernel.time import now_ms
from thingsboard.transports.http.app import addressed

BASES = ["/api/v1/telemetry", "/api/telemetry"]


def root(device: Any, base: str = BASES[0]) -> str:
    return f"{base}/DEVICE/{device.pk}"


def attributes_of(device: Any) -> list[Attribute]:
    """Its attributes but for the one that every device has."""
    return [one for one in services.attributes(device.pk) if one.key != "active"]


def detail(answer: Any) -> int:
    """The status of a refusal, whose shape is checked on the way."""
    body = answer.json()
    assert body["status_code"] == answer.status_code and isinstance(body["detail"], str) and body["detail"]
    assert set(body) == {"detail", "status_code"}
    return int(answer.status_code)


@pytest.mark.parametrize("base", BASES)
def test_points_are_saved_and_read_with_their_types(cast: Cast, base: str) -> None:
    client, path = api(cast.alice), root(cast.device, base)
    values = {"i": 25, "d": 25.5, "b": True, "s": "x", "j": {"a": [1]}}
    saved = client.post(
        f"{path}/timeseries/ANY", [{"ts": 1000, "values": values}, {"ts": 2000, "values": {"i": 26}}], format="json"
    )
    assert (saved.status_code, saved.json()) == (200, {"saved": 6})
    answer = client.get(f"{path}/values/timeseries?keys=i,d,b,s,j,none")
    assert answer.json() == {
        "data": {
            "i": [{"ts": 2000, "value": 26}],
            "d": [{"ts": 1000, "value": 25.5}],
            "b": [{"ts": 1000, "value": True}],
            "s": [{"ts": 1000, "value": "x"}],
            "j": [{"ts": 1000, "value": {"a": [1]}}],
            "none": [],
        }
    }
    assert client.get(f"{path}/keys/timeseries").json() == {"data": sorted(values)}
    history = client.get(f"{path}/values/timeseries?keys=i&start_ts=0&end_ts=3000&order_by=asc&limit=1")
    assert history.json() == {"data": {"i": [{"ts": 1000, "value": 25}]}}
    average = client.get(f"{path}/values/timeseries?keys=i,s&start_ts=0&end_ts=3000&agg=AVG&interval=3000")
    assert average.json() == {"data": {"i": [{"ts": 1500, "value": 25.5}], "s": []}}


def test_a_calendar_is_asked_for_in_snake_case(cast: Cast) -> None:
    services.save(cast.acme.pk, cast.device.pk, [(1_770_000_000_000, {"t": 1}), (1_773_000_000_000, {"t": 2})])
    query = "keys=t&start_ts=1769900400000&end_ts=1775000000000&agg=SUM&interval_type=MONTH&time_zone=Europe/Kyiv"
    points = api(cast.alice).get(f"{root(cast.device)}/values/timeseries?{query}").json()["data"]["t"]
    assert [point["value"] for point in points] == [1, 2]


@pytest.mark.parametrize(
    "query",
    [
        "start_ts=1",
        "end_ts=1",
        "start_ts=0&end_ts=9&agg=MEAN",
        "start_ts=0&end_ts=9&order_by=up",
        "start_ts=x&end_ts=9",
    ],
)
@pytest.mark.parametrize("base", BASES)
def test_a_query_that_makes_no_sense_is_refused_with_detail(cast: Cast, base: str, query: str) -> None:
    assert detail(api(cast.alice).get(f"{root(cast.device, base)}/values/timeseries?keys=t&{query}")) == 400


def test_points_are_deleted_by_time_or_altogether(cast: Cast) -> None:
    client, path = api(cast.alice), f"{root(cast.device)}/timeseries"
    services.save(cast.acme.pk, cast.device.pk, [(ts, {"t": ts, "u": ts}) for ts in (1, 2, 3)])
    assert detail(client.delete(f"{path}?keys=t")) == 400
    assert detail(client.delete(f"{path}?delete_all=true")) == 400
    gone = client.delete(f"{path}/ANY?keys=t&start_ts=3&end_ts=4&rewrite_latest=true")
    assert (gone.status_code, gone.content) == (204, b"")
    assert services.latest(cast.device.pk)["t"].ts == 2
    assert client.delete(f"{path}?keys=t&delete_all=true").status_code == 204
    assert services.timeseries_keys(cast.device.pk) == ["u"]


def test_attributes_are_written_read_and_deleted_by_scope(cast: Cast) -> None:
    client, path, before = api(cast.alice), f"{root(cast.device)}/attributes", now_ms()
    assert client.post(path, {"a": 1, "j": {"x": 1}}, format="json").json() == {"saved": 2}
    assert client.post(f"{path}/SHARED_SCOPE", {"a": "s"}, format="json").status_code == 200
    [a, j, shared] = client.get(f"{path}?keys=a,j").json()["data"]
    assert (a["key"], a["value"], a["scope"], j["value"]) == ("a", 1, "SERVER_SCOPE", {"x": 1})
    assert before <= a["last_update_ts"] <= now_ms() and shared["scope"] == "SHARED_SCOPE"
    assert [one["value"] for one in client.get(f"{path}/shared_scope?keys=a,b").json()["data"]] == ["s"]
    assert client.delete(f"{path}?keys=a").status_code == 204
    assert client.delete(f"{path}/SHARED_SCOPE?keys=a").status_code == 204
    assert [one["key"] for one in client.get(f"{path}?keys=a,j").json()["data"]] == ["j"]
    assert detail(client.post(f"{path}/CLIENT_SCOPE", {"a": 1}, format="json")) == 400
    assert detail(client.post(f"{path}/NO_SCOPE", {"a": 1}, format="json")) == 400
    assert detail(client.delete(path)) == 400


@pytest.mark.parametrize(
    "body", ["", "{", "[]", "{}", '{"t": null}', '{"t": "\\u0000"}', '{"ts": -1, "values": {"t": 1}}']
)
@pytest.mark.parametrize("where", ["timeseries/ANY", "timeseries", "attributes"])
def test_a_body_that_cannot_be_is_refused_with_detail(cast: Cast, where: str, body: str) -> None:
    if where == "attributes":
        body = body.replace("-1", '"\\u0000"')  # any number will do there, this text will not
    answer = api(cast.alice).post(f"{root(cast.device)}/{where}", body, content_type="application/json")
    assert detail(answer) == 400
    assert services.timeseries_keys(cast.device.pk) == [] and attributes_of(cast.device) == []


PATHS = [
    "values/timeseries",
    "keys/timeseries",
    "attributes",
    "attributes/SERVER_SCOPE",
    "values/timeseries?start_ts=0&end_ts=9",
]


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("path", PATHS)
def test_a_stranger_reads_nothing(cast: Cast, path: str, base: str) -> None:
    services.save(cast.acme.pk, cast.device.pk, [(1, {"t": 1})])
    for user in (cast.gina, cast.bob, cast.sam):
        assert detail(api(user).get(f"{root(cast.device, base)}/{path}")) == 404
    assert detail(api(None).get(f"{root(cast.device, base)}/{path}")) == 401


def test_a_stranger_writes_nothing(cast: Cast) -> None:
    services.save(cast.acme.pk, cast.device.pk, [(1, {"t": 1})])
    services.save_attributes(cast.acme.pk, cast.device.pk, Scope.SERVER, {"a": 1})
    for user in (cast.gina, cast.bob):
        client, path = api(user), root(cast.device)
        for where in ("timeseries/ANY", "timeseries", "attributes", "attributes/SHARED_SCOPE"):
            assert detail(client.post(f"{path}/{where}", {"t": 2}, format="json")) == 404
        assert detail(client.delete(f"{path}/attributes?keys=a")) == 404
        assert detail(client.delete(f"{path}/timeseries?keys=t&delete_all=true")) == 404
    assert services.latest(cast.device.pk)["t"] == (1, 1)
    assert [attribute.value for attribute in attributes_of(cast.device)] == [1]


def test_a_customer_user_writes_for_its_own_device_and_never_for_its_customer(cast: Cast) -> None:
    client = api(cast.bob)
    assert client.post(f"{root(cast.bobs_device)}/timeseries", {"t": 1}, format="json").status_code == 200
    customer = f"/api/v1/telemetry/CUSTOMER/{cast.bistro.pk}"
    assert client.get(f"{customer}/attributes").json() == {"data": []}
    assert detail(client.post(f"{customer}/attributes", {"a": 1}, format="json")) == 403


@pytest.mark.parametrize(
    "path", ["telemetry/DEVICE/{}/values/timeseries", "telemetry/DEVICE/{}/attributes", "erasures"]
)
def test_a_browser_sees_a_page(cast: Cast, path: str) -> None:
    services.save(cast.acme.pk, cast.device.pk, [(1, {"<script>": "<b>bold</b>"})])
    answer = api(cast.alice).get(f"/api/v1/{path.format(cast.device.pk)}", HTTP_ACCEPT="text/html")
    page = answer.content.decode()
    assert answer.status_code == 200 and answer["Content-Type"].startswith("text/html")
    assert "<title>" in page and "<b>bold" not in page
    assert ("&lt;b&gt;bold" in page) == path.endswith("values/timeseries")
    missing = api(cast.gina).get(f"/api/v1/{path.format(cast.device.pk)}", HTTP_ACCEPT="text/html")
    assert missing.status_code == (200 if path == "erasures" else 404)


def test_whatever_is_accepted_is_answered(cast: Cast) -> None:
    answer = api(cast.alice).get(f"{root(cast.device)}/keys/timeseries", HTTP_ACCEPT="application/xml")
    assert (answer.status_code, json.loads(answer.content)) == (200, {"data": []})


@pytest.mark.parametrize(
    "path", ["/api/v1/telemetry/DEVICE/x/timeseries/ANY", "/api/v1/telemetry/telemetry", "/api/v1/erasures"]
)
def test_no_device_stands_in_the_way(path: str) -> None:
    assert addressed(path) is None
