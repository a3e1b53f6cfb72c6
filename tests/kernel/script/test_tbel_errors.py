"""Errors name the line of the script, and no script says anything outside of its own function."""

import json
import random
import re

import pytest
import quickjs

from tests.kernel.script.tbel import PRELUDE_LINE, Context, started
from thingsboard.kernel.script.tbel import translate

run = pytest.fixture(scope="module", name="run")(started)

ARGS = ("msg", "metadata", "msgType")

NO_TBEL = [
    ("a = 1;\nb = (2;\nc", 2, "expected ')'"),
    ("if (true) {\n a = 1;\n", 1, "unbalanced braces"),
    ("a = 1;\n}", 2, "expected"),
    ("}); evil(", 1, "expected"),
    ("return 1; }, function() {", 1, "expected"),
    ("return 1})(); (function(){", 1, "expected"),
    ("a = 'x", 1, "a string that does not end"),
    ("\n\n/* x", 3, "a comment that does not end"),
    ("x = 1 y = 2", 1, "expected ';'"),
    ("return msg.a !== 1;", 1, "there is no operator !=="),
    ("5 = x", 1, "cannot be assigned"),
    ("5++", 1, "cannot be counted"),
    ("delete msg", 1, "only a member can be deleted"),
    ("break", 1, "break outside of a loop"),
    ("while (true) { function f() { continue; } }", 1, "continue outside of a loop"),
    ("switch (1) { case 1: continue; }", 1, "continue outside of a loop"),
    ("a = @", 1, "unexpected character"),
    ("a = 1\n\nb = 12abc", 3, "unrecognized number"),
    ("a = 09", 1, "unrecognized number 09"),
    ("a = 0x1FFFFFFFFFFFFFFFF", 1, "beyond 64 bits"),
    ("a = '\\q'", 1, "illegal escape sequence"),
    ("import java.util.HashMap; 1", 1, "import is not allowed"),
    ("threshold = def (x) { x >= 10 ? x : 0 };", 1, "a function must have a name"),
    ("function f(a, a) { }", 1, "the same name"),
    ("function f(a) return 1", 1, "expected the body"),
    ("switch msg.temperature) { }", 1, "expected '('"),
    ("switch (1) { rty }", 1, "expected 'case' or 'default'"),
    ("switch (1) { default: 1; default: 2; }", 1, "two defaults"),
    ("case 1: 2", 1, "does not belong here"),
    ("else { }", 1, "does not belong here"),
    ("for (;;", 1, "expected"),
    ("do { } x", 1, "expected 'while' or 'until'"),
    ("f(1, 2", 1, "expected ')'"),
    ("{a: 1, b}", 1, "expected ':'"),
    ("new int[]", 1, "expected '{'"),
    ("var if = 1", 1, "expected a name"),
    ("msg.", 1, "expected the name of a member"),
    ("(1)(2)", 1, "only a function can be called"),
    ("(" * 100 + ")" * 100, 1, "nested deeper"),
    ("{" * 100, 1, "nested deeper"),
    ("!" * 5000 + "x", 1, "nested deeper"),
    ("a" + ".b" * 500, 1, "more than 100 members in a row"),
    ("a" * 50_001, 1, "at most 50000 are accepted"),
    ("1" + "+1" * 5000, 1, "nested too deeply"),
]


@pytest.mark.parametrize(("script", "line", "message"), NO_TBEL, ids=[text[:40] for text, _, _ in NO_TBEL])
def test_what_is_no_tbel_is_refused_with_its_line(script: str, line: int, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)) as error:
        translate(script, ARGS)
    assert str(error.value).endswith(f"(line {line})")


@pytest.mark.parametrize("name", ["a b", "class", "$x", "1", "", "a){evil()}("])
def test_what_cannot_name_an_argument_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="cannot be the name of a script's argument"):
        translate("return 1", [name])


FAILING = [
    ("var a = 1;\n\nmsg.x.y = a;", 3),
    ("var a = {\n  b: 1,\n  c: msg.x.y\n};", 3),
    ("raiseError('no')", 1),
    ("if (msg.x == null) {\n  // nothing\n  raiseError('no');\n}", 3),
    ("function f(a) {\n  return a.b.c;\n}\n\nf(msg)", 2),
    ("var s = 'a\\n\\n' +\n 'b';\n/* x\n\n*/\nreturn nothing;", 6),
    ("foreach (x : [1]) {\n\n  x.y.z;\n}", 3),
    ("switch (1) {\n  case 1:\n    return msg.a.b;\n}", 3),
    ("return\n  msg\n   .x\n   .y;", 2),
]


