import assert from "node:assert/strict";
import { test } from "node:test";

import type { Sample } from "../live/protocol.ts";
import { Values } from "./values.ts";

function update(data: Record<string, Sample[]>, error = ""): { id: number; error: string; data: Map<string, Sample[]> } {
  return { id: 1, error, data: new Map(Object.entries(data)) };
}

test("the newest value of each key is kept, whatever the order is", () => {
  const values = new Values();
  values.take(update({ b: [[5, "new"], [4, "old"]], a: [[1, "x"]] }));
  values.take(update({ b: [[3, "older"]] }));
  assert.deepEqual(values.keys.value, ["a", "b"]);
  assert.deepEqual(values.get("b")?.value, { ts: 5, text: "new" });
});

test("a deleted key is gone", () => {
  const values = new Values();
  values.take(update({ a: [[1, "x"]] }));
  values.take(update({ a: [[0, ""]] }));
  assert.deepEqual([values.keys.value, values.get("a")], [[], undefined]);
});

test("what was deleted while the connection was lost is gone with the next snapshot", () => {
  const values = new Values();
  values.take(update({ a: [[1, "x"]], b: [[1, "y"]] }));
  values.expectSnapshot();
  values.take(update({ b: [[2, "z"]] }));
  values.take(update({ c: [[3, "w"]] }));
  assert.deepEqual(values.keys.value, ["b", "c"]);
});

test("a refusal is told, and takes nothing away", () => {
  const values = new Values();
  values.take(update({ a: [[1, "x"]] }));
  values.take(update({}, "Too many updates!"));
  assert.deepEqual([values.error.value, values.keys.value], ["Too many updates!", ["a"]]);
  values.take(update({}));
  assert.equal(values.error.value, "");
});

test("an empty snapshot is knowledge, too", () => {
  const values = new Values();
  assert.equal(values.known.value, false);
  values.take(update({}));
  assert.equal(values.known.value, true);
});
