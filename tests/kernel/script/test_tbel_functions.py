"""The helper functions give what ThingsBoard documents, and refuse what it refuses."""

from typing import Any

import pytest
import quickjs

from tests.kernel.script.tbel import Context, started

run = pytest.fixture(scope="module", name="run")(started)

URI = "-_.!~*'();/?:@&=+$,#ht://example.ж д a/path with spaces/?param1=Київ 1&param2=Україна2"
ENCODED = (
    "-_.!~*'();/?:@&=+$,#ht://example.%D0%B6%20%D0%B4%20a/path%20with%20spaces/?param1=%D0%9A%D0%B8%D1%97%D0%B2%201"
    "&param2=%D0%A3%D0%BA%D1%80%D0%B0%D1%97%D0%BD%D0%B02"
)
LONG_BYTES = "[64, -101, 4, -79, 12, -78, -107, -22]"
AT101 = 'hexToBytes("0x01756403671B01048836BF7701F000090722050000")'
PLACES = 'hexToBytes("0x32D009423F23B300B0106E08D96B6C00")'
POLYGON = "'[[[37.781,-122.421],[37.789,-122.39],[37.77,-122.38],[37.76,-122.4],[37.77,-122.425],[37.781,-122.421]],[[37.773,-122.405],[37.77,-122.395],[37.767,-122.4],[37.769,-122.405],[37.773,-122.405]]]'"
CIRCLE = "'{\"latitude\":37.7749,\"longitude\":-122.4194,\"radius\":3000,\"radiusUnit\":\"METER\"}'"
TREE = {
    "key1": "value1",
    "key2": 12,
    "key3": {"key4": "value4", "key6": [{"key7": "value7"}, "text", 56], "key9": {"key10": ["a", "b"]}},
    "twice": "root",
    "key11": {"twice": "second"},
}

