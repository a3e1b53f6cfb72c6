"""The jailed process: what it answers, that nothing is lost with it, and that it can do nothing but answer."""

import os
import signal
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from tests.kernel.script.asking import call, error, one, run, shown
from tests.kernel.script.conftest import QUICK
from tests.waiting import until
from thingsboard.kernel.script import JS, TBEL, Jail, Program


def test_a_batch_is_answered_in_its_order(jail: Jail) -> None:
    program = Program(JS, "return {n: msg.n * 2, of: metadata.name, type: msgType};")
    calls = [call({"n": n}, {"name": f"Ä{n}"}, f"T{n}") for n in range(2000)]
    assert shown(jail.call(program, calls)) == [{"n": 2 * n, "of": f"Ä{n}", "type": f"T{n}"} for n in range(2000)]


def test_no_calls_need_no_process() -> None:
    jail = Jail(QUICK)
    assert jail.call(Program(JS, "return 1;"), []) == []
    assert jail.started == 0 and jail.pid is None


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("return msg?.a ?? [1, 2].at(-1);", 2),
        ("return;", None),
        ("", None),
        ("return () => 1;", None),
        ("return NaN;", None),
        ("return new Date(0);", "1970-01-01T00:00:00.000Z"),
        ("return new Date(0).getHours();", 0),
        ("return '\\u2028\\ud800\\n\\0';", None),
        ("return [...'äx'].map((c) => c.codePointAt(0));", [228, 120]),
        ("return /(?<y>\\d{4})/u.exec('a2024').groups.y;", "2024"),
        ("return [typeof Map, typeof Set, typeof Symbol, typeof BigInt, typeof Intl];", None),
        ("msg.constructor = 'ACME'; msg.toString = 1; return msg;", {"constructor": "ACME", "toString": 1}),
        ("undeclared = 5; return undeclared;", 5),
        ("return this === globalThis;", True),
        ("// a comment at the end\nreturn 1; // one more", 1),
    ],
)
def test_javascript_is_that_of_today(jail: Jail, source: str, value: object) -> None:
    (answer,) = jail.call(Program(JS, source), [call({})])
    assert not answer.error
    if value is not None or source in ("", "return;"):
        assert one(answer) == value


def test_each_message_that_is_no_json_fails_alone(jail: Jail) -> None:
    program = Program(JS, "return msg.n;")
    calls = [
        call({"n": 1}),
        b"[{,{},1]",
        b'[{"n":"\0"},{},1]',
        b"",
        b"\0\0",
        b'["\xff",{},1]',
        b"[1],[2]",
        call({"n": 2}),
    ]
    answers = jail.call(program, calls)
    assert one(answers[0]) == 1 and one(answers[7]) == 2
    assert all("not valid JSON" in answers[i].error for i in (1, 2, 3, 4, 6))


def test_a_message_cannot_answer_for_its_neighbours(jail: Jail) -> None:
    program = Program(JS, "return msg.n;")
    split = [b'[{"n":"stolen"},{},""],[{"n":0', b'0},{},""]']
    merged = [b'[{"n":"', b'"},{},""]']
    answers = jail.call(program, [call({"n": 1}), *split, *merged, call({"n": 2})])
    assert [one(answers[0]), one(answers[-1])] == [1, 2]
    assert all(answer.error for answer in answers[1:-1])


def test_messages_of_many_megabytes_pass_and_larger_ones_are_refused() -> None:
    jail = Jail(replace(QUICK, timeout_ms=2000, memory_bytes=64 << 20))
    program = Program(JS, "return msg.length;")
    try:
        answers = jail.call(program, [call("x" * n) for n in (3 << 20, 3 << 20, 9 << 20, 1, 3 << 20)])
        assert [one(answers[i]) for i in (0, 1, 3, 4)] == [3 << 20, 3 << 20, 1, 3 << 20]
        assert "too large" in answers[2].error
    finally:
        jail.close()


def test_a_message_that_is_too_deep_or_needs_too_much_memory_fails_alone(jail: Jail) -> None:
    deep = b"[" + b"[" * 100_000 + b"]" * 100_000 + b"]"
    large = b"[[" + b",".join([b"{}"] * 400_000) + b"]]"
    answers = jail.call(Program(JS, "return msg;"), [call(1), deep, call(2), large, call(3)])
    assert "call stack" in answers[1].error and "memory" in answers[3].error
    assert [one(answers[n]) for n in (0, 2, 4)] == [1, 2, 3]


def test_an_error_names_the_line_of_the_script(jail: Jail) -> None:
    assert error(jail, "\n\nlet x = ;") == "SyntaxError: unexpected token in expression: ';' (line 3)"
    assert error(jail, "\nreturn msg.a.b;") == "TypeError: cannot read property 'b' of undefined (line 2)"
    assert error(jail, "return [1].map(\n(x) => x.y.z);") == "TypeError: cannot read property 'z' of undefined (line 2)"
    assert error(jail, "return JSON.parse(msg.t);", {"t": "{"}).endswith("(line 1)")


def test_an_error_is_of_bounded_length(jail: Jail) -> None:
    assert len(error(jail, "throw new Error('x'.repeat(90000));")) < 600
    assert len(error(jail, "throw 'x'.repeat(90000);")) < 600


def test_a_program_is_known_by_what_it_says() -> None:
    assert Program(JS, "return 1;") == Program(JS, "return 1;")
    assert len({Program(JS, "a"), Program(TBEL, "a"), Program(JS, "a", ("a",)), Program(JS, "a", ("a", "b"))}) == 4


