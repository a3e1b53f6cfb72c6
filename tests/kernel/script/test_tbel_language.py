"""The language: statements, operators, numbers and scopes give what they give in ThingsBoard."""

from typing import Any

import pytest

from tests.kernel.script.tbel import Context, facts, started

run = pytest.fixture(scope="module", name="run")(started)

MSG = {
    "temperature": 25,
    "humidity": 50,
    "name": "A",
    "a b": 1,
    "list": [3, 1, 2],
    "inner": {"x": 1, "y": {"z": 2}},
    "no": False,
}

EXPRESSIONS = facts("expressions")


@pytest.mark.parametrize(("expression", "value"), EXPRESSIONS, ids=[text for text, _ in EXPRESSIONS])
def test_an_expression_has_its_value(run: Context, expression: str, value: Any) -> None:
    assert run(f"return {expression};", MSG) == value


SCRIPTS: list[tuple[str, Any]] = [
    ("var a = 2; var b = 2; return a + b;", 4),
    ("var a = 2;\nvar b = 3;\na + b;", 5),
    ("var m= 2; m", 2),
    ("int m=2; m +=3; m", 5),
    ("var x", None),
    ("x = 5", 5),
    ("", None),
    ("return;", None),
    ("if (msg.temperature > 20) { 'hot' } else { 'cold' }", "hot"),
    ("if (false) { 1 }", None),
    ("if (msg.name == 'B') return 1; else if (msg.name == 'A') return 2; else return 3;", 2),
    ("var s = 0; for (var i = 0; i < 100; i++) { s += i; } return s;", 4950),
    ("for (int i = 0, j = 5; i < 3; i++, j--) {} j", 2),
    ("var s = 0; foreach (n : msg.list) { s += n; } return s;", 6),
    ("var s = 0; for (n : msg.list) { s += n; } return s;", 6),
    ("var s = ''; for (String c : 'abc') { s = c + s; } s", "cba"),
    ("var s = ''; foreach (i : 3) { s += i } s", "123"),
    ("var s = ''; foreach (e : msg.inner) { s += e.key + e.getKey() } s", "xxyy"),
    ("var s = 0; foreach (e : {a: 1, b: 2}.entrySet()) { s += e.value + e.getValue(); } s", 6),
    ("var s = 0; foreach (v : {a: 1, b: 2}.values()) { s += v; } s", 3),
    ("var i = 0; while (i < 5) { i++; if (i == 3) break; } i", 3),
    ("var i = 0; var s = 0; while (i < 5) { i++; if (i == 3) continue; s += i; } s", 12),
    ("var i = 0; do { i++; } while (i < 5); i", 5),
    ("var i = 0; do { i++ } until (i >= 4); i", 4),
    ("var i = 0; until (i == 6) { i++; } i", 6),
    ("switch (msg.name) { case 'B': return 1; case 'A': return 2; default: return 3; }", 2),
    ("switch ('203') { case 203: return 1; }", 1),
    ("var r = ''; switch (120) { case 120.0: case 5: r += 'a'; case 6: r += 'b'; break; default: r += 'c'; } r", "ab"),
    ("switch (1) { case 2: return 2; } return 9", 9),
    ("var r = 0; switch (9) { default: r = 5; } r", 5),
    ("function f(a, b) { return a + b; } return f(1, 2);", 3),
    ("return f(3); function f(a) { a * 2 }", 6),
    ("def twice(x) { return x * 2 } twice(4)", 8),
    ("function f(n) { if (n < 2) return 1; return n * f(n - 1); } f(5)", 120),
    ("function f() { } f()", None),
    ("function f(a, b) { return b } f(1)", None),
    ("var sum = sum([1, 2]); function sum(list) { return list[0] + list[1] } return sum;", 3),
    ("var toFixed = toFixed(1.26, 1); toFixed", 1.3),
    ("var m = 25; function f(a) { m = a * 2; return m; } return f(4) + m;", 16),
    ("m = 25; function f(a) { m = a * 2; return m; } return f(4) + m;", 33),
    ("var m = 25; function f(a) { var m; m = a * 2; return m; } return f(4) + m;", 33),
    ("function f(m) { m.a += 1; } var m = {a: 1}; f(m); m.a", 2),
    ("m = {}; m.test = 1; m['a b'] = 2; m", {"test": 1, "a b": 2}),
    ("msg.temperature = null; msg.containsKey('temperature')", False),
    ("delete msg.name; msg.name", None),
    ("msg.list[0] = 9; msg.list", [9, 1, 2]),
    ("msg.list[0]++; ++msg.list[1]; msg.temperature--; [msg.list, msg.temperature]", [[4, 2, 2], 24]),
    ("msg.inner.x += 'b'; msg.inner.x", "1b"),
    ("var i = 5; var j = i++ + ++i; [i, j]", [7, 12]),
    ("x = 8; x -= 3; x *= 4; x /= 8; x", 2.5),
    ("x = 6; x &= 3; x |= 8; x <<= 2; x ^= 1; x >>= 1; x", 20),
    ("var a = new byte[2]; a[0] = 200; a", [-56, 0]),
    ("var s = 'abc' + \n'def' + ('g' +\n 'h');\n s", "abcdefgh"),
    ("//var df = sdfsdf; \n // test comment: comment2 \n m = {\n// c: d, \n /* e: \n\nf, */ a: 2 }; m", {"a": 2}),
    ("metadata.x = 'y'\nreturn metadata", {"x": "y"}),
    ("class = 1; let = 2; undefined = 3; $x = 4; $ = 5; this = 6; class + let + undefined + $x + $ + this", 21),
    ("a$b = 1; $a$ = 2; _ = 3; a$b + $a$ + _", 6),
    ("a = 1; b = a; c = b; d = c; e = d; f = e; g = f; h = g; i = h; j = i + 0.5; '' + j", "1.5"),
    ("var a = 1; var b = a; var c = b + 'x'; a = c; a", "1x"),
    ("var add = 1; var fail = 2; var text = 3; var get = 4; add + fail + text + get", 10),
    ("result = 'c'\t\n;\n{msg: result, \n\nmetadata: {}, msgType: ''}", {"msg": "c", "metadata": {}, "msgType": ""}),
    ("var x = 1; { x = 2; } x", 2),
    ("String s = 'a'; List l = [1]; java.util.Date d = null; s + l", "a[1]"),
]  # fmt: skip


@pytest.mark.parametrize(("script", "value"), SCRIPTS, ids=[text for text, _ in SCRIPTS])
def test_a_script_returns_its_value(run: Context, script: str, value: Any) -> None:
    assert run(script, MSG) == value
