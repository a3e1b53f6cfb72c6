"""Dates are read, changed and written as ThingsBoard's are on a server in UTC."""

from typing import Any

import pytest
import quickjs

from tests.kernel.script.tbel import Context, started

run = pytest.fixture(scope="module", name="run")(started)

READ = [
    ('"2023-08-06T04:04:05.123Z"', "2023-08-06T04:04:05.123Z"),
    ('"2023-08-06T12:04:05.123"', "2023-08-06T12:04:05.123Z"),
    ('"2023-08-06"', "2023-08-06T00:00:00Z"),
    ('"2023-08-06T04:04:05.00-04"', "2023-08-06T08:04:05Z"),
    ('"2023-08-06T04:04:05.00+02:00"', "2023-08-06T02:04:05Z"),
    ('"2023-09-06T01:04:05.00+04:30:56"', "2023-09-05T20:33:09Z"),
    ('"2023-08-06 04:04:05 America/New_York"', "2023-08-06T08:04:05Z"),
    ('"Tue, 3 Jun 2008 11:05:30 GMT"', "2008-06-03T11:05:30Z"),
    ('"Tue, 3 Jun 2008 11:05:30 +043056"', "2008-06-03T06:34:34Z"),
    ('"Thu, 29 Feb 2024 11:05:30 -03"', "2024-02-29T14:05:30Z"),
    ('"Sat, 3 Jun 2023 11:05:30"', "2023-06-03T11:05:30Z"),
    ('"2023-08-06 04:04:05.000-04:00", "yyyy-MM-dd HH:mm:ss.SSSXXX"', "2023-08-06T08:04:05Z"),
    ('"2023-08-06 12:04:05.000", "yyyy-MM-dd HH:mm:ss.SSS"', "2023-08-06T12:04:05Z"),
    ('"02:15:30 PM, Sun 10/09/2022", "hh:mm:ss a, EEE M/d/uuuu", "en-US", "America/New_York"', "2022-10-09T18:15:30Z"),
    ('"02:15:30 PM, Sun 10/09/2022", "hh:mm:ss a, EEE M/d/uuuu", "en-US", "-04:00"', "2022-10-09T18:15:30Z"),
    (
        '"2023-08-06 04:04:05.000+02:00", "yyyy-MM-dd HH:mm:ss.SSSXXX", "de", "America/New_York"',
        "2023-08-06T08:04:05Z",
    ),
    ("1693962245000L", "2023-09-06T01:04:05Z"),
    ("2023, 8, 18", "2023-08-18T00:00:00Z"),
    ("23, 9, 7, 8, 4", "2023-09-07T08:04:00Z"),
    ("23, 9, 7, 8, 4, 5, 567", "2023-09-07T08:04:05.567Z"),
    ('2023, 8, 6, 4, 4, 5, "Europe/Berlin"', "2023-08-06T02:04:05Z"),
    ('2023, 1, 6, 4, 4, 5, "Europe/Berlin"', "2023-01-06T03:04:05Z"),
    ('2023, 1, 6, 4, 4, 5, "Australia/Sydney"', "2023-01-05T17:04:05Z"),
    ('1975, 12, 31, 23, 15, 30, 567, "+03:00"', "1975-12-31T20:15:30.567Z"),
    ("Date.UTC(0)", "1899-12-31T00:00:00Z"),
    ("Date.UTC(22, 0, 0, 3, 4, 5, 678)", "2022-12-31T03:04:05.678Z"),
    ("Date.UTC(903, 0, 0, 3, 4, 5, 678)", "0903-12-31T03:04:05.678Z"),
    ("Date.UTC(2024, 2, 29)", "2024-02-29T00:00:00Z"),
]


@pytest.mark.parametrize(("arguments", "iso"), READ)
def test_a_date_is_read(run: Context, arguments: str, iso: str) -> None:
    assert run(f"return new Date({arguments}).toISOString();") == iso


NEW_YORK = "'America/New_York'"
FULL = "JSON.stringify({timeZone: 'America/New_York', dateStyle: 'full', timeStyle: 'full'})"
WRITTEN = [
    ("toLocaleString()", "2023-09-06 01:04:05"),
    (f"toLocaleString('en-US', {NEW_YORK})", "9/5/23, 9:04:05 PM"),
    ("toLocaleString('uk-UA', 'Europe/Kiev')", "06.09.23, 04:04:05"),
    ("toLocaleString('de')", "06.09.23, 01:04:05"),
    (f"toLocaleString('en-US', {FULL})", "Tuesday, September 5, 2023 at 9:04:05 PM Eastern Daylight Time"),
    ("toLocaleString('en-US', JSON.stringify({pattern: 'M/d/yyyy, h:mm:ss a'}))", "9/6/2023, 1:04:05 AM"),
    (f"toLocaleDateString('en-US', {NEW_YORK})", "9/5/23"),
    (f"toLocaleDateString('en-US', {FULL})", "Tuesday, September 5, 2023"),
    (f"toLocaleTimeString('en-US', {NEW_YORK})", "9:04:05 PM"),
    (f"toLocaleTimeString('en-US', {FULL})", "9:04:05 PM Eastern Daylight Time"),
    ("toString()", "Wednesday, September 6, 2023 at 1:04:05 AM Coordinated Universal Time"),
    ("toJSON()", "2023-09-06T01:04:05Z"),
]


@pytest.mark.parametrize(("method", "text"), WRITTEN)
def test_a_date_is_written(run: Context, method: str, text: str) -> None:
    assert run(f"return new Date(1693962245000L).{method};") == text


