"""Aggregation against a model that shares nothing with it: plain loops over points, and over midnights."""

import uuid
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st

from telemetry import services
from telemetry.intervals import IntervalType, zone
from telemetry.points import Aggregation, Json, Point, Value
from telemetry.query import HistoryQuery
from tests.cast import Cast, api

TENANT = uuid.UUID(int=7)
AGGREGATIONS = [agg for agg in Aggregation if agg is not Aggregation.NONE]
EACH = hypothesis(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

VALUES = st.one_of(
    st.integers(-(2**62), 2**62),
    st.integers(-100, 100),
    st.floats(-1e6, 1e6).map(lambda number: round(number * 4) / 4),
    st.booleans(),
    st.text("aZé€😀", max_size=3),
    st.just(Json('{"a":1}')),
)


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1000)


def aggregate(agg: Aggregation, values: list[Value]) -> Value | None:
    """What an interval with these values is answered with; None: it is left out."""
    if agg is Aggregation.COUNT:
        return len(values)
    numbers = [value for value in values if type(value) in (int, float)]
    texts = [value for value in values if type(value) is str]
    if agg in (Aggregation.MIN, Aggregation.MAX):
        choose = min if agg is Aggregation.MIN else max
        if texts:
            return choose(texts)
        if not numbers:
            return None
        return choose(numbers) if all(type(n) is int for n in numbers) else float(choose(map(float, numbers)))  # type: ignore[type-var]
    if not numbers:
        return None
    longs = sum(n for n in numbers if type(n) is int)
    doubles = float(sum(n for n in numbers if type(n) is float))
    if agg is Aggregation.AVG:
        return (longs + doubles) / len(numbers)
    if any(type(n) is float for n in numbers) or not -(2**63) <= longs < 2**63:
        return longs + doubles
    return longs