@pytest.mark.parametrize(
    ("lang", "source", "args", "why"),
    [
        ("COBOL", "", ("msg",), "Unknown script language 'COBOL'; expected JS or TBEL"),
        (JS, "x" * 200_001, ("msg",), "has 200001 characters; at most 200000"),
        (JS, "\0", ("msg",), "NUL"),
        (JS, "", (), "one to three names"),
        (JS, "", ("msg", "a b"), "one to three names"),
        (JS, "", ("a) { for(;;); } (b",), "one to three names"),
    ],
)
def test_what_cannot_be_a_program_is_refused(lang: str, source: str, args: tuple[str, ...], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        Program(lang, source, args)


def test_more_scripts_than_are_kept_ready_are_made_again(jail: Jail) -> None:
    for _ in range(2):
        for n in range(QUICK.scripts + 4):
            assert run(jail, f"return {n} + msg;", 1, 2) == [n + 1, n + 2]


def test_a_process_that_is_killed_in_the_middle_loses_no_call() -> None:
    jail = Jail(replace(QUICK, timeout_ms=1000))
    program = Program(JS, "for (let i = 0; i < 2e4; i++); return msg;")
    found: list[object] = []
    thread = threading.Thread(target=lambda: found.extend(jail.call(program, [call(n) for n in range(1000)])))
    try:
        run(jail, "return 1;")
        first = jail.pid
        assert first is not None
        thread.start()
        used = _cpu(first)
        until(lambda: _cpu(first) > used + 5)  # in the middle of it: the whole takes ten times as long
        os.kill(first, signal.SIGKILL)
        thread.join(60)
        assert [one(answer) for answer in found] == list(range(1000))  # type: ignore[arg-type]
        assert jail.started == 2 and jail.pid != first
    finally:
        jail.close()


def _cpu(pid: int) -> int:
    """Ticks of 10 ms."""
    return sum(map(int, Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[11:13]))


def test_a_script_that_ends_its_process_is_found_and_the_others_answered() -> None:
    jail = Jail(QUICK)
    # Sorting a long array is one operation of QuickJS that it does not interrupt.
    program = Program(JS, "if (msg === 70) new Array(3e5).fill().map(() => Math.random() + 'x').sort(); return msg;")
    try:
        answers = jail.call(program, [call(n) for n in range(150)])
        assert [one(answer) for n, answer in enumerate(answers) if n != 70] == [n for n in range(150) if n != 70]
        assert answers[70].error
    finally:
        jail.close()


def test_a_script_that_runs_out_of_time_three_times_is_off_for_a_while() -> None:
    jail = Jail(replace(QUICK, off_s=0.5))
    program = Program(JS, "if (msg) return msg; for (;;);")
    try:
        answers = jail.call(program, [call(n % 2) for n in range(8)])
        assert [bool(answer.error) for answer in answers[:5]] == [True, False, True, False, True]
        assert [answer.error[:60] for answer in answers[5:]] == [
            "The script ran out of time 3 times and is switched off for 0 s more."[:60]
        ] * 3
        assert run(jail, "return 1;") == [1]
        assert not jail.call(program, [call(1)], b"another tenant")[0].error
        until(lambda: not jail.call(program, [call(1)])[0].error)
    finally:
        jail.close()


def test_what_was_said_of_one_call_is_never_said_of_a_later_one(jail: Jail) -> None:
    late = Program(JS, "if (!msg) for (;;); return msg;")
    for calls in ([0], [0, 1]):
        assert jail.call(late, [call(n) for n in calls])[0].error
        for n in range(100, 103):
            assert run(jail, f"return [{n}, msg];", 1, 2) == [[n, 1], [n, 2]]


def test_the_process_ends_when_nobody_needs_it_and_begins_again() -> None:
    jail = Jail(QUICK, idle_s=0.1)
    try:
        assert run(jail, "return 1;") == [1]
        first = jail.pid
        until(lambda: not Path(f"/proc/{first}").exists())
        assert run(jail, "return 2;") == [2] and jail.started == 2
    finally:
        jail.close()


def test_the_process_outlives_the_thread_that_asked_first() -> None:
    jail = Jail(QUICK)
    try:
        thread = threading.Thread(target=lambda: run(jail, "return 1;"))
        thread.start()
        thread.join()
        first = jail.pid
        assert run(jail, "return 2;") == [2] and (jail.pid, jail.started) == (first, 1)
    finally:
        jail.close()


def test_the_process_ends_with_its_owner() -> None:
    code = (
        "from thingsboard.kernel.script import *\njail = Jail(Limits())\n"
        "jail.call(Program(JS, 'return 1;'), [b'[1]'])\nprint(jail.pid, flush=True)\n"
        "jail.call(Program(JS, 'for (;;);'), [b'[1]'] * 9)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        child = int(owner.stdout.readline())
        assert Path(f"/proc/{child}").exists()
        owner.kill()
    until(lambda: not Path(f"/proc/{child}/cmdline").exists() or not Path(f"/proc/{child}/cmdline").read_bytes())


def test_the_extension_is_not_loaded_by_those_who_ask() -> None:
    code = (
        "import sys\nfrom thingsboard.kernel.script import *\njail = Jail(Limits())\n"
        "jail.call(Program(JS, 'return 1;'), [b'[1]'])\njail.close()\nprint('_quickjs' in sys.modules)"
    )
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, timeout=60).stdout == b"False\n"
    )


def test_answers_are_the_json_text(jail: Jail) -> None:
    (answer,) = jail.call(Program(JS, "return msg;"), [b'[ {"a" : 1.50, "b": "\xc3\xa4"} ]'])
    assert answer.value == orjson.dumps({"a": 1.5, "b": "ä"})