CHANGED = [
    ("d.addYears(1)", "2025-01-31T10:00:00.500Z"),
    ("d.addMonths(1)", "2024-02-29T10:00:00.500Z"),
    ("d.addMonths(-13)", "2022-12-31T10:00:00.500Z"),
    ("d.addWeeks(4); d.addDays(-50); d.addHours(23)", "2024-01-10T09:00:00.500Z"),
    ("d.addMinutes(59); d.addSeconds(-60)", "2024-01-31T10:58:00.500Z"),
    ("d.addNanos(999999)", "2024-01-31T10:00:00.500999999Z"),
    ("d.addNanos(-1000000)", "2024-01-31T10:00:00.499Z"),
    ("d.setFullYear(2023, 5, 6)", "2023-05-06T10:00:00.500Z"),
    ("d.setUTCMonth(2)", "2024-03-02T10:00:00.500Z"),
    ("d.setMonth(5, 20); d.setHours(1, 2, 3, 4)", "2024-05-20T01:02:03.004Z"),
    ("d.setDate(6); d.setUTCMinutes(7); d.setSeconds(8); d.setMilliseconds(9)", "2024-01-06T10:07:08.009Z"),
    ("d.setTime(0)", "1970-01-01T00:00:00Z"),
]


@pytest.mark.parametrize(("change", "iso"), CHANGED)
def test_a_date_is_changed(run: Context, change: str, iso: str) -> None:
    assert run(f'var d = new Date("2024-01-31T10:00:00.500Z"); {change}; return d.toISOString();') == iso


def test_the_parts_of_a_date_count_months_and_weekdays_from_one(run: Context) -> None:
    parts = "d.getFullYear(), d.getMonth(), d.getDate(), d.getDay(), d.getHours(), d.getUTCMinutes(), d.getSeconds()"
    assert run(f"var d = new Date(1693962245678L); return [{parts}];") == [2023, 9, 6, 3, 1, 4, 5]
    more = "d.getTime(), d.time, d.valueOf(), d.parseSecond(), d.getMilliseconds(), d instanceof Date"
    stamp = 1693962245678
    assert run(f"var d = new Date(1693962245678L); return [{more}];") == [stamp, stamp, stamp, 1693962245, 678, True]


def test_a_date_in_a_message_becomes_its_text(run: Context) -> None:
    text: dict[str, Any] = run("return {d: new Date(0), t: '' + new Date(0)};")
    assert text["d"] == text["t"] == "Thursday, January 1, 1970 at 12:00:00 AM Coordinated Universal Time"


def test_now_is_the_clocks_time(run: Context) -> None:
    assert run("return new Date().getTime() - Date.now() < 1000 && Date.now() > 1700000000000L;") is True


def test_what_is_parsed_in_vain_is_minus_one(run: Context) -> None:
    parsed = 'Date.parse("x"), Date.parse("1970-01-01 T00:00:01"), Date.parse("04/12/1995", "dd/MM/yyyy")'
    assert run(f"return [{parsed}];") == [-1, 1000, 818035200000]


REFUSED = [
    ('new Date("2023-09-06T01:04:05.00+045")', "Cannot parse value"),
    ('new Date("2023-08-06T04:04:05.123+4")', "Cannot parse value"),
    ('new Date("Tue, 3 Jun 2023 11:05:30 GMT")', "Cannot parse value"),
    ('new Date("x", "yyyy")', "Cannot parse value [x] as instant"),
    ("Date.UTC(2023, 2, 29)", "Invalid date 'February 29' as '2023' is not a leap year"),
    ("new Date(2023, 13, 1)", "valid values 1 - 12"),
    ('new Date(2023, 1, 1, "Nowhere/Land")', "Unknown time-zone ID: Nowhere/Land"),
    ("new Date(1e30)", "beyond what can be represented"),
]


@pytest.mark.parametrize(("script", "message"), REFUSED)
def test_what_is_no_date_is_refused(run: Context, script: str, message: str) -> None:
    with pytest.raises(quickjs.JSException) as error:
        run(script)
    assert message in str(error.value)


WINDOW = {
    "timeWindow": {"startTs": 0, "endTs": 100},
    "values": [{"ts": 10, "value": 3}, {"ts": 20, "value": None}, {"ts": 30, "value": 9}, {"ts": 40, "value": 6}],
}
ROLLING: list[tuple[str, Any]] = [
    ("[w.max(), w.min(), w.avg(), w.mean(), w.sum(), w.median()]", [9, 3, 6, 6, 18, 6]),
    ("[w.count(), w.count(false), w.first(), w.last()]", [3, 4, 3, 6]),
    ("[w.max(false), w.avg(false)]", [None, None]),
    ("toFixed(w.std(), 3)", 2.449),
    ("var s = 0; foreach (p : w) { s += p.ts; } s", 100),
    ("[w.values.size(), w.timeWindow.endTs, w.values[0].value]", [4, 100, 3]),
    ("var m = w.merge(w); [m.values.size(), m.values[2].ts, m.values[2].v1, m.values[2].v2]", [3, 40, 6, 6]),
    ("w.mergeAll([w], {timeWindow: {startTs: 25, endTs: 35}}).values", [{"ts": 30, "values": [9, 9]}]),
]


@pytest.mark.parametrize(("script", "value"), ROLLING, ids=[text for text, _ in ROLLING])
def test_a_window_of_a_time_series_is_summed_up(run: Context, script: str, value: Any) -> None:
    assert run.run(script, ["w"], [WINDOW]) == value
