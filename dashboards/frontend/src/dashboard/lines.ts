/** The lines of a chart: one for each entity and key of its sources that has points. */

import type { Series } from "../chart/series.ts";
import type { DataKey } from "./configuration.ts";
import type { SourceState } from "./source.ts";

export const MOST_LINES = 24;

export interface Line {
  label: string;
  key: DataKey;
  series: Series;
  /** The newest value, as it was sent. */
  last: string | undefined;
  /** Whether no other line has the same key: then the key's own colour tells it apart. */
  alone: boolean;
}

/** In the order of sources, entities and keys. */
export function linesOf(states: readonly SourceState[]): readonly Line[] {
  const lines: Line[] = [];
  for (const state of states) {
    const members = state.members.value;
    for (const member of members) {
      for (const key of state.source.keys) {
        const series = key.key.type === "TIME_SERIES" ? member.series.get(key.key.key) : undefined;
        if (series === undefined) continue;
        const alone = members.length === 1;
        const last = series.values.findLast((each) => each !== null);
        lines.push({ label: alone ? key.label : `${member.name}: ${key.label}`, key, series, last: last?.toString(), alone });
      }
    }
  }
  return lines.slice(0, MOST_LINES);
}
