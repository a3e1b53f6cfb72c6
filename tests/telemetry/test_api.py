"""Telemetry and attributes over ThingsBoard's REST paths."""

import json
from typing import Any

import pytest

from telemetry import services
from telemetry.points import Scope
from tests.cast import Cast, api, error
from thingsboard.kernel.time import now_ms


def root(device: Any) -> str:
    return f"/api/plugins/telemetry/DEVICE/{device.pk}"


def post(client: Any, path: str, body: Any) -> Any:
    raw = body if isinstance(body, bytes | str) else json.dumps(body)
    return client.post(path, raw, content_type="application/json")


def refusal(answer: Any) -> str:
    """The bare text of a refused write."""
    assert answer.status_code == 400
    assert answer["Content-Type"].startswith("text/plain")
    return str(answer.content.decode())


def values_of(answer: Any) -> dict[str, Any]:
    assert answer.status_code == 200
    return {name: [(point["ts"], point["value"]) for point in points] for name, points in answer.json().items()}


def test_a_written_point_is_read_back_as_text_or_typed(cast: Cast) -> None:
    client, path = api(cast.alice), root(cast.device)
    values = {"i": 25, "d": 25.0, "big": 1e7, "small": 0.00012, "b": True, "s": "x", "j": {"a": [1, 2.50]}, "n": "7"}
    answer = post(client, f"{path}/timeseries/ANY?scope=ANY", {"ts": 1000, "values": values})
    assert (answer.status_code, answer.content) == (200, b"")
    assert values_of(client.get(f"{path}/values/timeseries")) == {
        "i": [(1000, "25")],
        "d": [(1000, "25.0")],
        "big": [(1000, "1.0E7")],
        "small": [(1000, "1.2E-4")],
        "b": [(1000, "true")],
        "s": [(1000, "x")],
        "j": [(1000, '{"a":[1,2.5]}')],
        "n": [(1000, "7")],
    }
    strict = values_of(client.get(f"{path}/values/timeseries?keys=i,d,b,j&useStrictDataTypes=True"))
    assert strict == {"i": [(1000, 25)], "d": [(1000, 25.0)], "b": [(1000, True)], "j": [(1000, {"a": [1, 2.5]})]}
    assert client.get(f"{path}/keys/timeseries").json() == sorted(values)


def test_the_latest_value_of_a_key_without_data_is_null_now(cast: Cast) -> None:
    before = now_ms()
    [point] = api(cast.alice).get(f"{root(cast.device)}/values/timeseries?keys=none").json()["none"]
    assert point["value"] is None and before <= point["ts"] <= now_ms()
    assert api(cast.alice).get(f"{root(cast.device)}/values/timeseries").json() == {}


def test_points_without_a_time_stamp_are_stamped_and_arrays_are_read(cast: Cast) -> None:
    client, path, before = api(cast.alice), root(cast.device), now_ms()
    assert post(client, f"{path}/timeseries/ANY", [{"a": 1}, {"ts": 5, "values": {"b": 2}}]).status_code == 200
    found = values_of(client.get(f"{path}/values/timeseries?useStrictDataTypes=true"))
    assert found["b"] == [(5, 2)] and before <= found["a"][0][0] <= now_ms()


def test_history_is_bounded_ordered_and_half_open(cast: Cast) -> None:
    client, path = api(cast.alice), root(cast.device)
    services.save(cast.acme.pk, cast.device.pk, [(ts, {"t": ts, "u": 1}) for ts in range(100, 110)])
    asked = f"{path}/values/timeseries?startTs=101&endTs=109&useStrictDataTypes=true"
    assert values_of(client.get(f"{asked}&keys=t&limit=3")) == {"t": [(108, 108), (107, 107), (106, 106)]}
    assert values_of(client.get(f"{asked}&keys=t,none&limit=2&orderBy=ASC")) == {"t": [(101, 101), (102, 102)]}
    assert set(values_of(client.get(asked))) == {"t", "u"}
    other_path = asked.replace("/values/timeseries?", "/values/timeseries/history?")
    assert values_of(client.get(f"{other_path}&keys=t&limit=1")) == {"t": [(108, 108)]}
    assert error(client.get(f"{path}/values/timeseries/history?keys=t&startTs=1")) == (400, 31)


