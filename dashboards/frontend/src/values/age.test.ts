import assert from "node:assert/strict";
import { test } from "node:test";

import { ageOf } from "./age.ts";

test("an age is told in the largest unit that fits", () => {
  const ages = [0, 999, 1_000, 3_400, 59_999, 60_000, 3_599_999, 7_200_000, 86_400_000 * 3].map((ms) => ageOf(1e12 - ms, 1e12));
  assert.deepEqual(ages, ["now", "now", "1 s ago", "3 s ago", "59 s ago", "1 min ago", "59 min ago", "2 h ago", "3 d ago"]);
});

test("what carries a later time is not called old", () => {
  assert.equal(ageOf(1e12 + 120_000, 1e12), "in 2 min");
});
