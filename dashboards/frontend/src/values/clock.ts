/** The server's time, as far as this browser knows it, and a signal that ticks. */

import { signal, type ReadonlySignal } from "@preact/signals";

const ticking = signal(Date.now());
let ahead = 0;

/** The time in ms as of the last tick, once a second; what reads it is drawn anew. */
export const tick: ReadonlySignal<number> = ticking;

/** The server's time in ms since 1970. */
export function serverNow(): number {
  return Date.now() + ahead;
}

/** Begin to tick. `now` is the server's time at which the page was made: this computer's clock may be wrong. */
export function startClock(now: number): void {
  // What took its time on the way counts as difference only where it is more than a network can explain.
  const difference = now - Date.now();
  ahead = Math.abs(difference) > 5_000 ? difference : 0;
  ticking.value = serverNow();
  setInterval(() => (ticking.value = serverNow()), 1_000);
}
