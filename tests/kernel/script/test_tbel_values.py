"""Maps, lists, sets, strings, numbers and classes have the methods that they have in ThingsBoard."""

from typing import Any

import pytest
import quickjs

from tests.kernel.script.tbel import Context, started

run = pytest.fixture(scope="module", name="run")(started)

MSG = {"temperature": 42, "nested": "508"}

MAPS: list[tuple[str, Any]] = [
    ("[msg.size(), msg.isEmpty(), {}.isEmpty()]", [2, False, True]),
    ("[msg.get('nested'), msg.get('x'), msg.getOrDefault('x', 5), msg['nested']]", ["508", None, 5, "508"]),
    ("[msg.put('temperature', 74), msg.putIfAbsent('humidity', 73), msg.putIfAbsent('humidity', 74), msg]", [42, None, 73, {"temperature": 74, "nested": "508", "humidity": 73}]),
    ("[msg.replace('temperature', 56), msg.replace('temperature', 56, 45), msg.replace('temperature', 48, 56), msg.temperature]", [42, True, False, 45]),
    ("[msg.remove('temperature'), msg.remove('x'), msg]", [42, None, {"nested": "508"}]),
    ("msg.put('temperature', null); return msg", {"nested": "508"}),
    ("msg.putAll({test: 12, input: {http: 130}}); msg", {**MSG, "test": 12, "input": {"http": 130}}),
    ("msg.clear(); msg", {}),
    ("[msg.containsKey('nested'), msg.containsKey('x'), msg.containsValue(42)]", [True, False, True]),
    ("[msg.keys(), msg.values(), msg.keySet()]", [["temperature", "nested"], [42, "508"], ["temperature", "nested"]]),
    ("msg.entrySet()", [{"temperature": 42}, {"nested": "508"}]),
    ("foreach (e : msg.entrySet()) { e.setValue(1) } msg", {"temperature": 1, "nested": 1}),
    ("[msg.memorySize(), [67, 2, 2, 2].memorySize()]", [24, 32]),
    ("var m = {c: 3, a: 10, b: 2}; m.sortByKey(); var k = m.keys(); m.sortByValue(); var v = m.keys(); m.sortByValue(false); [k, v, m.keys()]", [["a", "b", "c"], ["b", "c", "a"], ["a", "c", "b"]]),
    ("var m = {c: 3, a: 10}; m.sortByKey(false); [m.keys(), m.invert(), m.clone()]", [["c", "a"], {"3": "c", "10": "a"}, {"c": 3, "a": 10}]),
    ("var m = {a: 1, b: 2}; m.reverse(); m.keys()", ["b", "a"]),
    ("var m = {}; m.put(1, 'x'); [m.get(1), m[1], m.containsKey(1)]", ["x", "x", True]),
    ("var m = {a: {b: 1}}; [m.toString(), m.equals({a: {b: 1}}), m.hashCode() == {a: {b: 1}}.hashCode()]", ["{a={b=1}}", True, True]),
    ("msg.toUnmodifiable()", MSG),
    ("var m = {}; m.toString = 1; m.constructor = 2; m.__proto__ = 3; m['hasOwnProperty'] = 4; m", {"toString": 1, "constructor": 2, "__proto__": 3, "hasOwnProperty": 4}),
    ("m = {size: 5}; [m.size, m.size(), {}.size, {}.keys]", [5, 1, 0, []]),
]  # fmt: skip

