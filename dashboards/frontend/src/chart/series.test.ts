import assert from "node:assert/strict";
import { test } from "node:test";

import { MOST_POINTS, Series } from "./series.ts";

test("points are in the order of time, however they come", () => {
  const series = new Series();
  series.add([[30, "3"], [10, "1"]]);
  series.add([[20, "2"]]);
  assert.deepEqual([series.times, series.values], [[10, 20, 30], [1, 2, 3]]);
});

test("a point of the same time replaces the one that is there", () => {
  const series = new Series();
  series.add([[10, "1"], [20, "2"]]);
  series.add([[10, "true"], [20, "no number"]]);
  assert.deepEqual([series.times, series.values], [[10, 20], [1, null]]);
});

test("what is older than the window is forgotten, save the newest of it", () => {
  const series = new Series();
  series.add([[10, "1"], [20, "2"], [30, "3"]]);
  series.forgetBefore(30);
  assert.deepEqual(series.times, [20, 30]);
  series.forgetBefore(5);
  assert.deepEqual(series.times, [20, 30]);
});

test("there are never more points than can be drawn", () => {
  const series = new Series();
  series.add(Array.from({ length: MOST_POINTS + 5 }, (_, n) => [n, String(n)] as const));
  assert.equal(series.times.length, MOST_POINTS);
  assert.equal(series.times[0], 5);
});

test("a chart can be told in words", () => {
  const series = new Series();
  assert.equal(series.describe(), "no values");
  series.add([[1, "5"]]);
  assert.equal(series.describe(), "one value, 5");
  series.add([[2, "x"], [3, "2.5"]]);
  assert.equal(series.describe(), "2 values from 2.5 to 5, the last one is 2.5");
});
