"""What a trace's page says of a message that a node changed."""

from typing import Any

from rules.admin.trace_looks import difference, duration


def message(**more: Any) -> dict[str, Any]:
    return {"type": "T", "originator": {"entityType": "DEVICE", "id": "1"}, "metadata": {}, "data": "{}", **more}


def told(before: dict[str, Any], after: dict[str, Any]) -> list[tuple[str, str, str, str]]:
    return [(each.sign, each.what, each.before, each.after) for each in difference(before, after)]


def test_members_that_came_went_and_changed_are_told_one_by_one() -> None:
    before = message(metadata={"a": "1", "b": "2"}, data='{"t":1,"u":{"v":2}}')
    after = message(metadata={"a": "1", "c": "3"}, data='{"t":"1","w":null}')
    assert told(before, after) == [
        ("-", "metadata.b", "2", ""),
        ("+", "metadata.c", "", "3"),
        ("~", "data.t", "1", "1"),
        ("-", "data.u", '{"v":2}', ""),
        ("+", "data.w", "", "null"),
    ]


def test_another_type_and_another_originator_are_told() -> None:
    after = message(type="ALARM", originator={"entityType": "ASSET", "id": "2"})
    assert told(message(), after) == [("~", "type", "T", "ALARM"), ("~", "originator", "DEVICE 1", "ASSET 2")]


def test_data_that_are_no_objects_are_told_as_texts_of_bounded_length() -> None:
    assert told(message(data="[1]"), message(data="[2]")) == [("~", "data", "[1]", "[2]")]
    ((_, _, before, after),) = told(message(data='{"cut'), message(data="x" * 1000))
    assert before == '{"cut' and len(after) == 301


def test_nothing_is_told_where_nothing_changed() -> None:
    assert told(message(data='{"a":1}'), message(data='{"a":1}')) == []


def test_durations_are_in_the_unit_that_reads_best() -> None:
    assert [duration(us) for us in (0, 999, 1_500, 23_456, 2_000_000, 150_000_000)] == [
        "0 µs", "999 µs", "1.5 ms", "23.5 ms", "2 s", "2.5 min",
    ]  # fmt: skip