LISTS: list[tuple[str, Any]] = [
    ("var l = ['A']; [l.add('B'), l.add(0, 'C'), l.addAll(['D']), l.addAll(1, ['E', 4]), l.push('F'), l]", [True, None, True, True, True, ["C", "E", 4, "A", "B", "D", "F"]]),
    ("var l = [1]; [l.unshift('r'), l.unshift(['Q']), l]", [None, None, [["Q"], "r", 1]]),
    ("var l = ['A', 'B', 'C', 'B', 5]; [l.remove(2), l.remove('B'), l.remove('x'), l.shift(), l.pop(), l]", ["C", True, False, "A", 5, ["B"]]),
    ("var l = [1, 2, 3, 4, 5, 6]; [l.splice(3), l.splice(1, 1), l.splice(0, 1, 'a', 'b'), l]", [[4, 5, 6], [2], [1], ["a", "b", 3]]),
    ("[[].pop(), [1].set(0, 2), [3, 4].get(1), [3, 4].getLast()]", [None, 1, 4, 4]),
    ("var l = [2096, '98', 5, '65']; l.sort(); var a = l.clone(); l.sort(false); [a, l]", [[5, "65", "98", 2096], [2096, "98", "65", 5]]),
    ("var l = ['b', 'C', 'a']; l.sort(true); l", ["C", "a", "b"]),
    ("var l = [67, 2, 9]; [l.toSorted(), l.toSorted(false), l.toReversed(), l]", [[2, 9, 67], [67, 9, 2], [9, 2, 67], [67, 2, 9]]),
    ("var l = [1, 2, 3]; l.reverse(); l", [3, 2, 1]),
    ("var l = [1, 2, 3, 4]; [l.slice(), l.slice(3), l.slice(0, 2), l.slice(-2), l.slice(1, -1)]", [[1, 2, 3, 4], [4], [1, 2], [3, 4], [2, 3]]),
    ("var l = [67, 2, 2, 2]; [l.with(1, 69), l.concat(['x']), l.join(), l.join('-')]", [[67, 69, 2, 2, 2], [67, 2, 2, 2, "x"], "67,2,2,2", "67-2-2-2"]),
    ("var l = [67, 2, 2, 2]; [l.toSpliced(1, 0, 'F'), l.toSpliced(0, 2), l.toSpliced(2, 4, 's', 5), l]", [[67, "F", 2, 2, 2], [2, 2], [67, 2, "s", 5], [67, 2, 2, 2]]),
    ("var l = [1, 2, 3, 4]; [l.fill(67).clone(), l.fill(4, 1).clone(), l.fill(2, 1, 3)]", [[67, 67, 67, 67], [67, 4, 4, 4], [67, 2, 2, 4]]),
    ("var l = [67, 2, 'B', 2]; [l.length(), l.size(), l.indexOf('B'), l.indexOf('B', 3), l.indexOf(2, 2), l.lastIndexOf(2), l.indexOf('2')]", [4, 4, 2, -1, 3, 3, -1]),
    ("var l = [1, [2]]; [l.contains(1), l.includes([2]), l.contains(3), l.containsAll([1]), l.isEmpty()]", [True, True, False, True, False]),
    ("var l = [1, 2, 3]; [l.removeAll([1]), l.retainAll([3]), l, l.equals([3]), l.toString()]", [True, True, [3], True, "[3]"]),
    ("var a = new int[3]; a[0] = 5; a[1] = 2.9; [a, a.length, a.clone(), a.toList()]", [[5, 2, 0], 3, [5, 2, 0], [5, 2, 0]]),
    ("[new byte[]{(byte) 0x0F, 200}, 'abc'.toCharArray(), 'é'.getBytes()]", [[15, -56], ["a", "b", "c"], [-61, -87]]),
]  # fmt: skip

SETS: list[tuple[str, Any]] = [
    ("var s = toSet(['B', 4, 'B']); [s, s.size(), s.size, s.contains(4), s.toList(), s.toArray()[0], s.isEmpty()]", [["B", 4], 2, 2, True, ["B", 4], "B", False]),
    ("var s = toSet([1]); [s.add(35), s.add(35), s.addAll([1, 2]), s.addAll([1]), s.remove(1), s.remove(9), s]", [True, False, True, False, True, False, [35, 2]]),
    ("var s = newSet(); var c = s.clone(); s.add(1); s.clear(); [s, c]", [[], []]),
    ("var s = toSet(['C', 'B', 'A', 34567, 'hello', 34]); var d = s.toSorted(false); s.sort(); [s, d]", [[34, 34567, "A", "B", "C", "hello"], ["hello", "C", "B", "A", 34567, 34]]),
    ("var t = ''; foreach (item : toSet(['A', 'B'])) { t += item } t", "AB"),
    ("var s = {}.entrySet(); s.addAll(['B', 'A', 'B']); [s, s.toString(), s == toSet(['A', 'B'])]", [["B", "A"], "[B, A]", True]),
]  # fmt: skip

