import assert from "node:assert/strict";
import { test } from "node:test";

import { LONGEST_MS, SHORTEST_MS, pauseBefore } from "./backoff.ts";

test("the shortest pause is two seconds, however often it was tried", () => {
  for (const attempt of [1, 2, 3, 100]) assert.equal(pauseBefore(attempt, () => 0), SHORTEST_MS);
});

test("the longest pause doubles up to a minute and stays there", () => {
  const longest = [1, 2, 3, 4, 5, 6, 1000].map((attempt) => pauseBefore(attempt, () => 1));
  assert.deepEqual(longest, [4_000, 8_000, 16_000, 32_000, LONGEST_MS, LONGEST_MS, LONGEST_MS]);
});
