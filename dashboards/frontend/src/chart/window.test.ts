import assert from "node:assert/strict";
import { test } from "node:test";

import { DEFAULT_WINDOW, WINDOWS, history, windowOf } from "./window.ts";

const ENTITY = { entityType: "DEVICE", entityId: "d" } as const;

test("windows go from a minute to a day, and nothing else can be asked for", () => {
  assert.deepEqual([WINDOWS[0]?.[0], WINDOWS.at(-1)?.[0]], [60_000, 86_400_000]);
  assert.equal(windowOf("3600000"), 3_600_000);
  for (const text of [null, "", "1", "abc", "1e99"]) assert.equal(windowOf(text), DEFAULT_WINDOW);
});

test("a long window asks for averages of numbers, within the server's 700 intervals", () => {
  for (const [window] of WINDOWS) {
    const asked = history(ENTITY, "t", "number", window, 1e12);
    assert.ok(asked.type === "TIMESERIES" && "agg" in asked);
    assert.equal(asked.startTs + asked.timeWindow, 1e12);
    assert.equal(asked.agg, window > 900_000 ? "AVG" : "NONE");
    if (asked.agg === "AVG") assert.ok(window / asked.interval <= 700);
  }
});

test("booleans come one by one, however long the window is", () => {
  const asked = history(ENTITY, "led", "boolean", 86_400_000, 1e12);
  assert.ok("agg" in asked && asked.agg === "NONE");
});