STRINGS: list[tuple[str, Any]] = [
    ("var s = ' Ab,c '; [s.length(), s.trim(), s.toUpperCase(), s.toLowerCase(), s.isEmpty(), s.charAt(1)]", [6, "Ab,c", " AB,C ", " ab,c ", False, "A"]),
    ("var s = 'abcabc'; [s.substring(2), s.substring(1, 3), s.indexOf('c'), s.indexOf('c', 3), s.lastIndexOf('b'), s.indexOf('x')]", ["cabc", "bc", 2, 5, 4, -1]),
    ("var s = 'abc'; [s.contains('bc'), s.startsWith('a'), s.endsWith('a'), s.equals('abc'), s.equalsIgnoreCase('ABC'), s.concat('d'), s.repeat(2)]", [True, True, False, True, True, "abcd", "abcabc"]),
    ("['a,b,,c,,'.split(','), 'a1b22c'.split('\\\\d+'), 'abc'.split(''), 'a,b,c'.split(',', 2), ''.split(',')]", [["a", "b", "", "c"], ["a", "b", "c"], ["a", "b", "c"], ["a", "b,c"], [""]]),
    ("['a.b.c'.replace('.', '$1'), 'a1b2'.replaceAll('[0-9]', '#'), 'x1'.replaceAll('(\\\\w)(\\\\d)', '$2$1'), 'aa'.replaceFirst('a', 'b')]", ["a$1b$1c", "a#b#", "1x", "ba"]),
    ("['abc'.matches('[a-c]+'), 'abcd'.matches('[a-c]+'), 'ABC'.matches('(?i)abc'), 'b'.compareTo('a'), 'a'.hashCode()]", [True, False, True, 1, 97]),
    ("['%5.2f|%-4d|%x|%05d|%s|%b|%,d|%e|%%'.format(3.14159, 7, 255, -42, 'x', true, 1234567, 12345.678)]", [" 3.14|7   |ff|-0042|x|true|1,234,567|1.234568e+04|%"]),
    ("[String.format('%.8f', 99993219.156013e-002), String.format('%2$s %1$s', 'a', 'b'), String.format('%08.3f', -3.14159)]", ["999932.19156013", "b a", "-003.142"]),
    ("[String.valueOf(5), String.valueOf(null), String.join('-', ['a', 'b']), String.join('-', 'a', 'b')]", ["5", "null", "a-b", "a-b"]),
    ("var f0 = 7823764.8374; [f0.toString(), Float.toHexString(f0), Double.toHexString(99993219.156013e-002)]", ["7823764.8374", "0x1.dd8654p22", "0x1.e83f862142b5bp19"]),
]  # fmt: skip