@pytest.mark.parametrize(
    ("agg", "first", "second"), [("MIN", 1, 30), ("MAX", 2, 30), ("AVG", 1.5, 30.0), ("SUM", 3, 30), ("COUNT", 2, 1)]
)
def test_history_is_aggregated_in_buckets_from_the_start(cast: Cast, agg: str, first: Any, second: Any) -> None:
    services.save(
        cast.acme.pk, cast.device.pk, [(1000, {"t": 1}), (1099, {"t": 2}), (1200, {"t": 30}), (1250, {"t": 9})]
    )
    query = f"keys=t&startTs=1000&endTs=1250&interval=100&agg={agg}&orderBy=ASC&useStrictDataTypes=true"
    answer = api(cast.alice).get(f"{root(cast.device)}/values/timeseries?{query}")
    assert values_of(answer) == {"t": [(1050, first), (1225, second)]}


@pytest.mark.parametrize(
    "query",
    [
        "agg=MEDIAN",
        "orderBy=UP",
        "limit=0",
        "limit=x",
        "agg=AVG&interval=1",
        "intervalType=DECADE",
        "agg=AVG&intervalType=MONTH&timeZone=Mars/Olympus",
        "agg=AVG&interval=-1",
        "agg=AVG&interval=9&startTs=702",
        "interval=x",
        "endTs=x",
        "startTs=-1",
        "useStrictDataTypes=maybe",
    ],
)
def test_a_history_query_that_makes_no_sense_is_refused(cast: Cast, query: str) -> None:
    answer = api(cast.alice).get(f"{root(cast.device)}/values/timeseries?keys=t&startTs=0&endTs=701&{query}")
    assert error(answer) == (400, 31)


def test_names_with_commas_come_as_repeated_key_parameters(cast: Cast) -> None:
    client, path = api(cast.alice), root(cast.device)
    services.save(cast.acme.pk, cast.device.pk, [(1, {"a,b": 1, "c d": 2})])
    services.save_attributes(cast.acme.pk, cast.device.pk, Scope.SERVER, {"x,y": 1, "z": 2})
    assert set(values_of(client.get(f"{path}/values/timeseries?key=a,b&key=c d"))) == {"a,b", "c d"}
    assert [item["key"] for item in client.get(f"{path}/values/attributes?key=x,y").json()] == ["x,y"]


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("", "Not valid JSON"),
        ("{", "Not valid JSON"),
        ('"text"', "Expected a JSON object"),
        ("{}", "No timeseries data found"),
        ('{"t": null}', "Can't parse value"),
        ('{"t": NaN}', "Not valid JSON"),
        ('{"t": "a\\u0000"}', "NUL"),
        ('{"a\\u0000": 1}', ""),
        ('{"": 1}', ""),
        (json.dumps({"k" * 300: 1}), ""),
        ('{"t": "\\ud800"}', "Not valid JSON"),
        ('{"ts": -1, "values": {"t": 1}}', '"ts"'),
        ('{"ts": 99999999999999, "values": {"t": 1}}', '"ts"'),
        ("[" * 1000 + "]" * 1000, ""),
        (json.dumps({str(number): 1 for number in range(1001)}), "Too many keys"),
    ],
)
def test_telemetry_that_cannot_be_is_refused_in_bare_text(cast: Cast, body: str, says: str) -> None:
    answer = post(api(cast.alice), f"{root(cast.device)}/timeseries/ANY", body)
    assert says in refusal(answer) and answer.content
    assert services.timeseries_keys(cast.device.pk) == []