@pytest.mark.parametrize(("script", "line"), FAILING, ids=[text for text, _ in FAILING])
def test_an_error_names_the_line_of_the_script(run: Context, script: str, line: int) -> None:
    with pytest.raises(quickjs.JSException) as error:
        run(script)
    lines = [int(found) for found in re.findall(r":(\d+):\d+\)", str(error.value))]
    assert next(found for found in lines if found < PRELUDE_LINE) == line


HOSTILE = [
    "constructor",
    "msg.constructor",
    "msg['constructor']",
    "msg.toString",
    "msg.list.constructor",
    "msg.list.length.constructor",
    "''.constructor",
    "msg.__proto__",
    "msg['__proto__']",
    "msg.hasOwnProperty",
    "msg.list.map",
    "JSON.constructor",
    "Math.constructor",
    "Date.prototype",
    "f; function f() { }",
    "f.constructor; function f() { }",
    "f.name; function f() { }",
    "f['constructor']; function f() { }",
    "$classes",
    "$fn",
    "$",
    "this",
    "eval",
    "arguments",
    "globalThis",
    "new Date(0).constructor",
    "toSet([]).constructor",
    "{}.entrySet().constructor",
]


@pytest.mark.parametrize("expression", HOSTILE)
def test_no_expression_reaches_what_javascript_has(run: Context, expression: str) -> None:
    last = expression.partition("; function")
    function = f"(function(msg){{{translate('return ' + last[0] + last[1] + last[2], ['msg'])}\n}})({{list: [1]}})"
    try:
        reached = run.javascript(f"[typeof ({function}), String({function})]")
    except quickjs.JSException:
        return
    assert reached[0] != "function" or "f(" in reached[1] or "function f" in reached[1]
    assert reached == ["object", "null"] or expression.startswith("f;")


def test_a_script_cannot_change_the_runtime_for_the_next_one(run: Context) -> None:
    with pytest.raises(quickjs.JSException):
        run("JSON.parse = 1; Math.PI = 3; JSON.parse('{}')")
    assert run("return [JSON.parse('1'), toInt(2.6)];") == [1, 3]
    run("$add = 1; toFixed = 2; JSON = 3; msg = 4; undefined = 5;")
    assert run("return [msg.a + 'b', toFixed(1.26, 1), JSON.stringify({})];", {"a": "a"}) == ["ab", 1.3, "{}"]


_PIECES = """
    a msg = == + - ( ) [ ] { } , ; : ? . .? 'x' "y" 1 2.5 if else for foreach while return function var new Date // /* */
    ` ${ => #     break continue switch case default do until }); ({ </script> await yield ++ ! ~= in delete isdef class $x
"""
PIECES = (*_PIECES.split(), "}); evil(", "\n", "\u2028", "\\")


def test_whatever_a_script_holds_its_translation_is_one_function(run: Context) -> None:
    dice = random.Random(34)
    translated = 0
    for _ in range(4000):
        script = " ".join(dice.choices(PIECES, k=dice.randint(1, 12)))
        try:
            body = translate(script, ARGS)
        except ValueError as error:
            assert re.search(r"\(line \d+\)$", str(error))
            continue
        translated += 1
        assert_is_one_function(run, body)
    assert translated > 100


def assert_is_one_function(run: Context, body: str) -> None:
    """That nothing of the body stands outside of the function, seen in two ways of writing one."""
    for before, after in (("[function", "].length"), ("({f", "}).f.length")):
        text = f"{before}(msg, metadata, msgType) {{{body}\n}}{after}"
        assert run.javascript(text) in (1, 3), json.dumps(text)


STRINGS = ["</script>", "'", '"', "\\", "\n", "\r", "\u2028", "${1}", "`", "*/", "//", "\0", "\ud800"]


@pytest.mark.parametrize("text", STRINGS)
def test_a_string_stays_a_string(run: Context, text: str) -> None:
    escaped = "".join(f"\\u{ord(char):04X}" for char in text)
    assert run(f"return 'a{escaped}b';") == f"a{text}b"
    assert run(f"return msg['{escaped}'];", {text: 1}) == 1
    assert run(f"return {{'{escaped}': 1}};") == {text: 1}
