"""The payload decoder against a model of its rules, and against whatever else bytes can be."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.json import DEEPEST, Rules, attributes_from_json, telemetry_from_json
from telemetry.points import END_OF_TIME_MS, Json

NOW = 1_700_000_000_000
RULES = Rules()

# Texts that neither look like numbers nor hold what cannot be stored.
words = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20).map(
    lambda text: f"w{text}"
)
numbers = st.integers() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False)
plain = st.none() | st.booleans() | numbers | words
nested = st.recursive(
    st.none() | st.booleans() | words | st.integers(-1000, 1000),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=8,
).filter(lambda value: isinstance(value, list | dict))
objects = st.dictionaries(words, plain | nested, max_size=6)
stamps = st.integers(0, END_OF_TIME_MS - 1)
stamped = st.builds(lambda ts, values: {"ts": ts, "values": values}, stamps, objects)


def modelled(value: Any) -> Any:
    """What a value becomes (compat/device_transports.md 1)."""
    if isinstance(value, bool | str):
        return value
    if isinstance(value, list | dict):
        return Json(json.dumps(value, ensure_ascii=False, separators=(",", ":")))
    text = json.dumps(value)
    exact = Decimal(text)
    whole = exact == exact.to_integral_value() if abs(exact) < Decimal(10) ** 400 else True
    if isinstance(value, int) or ("e" in text and whole):
        return int(exact) if -(2**63) <= exact < 2**63 else text
    decimals = -int(exact.as_tuple().exponent)
    return float(text) if decimals <= 16 else text


def model(document: Any) -> list[tuple[int, dict[str, Any]]]:
    """The readings of a document that is a telemetry payload."""
    readings = []
    for item in document if isinstance(document, list) else [document]:
        is_stamped = "ts" in item and "values" in item
        ts, values = (item["ts"], item["values"]) if is_stamped else (NOW, item)
        kept = {key: modelled(value) for key, value in values.items() if value is not None}
        if kept:
            readings.append((ts, kept))
    return readings


@given(objects | stamped | st.lists(objects | stamped, max_size=4), st.booleans())
def test_a_payload_means_what_the_model_says(document: Any, ascii_only: bool) -> None:
    body = json.dumps(document, ensure_ascii=ascii_only, separators=(",", ":")).encode()
    got = telemetry_from_json(body, NOW, RULES)
    expected = model(document)
    assert got == expected
    for (_, mine), (_, theirs) in zip(got, expected, strict=True):
        assert {key: type(value) for key, value in mine.items()} == {key: type(value) for key, value in theirs.items()}


@given(objects)
def test_attributes_follow_the_same_rules(document: dict[str, Any]) -> None:
    body = json.dumps(document).encode()
    expected = {key: modelled(value) for key, value in document.items() if value is not None}
    assert attributes_from_json(body, RULES) == expected


hostile = st.sampled_from(
    [
        b"NaN", b"-Infinity", b"1e400", b"-1e-400", b"1e99999999999", b"9" * 5000, b"-" + b"9" * 5000 + b".5",
        b"0." + b"1" * 5000,
        b'"\\ud800"', b'"\\udc00\\ud800"', b'"\\u0000"', b'"\0"', b'"\xed\xa0\x80"', b'"\xff"',
        b'"\xf4\x90\x80\x80"', b"\xef\xbb\xbf{}",
        b"[" * 100_000, b"[" * 1000 + b"]" * 1000, b'{"a":' * 500 + b"1" + b"}" * 500, b'{"ts":1e2,"values":{"a":1E2}}',
        b'{"ts":9999999999999999999999,"values":{}}', b'{"ts":"9e9","values":{"a":0.10000000000000000001}}', b'{"a":1,"a":2}',
        b'{"":1}', b"'a'", b"{a:1}", b'{"a":01}', b'{"a":.5}', b'{"a":+1}', b"/**/", b"1 2", b"null", b"\0", b"\x1e{}\n",
    ]
)  # fmt: skip
pieces = hostile | st.binary(max_size=30) | objects.map(lambda each: json.dumps(each).encode())


@given(
    st.lists(pieces, max_size=4),
    st.sampled_from([b"", b"[%s]", b'{"k":%s}', b'{"ts":%s,"values":{"k":1}}', b'{"k":[%s]}']),
)
def test_no_bytes_raise_anything_but_a_value_error_with_a_sentence(parts: list[bytes], frame: bytes) -> None:
    body = b",".join(parts)
    if frame:
        body = frame.replace(b"%s", body)
    for decode in (lambda: telemetry_from_json(body, NOW, RULES), lambda: attributes_from_json(body, RULES)):
        try:
            decode()
        except ValueError as error:
            assert 0 < len(str(error)) < 500
            str(error).encode()


@pytest.mark.parametrize("depth", [DEEPEST - 1, DEEPEST, DEEPEST + 1, 1000, 100_000])
@pytest.mark.parametrize("number", [b"1", b"1E2", b"1" * 30])
def test_depth_is_refused_from_the_same_level_on_whatever_is_inside(depth: int, number: bytes) -> None:
    body = b'{"k":' + b"[" * depth + number + b"]" * depth + b"}"
    if depth <= DEEPEST:
        assert telemetry_from_json(body, NOW, RULES)[0][1]["k"] == body[5:-1].decode()
    else:
        with pytest.raises(ValueError):
            telemetry_from_json(body, NOW, RULES)
