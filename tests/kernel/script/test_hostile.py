"""Scripts that mean harm, or might as well: each fails alone, and leaves nothing behind."""

import re

import pytest

from tests.kernel.script.asking import call, one, run
from thingsboard.kernel.script import JS, Jail, Program

TIME, MEMORY, PROMISE = r"ran longer than 50 ms", r"more than 8388608 bytes of memory", r"returned a Promise"

# What a script does, and what its message's sender is told.
FAILING = {
    "an endless loop": ("for (;;);", TIME),
    "an endless loop that catches all": ("for (;;) { try { for (;;); } catch (e) {} finally { continue; } }", TIME),
    "an endless generator": ("for (const i of (function* () { for (;;) yield 1; })());", TIME),
    "an endless iterator of its own": (
        "[...{[Symbol.iterator]: () => ({next: () => ({value: 1})})}]",
        f"{TIME}|{MEMORY}",
    ),
    "recursion": ("(function f() { return f() + 1; })();", r"Maximum call stack size exceeded \(line 2\)"),
    "recursion through toString": ("const o = {toString() { return '' + o; }}; return '' + o;", "call stack"),
    "an array as big as memory": ("return new Array(1e8).fill(1);", MEMORY),
    "ever more objects": ("const all = []; for (;;) all.push({a: [1, 2, 3]});", f"{MEMORY}|{TIME}"),
    "a string as big as memory": ("let s = 'x'; for (;;) s += s + s;", r"string too long|bytes of memory"),
    "repeat": ("return 'x'.repeat(2 ** 28).split('');", MEMORY),
    "a buffer": ("return new Uint8Array(1e9);", f"{MEMORY}|nvalid"),
    "a catastrophic expression": ("return /^(a+)+$/.test('a'.repeat(40) + 'b');", f"{TIME}|ended its process"),
    "a huge number": ("return String(7n ** (7n ** 8n));", f"{TIME}|too large|ended its process|{MEMORY}"),
    "a sort that cheats": ("for (;;) [3, 1, 2].sort(() => Math.random() - 0.5);", TIME),
    "a deep result": (
        "let o = {}; for (let i = 0; i < 1e5; i++) o = {o}; return o;",
        "call stack|bytes of memory|no memory left",
    ),
    "a huge result": ("return 'x'.repeat(100001);", r"100003 characters; at most 100000 are accepted"),
    "a cyclic result": ("const o = {}; o.o = o; return o;", "TypeError: circular reference"),
    "a BigInt": ("return {count: 5n};", "TypeError: .*BigInt"),
    "a getter that throws": ("return {get t() { throw new Error('ha'); }};", r"^Error: ha \(line 2\)$"),
    "a getter that never ends": ("return {get t() { for (;;); }};", TIME),
    "a toJSON that throws": ("return {toJSON() { throw new RangeError('ha'); }};", "RangeError: ha"),
    "a toJSON that never ends": ("return {toJSON() { for (;;); }};", TIME),
    "a proxy that throws": ("return new Proxy({}, {ownKeys() { throw 'ha'; }});", 'The script threw "ha"'),
    "a proxy that never ends": ("return new Proxy({}, {ownKeys() { for (;;); }, get() { for (;;); }});", TIME),
    "a revoked proxy": ("const p = Proxy.revocable({}, {}); p.revoke(); return p.proxy;", "TypeError: revoked proxy"),
    "Symbol.toPrimitive": ("return 1 + {[Symbol.toPrimitive]() { throw new Error('ha'); }};", "Error: ha"),
    "a symbol as text": ("return '' + Symbol('a');", "TypeError"),
    "a promise": ("return new Promise(() => {});", PROMISE),
    "an async function": ("return (async () => { for (;;) await 0; })();", PROMISE),
    "an import": ("return import('os');", PROMISE),
    "a module": ("import os from 'os';", "SyntaxError"),
    "jobs for later": ("for (;;) Promise.resolve().then(() => {});", f"{MEMORY}|{TIME}|no memory left"),
    "no error thrown": ("throw {toString() { throw 1; }};", "something that cannot be shown"),
    "an error that lies": (
        "throw Object.assign(new Error('x'), {get message() { throw 1; }});",
        "something|Error|threw",
    ),
    "a thrown null": ("throw null;", "The script threw null"),
    "a thrown endless getter": ("class E extends Error { get message() { for (;;); } } throw new E();", TIME),
    "eval": ("return eval('1');", "eval is not defined"),
    "an indirect eval": ("return (0, globalThis.eval)('1');", "not a function"),
    "Function": ("return Function('return 1')();", "code cannot be made from text"),
    "the constructor of functions": ("return (() => {}).constructor('return 1')();", "code cannot be made from text"),
    "the constructor of generators": (
        "return Object.getPrototypeOf(function* () {}).constructor('yield 1')();",
        "code cannot be made|not a function",
    ),
    "the constructor of async functions": ("return (async () => {}).constructor('return 1')();", "code cannot be made"),
    "Reflect.construct": ("return Reflect.construct((() => {}).constructor, ['return 1'])();", "code cannot be made"),
    "process": ("return process.env;", "process is not defined"),
    "require": ("return require('fs').readFileSync('/etc/passwd');", "require is not defined"),
    "std": ("return std.open('/etc/passwd', 'r');", "std is not defined"),
    "os": ("return os.exec(['id']);", "os is not defined"),
    "fetch": ("return fetch('http://127.0.0.1/');", "fetch is not defined"),
    "XMLHttpRequest": ("return new XMLHttpRequest();", "XMLHttpRequest is not defined"),
    "Java": ("return Java.type('java.lang.System');", "Java is not defined"),
    "a timer": ("setTimeout(() => {}, 0);", "setTimeout is not defined"),
    "Atomics": ("return Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);", "is not defined"),
    "console": ("for (;;) console.log('x'.repeat(1000));", "console is not defined"),
    "JSON of its own": ("JSON = {parse() {}};", "TypeError: 'JSON' is read-only"),
    "another JSON.parse": ("(() => { 'use strict'; JSON.parse = () => 7; })();", "TypeError"),
    "another JSON.stringify": ("(() => { 'use strict'; JSON.stringify = () => 7; })();", "TypeError: .*read-only"),
    "pollution": ("(() => { 'use strict'; Array.prototype.evil = 1; })();", "TypeError: .*not extensible"),
    "pollution by __proto__": ("(() => { 'use strict'; ({}).__proto__.evil = 1; })();", "TypeError: .*not extensible"),
    "another prototype": ("Object.setPrototypeOf(Object.prototype, null).x.y;", "TypeError"),
    "a changed toString": ("Object.prototype.toString = () => 'x';", "built-in objects cannot be changed"),
    "deleted globals": (
        "(() => { 'use strict'; delete Object.prototype.hasOwnProperty; })();",
        "TypeError: could not delete",
    ),
    "a body that closes its function": ("}); for (;;); (function () {", "SyntaxError"),
    "text that is no script": ("return return;", r"SyntaxError: .* \(line 2\)"),
}

