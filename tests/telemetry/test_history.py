"""Bounds and options of history over ThingsBoard's REST paths."""

from typing import Any

from django.db import connection

from telemetry import services
from tests.cast import Cast, api, error
from tests.telemetry.test_api import post, refusal, root, values_of


def test_an_aggregation_without_an_interval_is_none_at_all(cast: Cast) -> None:
    services.save(cast.acme.pk, cast.device.pk, [(1000, {"t": 1}), (1099, {"t": 2})])
    query = "keys=t&startTs=1000&endTs=1250&agg=AVG&useStrictDataTypes=true"
    answer = api(cast.alice).get(f"{root(cast.device)}/values/timeseries?{query}")
    assert values_of(answer) == {"t": [(1099, 2), (1000, 1)]}


def test_too_many_intervals_are_refused_with_the_words_that_clients_look_for(cast: Cast) -> None:
    asked = f"{root(cast.device)}/values/timeseries?keys=t&agg=MAX&startTs=0"
    assert api(cast.alice).get(f"{asked}&interval=1000&endTs=700999").status_code == 200
    answer = api(cast.alice).get(f"{asked}&interval=1000&endTs=701000")
    assert error(answer) == (400, 31)
    assert "Number of intervals is to high - 701." in answer.json()["message"]
    months = f"{asked}&intervalType=MONTH&endTs="
    assert api(cast.alice).get(f"{months}{1_840_000_000_000}").status_code == 200  # 1970 to April 2028: 700
    assert error(api(cast.alice).get(f"{months}{1_850_000_000_000}")) == (400, 31)


def test_a_query_that_takes_too_long_is_given_up_and_says_so(cast: Cast, settings: Any) -> None:
    services.save(cast.acme.pk, cast.device.pk, [(0, {"t": 1.0})])
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO ts_kv_far (entity_id, key_id, ts, dbl_v) SELECT entity_id, key_id, g, 1 FROM ts_latest, "
            "generate_series(1, 100000) g WHERE entity_id = %s",
            [cast.device.pk],
        )
    asked = f"{root(cast.device)}/values/timeseries?keys=t&agg=COUNT&interval=1000000&startTs=0&endTs=1000000"
    settings.TB_TS_QUERY_SECONDS = 0.001
    answer = api(cast.alice).get(asked)
    assert error(answer) == (503, 2) and "longer than 0.001 s" in answer.json()["message"]
    settings.TB_TS_QUERY_SECONDS = 30.0
    assert values_of(api(cast.alice).get(asked)) == {"t": [(500000, "100001")]}
    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone() == ("0",)  # nothing of it is left for others


def test_a_sum_beyond_a_double_is_refused(cast: Cast) -> None:
    services.save(cast.acme.pk, cast.device.pk, [(1, {"t": 1.7e308}), (2, {"t": 1.7e308})])
    asked = f"{root(cast.device)}/values/timeseries?keys=t&agg=SUM&interval=10&startTs=0&endTs=10"
    assert error(api(cast.alice).get(asked)) == (400, 31)


def test_a_time_to_live_is_accepted_and_means_nothing(cast: Cast) -> None:
    client, path = api(cast.alice), f"{root(cast.device)}/timeseries/ANY"
    assert post(client, f"{path}/60", {"ts": 1, "values": {"t": 1}}).status_code == 200
    assert services.latest(cast.device.pk)["t"] == (1, 1)
    for ttl in ("-1", "soon", "1.5"):
        assert "ttl" in refusal(post(client, f"{path}/{ttl}", {"t": 2}))
    assert services.latest(cast.device.pk)["t"] == (1, 1)


def test_the_latest_value_goes_or_stays_with_its_points_as_the_options_say(cast: Cast) -> None:
    client, path = api(cast.alice), f"{root(cast.device)}/timeseries/delete"
    services.save(cast.acme.pk, cast.device.pk, [(ts, {"t": ts, "u": ts, "v": ts}) for ts in (1, 2, 3)])
    assert client.delete(f"{path}?keys=t&startTs=2&endTs=9&deleteLatest=false").status_code == 200
    assert client.delete(f"{path}?keys=u&startTs=2&endTs=9").status_code == 200
    assert client.delete(f"{path}?keys=v&startTs=1&endTs=3&rewriteLatestIfDeleted=true").status_code == 200
    assert {key: point.ts for key, point in services.latest(cast.device.pk).items()} == {"t": 3, "v": 3}
    asked = f"{root(cast.device)}/values/timeseries?startTs=0&endTs=9&keys=t,u,v&useStrictDataTypes=true"
    assert values_of(client.get(asked)) == {"t": [(1, 1)], "u": [(1, 1)], "v": [(3, 3)]}
