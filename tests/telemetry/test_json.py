"""What becomes of a payload: ThingsBoard's conversion rules, value by value (compat/device_transports.md 1)."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.json import Rules, attributes_from_json, telemetry_from_json
from telemetry.points import END_OF_TIME_MS, Json

NOW = 1_700_000_000_000
RULES = Rules()


def only_value(text: str, rules: Rules = RULES) -> object:
    [(ts, values)] = telemetry_from_json(b'{"k":' + text.encode() + b"}", NOW, rules)
    assert ts == NOW
    return values["k"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("1", 1),
        ("-7", -7),
        ("1.0", 1.0),
        ("1E2", 100),
        ("1.5E3", 1500),
        ("1.5e1", 15),
        ("1e-5", 1e-5),
        ("1e-20", "1e-20"),
        ("0.1234567890123456", 0.1234567890123456),
        ("0.12345678901234567", "0.12345678901234567"),
        ("0.10000000000000000", "0.10000000000000000"),
        ("9223372036854775807", 9223372036854775807),
        ("-9223372036854775808", -9223372036854775808),
        ("9223372036854775808", "9223372036854775808"),
        ("123456789012345678901234567890", "123456789012345678901234567890"),
        ('"25"', 25),
        ('"1.5"', 1.5),
        ('"-3"', -3),
        ('"007"', 7),
        ('".5"', 0.5),
        ('"+5"', "+5"),
        ('"5."', "5."),
        ('"1e5"', "1e5"),
        ('"-"', "-"),
        ('""', ""),
        ('"99999999999999999999"', "99999999999999999999"),
        ('"text"', "text"),
        ('{"a":[1,2]}', Json('{"a":[1,2]}')),
        ('{"a":1E2,"b":[0.10]}', Json('{"a":1E2,"b":[0.10]}')),
        ("[]", Json("[]")),
    ],
)
def test_a_value_is_stored_as_thingsboard_stores_it(text: str, value: object) -> None:
    got = only_value(text)
    assert got == value
    assert type(got) is type(value)


def test_number_like_strings_stay_strings_when_the_cast_is_off() -> None:
    assert only_value('"25"', Rules(cast=False)) == "25"


def test_an_integer_over_64_bits_is_refused_when_the_cast_is_off() -> None:
    with pytest.raises(ValueError, match="Big integer"):
        only_value("9223372036854775808", Rules(cast=False))


def test_null_values_are_left_out_for_devices_and_refused_for_the_api() -> None:
    assert telemetry_from_json(b'{"a":null,"b":1}', NOW, RULES) == [(NOW, {"b": 1})]
    assert telemetry_from_json(b'{"a":null}', NOW, RULES) == []
    with pytest.raises(ValueError, match="Can't parse value"):
        telemetry_from_json(b'{"a":null}', NOW, RULES, skip_nulls=False)


def test_only_ts_and_values_together_make_a_time_stamp() -> None:
    assert telemetry_from_json(b'{"ts":5,"values":{"a":1}}', NOW, RULES) == [(5, {"a": 1})]
    assert telemetry_from_json(b'{"ts":5}', NOW, RULES) == [(NOW, {"ts": 5})]
    assert telemetry_from_json(b'{"values":{"a":1}}', NOW, RULES) == [(NOW, {"values": Json('{"a":1}')})]


def test_an_array_may_mix_stamped_and_unstamped_objects_and_takes_one_stamp() -> None:
    stamps = iter([7, 8])
    body = b'[{"ts":5,"values":{"a":1}},{"b":2},{"c":3}]'
    assert telemetry_from_json(body, NOW, RULES, stamp=lambda now: next(stamps)) == [
        (5, {"a": 1}),
        (7, {"b": 2}),
        (7, {"c": 3}),
    ]


def test_a_time_stamp_may_come_as_text_or_in_exponent_form() -> None:
    assert telemetry_from_json(b'{"ts":"1700000000000","values":{"a":1}}', 0, RULES)[0][0] == NOW
    assert telemetry_from_json(b'{"ts":1.7e12,"values":{"a":1}}', 0, RULES)[0][0] == NOW


@pytest.mark.parametrize(
    "ts", ["-62135596800000", "253402300799000", "4102444800000", "-1", "true", "null", "{}", '"x"', "1e300"]
)
def test_a_time_stamp_outside_1970_to_2099_is_refused(ts: str) -> None:
    with pytest.raises(ValueError, match='Expected "ts"'):
        telemetry_from_json(b'{"ts":%s,"values":{"a":1}}' % ts.encode(), NOW, RULES)


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"", "Not valid JSON"),
        (b"{", "Not valid JSON"),
        (b'{"a":NaN}', "Not valid JSON"),
        (b'{"a":Infinity}', "Not valid JSON"),
        (b'{"a":1e400}', "Not valid JSON"),
        (b'{"a":"\\ud800"}', "Not valid JSON"),
        (b'{"a":"\xff"}', "Not valid JSON"),
        (b'{"a":"\\u0000"}', "NUL"),
        (b'{"a":{"b":"\\u0000"}}', "NUL"),
        (b'{"a":{"\\u0000":1}}', "NUL"),
        (b"3", "Expected a JSON object"),
        (b"[1]", "Expected a JSON object"),
        (b'{"ts":1,"values":[]}', 'object as "values"'),
        (b'{"a":' + b"[" * 65 + b"]" * 65 + b"}", "nested deeper"),
        (b'{"a":' + b"[" * 1000 + b"1e2" + b"]" * 1000 + b"}", "nested deeper"),
    ],
)
def test_a_payload_that_cannot_be_stored_is_refused_with_a_sentence(body: bytes, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        telemetry_from_json(body, NOW, RULES)


def test_an_escaped_backslash_before_u0000_is_no_nul() -> None:
    assert only_value('{"a":"\\\\u0000"}') == Json('{"a":"\\\\u0000"}')


def test_an_object_with_too_many_keys_is_refused() -> None:
    body = json.dumps({f"k{number}": number for number in range(10_000)}).encode()
    with pytest.raises(ValueError, match="Too many keys"):
        telemetry_from_json(body, NOW, RULES)


def test_a_string_over_the_limit_is_refused() -> None:
    with pytest.raises(ValueError, match="at most 3"):
        only_value('"abcd"', Rules(longest_string=3))


def test_attributes_are_one_flat_object() -> None:
    assert attributes_from_json(b'{"a":"1","b":{"c":2}}', RULES) == {"a": 1, "b": Json('{"c":2}')}
    with pytest.raises(ValueError, match="object of attributes"):
        attributes_from_json(b"[{}]", RULES)


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=15,
)


@given(st.binary(max_size=200) | json_values.map(lambda value: json.dumps(value, ensure_ascii=False).encode()))
def test_whatever_comes_is_either_refused_with_a_sentence_or_storable(body: bytes) -> None:
    try:
        readings = telemetry_from_json(body, NOW, RULES)
    except ValueError as error:
        assert str(error)
        return
    for ts, values in readings:
        assert 0 <= ts < END_OF_TIME_MS
        for value in values.values():
            assert type(value) in {bool, int, float, str, Json}
            if type(value) is int:
                assert -(2**63) <= value < 2**63
            elif type(value) is float:
                assert math.isfinite(value)
            elif isinstance(value, str):
                assert "\0" not in value
                value.encode()


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e15, max_value=1e15))
def test_a_decimal_keeps_its_value(number: float) -> None:
    got = only_value(repr(number))
    assert float(got) == number  # type: ignore[arg-type]


def test_a_large_payload_is_searched_once_and_its_numbers_keep_their_kinds() -> None:
    rows = [{"ts": ts, "values": {"d": ts / 4, "j": {"a": 1}}} for ts in range(20_000)]
    expected = [(row["ts"], {"d": row["ts"] / 4, "j": Json('{"a":1}')}) for row in rows]  # type: ignore[operator]
    assert telemetry_from_json(json.dumps(rows).encode(), NOW, RULES) == expected  # took half an hour, once a reading
    telling = json.dumps(rows[:2])[:-1] + ',{"ts":9,"values":{"e":1e2,"big":12345678901234567890}}]'
    assert telemetry_from_json(telling.encode(), NOW, RULES) == [
        *expected[:2],
        (9, {"e": 100, "big": "12345678901234567890"}),
    ]
    many = {str(number): [number] for number in range(1000)}
    assert attributes_from_json(json.dumps(many).encode(), RULES)["999"] == Json("[999]")