def test_attributes_are_written_read_and_deleted_by_scope(cast: Cast) -> None:
    client, path, before = api(cast.alice), root(cast.device), now_ms()
    for where, body in (("attributes/SERVER_SCOPE", {"a": 1, "j": {"x": 1}}), ("SHARED_SCOPE", {"a": "s"})):
        answer = post(client, f"{path}/{where}", body)
        assert (answer.status_code, answer.content) == (200, b"")
    services.save_attributes(cast.acme.pk, cast.device.pk, Scope.CLIENT, {"c": True})
    [a, active, j] = client.get(f"{path}/values/attributes/SERVER_SCOPE").json()
    assert (active["key"], active["value"]) == ("active", False), "the platform's own"
    assert (a["key"], a["value"], j["value"]) == ("a", 1, {"x": 1}) and before <= a["lastUpdateTs"] <= now_ms()
    assert sorted(item["key"] for item in client.get(f"{path}/values/attributes").json()) == [
        "a",
        "a",
        "active",
        "c",
        "j",
    ]
    assert [item["value"] for item in client.get(f"{path}/values/attributes/SHARED_SCOPE?keys=a,b").json()] == ["s"]
    assert client.get(f"{path}/keys/attributes").json() == ["a", "active", "c", "j"]
    assert client.get(f"{path}/keys/attributes/CLIENT_SCOPE").json() == ["c"]
    assert client.delete(f"{path}/SERVER_SCOPE?keys=a,none").status_code == 200
    assert client.get(f"{path}/keys/attributes/SERVER_SCOPE").json() == ["active", "j"]
    assert client.get(f"{path}/keys/attributes/SHARED_SCOPE").json() == ["a"]


def test_a_device_needs_no_entity_type_in_the_path(cast: Cast) -> None:
    client, path = api(cast.alice), f"/api/plugins/telemetry/{cast.device.pk}"
    assert post(client, f"{path}/SERVER_SCOPE", {"a": 1, "b": 2}).status_code == 200
    assert client.delete(f"{path}/SERVER_SCOPE?keys=a").status_code == 200
    assert services.attribute_keys(cast.device.pk) == ["active", "b"]


@pytest.mark.parametrize("where", ["attributes/CLIENT_SCOPE", "CLIENT_SCOPE", "attributes/NO_SCOPE", "NO_SCOPE"])
def test_a_scope_that_users_cannot_write_is_refused_in_bare_text(cast: Cast, where: str) -> None:
    assert "Invalid scope" in refusal(post(api(cast.alice), f"{root(cast.device)}/{where}", {"a": 1}))


@pytest.mark.parametrize("body", ["", "[]", "{}", '{"a": null}', '{"a": "b\\u0000"}'])
def test_attributes_that_cannot_be_are_refused_in_bare_text(cast: Cast, body: str) -> None:
    assert refusal(post(api(cast.alice), f"{root(cast.device)}/SERVER_SCOPE", body))


def test_points_are_deleted_by_time_or_altogether(cast: Cast) -> None:
    client, path = api(cast.alice), f"{root(cast.device)}/timeseries/delete"
    services.save(cast.acme.pk, cast.device.pk, [(ts, {"t": ts, "u": ts}) for ts in (1, 2, 3)])
    assert client.delete(f"{path}?keys=t&startTs=3&endTs=4&rewriteLatestIfDeleted=true").status_code == 200
    found = values_of(client.get(f"{root(cast.device)}/values/timeseries?useStrictDataTypes=true"))
    assert found == {"t": [(2, 2)], "u": [(3, 3)]}
    assert client.delete(f"{path}?keys=t&deleteAllDataForKeys=True").status_code == 200
    assert services.timeseries_keys(cast.device.pk) == ["u"]
    assert "startTs" in refusal(client.delete(f"{path}?keys=u"))
    assert "keys" in refusal(client.delete(f"{path}?deleteAllDataForKeys=true"))