CALLS: list[tuple[str, Any]] = [
    ('btoa("Hello, world")', "SGVsbG8sIHdvcmxk"),
    ('atob("SGVsbG8sIHdvcmxk")', "Hello, world"),
    ('atob(btoa("Привіт €😀"))', "Привіт €😀"),
    ("bytesToString([0x48, 0x45, 0x4C, 0x4C, 0x4F])", "HELLO"),
    ('bytesToString(["0x21", 33, -61, -87])', "!!é"),
    ('bytesToString([0xE9], "ISO-8859-1")', "é"),
    ('bytesToString([0xFF, 0x41])', "\ufffdA"),
    ("decodeToString([65, 66])", "AB"),
    ('decodeToJson(stringToBytes(atob("eyJoZWxsbyI6ICJ3b3JsZCJ9")))', {"hello": "world"}),
    ("decodeToJson('[1, {\"a\": null}]')", [1, {"a": None}]),
    ('stringToBytes("hello, é")', [104, 101, 108, 108, 111, 44, 32, -61, -87]),
    ('stringToBytes("aé", "UTF-16BE")', [0, 97, 0, -23]),
    ('hexToBytes("0x01752B0367FA000500010488FFFFFFFFFFFFFFFF33")', [1, 117, 43, 3, 103, -6, 0, 5, 0, 1, 4, -120, *[-1] * 8, 51]),
    ('hexToBytesArray("AABBCCDDEE")', [-86, -69, -52, -35, -18]),
    ('isArray(hexToBytesArray("AA")) && isList(hexToBytes("AA"))', True),
    ("bytesToHex([0xBB, 0xAA])", "BBAA"),
    ("bytesToHex([-69, 83])", "BB53"),
    ('base64ToHex("Kkk=")', "2A49"),
    ('hexToBase64("2A49")', "Kkk="),
    ("bytesToBase64([42, 73])", "Kkk="),
    ('base64ToBytes("Kkk=")', [42, 73]),
    ('base64ToBytesList("AQIDBAU=")', [1, 2, 3, 4, 5]),
    ("bytesToExecutionArrayList([0xAA, 0xBB])", [-86, -69]),
    ('printUnsignedBytes(hexToBytes("D8FF"))', [216, 255]),
    # numbers in text
    ("[parseInt(null), parseInt(''), parseInt(' ')]", [None, None, None]),
    ('[parseInt("0"), parseInt("-0"), parseInt("473"), parseInt("+42"), parseInt("-0", 10)]', [0, 0, 473, 42, 0]),
    ('[parseInt("-0xFF"), parseInt("-FF", 16), parseInt("FF"), parseInt("-0A12")]', [-255, -255, 255, -2578]),
    ('[parseInt("1100110", 2), parseInt("77", 8), parseInt("Kona", 27), parseInt("KonaIn", 30)]', [102, 63, 411787, 506070563]),
    (f'parseInt("{"1" * 57}0011010", 2)', -102),
    ('[parseInt("2147483647", 10), parseInt("-2147483648", 10)]', [2147483647, -2147483648]),
    ("parseInt(12) + 1", 13),
    ('[parseLong("-0xFFFF"), parseLong("FFFFFFFF"), parseLong("KonaLong", 27)]', [-65535, 4294967295, 218840926543]),
    ('[parseLong("9223372036854775807"), parseLong("777777777777777777777", 8)]', [9223372036854775807] * 2),
    (f'parseLong("{"1" * 50}00110010011010", 2)', -13158),
    ('[parseFloat("4.2"), parseFloat("29.29824"), parseFloat("1,5"), parseFloat("41EA62CC")]', [4.2, 29.29824, 1.5, 29.29824]),
    ('[parseDouble("4.2"), parseDouble("1.1428250947E8"), parseDouble("409B04B10CB295EA")]', [4.2, 114282509.47, 1729.1729]),
    ('[parseHexToInt("BBAA"), parseHexToInt("AABB", false), parseHexToInt("BBAA", false)]', [48042, 48042, 43707]),
    ('[parseLittleEndianHexToInt("AABB"), parseBigEndianHexToInt("BBAA")]', [48042, 48042]),
    ('[parseHexToLong("409B04B10CB295EA"), parseHexToLong("EA95B20CB1049B40", false)]', [4655319798286292458] * 2),
    ('[parseLittleEndianHexToLong("EA95B20CB1049B40"), parseBigEndianHexToLong("409B04B10CB295EA")]', [4655319798286292458] * 2),
    ('[parseHexToFloat("41EA62CC"), parseHexToFloat("41EA62CC", false)]', [29.29824, -59484420.0]),
    ('[parseLittleEndianHexToFloat("CC62EA41"), parseBigEndianHexToFloat("41EA62CC")]', [29.29824, 29.29824]),
    ('[parseHexIntLongToFloat("0x0A", true), parseHexIntLongToFloat("0x0A0000", false), parseHexIntLongToFloat("0x000A0A", true)]', [10, 10, 2570]),
    ('[parseHexToDouble("409B04B10CB295EA"), parseHexToDouble("409B04B10CB295EA", false)]', [1729.1729, -2.7208640774822924e205]),
    ('[parseLittleEndianHexToDouble("EA95B20CB1049B40"), parseBigEndianHexToDouble("409B04B10CB295EA")]', [1729.1729, 1729.1729]),
    ("[intToHex(0x7FFFFFFF, true, true), intToHex(171, true, false), intToHex(-2578)]", ["0x7FFFFFFF", "AB", "FFF5EE"]),
    ("[intToHex(0xABCDEF, false, true, 4), intToHex(0xABCD, false, false, 2), intToHex(0x80000000, true, true)]", ["0xCDAB", "AB", "0x80000000"]),
    ("[longToHex(9223372036854775807, true, true), longToHex(0x7A12BCD3, true, true, 4)]", ["0x7FFFFFFFFFFFFFFF", "0xBCD3"]),
    ("[longToHex(0x7A12BCD3, false, false, 4), longToHex(Long.MIN_VALUE, true, true)]", ["127A", "0x8000000000000000"]),
    ("[floatToHex(123456789.00), floatToHex(123456789.00, false)]", ["0x4CEB79A3", "0xA379EB4C"]),
    ("[doubleToHex(1729.1729d), doubleToHex(1729.1729d, false)]", ["0x409B04B10CB295EA", "0xEA95B20CB1049B40"]),
    ("[intLongToRadixString(58, 2), intLongToRadixString(158, 2), intLongToRadixString(13158, 8)]", ["00111010", "0000000010011110", "31546"]),
    ("intLongToRadixString(9223372036854775807, 2)", "0" + "1" * 63),
    ("[intLongToRadixString(-13158, 8), intLongToRadixString(-13158)]", ["1777777777777777746232", "-13158"]),
    ("[intLongToRadixString(13158, 16), intLongToRadixString(-13158, 16, true, true)]", ["3366", "0xFFCC9A"]),
    ("intLongToRadixString(1356099454469L, 36)", "hazelnut"),
    ('[isBinary("1100110"), isBinary("2100110"), isOctal("4567734"), isOctal("8100110")]', [2, -1, 8, -1]),
    ('[isDecimal("4567039"), isDecimal("C1"), isHexadecimal("F5D7039"), isHexadecimal("K1")]', [10, -1, 16, -1]),
    # numbers in bytes
    ("[parseBytesToInt([0xAA, 0xBB, 0xCC, 0xDD], 0, 3), parseBytesToInt([0xAA, 0xBB, 0xCC, 0xDD], 0, 3, false)]", [11189196, 13417386]),
    ("[parseBytesToInt([0xAA, 0xBB, 0xCC, 0xDD]), parseBytesToInt([0, 0, 1, 1], 2)]", [-1430532899, 257]),
    (f"[parseBytesToLong({LONG_BYTES}, 0, 8), parseBytesToLong({LONG_BYTES}, 0, 8, false)]", [4655319798286292458, -1543131529725306048]),
    ("[parseBytesToFloat([0x0A]), parseBytesToFloat([65, -22, 98, -52], 0)]", [1.4e-44, 29.29824]),
    ("[parseBytesToFloat([65, -22, 98, -52], 0, 2, false), parseBytesToFloat([65, -22, 98, -52], 0, 3, true)]", [8.4034e-41, 6.053388e-39]),
    ("parseBytesToFloat([65, -22, 98, -52], 0, 4, false)", -59484420.0),
    ("[parseBytesIntToFloat([0, 0, 0, 10], 3, 1, true), parseBytesIntToFloat([0, 0, 0, 10], 2, 2, false)]", [10, 2560]),
    (f"[parseBytesIntToFloat({AT101}, 9, 4, false) / 1000000, parseBytesIntToFloat({AT101}, 13, 4, false) / 1000000]", [24.62495, 118.030576]),
    (f"[parseBytesToDouble({LONG_BYTES}), parseBytesToDouble({LONG_BYTES}, 0, 8, false)]", [1729.1729, -2.7208640774822924e205]),
    (f"parseBytesLongToDouble({PLACES}, 0, 8, false) / 1e15", 50.42277542905861),
    ("[parseByteToBinaryArray(0x39), parseByteToBinaryArray(0x39, 3)]", [[0, 0, 1, 1, 1, 0, 0, 1], [0, 0, 1]]),
    ("parseByteToBinaryArray(0x39, 6, false)", [1, 0, 0, 1, 1, 1]),
    ("parseBytesToBinaryArray([0xCE, 0xB2])", [1, 1, 0, 0, 1, 1, 1, 0, 1, 0, 1, 1, 0, 0, 1, 0]),
    ("[parseBytesToBinaryArray([0xCE, 0xB2], 2), parseLongToBinaryArray(52914L, 4)]", [[1, 0], [0, 0, 1, 0]]),
    ("parseLongToBinaryArray(-1L).size()", 64),
    ("[parseBinaryArrayToInt([1, 0, 0, 1, 1, 1, 1, 1]), parseBinaryArrayToInt([1, 0, 0, 1, 1, 1, 1, 1], 1, 7)]", [-97, 31]),
    # numbers
    ("[toFixed(0.345, 1), toFixed(0.345, 2), toFixed(1.005, 2), toFixed(-2.5, 0), toFixed(12345678912.345, 2)]", [0.3, 0.35, 1.01, -3, 12345678912.35]),
    ("[toInt(0.3), toInt(0.5), toInt(2.7), toInt(-1.5)]", [0, 1, 3, -2]),
    ("[isNaN(0.0 / 0.0), isNaN(1.0)]", [True, False]),
    # collections and text
    ("[isMap(msg), isMap([]), isList([1]), isList(msg), isArray(new int[3]), isArray([]), isSet(newSet()), isSet([])]", [True, False] * 4),
    ('toSet(["B", "A", "C", "A"])', ["B", "A", "C"]),
    ("newSet()", []),
    ("toFlatMap(msg)", {"key1": "value1", "key2": 12, "key3.key4": "value4", "key3.key6.0.key7": "value7", "key3.key6.1": "text", "key3.key6.2": 56,
                        "key3.key9.key10.0": "a", "key3.key9.key10.1": "b", "twice": "root", "key11.twice": "second"}),
    ("toFlatMap(msg, false)", {"key1": "value1", "key2": 12, "key4": "value4", "key7": "value7", "key6.1": "text", "key6.2": 56, "key10.0": "a", "key10.1": "b", "twice": "second"}),
    ('toFlatMap(msg, ["key1", "key3"])', {"key2": 12, "twice": "root", "key11.twice": "second"}),
    ('toFlatMap(msg, ["key1", "key3"], false)', {"key2": 12, "twice": "second"}),
    ('[padStart("010011", 8, "0"), padStart("1001010011", 8, "0"), padStart("CD5581", 17, "*")]', ["00010011", "1001010011", "***********CD5581"]),
    ('[padEnd("010011", 8, "0"), padEnd("203439900FF", 17, "*")]', ["01001100", "203439900FF******"]),
    (f'encodeURI("{URI}")', ENCODED),
    (f'decodeURI("{ENCODED}")', URI),
    # places
    (f"[isInsidePolygon(37.8, -122.43, {POLYGON}), isInsidePolygon(37.7725, -122.401, {POLYGON}), isInsidePolygon(37.77, -122.403, {POLYGON})]", [False, True, False]),
    (f"isInsidePolygon(37.78, -122.41, {POLYGON})", True),
    (f"[isInsideCircle(37.8044, -122.2712, {CIRCLE}), isInsideCircle(37.7599, -122.4148, {CIRCLE})]", [False, True]),
]  # fmt: skip


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