CLASSES: list[tuple[str, Any]] = [
    ("[Integer.parseInt('42'), Integer.parseInt('-ff', 16), Integer.valueOf('7'), Long.parseLong('9223372036854775807')]", [42, -255, 7, 9223372036854775807]),
    ("[Integer.toString(0x1A, 16), Integer.toString(-255, 2), Integer.toHexString(-1), Integer.toBinaryString(5), Long.toString(9223372036854775807, 8)]", ["1a", "-11111111", "ffffffff", "101", "777777777777777777777"]),
    ("[Integer.MAX_VALUE, Integer.MIN_VALUE, Long.MAX_VALUE, Double.MAX_VALUE > 1, Float.MAX_VALUE]", [2147483647, -2147483648, 9223372036854775807, True, 3.4028235e38]),
    ("[Double.parseDouble('4.2'), Double.valueOf(5), Float.parseFloat('4.2'), Double.isNaN(0.0 / 0.0), Boolean.parseBoolean('TRUE'), Boolean.valueOf('x')]", [4.2, 5, 4.2, True, True, False]),
    ("[Math.sqrt(16), Math.abs(-5), Math.max(1, 2.5), Math.min(1, 2), Math.round(2.5), Math.round(-2.5), Math.floor(2.7), Math.ceil(2.1), Math.pow(2, 3)]", [4, 5, 2.5, 1, 3, -2, 2, 3, 8]),
    ("[Math.rint(2.5), Math.signum(-3), Math.random() < 1, Math.PI > 3.14, Math.floorMod(-1, 3), Math.toDegrees(Math.PI)]", [2, -1, True, True, 2, 180]),
    ("'' + Math.sqrt(16) + Math.round(2.5)", "4.03"),
    ("var x = 2.7; [x.intValue(), x.longValue(), x.doubleValue(), x.toString(), 5.equals(5), 5.compareTo(6)]", [2, 2, 2.7, "2.7", True, -1]),
    ("[Character.isDigit('5'), Character.isLetter('x'), Character.toUpperCase('a')]", [True, True, "A"]),
    ("[JSON.parse('{\"a\": [1, 2.5]}').a, JSON.parse('9007199254740993'), JSON.stringify({a: 9007199254740993L, b: toSet([1])}), JSON.stringify(null)]", [[1, 2.5], 9007199254740993, '{"a":9007199254740993,"b":[1]}', "null"]),
    ("9007199254740993 == JSON.parse('{\"a\": 9007199254740993}').a", True),
    ("var y = true; [true & false, y | false, true ^ false, y << false, 10 >>> y, 9223372036854775807 << 10, 9223372036854775807 >> -14, 10 ^ 9223372036854775807]", [0, 1, 1, 1, 5, -1024, 8191, 9223372036854775797]),
]  # fmt: skip

TABLE = [*MAPS, *LISTS, *SETS, *STRINGS, *CLASSES]


@pytest.mark.parametrize(("script", "value"), TABLE, ids=[text[:60] for text, _ in TABLE])
def test_a_value_has_its_methods(run: Context, script: str, value: Any) -> None:
    assert run(script, MSG) == value


REFUSED = [
    ("[1, 2][2]", "index out of bounds: 2 of 2"),
    ("var a = new int[3]; a[3] = 4; a", "index out of bounds: 3 of 3"),
    ("new int[1].add(5)", "an array cannot change its length"),
    ("'abc'.substring(4)", "begin 4, end 3, length 3"),
    ("[1].toUnmodifiable().add(2)", "List is unmodifiable"),
    ("{a: 1}.toUnmodifiable().put('b', 2)", "Map is unmodifiable"),
    ("msg.temperature.toInt()", "unable to resolve method: toInt()"),
    ("msg.getClass()", "unable to resolve method: getClass()"),
    ("msg.x.y", "of null"),
    ("msg.x.size()", "null pointer"),
    ("msg.x[0]", "null pointer"),
    ("'a' > 5", "uncomparable values <<a>> and <<5>>"),
    ("5 % 0", "/ by zero"),
    ("1.5 & 1", "which is no integer"),
    ("foreach (x : 5) {}", "non-iterable type: Integer"),
    ("foreach (x : msg.x) {}", "non-iterable type: null"),
    ("new java.io.File('x')", "could not resolve class: java.io.File"),
    ("new StringBuilder()", "could not resolve class: StringBuilder"),
    ("System.exit(1)", "unresolvable property or identifier: System"),
    ("java.util.prefs.Preferences.userRoot()", "unresolvable property or identifier: java"),
    ("exit(1)", "function not found: exit"),
    ("globalThis", "unresolvable property or identifier: globalThis"),
    ("Function('return 1')", "function not found: Function"),
    ("msg.property != undefined", "unresolvable property or identifier: undefined"),
    ("new int[100000000]", "Max array length overflow"),
    ("'a'.repeat(100000000)", "Max string length overflow"),
    ("Integer.parseInt('x')", 'For input string: "x"'),
    ("Math.foo(1)", "unable to resolve method: Math.foo"),
]  # fmt: skip


@pytest.mark.parametrize(("script", "message"), REFUSED, ids=[text for text, _ in REFUSED])
def test_what_cannot_be_done_is_an_error_that_says_so(run: Context, script: str, message: str) -> None:
    with pytest.raises(quickjs.JSException) as error:
        run(script, MSG)
    assert message in str(error.value)
