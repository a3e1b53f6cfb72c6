/** The points of one chart: in the order of time, each time once, and not more than can be drawn. */

import type { Sample } from "../live/protocol.ts";
import { numberOf } from "../values/text.ts";

/** Points of one series; the oldest go first. */
export const MOST_POINTS = 20_000;

/** Two arrays of the same length, as uPlot wants them: times in ms, and numbers or null where a value was none. */
export class Series {
  times: number[] = [];
  values: (number | null)[] = [];

  /** Take in points in any order; one of a time that is there already replaces it. */
  add(samples: readonly Sample[]): void {
    const sorted = [...samples].sort((a, b) => a[0] - b[0]);
    for (const [ts, text] of sorted) this.put(ts, numberOf(text));
    const excess = this.times.length - MOST_POINTS;
    if (excess > 0) this.cut(excess);
  }

  /** Forget what is older than `ts`, save the newest of it: the line comes from somewhere. */
  forgetBefore(ts: number): void {
    const keep = this.position(ts) - 1;
    if (keep > 0) this.cut(keep);
  }

  clear(): void {
    this.times = [];
    this.values = [];
  }

  /** In words, for those who cannot see the chart. */
  describe(): string {
    const numbers = this.values.filter((value) => value !== null);
    const last = numbers.at(-1);
    if (last === undefined) return "no values";
    if (numbers.length === 1) return `one value, ${last}`;
    const [low, high] = numbers.reduce(([low, high], value) => [Math.min(low, value), Math.max(high, value)], [last, last]);
    return `${numbers.length} values from ${low} to ${high}, the last one is ${last}`;
  }

  private put(ts: number, value: number | null): void {
    const at = this.position(ts);
    const known = this.times[at] === ts;
    this.times.splice(at, known ? 1 : 0, ts);
    this.values.splice(at, known ? 1 : 0, value);
  }

  /** Where the first point of `ts` or later is. New points are nearly always the last. */
  private position(ts: number): number {
    let high = this.times.length;
    const last = this.times[high - 1];
    if (last === undefined || last < ts) return high;
    let low = 0;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.times[middle] ?? ts) < ts) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  private cut(count: number): void {
    this.times.splice(0, count);
    this.values.splice(0, count);
  }
}
