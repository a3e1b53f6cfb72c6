/** Which stretch of time a chart shows, and how it asks the server for it. */

import type { Command, Entity } from "../live/protocol.ts";
import type { Kind } from "../values/text.ts";

/** Choices, in ms, with their names. */
export const WINDOWS: readonly (readonly [ms: number, name: string])[] = [
  [60_000, "1 min"],
  [5 * 60_000, "5 min"],
  [15 * 60_000, "15 min"],
  [60 * 60_000, "1 h"],
  [6 * 60 * 60_000, "6 h"],
  [24 * 60 * 60_000, "24 h"],
];
export const DEFAULT_WINDOW = 5 * 60_000;

/** Up to here every point is asked for; beyond, numbers come as averages. The server allows 700 intervals. */
const LONGEST_RAW = 15 * 60_000;
const INTERVALS = 400;
const MOST_RAW_POINTS = 10_000;

/** One of the choices; the default for anything else. */
export function windowOf(text: string | null): number {
  return WINDOWS.find(([ms]) => String(ms) === text)?.[0] ?? DEFAULT_WINDOW;
}

/**
 * The history of the last `window` ms of a series, and what is new from then on. Booleans have no average, so they always
 * come one by one.
 */
export function history(entity: Entity, key: string, kind: Kind, window: number, now: number): Command {
  const averaged = kind === "number" && window > LONGEST_RAW;
  return {
    ...entity,
    type: "TIMESERIES",
    keys: key,
    startTs: now - window,
    timeWindow: window,
    interval: averaged ? Math.ceil(window / INTERVALS) : 0,
    limit: MOST_RAW_POINTS,
    agg: averaged ? "AVG" : "NONE",
  };
}
