/** How long to wait before the next try to connect. */

export const SHORTEST_MS = 2_000;
export const LONGEST_MS = 60_000;

/**
 * The pause in ms before try number `attempt` (from 1): anywhere between two seconds and a bound that doubles from four
 * seconds to a minute. By chance, so that a thousand pages do not all come back in the same moment after a restart.
 */
export function pauseBefore(attempt: number, random: () => number = Math.random): number {
  const bound = Math.min(LONGEST_MS, SHORTEST_MS * 2 ** Math.min(attempt, 10));
  return SHORTEST_MS + random() * (bound - SHORTEST_MS);
}