def model(agg: Aggregation, points: dict[int, Value], borders: list[int]) -> list[Point]:
    found = []
    for begin, end in pairwise(borders):
        values = [value for ts, value in sorted(points.items()) if begin <= ts < end]
        result = aggregate(agg, values) if values else None
        if result is not None:
            found.append(Point(begin + (end - begin) // 2, result))
    return found


def asked(points: dict[int, Value], **query: Any) -> list[Point]:
    """The answer of the platform for a new entity with these points under "t", beside another key and another entity."""
    entity, other = uuid.uuid4(), uuid.uuid4()
    services.save(TENANT, entity, [(ts, {"t": value, "noise": 1000}) for ts, value in points.items()])
    services.save(TENANT, other, [(ts, {"t": 1000}) for ts in points])
    return services.history(entity, HistoryQuery(keys=["t", "none"], **query)).get("t", [])


def assert_same(found: list[Point], expected: list[Point]) -> None:
    assert [point.ts for point in found] == [point.ts for point in expected]
    for ours, theirs in zip(found, expected, strict=True):
        assert type(ours.value) is type(theirs.value)
        if isinstance(theirs.value, float):
            assert ours.value == pytest.approx(theirs.value, rel=1e-12, abs=1e-9)
        else:
            assert ours.value == theirs.value


@EACH
@given(
    points=st.dictionaries(st.integers(0, 2000), VALUES, max_size=30),
    start=st.integers(0, 1500),
    length=st.integers(0, 1500),
    interval=st.integers(3, 2000),
    agg=st.sampled_from(AGGREGATIONS),
)
def test_intervals_of_equal_length(
    db: None, points: dict[int, Value], start: int, length: int, interval: int, agg: Aggregation
) -> None:
    end = start + length
    found = asked(points, start_ts=start, end_ts=end, interval_ms=interval, agg=agg)
    assert_same(found, model(agg, points, [*range(start, end, interval), end]))


def starts_interval(kind: IntervalType, day: datetime) -> bool:
    match kind:
        case IntervalType.WEEK:
            return day.strftime("%a") == "Sun"
        case IntervalType.WEEK_ISO:
            return day.strftime("%a") == "Mon"
        case IntervalType.MONTH:
            return day.day == 1
        case _:
            return (day.day, day.month) in {(1, 1), (1, 4), (1, 7), (1, 10)}


def midnights(kind: IntervalType, start: int, end: int, name: str) -> list[int]:
    """The borders, found by looking at every local day."""
    day = datetime.fromtimestamp(start / 1000, UTC).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    day -= timedelta(days=2)
    borders = [start]
    while (ms(day.replace(tzinfo=UTC).isoformat())) < end + 3 * 86_400_000:
        if starts_interval(kind, day):
            border = int(day.replace(tzinfo=ZoneInfo(name)).astimezone(UTC).timestamp() * 1000)
            if start < border < end:
                borders.append(border)
        day += timedelta(days=1)
    return [*borders, end]


@EACH
@given(
    begin=st.integers(ms("1975-01-01T00:00+00:00"), ms("2035-01-01T00:00+00:00")),
    days=st.integers(1, 900),
    offsets=st.lists(st.floats(-0.1, 1.1), max_size=20),
    kind=st.sampled_from([kind for kind in IntervalType if kind is not IntervalType.MILLISECONDS]),
    name=st.sampled_from(
        ["UTC", "Europe/Kyiv", "America/New_York", "America/Sao_Paulo", "Asia/Kathmandu", "Pacific/Apia"]
    ),
)
def test_intervals_of_the_calendar(
    db: None, begin: int, days: int, offsets: list[float], kind: IntervalType, name: str
) -> None:
    end = begin + days * 86_400_000
    points: dict[int, Value] = {begin + int(offset * (end - begin)): number for number, offset in enumerate(offsets)}
    found = asked(points, start_ts=begin, end_ts=end, agg=Aggregation.SUM, interval_type=kind, time_zone=zone(name))
    assert_same(found, model(Aggregation.SUM, points, midnights(kind, begin, end, name)))


BORDERS = [
    # the clocks of Kyiv go forward on 29 March 2026, 03:00: that ISO week has 167 hours
    ("WEEK_ISO", "Europe/Kyiv", "2026-03-23T00:00+02:00", "2026-03-30T00:00+03:00", "2026-04-06T00:00+03:00"),
    # and back on 25 October: a Sunday, so the week that begins on it has 169
    ("WEEK", "Europe/Kyiv", "2026-10-25T00:00+03:00", "2026-11-01T00:00+02:00", "2026-11-08T00:00+02:00"),
    ("MONTH", "America/New_York", "2026-03-01T00:00-05:00", "2026-04-01T00:00-04:00", "2026-05-01T00:00-04:00"),
    ("QUARTER", "Asia/Kathmandu", "2025-10-01T00:00+05:45", "2026-01-01T00:00+05:45", "2026-04-01T00:00+05:45"),
    ("MONTH", "+02:00", "2024-02-01T00:00+02:00", "2024-03-01T00:00+02:00", "2024-04-01T00:00+02:00"),
    # the clocks of Sao Paulo went forward at midnight: 18 October 2009 began at 01:00
    ("WEEK", "America/Sao_Paulo", "2009-10-11T00:00-03:00", "2009-10-18T01:00-02:00", "2009-10-25T00:00-02:00"),
]


@pytest.mark.parametrize(("kind", "name", "first", "second", "third"), BORDERS)
def test_borders_of_the_calendar_over_http(
    cast: Cast, kind: str, name: str, first: str, second: str, third: str
) -> None:
    begin, middle, end = ms(first), ms(second), ms(third)
    start = begin + 86_400_000  # a query begins within its first interval, which is cut
    stamps = [start - 1, start, middle - 1, middle, end - 1, end]
    services.save(cast.acme.pk, cast.device.pk, [(ts, {"t": 1}) for ts in stamps])
    path = f"/api/plugins/telemetry/DEVICE/{cast.device.pk}/values/timeseries"
    query = {"keys": "t", "agg": "COUNT", "intervalType": kind, "timeZone": name, "useStrictDataTypes": "true"}
    answer = api(cast.alice).get(path, {**query, "startTs": start, "endTs": end + 1000})
    assert [(point["ts"], point["value"]) for point in answer.json()["t"]] == [
        (start + (middle - start) // 2, 2),
        (middle + (end - middle) // 2, 2),
        (end + 500, 1),
    ]


@pytest.mark.parametrize("name", ["Mars/Olympus", "../etc/passwd", "+19", "UTC+1:99", "é", "Europe", "x" * 500])
def test_a_time_zone_that_is_none_is_refused_with_a_sentence(name: str) -> None:
    with pytest.raises(ValueError, match="Unknown time zone"):
        zone(name)


@pytest.mark.parametrize(
    ("name", "hours"),
    [("", 0), ("Z", 0), ("UTC", 0), ("+2", 2), ("UTC-03:30", -3.5), ("GMT+0545", 5.75), ("+18:00", 18)],
)
def test_an_offset_is_a_time_zone(name: str, hours: float) -> None:
    assert zone(name).utcoffset(datetime(2026, 1, 1)) == timedelta(hours=hours)


def test_answers_come_in_the_order_of_time_whatever_order_is_asked_for(db: None) -> None:
    points: dict[int, Value] = {ts: ts for ts in range(0, 100, 10)}
    for descending in (True, False):
        found = asked(
            points, start_ts=0, end_ts=100, interval_ms=50, agg=Aggregation.MAX, descending=descending, limit=1
        )
        assert found == [Point(25, 40), Point(75, 90)]