READS = [
    "values/timeseries",
    "values/timeseries?startTs=0&endTs=9",
    "values/attributes",
    "values/attributes/SERVER_SCOPE",
    "keys/timeseries",
    "keys/attributes",
    "keys/attributes/SHARED_SCOPE",
]


@pytest.mark.parametrize("read", READS)
def test_a_stranger_reads_nothing(cast: Cast, read: str) -> None:
    services.save(cast.acme.pk, cast.device.pk, [(1, {"t": 1})])
    assert error(api(cast.gina).get(f"{root(cast.device)}/{read}")) == (404, 32)
    assert error(api(cast.bob).get(f"{root(cast.device)}/{read}")) == (404, 32)
    assert error(api(cast.sam).get(f"{root(cast.device)}/{read}")) == (404, 32)
    assert error(api(None).get(f"{root(cast.device)}/{read}")) == (401, 10)


def test_a_stranger_writes_nothing(cast: Cast) -> None:
    services.save(cast.acme.pk, cast.device.pk, [(1, {"t": 1})])
    services.save_attributes(cast.acme.pk, cast.device.pk, Scope.SERVER, {"a": 1})
    for user in (cast.gina, cast.bob):
        client, path = api(user), root(cast.device)
        for where in ("timeseries/ANY", "SERVER_SCOPE", "attributes/SHARED_SCOPE"):
            assert error(post(client, f"{path}/{where}", {"t": 2})) == (404, 32)
        assert error(client.delete(f"{path}/SERVER_SCOPE?keys=a")) == (404, 32)
        assert error(client.delete(f"{path}/timeseries/delete?keys=t&deleteAllDataForKeys=true")) == (404, 32)
        assert error(post(client, f"/api/plugins/telemetry/{cast.device.pk}/SERVER_SCOPE", {"a": 2})) == (404, 32)
    assert services.timeseries_keys(cast.device.pk) == ["t"]
    assert [attribute.value for attribute in services.attributes(cast.device.pk, keys=["a", "t"])] == [1]


def test_a_customer_user_writes_for_its_own_device_and_never_for_its_customer(cast: Cast) -> None:
    client = api(cast.bob)
    assert post(client, f"{root(cast.bobs_device)}/timeseries/ANY", {"t": 1}).status_code == 200
    assert post(client, f"{root(cast.bobs_device)}/SHARED_SCOPE", {"t": 1}).status_code == 200
    customer = f"/api/plugins/telemetry/CUSTOMER/{cast.bistro.pk}"
    assert error(post(client, f"{customer}/SERVER_SCOPE", {"a": 1})) == (403, 20)
    assert client.get(f"{customer}/values/attributes").json() == []


def test_a_tenant_has_attributes_of_its_own(cast: Cast) -> None:
    path = f"/api/plugins/telemetry/TENANT/{cast.acme.pk}"
    assert post(api(cast.alice), f"{path}/SERVER_SCOPE", {"a": 1}).status_code == 200
    assert api(cast.sam).get(f"{path}/values/attributes").json()[0]["value"] == 1
    assert error(api(cast.gina).get(f"{path}/values/attributes")) == (404, 32)
    profile = f"/api/plugins/telemetry/TENANT_PROFILE/{cast.acme.profile_id}"
    assert error(post(api(cast.alice), f"{profile}/SERVER_SCOPE", {"a": 1})) == (403, 20)


@pytest.mark.parametrize(("kind", "expected"), [("ASSET", (404, 32)), ("NOTHING", (400, 31)), ("device", (200, 0))])
def test_the_entity_type_decides(cast: Cast, kind: str, expected: tuple[int, int]) -> None:
    answer = api(cast.alice).get(f"/api/plugins/telemetry/{kind}/{cast.device.pk}/keys/timeseries")
    assert answer.status_code == 200 if expected == (200, 0) else error(answer) == expected
