"""Maps, lists, sets, strings, numbers and classes have the methods that they have in ThingsBoard."""

from typing import Any

import pytest
import quickjs

from tests.kernel.script.tbel import Context, facts, started

run = pytest.fixture(scope="module", name="run")(started)

MSG = {"temperature": 42, "nested": "508"}

TABLE = facts("values")


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
    ("foreach (x : 5.5) {}", "non-iterable type: Double"),
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
