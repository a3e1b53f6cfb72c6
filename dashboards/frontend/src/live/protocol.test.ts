import assert from "node:assert/strict";
import { test } from "node:test";

import { isDeletion, readUpdate } from "./protocol.ts";

test("an update has its values by key", () => {
  const frame = '{"subscriptionId":3,"errorCode":0,"errorMsg":null,"data":{"t":[[5,"21.5"],[6,"22"]]},"latestValues":{"t":6}}';
  const update = readUpdate(frame);
  assert.deepEqual([update?.id, update?.error], [3, ""]);
  assert.deepEqual(update?.data.get("t"), [[5, "21.5"], [6, "22"]]);
});

test("an error is said in the server's words", () => {
  assert.equal(readUpdate('{"subscriptionId":1,"errorCode":2,"errorMsg":"Device not found"}')?.error, "Device not found");
  assert.equal(readUpdate('{"cmdId":1,"errorCode":1,"errorMsg":null}')?.error, "Error 1");
});

test("what is no update is left alone", () => {
  for (const frame of ["", "no JSON", "[]", "null", '{"data":{}}', new ArrayBuffer(2)]) {
    assert.equal(readUpdate(frame), null);
  }
});

test("values of a wrong shape are left out", () => {
  const update = readUpdate('{"subscriptionId":1,"data":{"a":[[1],["x","y"],[2,"b"]],"c":7}}');
  assert.deepEqual(update?.data.get("a"), [[2, "b"]]);
  assert.deepEqual(update.data.get("c"), []);
});

test("a key called __proto__ is a key like any other", () => {
  assert.deepEqual(readUpdate('{"subscriptionId":1,"data":{"__proto__":[[1,"a"]]}}')?.data.get("__proto__"), [[1, "a"]]);
});

test("one empty value of 1970 is a deletion, an empty text is not", () => {
  assert.equal(isDeletion([[0, ""]]), true);
  assert.equal(isDeletion([[5, ""]]), false);
  assert.equal(isDeletion([]), false);
});
