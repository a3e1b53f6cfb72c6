import assert from "node:assert/strict";
import { test } from "node:test";

import { indented, kindOf, numberOf, shortened } from "./text.ts";

test("the kind of a value is told by its text", () => {
  const kinds = ["25", "-1.5", "1.0E7", "true", '{"a":1}', "[1]", "hello", "", "0x10", "1e", "{no", " 5"].map(kindOf);
  assert.deepEqual(kinds, [
    "number", "number", "number", "boolean", "json", "json", "text", "text", "text", "text", "text", "text",
  ]);
});

test("numbers and booleans can be drawn, nothing else", () => {
  assert.deepEqual(["2.5", "true", "false", "x", "[1]", "1e999"].map(numberOf), [2.5, 1, 0, null, null, null]);
});

test("a long text is cut and says how long it is", () => {
  assert.equal(shortened("short"), "short");
  assert.match(shortened("x".repeat(5000)), /^x{2000}… \(5000 characters\)$/);
});

test("JSON is laid out, other text is left alone", () => {
  assert.equal(indented('{"a":[1]}'), '{\n  "a": [\n    1\n  ]\n}');
  assert.equal(indented("{no"), "{no");
});
