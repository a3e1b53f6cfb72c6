// Runs in the context of each script, before the script does. Its value is a function that prepares the context step by step;
// the last step gives the function that answers calls.
//
// Everything that it uses later is taken now: a script may change what names mean, never what these constants hold.
(function () {
    "use strict";
    const parse = JSON.parse, stringify = JSON.stringify, ownKeys = Reflect.ownKeys, has = Object.prototype.hasOwnProperty;
    const {freeze, defineProperty, getOwnPropertyDescriptor, getPrototypeOf, isExtensible, isFrozen} = Object;
    const PromiseType = Promise, ErrorType = Error, SyntaxErrorType = SyntaxError, text = String, apply = Reflect.apply, remove = Reflect.deleteProperty;
    const world = globalThis;

    // Text is never run: what a device sent must not become code. Nothing may wait for other threads or for the collector.
    const noCode = function Function() { throw new TypeError("code cannot be made from text in a script"); };

    function forbid() {
        const functions = [function () {}, function* () {}, async function () {}, async function* () {}];
        for (const each of functions)
            defineProperty(getPrototypeOf(each), "constructor", {value: noCode, writable: false, configurable: false});
        defineProperty(noCode, "prototype", {value: getPrototypeOf(noCode), writable: false});
        defineProperty(world, "Function", {value: noCode});
        for (const name of ["eval", "Atomics", "SharedArrayBuffer", "FinalizationRegistry", "WeakRef",
            "queueMicrotask", "gc", "console", "print", "performance", "navigator", "scriptArgs"])
            remove(world, name);
        for (const name of ["prepareStackTrace", "stackTraceLimit", "captureStackTrace"])
            remove(Error, name);
    }

    // Frozen, a prototype would forbid objects members of the same name: `values.constructor = "ACME"` would be lost.
    function keepAssignable(prototype) {
        for (const key of ownKeys(prototype)) {
            const known = getOwnPropertyDescriptor(prototype, key);
            if (!has.call(known, "value") || !known.configurable) continue;
            const value = known.value;
            defineProperty(prototype, key, {
                get() { return value; },
                set(other) {
                    if (this === prototype) throw new TypeError("built-in objects cannot be changed");
                    defineProperty(this, key, {value: other, writable: true, enumerable: true, configurable: true});
                },
                enumerable: false, configurable: false,
            });
        }
    }

    function freezeAll(roots) {
        const waiting = roots.slice(), seen = new Set();
        while (waiting.length) {
            const each = waiting.pop();
            if (each === null || each === world || (typeof each !== "object" && typeof each !== "function") || seen.has(each))
                continue;
            seen.add(each);
            for (const key of ownKeys(each)) {
                const known = getOwnPropertyDescriptor(each, key);
                if (known) waiting.push(known.value, known.get, known.set);
            }
            waiting.push(getPrototypeOf(each));
            if (!isFrozen(each)) freeze(each);
        }
    }

    function roots() {
        const hidden = [
            function () {}, function* () {}, async function () {}, async function* () {}, (function* () {})(),
            (async function* () {})(), [][Symbol.iterator](), ""[Symbol.iterator](), new Map().entries(), new Set().entries(),
            "".matchAll(/a/g), getPrototypeOf(Int8Array), noCode,
        ];
        if (typeof Iterator === "function") hidden.push(Iterator.from({next() {}}), [].values().map((each) => each));
        for (const name of ownKeys(world)) hidden.push(world[name]);
        return hidden;
    }

    // Everything above that line is the platform's (child.py, FIRST_LINE).
    const LAST_LINE = 200000;
    const FRAME = /<input>:(\d+)/;
    const exec = RegExp.prototype.exec, split = String.prototype.split, slice = String.prototype.slice;

    function lineOf(stack) {
        if (typeof stack !== "string") return 0;
        const frames = apply(split, apply(slice, stack, [0, 4000]), ["\n"]);
        for (let i = 0; i < frames.length; i++) {
            const found = apply(exec, FRAME, [frames[i]]);
            if (found && +found[1] <= LAST_LINE) return +found[1];
        }
        return 0;
    }

    // "!" is an error; "M" one for want of memory, after which nothing here is to be trusted. Where there is not even memory for
    // an error, null is thrown.
    function described(error) {
        if (error === null) return 'M"The script threw null, or there was no memory left."';
        let said;
        try {
            if (error instanceof ErrorType) {
                const name = text(error.name), message = text(error.message), line = lineOf(error.stack);
                if (name === "InternalError" && message === "out of memory") return 'M""';
                said = (message ? name + ": " + message : name) + (line ? " (line " + line + ")" : "");
            } else said = "The script threw " + (typeof error === "string" ? stringify(error) : text(error));
        } catch {
            said = "The script threw something that cannot be shown";
        }
        return "!" + stringify(apply(slice, said, [0, 500]));
    }

    // -- the calls ---------------------------------------------------------------------------------------------------------

    function runner(script, mostResult, mostOutput) {
        freezeAll([script]); // which it reaches by arguments.callee
        const kept = ownKeys(world).length, above = getPrototypeOf(world);
        let done = [], size = 0;

        // Whether the world is as it was before the call; made so where that is possible.
        function clean() {
            if (!isExtensible(world) || getPrototypeOf(world) !== above) return false;
            const keys = ownKeys(world);
            if (keys.length === kept) return true;
            for (let i = 0; i < keys.length; i++) remove(world, keys[i]); // what was there before cannot be removed
            return ownKeys(world).length === kept;
        }

        function answer(call) {
            let args;
            try { args = parse(call); } catch (error) {
                if (error instanceof SyntaxErrorType) return '!"The message is not valid JSON."';
                throw error; // it is too deep or too large
            }
            const result = script(args[0], args[1], args[2]);
            if (result === true) return "=true";
            if (result === false) return "=false";
            if (result instanceof PromiseType)
                return '!"The script returned a Promise; a script has to return its result at once."';
            const json = stringify(result);
            if (json === undefined) return "=null";
            if (json.length > mostResult)
                return '!"The result has ' + json.length + ' characters; at most ' + mostResult + ' are accepted."';
            return "=" + json;
        }

        // The answers of so many calls, a line each; fewer where they are long. Without calls: those that were ready when the
        // last run was interrupted. "~" as the last line: the script left behind what cannot be removed.
        return function (...calls) {
            if (calls.length) { done = []; size = 0; }
            for (let i = 0; i < calls.length && size < mostOutput; i++) {
                let line;
                try { line = answer(calls[i]); } catch (error) { line = described(error); }
                size += line.length;
                done[i] = line;
                if (!clean()) { done[i + 1] = "~"; break; }
                if (line[0] === "M") break;
            }
            return done.join("\n");
        };
    }

    return function prepare(step, ...rest) {
        if (step === "forbid") return forbid();
        if (step === "names") {
            // All globals become constants of the outermost scope: a script cannot give them another meaning, and what it puts
            // into the global object is easily seen, and removed after the call.
            return ownKeys(world).filter((name) => typeof name === "string" && /^[A-Za-z_$][\w$]*$/.test(name) &&
                getOwnPropertyDescriptor(world, name).configurable && name !== "globalThis").join(",");
        }
        if (step === "freeze") {
            keepAssignable(Object.prototype);
            keepAssignable(Error.prototype);
            freezeAll([...roots(), ...rest]);
            for (const name of ownKeys(world))
                if (!remove(world, name)) {
                    const known = getOwnPropertyDescriptor(world, name);
                    if (known.writable) defineProperty(world, name, {writable: false});
                }
            return;
        }
        return runner(...rest);
    };
})()