# What lasts, if it can: of each call afterwards, by this script or another one, the same is expected.
LEAVING = {
    "a global by assignment": "leak = 1;",
    "a global by this": "(function () { this.leak = 1; })();",
    "a global that stays": "Object.defineProperty(globalThis, 'leak', {value: 1});",
    "many globals": "for (let i = 0; i < 100; i++) globalThis['leak' + i] = globalThis.leak = i;",
    "a symbol": "globalThis[Symbol.for('leak')] = 1; globalThis.leak = 1;",
    "a number": "globalThis[7] = 1; globalThis.leak = 1;",
    "a getter": "Object.defineProperty(globalThis, 'leak', {get() { for (;;); }, configurable: true});",
    "pollution": "Object.prototype.leak = 1; Array.prototype.leak = 1; Function.prototype.leak = 1;",
    "another Math": "Math.max = () => 7; globalThis.Math = {}; Date.now = () => 7;",
    "another JSON": "globalThis.JSON = {parse() {}, stringify() {}}; JSON.stringify = () => 7; JSON.parse = () => 7;",
    "another undefined": "undefined = 7; NaN = 7; globalThis.undefined = 7;",
    "deleted globals": "delete globalThis.JSON; delete globalThis.Object; for (const k in globalThis) delete globalThis[k];",
    "a frozen world": "Object.freeze(globalThis); Object.preventExtensions(globalThis);",
    "a prototype of the world": "try { Object.setPrototypeOf(globalThis, {leak: 1}); } catch (e) {}",
    "an extended class": "try { Array.from.leak = 1; Object.assign.call = 7; Error.prepareStackTrace = () => 7; } catch (e) {}",
    "static state of an expression": "RegExp.prototype.exec = null; /(l)eak/.exec('leak'); RegExp.leak = 1;",
    "a function that remembers": "arguments.callee.leak = 1; arguments.callee.prototype.leak = 1;",
    "a changed argument": "msg.leak = 1; metadata.leak = 1; arguments[0] = 7;",
}

PROBE = """
const seen = [];
const self = arguments.callee;
const all = [globalThis, self, self.prototype, {}, [], () => {}, '', /a/, new Error(), JSON, Math, msg, metadata];
for (const each of all) if ('leak' in Object(each)) seen.push(String(each));
const usual = Math.max(1, 2) === 2 && Date.now() > 1e12 && undefined === void 0 && JSON.parse('[1]').length === 1;
mine = 5;
return [seen, usual, typeof leak, Object.keys(globalThis), mine, Object.getPrototypeOf(globalThis) === Object.prototype];
"""
CLEAN = [[], True, "undefined", ["mine"], 5, True]


@pytest.mark.parametrize(("body", "why"), FAILING.values(), ids=FAILING)
def test_a_hostile_script_fails_alone(jail: Jail, body: str, why: str) -> None:
    whole = "SyntaxError" in why
    source = body if whole and "line" not in why else f"if (msg.good) return msg.good;\n{body}"
    answers = jail.call(Program(JS, source), [call({"good": 1}), call({}), call({"good": 2}), call({"good": "ä\n"})])
    assert re.search(why, answers[1].error), answers[1]
    if whole:
        assert {answer.error for answer in answers} == {answers[1].error}
    else:
        assert [one(answers[0]), one(answers[2]), one(answers[3])] == [1, 2, "ä\n"]
    assert run(jail, PROBE) == [CLEAN]


@pytest.mark.parametrize("body", LEAVING.values(), ids=LEAVING)
def test_what_a_script_leaves_behind_is_gone(jail: Jail, body: str) -> None:
    source = f"if (msg.bad) {{ {body}\n return 'done'; }}\n{PROBE}"
    for batch in ([{}, {"bad": 1}, {}, {"bad": 1}, {"bad": 1}, {}], [{}]):
        found = run(jail, source, *batch)
        expected = ["done" if each else CLEAN for each in batch]
        assert found == expected
    assert run(jail, PROBE) == [CLEAN]
