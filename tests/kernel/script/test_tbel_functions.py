"""The helper functions give what ThingsBoard documents, and refuse what it refuses."""

from typing import Any

import pytest
import quickjs

from tests.kernel.script.tbel import Context, facts, started

run = pytest.fixture(scope="module", name="run")(started)

TREE = {
    "key1": "value1",
    "key2": 12,
    "key3": {"key4": "value4", "key6": [{"key7": "value7"}, "text", 56], "key9": {"key10": ["a", "b"]}},
    "twice": "root",
    "key11": {"twice": "second"},
}

CALLS = facts("functions")


@pytest.mark.parametrize(("call", "value"), CALLS, ids=[text[:60] for text, _ in CALLS])
def test_a_function_gives_its_value(run: Context, call: str, value: Any) -> None:
    assert run(f"return {call};", TREE) == value


REFUSED = [
    ('parseInt("2147483648", 10)', 'For input string: "2147483648"'),
    ('parseInt("99", 8)', 'Failed radix [8] for value: "99"'),
    ('parseInt("Kona", 10)', 'Failed radix [10] for value: "Kona"'),
    ('parseInt("0xFG", 16)', "Failed radix [16]"),
    ('parseInt("0xFG")', "is not numeric or hexDecimal format"),
    ('parseInt("FFF")', "must be of even length"),
    ('parseInt("5", 12)', "Invalid radix: [12]"),
    ('parseLong("9223372036854775808", 10)', 'For input string: "9223372036854775808"'),
    ('parseHexToInt("AABBCCDD", true)', "For input string"),
    ('parseLittleEndianHexToInt("A12")', "must be even-length"),
    ("parseBytesToFloat([-1, -1, -1, -1])", "is a Not-a-Number (NaN) value"),
    ("parseBytesToInt([1, 2], 3)", "Offset: 3 is out of bounds for array with length: 2!"),
    ("parseBytesToInt([1, 2], 1, 4)", "Offset: 1 and Length: 4 is out of bounds"),
    ("parseBytesToInt([1, 2, 3, 4, 5], 0, 5)", "Maximum 4 bytes is allowed"),
    ("bytesToString([256])", "The value '256' could not be correctly converted to a byte."),
    ('bytesToString([["0xFD"]])', "The value '[0xFD]' could not be correctly converted"),
    ('hexToBytes("ABC")', "even-length"),
    ('hexToBytes("0x01K2")', "is not numeric or hexDecimal format"),
    ("stringToBytes(1234)", "Expected 'String'"),
    ('atob("a")', "wrong 4-byte ending unit"),
    ('raiseError("frequency must be 0, 1 or 2.")', "frequency must be 0, 1 or 2."),
    ("intToHex(1, true, false, 9)", "begin -7"),
    ("toFixed(1 / 0, 2)", "Infinite or NaN"),
    ("padStart('a', 100000000, 'b')", "Max string length overflow"),
]


@pytest.mark.parametrize(("call", "message"), REFUSED, ids=[text for text, _ in REFUSED])
def test_a_function_refuses_what_it_cannot_do_with_a_sentence(run: Context, call: str, message: str) -> None:
    with pytest.raises(quickjs.JSException) as error:
        run(f"return {call};")
    assert message in str(error.value)
